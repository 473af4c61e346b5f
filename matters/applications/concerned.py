"""Whom an application is about, and where it belongs: what staff has to know before it may open anything."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.db import as_uuid, fetch_one
from matters.errors import NoSuchApplication

_FIND: Final = "SELECT citizen_id, matter_code, department, region, number FROM application WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Concerned:
    """Nothing personal: who by their id, the matter, its department and region, and the number, once there is one."""

    citizen_id: UUID
    matter: str
    department: str
    region: str
    number: str | None


async def whom_it_concerns(application_id: UUID) -> Concerned:
    """Return whom an application is about.

    Raises:
        NoSuchApplication: there is none.
    """
    row = await fetch_one(_FIND, application_id)
    if row is None:
        raise NoSuchApplication
    return Concerned(as_uuid(row["citizen_id"]), row["matter_code"], row["department"], row["region"], row["number"])
