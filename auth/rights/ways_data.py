"""What is stored of the ways other than the face: checks, what a counter confirmed, officers' requests to act."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.records import Records
from auth.rights.own_data import plain_row
from auth.types import Erasure, Outlook, Section
from auth.ways.assistances import PERSON as ASSISTED
from auth.ways.assistances import PURPOSE
from auth.ways.counter import PERSON as ON_SLIP
from auth.ways.records import PERSON as CHECKED
from auth.ways.records import PSEUDONYM
from auth.ways.texting import MOBILE as TEXTED
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, require_transaction

# Checks that log somebody in belong to no account yet; they are found by the mark of the number they were about.
_CHECKS: Final = """
SELECT id, purpose, method, citizen_id, pseudonym_sealed, elder, consent, state, outcome, reason, tries, started_at,
       expires_at, decided_at
FROM way_check WHERE citizen_id = $1 OR person_mark = $2 ORDER BY id
"""
_ASSISTANCES: Final = """
SELECT id, purpose_sealed, state, created_at, expires_at FROM assistance WHERE citizen_id = $1 ORDER BY id
"""
_FORGET_CHECKS: Final = "DELETE FROM way_check WHERE citizen_id = $1 OR person_mark = $2"
_FORGET_ATTEMPTS: Final = "DELETE FROM way_attempt WHERE key = $1"
# Its key is the kind of attempt, a colon, and the key of the attempts.
_FORGET_SUBJECTS: Final = "DELETE FROM way_subject WHERE key LIKE '%:' || CAST($1 AS TEXT)"
_FORGET_SLIPS: Final = "DELETE FROM counter_slip WHERE person_mark = $1"
_FORGET_ASSISTANCES: Final = "DELETE FROM assistance WHERE citizen_id = $1"
# What no row has as a mark.
_NOBODY: Final = "-"


class WaysData:
    """What the ways store about people."""

    def __init__(self, *, records: Records, vault: Vault) -> None:
        self._records = records
        self._vault = vault

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every check of the person, also those that somebody began with their number, and officers' requests.

        Raises:
            RecordUnreadable: something sealed does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        number, _, _ = await self._marks(citizen_id)
        checks = []
        for row in await fetch(_CHECKS, citizen_id, number):
            sealed = row["pseudonym_sealed"]
            shown = {name: row[name] for name in row if name not in {"pseudonym_sealed", "citizen_id"}}
            checks.append(
                {
                    **plain_row(shown, "started_at", "expires_at", "decided_at"),
                    "by": "self" if row["citizen_id"] is not None else "not-logged-in",
                    "elder": bool(row["elder"]),
                    "pseudonym": None if sealed is None else self._vault.open(PSEUDONYM, as_uuid(row["id"]), sealed),
                }
            )
        assistances = [self._assistance(row) for row in await fetch(_ASSISTANCES, citizen_id)]
        tables = ("way_check", "way_attempt", "way_subject", "counter_slip")
        return [
            Section("identity-checks", "其他方式的身份核验", "Identity checks by other ways", tables, checks),
            Section("assistances", "工作人员代办", "Officers who acted", ("assistance",), assistances),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that nothing is kept.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id, now
        return Outlook()

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase all of it.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        number, slip, keys = await self._marks(citizen_id)
        return Erasure(
            {
                "way_check": await execute(_FORGET_CHECKS, citizen_id, number),
                "way_attempt": sum([await execute(_FORGET_ATTEMPTS, key) for key in keys]),
                "way_subject": sum([await execute(_FORGET_SUBJECTS, key) for key in keys]),
                "counter_slip": await execute(_FORGET_SLIPS, slip),
                "assistance": await execute(_FORGET_ASSISTANCES, citizen_id),
            }
        )

    async def _marks(self, citizen_id: UUID) -> tuple[str, str, list[str]]:
        """Return by what rows are found: the mark of the number, that of a slip, and the keys of attempts."""
        record = await self._records.find(citizen_id)
        number, slip, keys = _NOBODY, _NOBODY, [f"a:{citizen_id}"]
        if record is not None and record.id_number is not None and record.name is not None:
            told = record.id_number.reveal()
            number = self._vault.mark(CHECKED, told)
            slip = self._vault.mark(ON_SLIP, f"{told}|{record.name.reveal()}")
            keys += [f"p:{number}", f"p:{self._vault.mark(ASSISTED, told)}"]
        if record is not None and record.mobile is not None:
            keys.append(f"m:{self._vault.mark(TEXTED, record.mobile.reveal())}")
        return number, slip, keys

    def _assistance(self, row: dict[str, Any]) -> dict[str, Any]:
        shown = {name: row[name] for name in ("id", "state", "created_at", "expires_at")}
        purpose = self._vault.open(PURPOSE, as_uuid(row["id"]), row["purpose_sealed"])
        return {**plain_row(shown, "created_at", "expires_at"), "purpose": purpose}
