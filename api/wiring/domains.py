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
    "certificates": [
        "certificates.models",
        "certificates.copies.models",
        "certificates.offline.models",
        "certificates.sharing.models",
    ],
    "matters": [
        "matters.applications.models",
        "matters.branches.models",
        "matters.cases.models",
        "matters.catalogue.revisions.models",
        "matters.exchange.models",
        "matters.extensions.models",
        "matters.handover.models",
        "matters.materials.models",
        "matters.ratings.models",
        "matters.results.models",
        "matters.supervision.models",
        "matters.texts.models",
    ],
}
