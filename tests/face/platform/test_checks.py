"""Checks by a platform: bound to account, person and session, told once, in time, counted like any other check."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.errors import ConsentRequired, LevelTooLow
from auth.types import Caller, Level
from core.audit.actors import Actor
from core.cache import TooManyRequests
from core.db import execute, fetch, fetch_one, transaction
from core.pii import Secret
from face.errors import CheckExpired, GuardianNeeded, NoSuchCheck, NotOffered, TooManyAttempts
from face.platform.errors import (
    AccountNeeded,
    CheckDecided,
    PlatformRefused,
    PlatformTooMany,
    PlatformUnavailable,
)
from face.platform.types import Begun, Finding, Outcome, Reason, StartedCheck, Subject
from face.settings import FaceSettings
from face.types import Purpose
from tests.conftest import Ground
from tests.fakes.face import ACTIONS, BOTH, Face, FakeFacePlatform, frames_of, make_face, picture_of

NAME, NUMBER = "霍明哲", "999999198503122179"
OTHER_NAME, OTHER_NUMBER = "宛秋实", "999999197806214551"
CONSENT = "wechat-face@1"


@pytest.fixture
def face(ground: Ground) -> Face:
    return make_face(ground, settings=FaceSettings(engines=BOTH))


async def resident(face: Face, name: str = NAME, number: str = NUMBER) -> Caller:
    face.auth.registry.portraits[number] = picture_of("me")
    return await face.auth.caller_named(f"openid-{number}", name, number)


async def started(face: Face, caller: Caller) -> StartedCheck:
    return await face.by_platform.start(caller, Purpose.STEP_UP, CONSENT)


async def level_of(caller: Caller) -> Level:
    rows = await fetch("SELECT present_until FROM citizen_session WHERE id = $1", caller.session_id)
    return Level.PRESENT if rows[0]["present_until"] else Level.REAL_NAME


async def raised(caller: Caller) -> int:
    lines = await fetch(
        "SELECT id FROM audit_line WHERE action = 'auth.level-raised' AND subject_id = $1", caller.actor_id
    )
    return len(lines)


async def test_the_right_person_is_present_at_once(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    assert check.expires_at == face.ground.clock.now() + timedelta(minutes=5)
    assert (check.engine, check.attempts_left) == ("wechat", 4)
    assert face.platform.begun[check.reference][1] == check.id.hex
    face.platform.show(check.reference)
    result = await face.by_platform.finish(caller, check.id)
    assert (result.outcome, result.reason, result.advice, result.attempts_left) == (Outcome.PASSED, None, None, 5)
    assert await level_of(caller) is Level.PRESENT
    row = await fetch_one(
        "SELECT state, outcome, engine, model_id, threshold_id, claimed_rate, reference_sealed FROM face_check"
        " WHERE id = $1",
        check.id,
    )
    assert row == {
        "state": "done",
        "outcome": "passed",
        "engine": "wechat",
        "model_id": "requestFacialVerify",
        "threshold_id": "verify_ret=10000",
        "claimed_rate": None,
        "reference_sealed": None,
    }


async def test_until_the_platform_tells_an_end_the_check_stays_open(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    for _ in range(3):
        result = await face.by_platform.finish(caller, check.id)
        assert (result.outcome, result.reason, result.attempts_left) == (Outcome.PENDING, None, 4)
    assert await level_of(caller) is Level.REAL_NAME
    face.platform.show(check.reference)
    assert (await face.by_platform.finish(caller, check.id)).outcome is Outcome.PASSED


@pytest.mark.parametrize("reason", list(Reason))
async def test_no_failure_raises_anything_and_each_has_its_words(face: Face, reason: Reason) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference, reason)
    result = await face.by_platform.finish(caller, check.id)
    assert (result.outcome, result.reason) == (Outcome.FAILED, reason)
    assert result.advice
    # The platform's own trouble is nobody's attempt.
    assert result.attempts_left == (5 if reason is Reason.UNAVAILABLE else 4)
    assert await level_of(caller) is Level.REAL_NAME


async def test_an_end_is_told_once(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    await face.by_platform.finish(caller, check.id)
    with pytest.raises(CheckDecided):
        await face.by_platform.finish(caller, check.id)
    assert await raised(caller) == 1


async def test_of_twenty_that_ask_at_once_one_raises_the_session(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    asked = (face.by_platform.finish(caller, check.id) for _ in range(20))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, CheckDecided) for each in outcomes) == 19
    assert await raised(caller) == 1


async def test_it_waits_no_longer_than_it_may_even_when_it_was_passed(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    face.ground.clock.move(timedelta(minutes=5))
    with pytest.raises(CheckExpired):
        await face.by_platform.finish(caller, check.id)
    assert await level_of(caller) is Level.REAL_NAME


async def test_it_waits_no_longer_than_the_platform_lets_it(face: Face) -> None:
    face.platform.seconds = 60
    caller = await resident(face)
    check = await started(face, caller)
    face.ground.clock.move(timedelta(seconds=60))
    with pytest.raises(CheckExpired):
        await face.by_platform.finish(caller, check.id)


async def test_elders_have_longer_and_more_attempts(face: Face) -> None:
    caller = await resident(face, "逄秀英", "999999194910017247")
    check = await started(face, caller)
    assert check.expires_at == face.ground.clock.now() + timedelta(minutes=10)
    assert check.attempts_left == 7


async def test_it_is_nobody_elses_and_no_other_sessions(face: Face) -> None:
    caller, other = await resident(face), await resident(face, OTHER_NAME, OTHER_NUMBER)
    check = await started(face, caller)
    face.platform.show(check.reference)
    again = await face.auth.caller(f"openid-{NUMBER}")
    assert again.citizen_id == caller.citizen_id
    for stranger in (other, again):
        with pytest.raises(NoSuchCheck):
            await face.by_platform.finish(stranger, check.id)
        assert await level_of(stranger) is Level.REAL_NAME
    with pytest.raises(NoSuchCheck):
        await face.by_platform.finish(caller, uuid4())


async def test_neither_engine_takes_the_others_checks(face: Face) -> None:
    caller = await resident(face)
    here, there = await face.checks.start(caller, Purpose.STEP_UP, "face@1"), await started(face, caller)
    with pytest.raises(NoSuchCheck):
        await face.checks.submit_evidence(caller, there.id, frames_of("me", ACTIONS))
    with pytest.raises(NoSuchCheck):
        await face.by_platform.finish(caller, here.id)


async def test_another_account_in_the_same_session_is_not_asked_for(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    another = await face.auth.log_in("openid-of-another-phone")
    await execute(
        "UPDATE wechat_account SET citizen_id = $1 WHERE id = (SELECT account_id FROM citizen_session WHERE id = $2)",
        caller.citizen_id,
        another.session_id,
    )
    await execute(
        "UPDATE citizen_session SET account_id = (SELECT account_id FROM citizen_session WHERE id = $2) WHERE id = $1",
        caller.session_id,
        another.session_id,
    )
    with pytest.raises(NoSuchCheck):
        await face.by_platform.finish(caller, check.id)


async def test_without_the_account_there_is_nobody_to_look_at(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    another = await face.auth.caller("openid-of-somebody-else")
    await execute("UPDATE wechat_account SET citizen_id = $1", another.citizen_id)
    for ask in (started(face, caller), face.by_platform.finish(caller, check.id)):
        with pytest.raises(AccountNeeded) as refusal:
            await ask
        assert refusal.value.extras.alternatives


async def test_a_number_that_was_corrected_meanwhile_is_somebody_else(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    await execute("UPDATE face_check SET person_hash = 'somebody-else' WHERE id = $1", check.id)
    with pytest.raises(NoSuchCheck):
        await face.by_platform.finish(caller, check.id)


async def test_trouble_at_the_beginning_is_no_attempt_and_doubles_nothing(face: Face) -> None:
    caller = await resident(face)
    for trouble in (PlatformUnavailable(retry_after=5), PlatformTooMany(retry_after=60)):
        face.platform.trouble = trouble
        for _ in range(6):
            with pytest.raises(type(trouble)) as refusal:
                await started(face, caller)
            assert refusal.value.extras.alternatives
            assert refusal.value.extras.retry_after == trouble.extras.retry_after
    face.platform.trouble = None
    check = await started(face, caller)
    assert check.attempts_left == 4
    rows = await fetch("SELECT reason FROM face_check WHERE state = 'done'")
    assert [row["reason"] for row in rows] == ["unavailable"] * 12
    assert len(face.platform.begun) == 1


async def test_trouble_at_the_end_leaves_the_check_open(face: Face) -> None:
    caller = await resident(face)
    check = await started(face, caller)
    face.platform.show(check.reference)
    face.platform.trouble = PlatformUnavailable(retry_after=5)
    for _ in range(3):
        with pytest.raises(PlatformUnavailable):
            await face.by_platform.finish(caller, check.id)
    face.platform.trouble = None
    assert (await face.by_platform.finish(caller, check.id)).outcome is Outcome.PASSED
    assert await raised(caller) == 1


async def test_what_the_platform_does_not_take_ends_the_check(face: Face) -> None:
    caller = await resident(face)
    face.platform.trouble = PlatformRefused()
    with pytest.raises(PlatformRefused):
        await started(face, caller)
    face.platform.trouble = None
    check = await started(face, caller)
    assert check.attempts_left == 3
    face.platform.begun.clear()
    with pytest.raises(PlatformRefused):
        await face.by_platform.finish(caller, check.id)
    with pytest.raises(CheckDecided):
        await face.by_platform.finish(caller, check.id)


async def test_attempts_are_counted_with_those_of_the_other_engine(face: Face) -> None:
    caller = await resident(face)
    for _ in range(2):
        check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
        await face.checks.submit_evidence(caller, check.id, frames_of("somebody", ACTIONS))
    for _ in range(3):
        await started(face, caller)
    for start in (started(face, caller), face.checks.start(caller, Purpose.STEP_UP, "face@1")):
        with pytest.raises(TooManyAttempts) as refusal:
            await start
        assert refusal.value.extras.retry_after
    # Also on the person, by whichever account: the number is the same.
    face.ground.clock.move(timedelta(hours=6))
    await started(face, caller)


async def test_of_many_that_start_at_once_no_more_than_allowed_do(face: Face) -> None:
    caller = await resident(face)
    outcomes = await asyncio.gather(*(started(face, caller) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(each, StartedCheck) for each in outcomes) == 5
    assert sum(isinstance(each, TooManyAttempts) for each in outcomes) == 7


async def test_the_consent_is_its_own_and_holds_until_it_is_withdrawn(face: Face) -> None:
    caller = await resident(face)
    for wrong in ("face@1", "wechat-face@2", ""):
        with pytest.raises(ConsentRequired) as refusal:
            await face.by_platform.start(caller, Purpose.STEP_UP, wrong)
        assert refusal.value.extras.members["consent"] == CONSENT
    check = await started(face, caller)
    face.platform.show(check.reference)
    assert await face.auth.consents.withdraw(caller.actor_id, CONSENT)
    with pytest.raises(ConsentRequired):
        await face.by_platform.finish(caller, check.id)
    assert await level_of(caller) is Level.REAL_NAME


async def test_a_consent_withdrawn_while_the_platform_is_asked_stops_it(ground: Ground) -> None:
    platform = _Slow()
    face = make_face(ground, settings=FaceSettings(engines=BOTH), platform=platform)
    caller = await resident(face)
    check = await started(face, caller)
    platform.show(check.reference)
    asked = asyncio.ensure_future(face.by_platform.finish(caller, check.id))
    await platform.reached.wait()
    assert await face.auth.consents.withdraw(caller.actor_id, CONSENT)
    platform.go_on.set()
    with pytest.raises(ConsentRequired):
        await asked
    row = await fetch_one("SELECT state, outcome, reason FROM face_check WHERE id = $1", check.id)
    assert row == {"state": "done", "outcome": "failed", "reason": "withdrawn"}
    assert await level_of(caller) is Level.REAL_NAME


class _Slow(FakeFacePlatform):
    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def ask(self, subject: Subject, begun: Begun, *, number: str) -> Finding:
        self.reached.set()
        await self.go_on.wait()
        return await super().ask(subject, begun, number=number)


async def test_whoever_hangs_up_at_the_beginning_leaves_nothing_open(ground: Ground) -> None:
    class Hanging(FakeFacePlatform):
        reached = asyncio.Event()

        async def begin(self, subject: Subject, *, number: str) -> Begun:
            self.reached.set()
            await asyncio.sleep(60)
            return Begun(Secret("never"), 1)

    platform = Hanging()
    face = make_face(ground, settings=FaceSettings(engines=BOTH), platform=platform)
    gone = asyncio.ensure_future(started(face, await resident(face)))
    await platform.reached.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    row = await fetch_one("SELECT state, reason FROM face_check")
    assert row == {"state": "done", "reason": "given_up"}


async def test_a_child_needs_a_guardians_consent_to_this_very_thing(face: Face) -> None:
    child = await resident(face, "霍小满", "999999201706011190")
    guardian, consents = Actor.citizen(uuid4(), on_behalf_of=child.citizen_id), face.auth.consents
    await transaction(lambda: consents.give(child.citizen_id, "face@1", actor=guardian))
    with pytest.raises(GuardianNeeded):
        await started(face, child)
    await transaction(lambda: consents.give(child.citizen_id, CONSENT, actor=guardian))
    assert (await started(face, child)).attempts_left == 4


async def test_an_engine_that_gives_nothing_is_not_offered(ground: Ground) -> None:
    face = make_face(ground)
    with pytest.raises(NotOffered) as refusal:
        await started(face, await resident(face))
    assert refusal.value.extras.alternatives
    assert face.platform.begun == {}


async def test_without_a_real_name_there_is_nobody_to_compare_with(face: Face) -> None:
    with pytest.raises(LevelTooLow):
        await started(face, await face.auth.caller())


async def test_one_account_cannot_keep_asking(ground: Ground) -> None:
    face = make_face(ground, settings=FaceSettings(engines=BOTH, evidence_limit="3/minute"))
    caller = await resident(face)
    check = await started(face, caller)
    for _ in range(2):
        await face.by_platform.finish(caller, check.id)
    with pytest.raises(TooManyRequests):
        await face.by_platform.finish(caller, check.id)


async def test_what_happened_is_in_the_ledger_with_what_went_to_the_platform(face: Face) -> None:
    caller = await resident(face)
    check = await face.by_platform.start(caller, Purpose.PENSION, CONSENT)
    face.platform.show(check.reference, Reason.CANCELLED)
    await face.by_platform.finish(caller, check.id)
    lines = await fetch(
        "SELECT action, purpose, outcome, field_names FROM audit_line WHERE object_id = $1 ORDER BY id", str(check.id)
    )
    assert [(line["action"], line["purpose"], line["outcome"]) for line in lines] == [
        ("face.check-started", "pension", "ok"),
        ("face.platform-told", "pension", "ok"),
        ("face.check-failed", "pension", "cancelled"),
    ]
    assert "id_number" in str(lines[1]["field_names"])


async def test_the_platforms_name_for_a_check_is_wiped_when_nobody_finishes_it(face: Face) -> None:
    check = await started(face, await resident(face))
    stored = await fetch_one("SELECT reference_sealed FROM face_check WHERE id = $1", check.id)
    assert stored
    assert check.reference.encode() not in bytes(stored["reference_sealed"])
    face.ground.clock.move(timedelta(minutes=6))
    assert await face.checks.tidy() == 1
    assert await fetch_one("SELECT reference_sealed FROM face_check") == {"reference_sealed": None}
