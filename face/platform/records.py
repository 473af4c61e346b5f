"""The rows of checks by a platform: added before the platform is asked, opened with its name for them, closed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.pii import Secret
from face.errors import CheckExpired
from face.platform.errors import CheckDecided
from face.platform.types import Finding, Reason
from face.types import Purpose, Unjudged

_REFERENCE: Final = "face_check.reference"
# `judging` keeps a row from everybody but whoever is just asking the platform to begin.
_ADD: Final = """
INSERT INTO face_check (id, purpose, citizen_id, session_id, account_id, person_hash, elder, consent, actions, state,
                        outcome, reason, engine, model_id, threshold_id, method, started_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'judging', '', '', $10, '', '', '', $11, $12) RETURNING id
"""
_OPEN: Final = """
UPDATE face_check SET state = 'open', reference_sealed = $2, expires_at = $3 WHERE id = $1 AND state = 'judging'
"""
_FIND: Final = """
SELECT id, purpose, citizen_id, session_id, account_id, person_hash, elder, consent, state, expires_at, reference_sealed
FROM face_check WHERE id = $1 AND account_id IS NOT NULL
"""
# Of many that ask at once, one writes the end.
_CLOSE: Final = """
UPDATE face_check SET state = 'done', outcome = $2, reason = $3, model_id = $4, threshold_id = $5, decided_at = $6,
                      reference_sealed = NULL
WHERE id = $1 AND state = 'open' AND expires_at > $6
"""
_GIVE_UP: Final = """
UPDATE face_check SET state = 'done', outcome = 'failed', reason = $2, decided_at = $3, reference_sealed = NULL
WHERE id = $1 AND state <> 'done'
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it stands in its row. `reference` is the platform's name for it, until it is done."""

    id: UUID
    purpose: Purpose
    citizen_id: UUID
    session_id: UUID
    account_id: UUID
    person_hash: str = field(repr=False)
    elder: bool
    consent: str
    expires_at: datetime
    is_done: bool = False
    reference: Secret | None = None

    @property
    def number(self) -> str:
        """Our number for it at the platform: 32 characters, never used again."""
        return self.id.hex


class Records:
    """Reads and writes the rows. Writes belong into the caller's transaction."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def add(self, check: Check, *, engine: str) -> None:
        """Write a new check that nobody can finish yet.

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
            check.account_id,
            check.person_hash,
            check.elder,
            check.consent,
            [],
            engine,
            self._clock.now(),
            check.expires_at,
        )

    async def open(self, check: Check, reference: Secret, *, until: datetime) -> None:
        """Open a check that the platform has begun.

        Raises:
            CheckDecided: it was given up meanwhile.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        sealed = self._vault.seal(_REFERENCE, check.id, reference.reveal())
        if not await execute(_OPEN, check.id, sealed, until):
            raise CheckDecided

    async def find(self, check_id: UUID) -> Check | None:
        """Return a check by a platform, or nothing.

        Raises:
            RecordUnreadable: the platform's name for it does not open.
        """
        row = await fetch_one(_FIND, check_id)
        return None if row is None else self._read(row)

    async def close(self, check: Check, finding: Finding, *, model: str, threshold: str) -> None:
        """Write how a check ended; of many that do so at once, one does.

        Raises:
            CheckDecided: another has.
            CheckExpired: it has run out meanwhile.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        reason = finding.reason.value if finding.reason else ""
        if not await execute(_CLOSE, check.id, finding.outcome.value, reason, model, threshold, now):
            raise CheckExpired if check.expires_at <= now else CheckDecided

    async def give_up(self, check: Check, why: Reason | Unjudged) -> bool:
        """Close a check of which nobody learns an end; return False when it was closed before.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        return await execute(_GIVE_UP, check.id, why.value, self._clock.now()) > 0

    def _read(self, row: Mapping[str, Any]) -> Check:
        check_id, sealed = as_uuid(row["id"]), row["reference_sealed"]
        return Check(
            id=check_id,
            purpose=Purpose(row["purpose"]),
            citizen_id=as_uuid(row["citizen_id"]),
            session_id=as_uuid(row["session_id"]),
            account_id=as_uuid(row["account_id"]),
            person_hash=row["person_hash"],
            elder=bool(row["elder"]),
            consent=row["consent"],
            expires_at=as_moment(row["expires_at"]),
            is_done=row["state"] == "done",
            reference=sealed and Secret(self._vault.open(_REFERENCE, check_id, sealed)),
        )
