"""The rows of checks: adding, taking once, giving back, closing. All changes compare the state they come from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.clock import Clock
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.pii import IdNumber, PersonName
from face.errors import CheckExpired, EvidenceReplayed
from face.types import Action, Judgement, Outcome, Purpose, Unjudged

_NAME: Final = "face_check.name"
_ID_NUMBER: Final = "face_check.id_number"
_PERSON: Final = "face_check.person"

_ADD: Final = """
INSERT INTO face_check (id, purpose, citizen_id, session_id, person_hash, name_sealed, id_number_sealed, elder, consent,
                        actions, state, outcome, reason, engine, model_id, threshold_id, method, started_at,
                        expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', '', '', $11, '', '', '', $12, $13) RETURNING id
"""
_FIND: Final = """
SELECT id, purpose, citizen_id, session_id, person_hash, name_sealed, id_number_sealed, elder, consent, actions, state,
       expires_at
FROM face_check WHERE id = $1 AND account_id IS NULL
"""
# Of many at once, one gets the check.
_TAKE: Final = "UPDATE face_check SET state = 'judging' WHERE id = $1 AND state = 'open' AND expires_at > $2"
# After this many times it is not the engine's bad luck any more.
_RETURNS: Final = 2
_GIVE_BACK: Final = """
UPDATE face_check SET state = 'open', returned = returned + 1 WHERE id = $1 AND state = 'judging' AND returned < $2
"""
_CLOSE: Final = """
UPDATE face_check SET state = 'done', outcome = $2, reason = $3, model_id = $4, threshold_id = $5, decided_at = $6,
                      method = $7, claimed_rate = $8, alive = $9, name_sealed = NULL, id_number_sealed = NULL
WHERE id = $1 AND state = 'judging'
"""
_MARK: Final = """
INSERT INTO frame_seen (sha256, check_id, seen_at) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING RETURNING sha256
"""
_UNMARK: Final = "DELETE FROM frame_seen WHERE check_id = $1"
_WIPE_LATE: Final = """
UPDATE face_check SET name_sealed = NULL, id_number_sealed = NULL, reference_sealed = NULL
WHERE expires_at < $1 AND (id_number_sealed IS NOT NULL OR reference_sealed IS NOT NULL)
"""
_FORGET: Final = "DELETE FROM face_check WHERE started_at < $1 AND expires_at < $1"
_FORGET_SUBJECTS: Final = "DELETE FROM face_subject WHERE counted_at < $1"


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it stands in its row. `name` and `id_number` are there for elder sessions only, until it is done."""

    id: UUID
    purpose: Purpose
    citizen_id: UUID | None
    session_id: UUID | None
    person_hash: str = field(repr=False)
    elder: bool
    consent: str
    actions: tuple[Action, ...]
    is_open: bool
    expires_at: datetime
    name: PersonName | None = None
    id_number: IdNumber | None = None


class Records:
    """Reads and writes the rows of checks. Writes belong into the caller's transaction."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def person_hashes(self, id_number: IdNumber) -> tuple[str, str]:
        """Return the marks by which attempts on one person are counted; the first is the one to write."""
        return self._vault.indexes(_PERSON, id_number.reveal())

    async def add(self, check: Check, *, engine: str) -> None:
        """Write a new check.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await fetch(
            _ADD,
            check.id,
            check.purpose.value,
            check.citizen_id,
            check.session_id,
            check.person_hash,
            check.name and self._vault.seal(_NAME, check.id, check.name.reveal()),
            check.id_number and self._vault.seal(_ID_NUMBER, check.id, check.id_number.reveal()),
            check.elder,
            check.consent,
            [action.value for action in check.actions],
            engine,
            self._clock.now(),
            check.expires_at,
        )

    async def find(self, check_id: UUID) -> Check | None:
        """Return a check that pictures are handed in for, or nothing.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, check_id)
        return None if row is None else self._read(row)

    async def take(self, check: Check, frames: Sequence[bytes]) -> bool:
        """Take a check for judging and mark its frames; return False when one of them was handed in before.

        Raises:
            CheckExpired: it waited too long.
            EvidenceReplayed: it has had its evidence.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        if await execute(_TAKE, check.id, now) == 0:
            raise EvidenceReplayed if check.expires_at > now else CheckExpired
        return await self.mark(check, [hashlib.sha256(frame.rstrip(b"\0")).hexdigest() for frame in frames])

    async def mark(self, check: Check, digests: Sequence[str]) -> bool:
        """Mark what a check was shown; return False when one of it was shown before, in whichever check.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        # Sorted, so that two transactions with the same frames never wait for each other.
        new = [await fetch(_MARK, digest, check.id, now) for digest in sorted(digests)]
        return all(new)

    async def give_back(self, check: Check) -> bool:
        """Open a check again whose frames could not be looked at; return False when it has had its chances.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        if not await execute(_GIVE_BACK, check.id, _RETURNS):
            return False
        await execute(_UNMARK, check.id)
        return True

    async def close(self, check: Check, judgement: Judgement) -> None:
        """Write how a check that was taken ended, and wipe whose it was to be.

        Raises:
            EvidenceReplayed: it was decided meanwhile.
            OutsideTransaction: no transaction is running.
        """
        if not await self._close(check, judgement.outcome, str(judgement.reason or ""), judgement):
            raise EvidenceReplayed

    async def close_unjudged(self, check: Check, why: Unjudged) -> bool:
        """Close a check that was taken and never judged, and wipe whose it was to be; False when it was closed before.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        return await self._close(check, Outcome.FAILED, why.value, None)

    async def wipe_late(self) -> int:
        """Wipe what was sealed for checks that nobody finished, and return of how many.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await execute(_WIPE_LATE, self._clock.now())

    async def forget(self, before: datetime) -> int:
        """Erase the checks that began before a moment, and what counted attempts before it; return how many checks.

        The marks of their pictures stay: without its check a mark is nobody's.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_FORGET_SUBJECTS, before)
        return await execute(_FORGET, before)

    async def _close(self, check: Check, outcome: Outcome, reason: str, by: Judgement | None) -> bool:
        require_transaction()
        changed = await execute(
            _CLOSE,
            check.id,
            outcome.value,
            reason,
            by.model_id if by else "",
            by.threshold_id if by else "",
            self._clock.now(),
            str(by.method or "") if by else "",
            by.claimed_rate if by else None,
            by.alive if by else None,
        )
        return changed > 0

    def _read(self, row: Mapping[str, Any]) -> Check:
        check_id = as_uuid(row["id"])
        name, number = row["name_sealed"], row["id_number_sealed"]
        return Check(
            id=check_id,
            purpose=Purpose(row["purpose"]),
            citizen_id=row["citizen_id"] and as_uuid(row["citizen_id"]),
            session_id=row["session_id"] and as_uuid(row["session_id"]),
            person_hash=row["person_hash"],
            elder=bool(row["elder"]),
            consent=row["consent"],
            actions=tuple(Action(action) for action in as_json(row["actions"])),
            is_open=row["state"] == "open",
            expires_at=as_moment(row["expires_at"]),
            name=name and PersonName.parse(self._vault.open(_NAME, check_id, name)),
            id_number=number and IdNumber.parse(self._vault.open(_ID_NUMBER, check_id, number)),
        )
