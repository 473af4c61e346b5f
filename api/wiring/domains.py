"""The domains that have tables: each is a Tortoise app with its own migrations."""

from typing import Final

MODELS: Final[dict[str, list[str]]] = {
    "core": ["core.models"],
    "auth": ["auth.models", "auth.rights.models"],
    "face": ["face.models"],
    "certificates": ["certificates.models"],
    "matters": ["matters.applications.models", "matters.cases.models"],
}
