"""Checks by a platform: begun there for a person at an account, finished by asking there, the session raised once.

Whatever keeps the platform from being asked leaves the check as it is: beginning again makes a new one that is counted
alone, asking again asks the same. Calls go out between transactions, never in one.
"""

from typing import Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.account.types import AccountContact
from auth.errors import ConsentRequired
from auth.rules import consent_required, fresh_until
from auth.sessions import Sessions
from auth.types import Caller, Level, ReadPurpose
from core.clock import china_date
from core.db import transaction
from core.errors import Alternative, Problem
from core.metrics import FACE_CHECKS
from face.errors import CheckExpired, GuardianNeeded, NoSuchCheck, NotOffered
from face.kit import Kit
from face.platform.errors import AccountNeeded, CheckDecided, PlatformRefused, PlatformTooMany, PlatformUnavailable
from face.platform.ports import FacePlatform
from face.platform.records import Check, Records
from face.platform.rules import advice_for, waits_until
from face.platform.types import Begun, CheckResult, Finding, Outcome, Reason, StartedCheck, Subject
from face.rules import GUARDED, needs_guardian
from face.types import Purpose, Unjudged

# A consent of its own: name and number go to the platform, which takes and keeps pictures by rules of its own.
CONSENT: Final = "wechat-face"
# What the pass rests on: the platform's own word, of which no rate is claimed here.
_MODEL: Final = "requestFacialVerify"
_THRESHOLD: Final = "verify_ret=10000"


