"""The domains that have tables: each is a Tortoise app with its own migrations."""

from typing import Final

MODELS: Final[dict[str, list[str]]] = {
    "core": ["core.models"],
    "auth": [
        "auth.models",
        "auth.account.models",
        "auth.delegation.models",
        "auth.registers.models",
        "auth.rights.models",
        "auth.staff.models",
        "auth.ways.models",
    ],
    "notices": ["notices.models"],
    "face": ["face.models"],
    "certificates": ["certificates.models"],
    "matters": ["matters.applications.models", "matters.cases.models"],
}
