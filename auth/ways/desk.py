"""The desk at which every check by a way is begun and looked at, whatever it is for.

Attempts count from the start. What ends because a provider was away is given back, and so is what is passed: nobody
who is who they say runs out (docs/decisions/0013). Calls out happen outside transactions; of many looks at once one
decides.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from auth.errors import IdentityMismatch
from auth.ways.attempts import Allowance, Attempts
from auth.ways.errors import WayLocked, WayNotOffered, WayRefused, WayUnavailable
from auth.ways.menu import Menu
from auth.ways.ports import Way
from auth.ways.records import Check, Records, Taken
from auth.ways.rules import check_code, takes_code, told_as
from auth.ways.settings import WaySettings
from auth.ways.types import Begun, CheckResult, Claim, Finding, Method, Outcome, Proof, Purpose, Reason, StartedCheck
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.db import transaction
from core.errors import Alternative, Problem
from core.ids import Ids

T = TypeVar("T")
# Does outside work for a proof that has passed and returns the change to be written together with its outcome.
Follow = Callable[[Proof], Awaitable[Callable[[], Awaitable[T]]]]


class Desk:
    """Begins checks and looks at them; what follows a passed one is said by who asked for it."""

    def __init__(
        self,
        *,
        ways: Mapping[Method, Way],
        records: Records,
        attempts: Attempts,
        menu: Menu,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: WaySettings,
    ) -> None:
        self._ways = ways
        self._records = records
        self._attempts = attempts
        self._menu = menu
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings

    def require_offered(self, method: Method, purpose: Purpose, *, elder: bool) -> None:
        """See that the installation offers a method for a purpose.

        Raises:
            WayNotOffered: it does not.
        """
        if self._settings.level(method, purpose) is None:
            raise WayNotOffered(alternatives=self.alternatives(method, purpose, elder=elder))

    def alternatives(self, method: Method, purpose: Purpose, *, elder: bool) -> tuple[Alternative, ...]:
        """Return the other ways to the same end."""
        return self._menu.others(purpose, but=method.value, elder=elder)

    async def begin(
        self,
        method: Method,
        purpose: Purpose,
        claim: Claim,
        *,
        citizen_id: UUID | None,
        session_id: UUID | None,
        elder: bool,
        consent: str,
        actor: Actor,
        subject_id: UUID | None,
        also: Callable[[], Awaitable[None]] | None = None,
    ) -> StartedCheck:
        """Begin a check; this counts as an attempt by this method. `also` is written with its start.

        Raises:
            WayLocked: no attempt is left for this person or account, or no message for this mobile.
            WayUnavailable: the provider could not be reached; it is no attempt.
            WayRefused: the provider does not take what was given, finally.
        """
        now = self._clock.now()
        draft = Check(
            id=self._ids.uuid(),
            purpose=purpose,
            method=method,
            citizen_id=citizen_id,
            session_id=session_id,
            person_mark=self._records.person_mark(claim.id_number),
            elder=elder,
            consent=consent,
            attempt_id=UUID(int=0),
            expires_at=now + self._settings.lifetime(method, elder=elder),
        )
        others = self.alternatives(method, purpose, elder=elder)

        async def start() -> Check:
            attempt_id = await self._attempts.start(self._allowance(draft), draft.keys, alternatives=others)
            check = replace(draft, attempt_id=attempt_id)
            await self._records.add(check, claim)
            await self._tell("auth.way-started", check, actor, subject_id)
            if also is not None:
                await also()
            return check

        check = await transaction(start)
        begun = await self._begun(check, claim, actor=actor, subject_id=subject_id)
        await transaction(lambda: self._records.open(check, begun))
        left = await self._attempts.left(self._allowance(check), check.keys)
        codes = self._settings.codes if takes_code(method) else None
        return StartedCheck(check.id, method, check.expires_at, left, codes, begun.prompt, elder)

    async def look(
        self, check: Check, code: str | None, *, follow: Follow[T], actor: Actor, subject_id: UUID | None
    ) -> tuple[CheckResult, T | None]:
        """Look how a check stands, with the code where it has one; passed, `follow` is done and its change written.

        Raises:
            CodeRequired: the method has a code, and none came.
            CheckExpired: it waited too long.
            CheckDecided: it has ended.
            CheckInProgress: another request looks at it now.
            WayUnavailable: the provider could not be reached; no code was tried.
            WayRefused: the provider takes this proof no more; the check has ended.
            Problem: what follows could not be done; the check stays open.
        """
        code = check_code(check.method, code)
        counts = takes_code(check.method)
        taken = await transaction(lambda: self._records.take(check, counts=counts, codes=self._settings.codes))
        others = self.alternatives(check.method, check.purpose, elder=check.elder)
        try:
            finding, change = await self._judged(check, taken, code, follow)
        except WayRefused as refusal:
            await self._end(check, Finding(Outcome.FAILED, Reason.REFUSED), taken.take, actor, subject_id)
            raise WayRefused(alternatives=others) from refusal
        except Problem as failure:
            await transaction(lambda: self._records.give_back(check, taken, uncount=True))
            if isinstance(failure, WayUnavailable):
                raise WayUnavailable(retry_after=failure.extras.retry_after, alternatives=others) from failure
            raise

        async def write() -> T | None:
            if finding.outcome is Outcome.PENDING:
                await self._records.give_back(check, taken, uncount=True)
                return None
            if finding.reason is Reason.CODE_WRONG:
                await self._records.give_back(check, taken, uncount=False)
                await self._tell("auth.way-failed", check, actor, subject_id, Reason.CODE_WRONG.value)
                return None
            await self._records.close(check, finding, take=taken.take)
            done = await change() if change is not None else None
            if finding.outcome is Outcome.PASSED:
                await self._attempts.give_back(check.attempt_id)
            outcome = finding.reason.value if finding.reason else "ok"
            await self._tell(f"auth.way-{finding.outcome}", check, actor, subject_id, outcome)
            return done

        try:
            done = await transaction(write)
        except Problem:  # The session to be raised has ended, the account is closed: nothing of this look is written.
            await transaction(lambda: self._records.give_back(check, taken, uncount=True))
            raise
        left = await self._attempts.left(self._allowance(check), check.keys)
        codes = max(0, self._settings.codes - taken.tries) if counts else None
        return CheckResult(check.method, finding.outcome, finding.reason, left, codes, check.elder), done

    async def _begun(self, check: Check, claim: Claim, *, actor: Actor, subject_id: UUID | None) -> Begun:
        others = self.alternatives(check.method, check.purpose, elder=check.elder)
        try:
            return await self._ways[check.method].begin(claim, check_id=check.id, until=check.expires_at)
        except WayRefused as refusal:
            await self._end(check, Finding(Outcome.FAILED, Reason.REFUSED), 0, actor, subject_id)
            raise WayRefused(alternatives=others) from refusal
        except (WayUnavailable, WayLocked) as failure:
            # No proof has begun: it is nobody's attempt.
            await self._end(check, Finding(Outcome.FAILED, Reason.UNAVAILABLE), 0, actor, subject_id)
            await transaction(lambda: self._attempts.give_back(check.attempt_id))
            raise type(failure)(retry_after=failure.extras.retry_after, alternatives=others) from failure

    async def _judged(
        self, check: Check, taken: Taken, code: str | None, follow: Follow[T]
    ) -> tuple[Finding, Callable[[], Awaitable[T]] | None]:
        finding = await self._ways[check.method].finish(taken.proof, code)
        if finding.outcome is Outcome.PASSED:
            try:
                return finding, await follow(taken.proof)
            except IdentityMismatch:  # The provider knows them under this name, the population registry does not.
                return Finding(Outcome.FAILED, Reason.NOT_PASSED), None
        if finding.reason is Reason.CODE_WRONG and taken.tries >= self._settings.codes:
            return Finding(Outcome.FAILED, Reason.NO_CODES_LEFT), None
        return finding, None

    async def _end(self, check: Check, finding: Finding, take: int, actor: Actor, subject_id: UUID | None) -> None:
        async def work() -> None:
            await self._records.close(check, finding, take=take)
            await self._tell("auth.way-failed", check, actor, subject_id, str(finding.reason))

        await transaction(work)

    async def _tell(
        self, action: str, check: Check, actor: Actor, subject_id: UUID | None, outcome: str = "ok"
    ) -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=subject_id,
            purpose=check.purpose.value,
            object_kind=f"{check.method}-check",
            object_id=told_as(check.id) if check.purpose is Purpose.LOGIN else check.id,
            outcome=outcome,
        )

    def _allowance(self, check: Check) -> Allowance:
        return Allowance(check.method.value, self._settings.attempts_for(elder=check.elder), self._settings.window)