class PlatformChecks:
    """Has a platform look whether the caller is the person they are known as. The check is the actor's own."""

    def __init__(
        self, kit: Kit, *, platform: FacePlatform, records: Records, contacts: Contacts, sessions: Sessions
    ) -> None:
        self._kit = kit
        self._platform = platform
        self._records = records
        self._contacts = contacts
        self._sessions = sessions

    async def start(self, caller: Caller, purpose: Purpose, consent: str) -> StartedCheck:
        """Begin a check of the caller at the platform; it counts as an attempt unless the platform was away.

        Raises:
            ConsentRequired: the consent is not to the text in force for checks by the platform.
            NotOffered: what the platform finds proves nothing in this installation.
            LevelTooLow: the caller's real name is not known.
            AccountNeeded: the session was opened by no account of the platform.
            GuardianNeeded: the caller is under 14, and no guardian has consented.
            TooManyAttempts: no attempt is left for this person or this account.
            TooManyRequests: too much was asked for this account.
            PlatformUnavailable: the platform could not be asked; this was no attempt.
            PlatformTooMany: the platform takes no more for the moment; this was no attempt.
            PlatformRefused: the platform does not take this person or account.
        """
        self._kit.consents.check(consent, purpose=CONSENT)
        if self._kit.settings.engines.wechat.gives == "nothing":
            raise NotOffered(alternatives=self._kit.others(logged_in=True, elder=caller.elder))
        await self._limit(caller)
        account, subject = await self._subject(caller)
        day = china_date(self._kit.clock.now())
        if needs_guardian(subject.id_number, day) and not await self._kit.consents.has_from_guardian(
            caller.actor_id, CONSENT
        ):
            raise GuardianNeeded(alternatives=GUARDED)
        hashes = self._kit.records.person_hashes(subject.id_number)
        lifetime = self._kit.settings.platform_lifetime(elder=caller.elder)
        check = Check(
            id=self._kit.ids.uuid(),
            purpose=purpose,
            citizen_id=caller.actor_id,
            session_id=caller.session_id,
            account_id=account.account_id,
            person_hash=hashes[0],
            elder=caller.elder,
            consent=consent,
            expires_at=self._kit.clock.now() + lifetime,
        )

        async def add() -> None:
            await self._kit.attempts.require(hashes, check.citizen_id, elder=check.elder)
            await self._records.add(check, engine=self._platform.name)
            await self._kit.consents.give(caller.actor_id, consent, actor=caller.self_actor)
            await self._kit.trail.tell("face.check-started", check, actor=caller.self_actor)
            # Before it goes out: whether it has arrived is not always known.
            await self._kit.trail.tell(
                "face.platform-told", check, actor=caller.self_actor, field_names=("name", "id_number", "openid")
            )

        await transaction(add)
        begun = await self._begin(caller, check, subject)
        until = waits_until(self._kit.clock.now(), lifetime, begun.seconds)
        await transaction(lambda: self._records.open(check, begun.reference, until=until))
        left = await self._left(check)
        return StartedCheck(check.id, begun.reference.reveal(), until, self._platform.name, left)

    async def finish(self, caller: Caller, check_id: UUID) -> CheckResult:
        """Ask the platform how a check ended; passed, the session is `present` at once, and only once.

        Raises:
            NoSuchCheck: there is none, or it belongs to another person, session, account or number.
            CheckExpired: it waited too long.
            CheckDecided: its end was told before.
            ConsentRequired: the consent was withdrawn since the check began.
            PlatformUnavailable: the platform could not be asked; ask again.
            PlatformRefused: the platform knows no such check of this person; it has ended.
            TokenInvalid: the session has ended meanwhile.
            TooManyRequests: too much was asked for this account.
        """
        await self._limit(caller)
        check = await self._records.find(check_id)
        if check is None or (check.citizen_id, check.session_id) != (caller.actor_id, caller.session_id):
            raise NoSuchCheck
        if check.is_done:
            raise CheckDecided
        if check.expires_at <= self._kit.clock.now():
            raise CheckExpired
        if check.reference is None:  # It is just being begun, or whoever began it has died: nobody knows its id.
            raise NoSuchCheck
        await self._kit.consents.require(caller.actor_id, CONSENT)
        account, subject = await self._subject(caller)
        # The number may have been corrected meanwhile: then the platform has looked at somebody else.
        is_same = check.person_hash in self._kit.records.person_hashes(subject.id_number)
        if account.account_id != check.account_id or not is_same:
            raise NoSuchCheck
        try:
            finding = await self._platform.ask(subject, Begun(check.reference, 0), number=check.number)
        except PlatformRefused as refusal:
            await self._end(caller, check, Reason.NOT_PASSED)
            raise PlatformRefused(alternatives=self._others(caller)) from refusal
        except PlatformUnavailable as failure:
            raise self._elsewhere(caller, failure) from failure
        if finding.outcome is not Outcome.PENDING:
            await self._decide(caller, check, finding)
        return await self._result(check, finding)

    async def _begin(self, caller: Caller, check: Check, subject: Subject) -> Begun:
        try:
            return await self._platform.begin(subject, number=check.number)
        except PlatformRefused as refusal:
            await self._end(caller, check, Reason.NOT_PASSED)
            raise PlatformRefused(alternatives=self._others(caller)) from refusal
        except (PlatformUnavailable, PlatformTooMany) as failure:
            await self._end(caller, check, Unjudged.UNAVAILABLE)
            raise self._elsewhere(caller, failure) from failure
        except BaseException:  # The caller has gone: nobody knows the check.
            await self._end(caller, check, Unjudged.GIVEN_UP)
            raise

    async def _decide(self, caller: Caller, check: Check, finding: Finding) -> None:
        actor = caller.self_actor

        async def work() -> bool:
            try:
                await self._kit.consents.require(caller.actor_id, CONSENT, hold=True)
            except ConsentRequired:
                if await self._records.give_up(check, Unjudged.WITHDRAWN):
                    await self._kit.trail.tell("face.check-closed", check, Unjudged.WITHDRAWN.value, actor=actor)
                return False
            await self._records.close(check, finding, model=_MODEL, threshold=_THRESHOLD)
            outcome = finding.reason.value if finding.reason else "ok"
            await self._kit.trail.tell(f"face.check-{finding.outcome}", check, outcome, actor=actor)
            if finding.outcome is Outcome.PASSED:
                until = fresh_until(self._kit.clock.now(), elder=caller.elder, policy=self._kit.fresh_for)
                await self._sessions.raise_level(caller.session_id, Level.PRESENT, until=until)
            return True

        if not await transaction(work):
            raise consent_required(CONSENT)
        FACE_CHECKS.labels(finding.reason or finding.outcome).inc()

    async def _end(self, caller: Caller, check: Check, why: Reason | Unjudged) -> None:
        action = "face.check-closed" if isinstance(why, Unjudged) else "face.check-failed"

        async def work() -> None:
            if await self._records.give_up(check, why):
                await self._kit.trail.tell(action, check, why.value, actor=caller.self_actor)

        await transaction(work)

    async def _subject(self, caller: Caller) -> tuple[AccountContact, Subject]:
        person = await self._kit.realname.person_of(caller.actor_id, ReadPurpose.FACE_CHECK)
        account = await self._contacts.account_of(caller.session_id, caller.actor_id)
        if account is None:
            raise AccountNeeded(alternatives=self._others(caller))
        return account, Subject(person.name, person.id_number, account.openid)

    async def _result(self, check: Check, finding: Finding) -> CheckResult:
        advice = None if finding.reason is None else advice_for(finding.reason)
        return CheckResult(finding.outcome, finding.reason, advice, await self._left(check))

    async def _left(self, check: Check) -> int:
        return await self._kit.attempts.left(check.person_hash, check.citizen_id, elder=check.elder)

    async def _limit(self, caller: Caller) -> None:
        await self._kit.limits.hit("face.evidence", self._kit.settings.evidence_limit, f"citizen:{caller.actor_id}")

    def _others(self, caller: Caller) -> tuple[Alternative, ...]:
        return self._kit.others(logged_in=True, elder=caller.elder)

    def _elsewhere(self, caller: Caller, failure: Problem) -> Problem:
        """Return the same problem with what else leads there."""
        return type(failure)(retry_after=failure.extras.retry_after, alternatives=self._others(caller))
