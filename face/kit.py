"""What every kind of face check works with, and what all of them do alike."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from auth.consent import Consents
from auth.realname import RealName
from auth.rules import FreshFor
from auth.types import Caller
from core.cache import Limits
from core.clock import Clock
from core.ids import Ids
from core.metrics import FACE_CHECKS
from core.pii import IdNumber, PersonName
from face.attempts import Attempts
from face.examination import Examiner
from face.ports import Others
from face.recording.rules import choose_actions
from face.records import Check, Records
from face.rules import hall_or_phone
from face.settings import FaceSettings
from face.trail import Trail
from face.types import CheckResult, Judgement, Purpose, StartedCheck

_UNSURE: Final = "unsure"


@dataclass(frozen=True, slots=True)
class Kit:
    """The rooms a check goes through. `engine` is the name of what looks at the pictures; `draw(n)` is unguessable."""

    examiner: Examiner
    records: Records
    attempts: Attempts
    realname: RealName
    consents: Consents
    trail: Trail
    limits: Limits
    clock: Clock
    ids: Ids
    settings: FaceSettings
    fresh_for: FreshFor
    engine: str = "local"
    draw: Callable[[int], int] = secrets.randbelow
    others: Others = hall_or_phone

    def new_check(
        self,
        purpose: Purpose,
        number: IdNumber,
        consent: str,
        *,
        caller: Caller | None,
        elder: bool,
        claimed_name: PersonName | None = None,
    ) -> Check:
        """Draw up a check of the person with this number; it is nowhere written yet.

        With a `claimed_name` the person is whom somebody says they are: name and number are kept with the check.
        """
        return Check(
            id=self.ids.uuid(),
            purpose=purpose,
            citizen_id=caller.actor_id if caller else None,
            session_id=caller.session_id if caller else None,
            person_hash=self.records.person_hashes(number)[0],
            elder=elder,
            consent=consent,
            actions=choose_actions(self.settings.actions, self.draw),
            is_open=True,
            expires_at=self.clock.now() + self.settings.lifetime(elder=elder),
            name=claimed_name,
            id_number=number if claimed_name else None,
        )

    async def count_and_add(self, check: Check, number: IdNumber) -> None:
        """Count a check as an attempt on this person and account, and write it, in the running transaction.

        Raises:
            TooManyAttempts: none is left.
            OutsideTransaction: no transaction is running.
        """
        await self.attempts.require(self.records.person_hashes(number), check.citizen_id, elder=check.elder)
        await self.records.add(check, engine=self.engine)

    def started(self, check: Check) -> StartedCheck:
        """Return what a client is told about a check that has begun."""
        return StartedCheck(
            id=check.id,
            actions=check.actions,
            expires_at=check.expires_at,
            min_frames=self.settings.min_frames,
            max_frames=self.settings.max_frames,
            max_frame_bytes=self.settings.max_frame_bytes,
            engine=self.engine,
        )

    async def result(self, check: Check, judgement: Judgement) -> CheckResult:
        """Return what a caller is told about a decided check, and count it for operators.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        # Operators see how many were too close to call; callers do not.
        FACE_CHECKS.labels(_UNSURE if judgement.is_unsure else judgement.reason or judgement.outcome).inc()
        left = await self.attempts.left(check.person_hash, check.citizen_id, elder=check.elder)
        return CheckResult(judgement.outcome, judgement.reason, left)
