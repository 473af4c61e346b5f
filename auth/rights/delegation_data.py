"""What is stored of acting for others: ties between relatives, mandates on either side, and attempts at both."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.delegation.ending import Ending
from auth.delegation.records import Rows
from auth.delegation.trail import Trail
from auth.delegation.types import Named
from auth.records import Records
from auth.rights.own_data import plain_row
from auth.types import Erasure, Outlook, Plain, Section, Stop
from core.db import as_json, as_uuid, execute, fetch, require_transaction

_RELATIVES: Final = """
SELECT * FROM relative WHERE citizen_id = $1 OR other_id = $1 OR person_mark = $2 ORDER BY id
"""
_MANDATES: Final = """
SELECT m.id, m.kind, m.principal_kind, m.principal_id, m.granted_by, m.agent_id, m.certificates, m.matters, m.one_time,
       m.state, m.offered_at, m.accepted_at, m.ends_at, m.ended_at, m.end_reason, m.checked_at, o.uscc, o.name
FROM mandate m LEFT JOIN organisation o ON o.id = m.principal_id
WHERE m.principal_id = $1 OR m.agent_id = $1 OR m.granted_by = $1 OR m.agent_mark = $2 ORDER BY m.id
"""
_ATTEMPTS: Final = "SELECT id, purpose, started_at FROM delegation_attempt WHERE citizen_id = $1 ORDER BY id"
_ACTIVE: Final = """
SELECT id FROM mandate WHERE state = 'active' AND ends_at > $2 AND (principal_id = $1 OR agent_id = $1) ORDER BY id
"""
_FORGET_MANDATES: Final = "DELETE FROM mandate WHERE principal_id = $1"
# What somebody else has given stays theirs as history: that it was, but no more to whom.
_BLANK_MANDATES: Final = """
UPDATE mandate SET agent_mark = '', agent_name_sealed = NULL, relative_id = NULL
WHERE (agent_id = $1 OR agent_mark = $2) AND agent_mark <> ''
"""
# Of what was given in an organisation's name, the name of an agent who never took it stands under the giver's key.
_BLANK_OFFERS: Final = (
    "UPDATE mandate SET agent_name_sealed = NULL WHERE granted_by = $1 AND agent_name_sealed IS NOT NULL"
)
_LET_GO: Final = """
UPDATE mandate SET relative_id = NULL WHERE relative_id IN (SELECT id FROM relative WHERE citizen_id = $1)
"""
_FORGET_RELATIVES: Final = "DELETE FROM relative WHERE citizen_id = $1"
_BLANK_RELATIVES: Final = """
UPDATE relative SET person_mark = '', number_hash = '', name_sealed = NULL, id_number_sealed = NULL
WHERE (other_id = $1 OR number_hash IN ($2, $3)) AND number_hash <> ''
"""
_FORGET_ATTEMPTS: Final = "DELETE FROM delegation_attempt WHERE citizen_id = $1 OR key = $2"
_FORGET_SUBJECT: Final = "DELETE FROM real_name_subject WHERE key = $1"
# What no row has as a mark.
_NOBODY: Final = "-"


class DelegationData:
    """What delegation stores about people. Whatever they were one side of ends with the account."""

    def __init__(self, *, rows: Rows, trail: Trail, ending: Ending, records: Records) -> None:
        self._rows = rows
        self._trail = trail
        self._ending = ending
        self._records = records

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return the ties, the mandates given and held, and the attempts; others stand in it by their masked names.

        Raises:
            RecordUnreadable: something sealed does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        me = await self._named(citizen_id)
        mark = _NOBODY if me is None else self._rows.person_mark(me)
        ties = [await self._tie(row, citizen_id) for row in await fetch(_RELATIVES, citizen_id, mark)]
        mandates = [await self._mandate(row, citizen_id) for row in await fetch(_MANDATES, citizen_id, mark)]
        attempts = [plain_row(row, "started_at") for row in await fetch(_ATTEMPTS, citizen_id)]
        return [
            Section("relatives", "亲友关系", "Relatives", ("relative",), ties),
            Section("mandates", "代办授权", "Mandates", ("mandate", "organisation"), mandates),
            Section("delegation-attempts", "添加亲友次数", "Attempts at naming", ("delegation_attempt",), attempts),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return the mandates that would end.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_ACTIVE, citizen_id, now)
        return Outlook(tuple(Stop("mandate", as_uuid(row["id"]), "代办授权", "Mandate") for row in rows))

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """End every tie and mandate of the person, tell the other sides, and erase what is the person's of them.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        me = await self._named(citizen_id)
        person = key = _NOBODY
        numbers = (_NOBODY, _NOBODY)
        if me is not None:
            person, numbers = self._rows.person_mark(me), self._rows.number_hashes(me.id_number)
            key = self._rows.attempt_key("relative", me.id_number.reveal())
        await self._ending.end_all_of(citizen_id, "account-closed")
        mandates = await execute(_FORGET_MANDATES, citizen_id)
        await execute(_BLANK_MANDATES, citizen_id, person)
        await execute(_BLANK_OFFERS, citizen_id)
        await execute(_LET_GO, citizen_id)
        relatives = await execute(_FORGET_RELATIVES, citizen_id)
        await execute(_BLANK_RELATIVES, citizen_id, *numbers)
        attempts = await execute(_FORGET_ATTEMPTS, citizen_id, key)
        subjects = [await execute(_FORGET_SUBJECT, held) for held in (f"da:{citizen_id}", f"dk:{key}")]
        return Erasure(
            {
                "mandate": mandates,
                "relative": relatives,
                "delegation_attempt": attempts,
                "real_name_subject": sum(subjects),
            }
        )

    async def _named(self, citizen_id: UUID) -> Named | None:
        record = await self._records.find(citizen_id)
        if record is None or record.name is None or record.id_number is None:
            return None
        return Named(record.name, record.id_number)

    async def _tie(self, row: Mapping[str, Any], me: UUID) -> dict[str, Plain]:
        link = self._rows.link(row)
        mine = link.citizen_id == me
        other_id = link.other_id if mine else link.citizen_id
        named = None if other_id is not None else await self._rows.open_other(link)
        name = "" if named is None else named.name.masked()
        shown = {
            name: row[name] for name in ("id", "relation", "state", "basis", "asked_at", "confirmed_at", "ended_at")
        }
        return {
            **plain_row(shown, "asked_at", "confirmed_at", "ended_at"),
            "asked_by": "self" if mine else "other",
            "other_name": name if other_id is None else await self._trail.masked_name_of(other_id),
        }

    async def _mandate(self, row: Mapping[str, Any], me: UUID) -> dict[str, Plain]:
        moments = ("offered_at", "accepted_at", "ends_at", "ended_at", "checked_at")
        shown = {name: row[name] for name in ("id", "kind", "principal_kind", "state", "end_reason", *moments)}
        principal_id, agent_id = as_uuid(row["principal_id"]), row["agent_id"]
        as_agent = me != principal_id and (row["granted_by"] is None or as_uuid(row["granted_by"]) != me)
        other = principal_id if as_agent else None if agent_id is None else as_uuid(agent_id)
        organisation = None if row["uscc"] is None else f"{row['name']} {row['uscc']}"
        is_of_person = other is not None and not (as_agent and organisation)
        return {
            **plain_row(shown, *moments),
            "role": "agent" if as_agent else "principal",
            "organisation": organisation,
            "other_name": await self._trail.masked_name_of(other) if other is not None and is_of_person else "",
            "certificates": None if row["certificates"] is None else as_json(row["certificates"]),
            "matters": None if row["matters"] is None else as_json(row["matters"]),
            "one_time": bool(row["one_time"]),
        }
