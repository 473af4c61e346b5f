"""The rows of checks: adding, taking for one look at a time, opening again, closing. All changes compare and set."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.ways.errors import CheckDecided
from auth.ways.rules import state_of, why_not_taken
from auth.ways.types import Begun, CheckView, Claim, Finding, Method, Proof, Purpose, Reason
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.pii import IdNumber, Mobile, PersonName, Secret

PERSON: Final = "way_check.person"
_CLAIM: Final = "way_check.claim"
_REFERENCE: Final = "way_check.reference"
PSEUDONYM: Final = "way_check.pseudonym"
# A look at a check whose process died does not keep it for ever; no call of ours takes as long.
_LOOK: Final = timedelta(seconds=30)

_ADD: Final = """
INSERT INTO way_check (id, purpose, method, citizen_id, session_id, person_mark, claim_sealed, elder, consent,
                       attempt_id, state, outcome, reason, tries, takes, started_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'beginning', '', '', 0, 0, $11, $12) RETURNING id
"""
_OPEN: Final = "UPDATE way_check SET state = 'open', reference_sealed = $2 WHERE id = $1 AND state = 'beginning'"
_FIND: Final = """
SELECT id, purpose, method, citizen_id, session_id, person_mark, claim_sealed, elder, consent, attempt_id, state,
       tries, expires_at
FROM way_check WHERE id = $1
"""
# Of many at once, one gets to look. A code that is tried counts from here, whatever comes of it.
_TAKE: Final = """
UPDATE way_check SET state = 'judging', takes = takes + 1, taken_at = $2, tries = tries + $3
WHERE id = $1 AND expires_at > $2 AND tries + $3 <= $5
      AND (state = 'open' OR (state = 'judging' AND taken_at < $4))
RETURNING takes, tries, claim_sealed, reference_sealed
"""
_GIVE_BACK: Final = """
UPDATE way_check SET state = 'open', tries = tries - $3 WHERE id = $1 AND takes = $2 AND state = 'judging'
"""
_CLOSE: Final = """
UPDATE way_check SET state = 'done', outcome = $3, reason = $4, pseudonym_sealed = $5, decided_at = $6,
                     claim_sealed = NULL, reference_sealed = NULL
WHERE id = $1 AND takes = $2 AND state IN ('beginning', 'judging')
"""
_REVOKE: Final = """
UPDATE way_check SET state = 'done', outcome = 'failed', reason = 'revoked', decided_at = $3, claim_sealed = NULL,
                     reference_sealed = NULL
WHERE id = $1 AND citizen_id = $2 AND state <> 'done' AND expires_at > $3
"""
_LIST: Final = """
SELECT id, method, state, outcome, reason, started_at, expires_at, decided_at FROM way_check
WHERE citizen_id = $1 AND (started_at < $2 OR (started_at = $2 AND id < $3))
ORDER BY started_at DESC, id DESC LIMIT $4
"""
_WIPE_LATE: Final = """
UPDATE way_check SET claim_sealed = NULL, reference_sealed = NULL WHERE expires_at < $1 AND claim_sealed IS NOT NULL
"""
_FORGET: Final = "DELETE FROM way_check WHERE started_at < $1"


@dataclass(frozen=True, slots=True)
class Check:
    """One check as its row says. Of what is claimed the number is known, until it is wiped."""

    id: UUID
    purpose: Purpose
    method: Method
    citizen_id: UUID | None
    session_id: UUID | None
    person_mark: str = field(repr=False)
    elder: bool
    consent: str
    attempt_id: UUID
    expires_at: datetime
    state: str = "beginning"
    tries: int = 0
    number: IdNumber | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """On what attempts are counted: the person, and the account where there is one."""
        person = f"p:{self.person_mark}"
        return (person,) if self.citizen_id is None else (person, f"a:{self.citizen_id}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A check taken for a look: which one (`take`), how many codes were tried with this one, and what it takes."""

    take: int
    tries: int
    counted: int
    proof: Proof


