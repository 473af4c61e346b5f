"""Residents' rows: making one for a newcomer, and the one place of auth where sealed columns become values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.errors import LevelTooLow
from auth.types import Level, Person
from core.crypto import Vault
from core.db import as_uuid, fetch, fetch_one, require_transaction
from core.pii import IdNumber, Mobile, PersonName

NAME: Final = "citizen.name"
ID_NUMBER: Final = "citizen.id_number"
MOBILE: Final = "citizen.mobile"
OPENID: Final = "wechat_account.openid"

# Changes nothing: whoever changes what is a resident's, and whoever closes their account, wait here for each other.
HOLD_ACTIVE: Final = "UPDATE citizen SET state = state WHERE id = $1 AND state = 'active'"
_BY_ID: Final = """
SELECT c.id, c.name_sealed, c.id_number_sealed, c.id_number_hash, c.mobile_sealed, c.elder_chosen, c.state, k.wrapped
FROM citizen c LEFT JOIN person_key k ON k.person_id = c.id WHERE c.id = $1
"""
_ADD_NEWCOMER: Final = """
INSERT INTO citizen (id, elder_chosen, state, created_at) VALUES ($1, $2, 'active', $3) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A resident as their row says. Name and number are known together or not at all."""

    citizen_id: UUID
    name: PersonName | None
    id_number: IdNumber | None
    id_number_hash: str | None
    mobile: Mobile | None
    elder_chosen: bool
    is_active: bool

    @property
    def level(self) -> Level:
        """What a session of this resident holds without a proof of presence."""
        return Level.LINKED if self.id_number is None else Level.REAL_NAME

    def person(self) -> Person:
        """Return the resident under their real name.

        Raises:
            LevelTooLow: it is not known.
        """
        if self.name is None or self.id_number is None:
            raise LevelTooLow.needing(Level.REAL_NAME)
        return Person(self.citizen_id, self.name, self.id_number, self.mobile)


async def add_newcomer(citizen_id: UUID, now: datetime) -> Record:
    """Write a resident whose name is not known yet, in the running transaction, and return their record.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    await fetch(_ADD_NEWCOMER, citizen_id, False, now)
    return Record(
        citizen_id=citizen_id,
        name=None,
        id_number=None,
        id_number_hash=None,
        mobile=None,
        elder_chosen=False,
        is_active=True,
    )


class Records:
    """Finds residents' rows and opens what is sealed in them."""

    def __init__(self, *, vault: Vault) -> None:
        self._vault = vault

    async def find(self, citizen_id: UUID) -> Record | None:
        """Return a resident's record, if there is one.

        Raises:
            RecordUnreadable: a sealed column does not open.
        """
        row = await fetch_one(_BY_ID, citizen_id)
        return None if row is None else self.of_row(row)

    def of_row(self, row: Mapping[str, Any]) -> Record:
        """Return the record of a row of `citizen` that was read elsewhere, joined with its key as here.

        Raises:
            RecordUnreadable: a sealed column does not open.
        """
        citizen_id = as_uuid(row["id"])
        # One unwrapping for the three of them, and none where nothing is sealed.
        person = self._vault.of_person(citizen_id, row["wrapped"])

        def opened(column: str, sealed: bytes | None) -> str | None:
            return None if sealed is None else person.open(column, citizen_id, sealed)

        name = opened(NAME, row["name_sealed"])
        number = opened(ID_NUMBER, row["id_number_sealed"])
        mobile = opened(MOBILE, row["mobile_sealed"])
        return Record(
            citizen_id=citizen_id,
            name=None if name is None else PersonName(name),
            id_number=None if number is None else IdNumber(number),
            id_number_hash=row["id_number_hash"],
            mobile=None if mobile is None else Mobile(mobile),
            elder_chosen=bool(row["elder_chosen"]),
            is_active=row["state"] == "active",
        )