class Records:
    """Reads and writes the rows of checks. Writes belong into the caller's transaction."""

    def __init__(self, *, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def person_mark(self, id_number: IdNumber) -> str:
        """Return the mark by which attempts on one person are counted."""
        return self._vault.mark(PERSON, id_number.reveal())

    async def add(self, check: Check, claim: Claim) -> None:
        """Write a new check that is about to begin.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await fetch(
            _ADD,
            check.id,
            check.purpose.value,
            check.method.value,
            check.citizen_id,
            check.session_id,
            check.person_mark,
            self._vault.seal(_CLAIM, check.id, _written(claim)),
            check.elder,
            check.consent,
            check.attempt_id,
            self._clock.now(),
            check.expires_at,
        )

    async def open(self, check: Check, begun: Begun) -> None:
        """Open a check whose proof has begun.

        Raises:
            CheckDecided: it was given up meanwhile.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        if not await execute(_OPEN, check.id, self._vault.seal(_REFERENCE, check.id, begun.reference.reveal())):
            raise CheckDecided

    async def find(self, check_id: UUID) -> Check | None:
        """Return a check, or nothing.

        Raises:
            RecordUnreadable: what is claimed does not open.
        """
        row = await fetch_one(_FIND, check_id)
        if row is None:
            return None
        claim = row["claim_sealed"] and _claim(self._vault.open(_CLAIM, check_id, row["claim_sealed"]))
        return _read(row, claim.id_number if claim else None)

    async def take(self, check: Check, *, counts: bool, codes: int) -> Taken:
        """Take a check for one look; with `counts` a code is tried by it, of at most `codes`.

        Raises:
            CheckExpired: it waited too long.
            CheckDecided: it has ended.
            CheckInProgress: somebody else looks at it now.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now, counted = self._clock.now(), int(counts)
        row = await fetch_one(_TAKE, check.id, now, counted, now - _LOOK, codes)
        if row is None:
            again = await fetch_one(_FIND, check.id)
            raise why_not_taken(again["state"] if again else "done", check.expires_at, now)
        claim = _claim(self._vault.open(_CLAIM, check.id, row["claim_sealed"]))
        reference = Secret(self._vault.open(_REFERENCE, check.id, row["reference_sealed"]))
        return Taken(int(row["takes"]), int(row["tries"]), counted, Proof(check.id, reference, claim))

    async def give_back(self, check: Check, taken: Taken, *, uncount: bool) -> None:
        """Open a check again that was looked at and is not decided; with `uncount` no code was tried.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_GIVE_BACK, check.id, taken.take, taken.counted if uncount else 0)

    async def close(self, check: Check, finding: Finding, *, take: int = 0) -> None:
        """Write how a check ended and wipe what was claimed; `take` is the look that decided it, 0 before any.

        Raises:
            CheckDecided: it has ended meanwhile, or another look has taken it.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        pseudonym = finding.pseudonym and self._vault.seal(PSEUDONYM, check.id, finding.pseudonym.reveal())
        outcome, reason = finding.outcome.value, finding.reason.value if finding.reason else ""
        if not await execute(_CLOSE, check.id, take, outcome, reason, pseudonym, self._clock.now()):
            raise CheckDecided

    async def revoke(self, check_id: UUID, citizen_id: UUID) -> bool:
        """Give up a check of somebody that is still open; return whether there was such a check.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        return await execute(_REVOKE, check_id, citizen_id, self._clock.now()) == 1

    async def list_of(self, citizen_id: UUID, before: tuple[datetime, UUID], limit: int) -> list[CheckView]:
        """Return somebody's checks, newest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        return [_view(row, now) for row in await fetch(_LIST, citizen_id, *before, limit)]

    async def tidy(self, before: datetime) -> int:
        """Wipe what was claimed in checks that nobody finished, forget old ones; return how many were wiped.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_FORGET, before)
        return await execute(_WIPE_LATE, self._clock.now())


def _written(claim: Claim) -> str:
    told = {
        "name": claim.name.reveal(),
        "id_number": claim.id_number.reveal(),
        "mobile": claim.mobile and claim.mobile.reveal(),
        "card_number": claim.card_number and claim.card_number.reveal(),
    }
    return json.dumps(told, ensure_ascii=False)


def _claim(text: str) -> Claim:
    told = json.loads(text)
    mobile, card = told["mobile"], told["card_number"]
    return Claim(
        PersonName(told["name"]), IdNumber(told["id_number"]), mobile and Mobile(mobile), card and Secret(card)
    )


def _read(row: Mapping[str, Any], number: IdNumber | None) -> Check:
    return Check(
        id=as_uuid(row["id"]),
        purpose=Purpose(row["purpose"]),
        method=Method(row["method"]),
        citizen_id=row["citizen_id"] and as_uuid(row["citizen_id"]),
        session_id=row["session_id"] and as_uuid(row["session_id"]),
        person_mark=row["person_mark"],
        elder=bool(row["elder"]),
        consent=row["consent"],
        attempt_id=as_uuid(row["attempt_id"]),
        expires_at=as_moment(row["expires_at"]),
        state=row["state"],
        tries=int(row["tries"]),
        number=number,
    )


def _view(row: Mapping[str, Any], now: datetime) -> CheckView:
    reason, expires_at = Reason(row["reason"]) if row["reason"] else None, as_moment(row["expires_at"])
    return CheckView(
        id=as_uuid(row["id"]),
        method=Method(row["method"]),
        state=state_of(row["state"], row["outcome"], reason, expires_at, now),
        reason=reason,
        started_at=as_moment(row["started_at"]),
        expires_at=expires_at,
        decided_at=row["decided_at"] and as_moment(row["decided_at"]),
    )
