"""Residents' face checks: once, in time, by the right person, with as many attempts as allowed."""

import asyncio
from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid4, uuid5

import pytest

from auth.errors import ConsentRequired, LevelTooLow, RegistryUnavailable
from auth.types import Caller, Level
from core.audit.actors import Actor
from core.cache import TooManyRequests
from core.db import fetch, fetch_one, transaction
from face.errors import (
    CheckExpired,
    EngineBusy,
    EngineOvertime,
    EngineUnavailable,
    EvidenceReplayed,
    FrameCount,
    GuardianNeeded,
    NoSuchCheck,
    NotOffered,
    PictureUnusable,
    TooManyAttempts,
)
from face.settings import DecisionSettings, FaceSettings
from face.types import Action, Outcome, PictureFault, Purpose, Reason
from tests.conftest import Ground
from tests.fakes.face import ACTIONS, NO_LOCAL, Face, FakeFaceEngine, frames_of, make_face, picture_of

NAME, NUMBER = "霍明哲", "999999198503122179"
OTHER_NAME, OTHER_NUMBER = "宛秋实", "999999197806214551"

DECISION = DecisionSettings().limits()


@pytest.fixture
def face(ground: Ground) -> Face:
    return make_face(ground)


async def resident(face: Face, name: str = NAME, number: str = NUMBER, looks: str = "me") -> Caller:
    face.auth.registry.portraits[number] = picture_of(looks)
    return await face.auth.caller_named(f"openid-{number}", name, number)


async def level_of(caller: Caller) -> Level:
    rows = await fetch("SELECT present_until FROM citizen_session WHERE id = $1", caller.session_id)
    return Level.PRESENT if rows[0]["present_until"] else Level.REAL_NAME


async def test_the_right_person_is_present_at_once(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    assert check.actions == ACTIONS
    assert check.expires_at == face.ground.clock.now() + timedelta(seconds=60)
    result = await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
    assert (result.outcome, result.reason, result.attempts_left) == (Outcome.PASSED, None, 5)
    assert await level_of(caller) is Level.PRESENT
    row = await fetch_one(
        "SELECT state, outcome, engine, model_id, threshold_id, method, claimed_rate FROM face_check WHERE id = $1",
        check.id,
    )
    assert row == {
        "state": "done",
        "outcome": "passed",
        "engine": "fake",
        "model_id": DECISION.model_id,
        "threshold_id": DECISION.threshold_id,
        "method": "raw",
        "claimed_rate": DECISION.claimed_rate,
    }


async def test_what_happened_is_in_the_ledger_without_values(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.PENSION, "face@1")
    await face.checks.submit_evidence(caller, check.id, frames_of("somebody", check.actions))
    lines = await fetch(
        "SELECT action, purpose, outcome FROM audit_line WHERE object_id = $1 ORDER BY id", str(check.id)
    )
    assert [(line["action"], line["purpose"], line["outcome"]) for line in lines] == [
        ("face.check-started", "pension", "ok"),
        ("face.check-failed", "pension", "not_passed"),
    ]


@pytest.mark.parametrize(
    ("looks", "actions", "reason"),
    [("somebody", ACTIONS, Reason.NOT_PASSED), ("me", ACTIONS[::-1], Reason.ACTION_MISSED)],
)
async def test_a_failed_check_raises_nothing(
    face: Face, looks: str, actions: tuple[Action, ...], reason: Reason
) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, check.id, frames_of(looks, actions))
    assert (result.outcome, result.reason) == (Outcome.FAILED, reason)
    assert await level_of(caller) is Level.REAL_NAME


async def test_somebody_without_a_portrait_does_not_pass(face: Face) -> None:
    caller = await resident(face)
    face.auth.registry.portraits.clear()
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
    assert result.reason is Reason.NOT_PASSED


async def test_a_portrait_that_is_no_picture_is_none(face: Face) -> None:
    caller = await resident(face)
    face.auth.registry.portraits[NUMBER] = b"no picture"
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
    assert result.reason is Reason.NOT_PASSED


async def test_evidence_may_come_in_the_last_second_and_not_after(face: Face) -> None:
    caller = await resident(face)
    in_time, late = [await face.checks.start(caller, Purpose.STEP_UP, "face@1") for _ in range(2)]
    face.ground.clock.move(timedelta(seconds=59))
    assert (await face.checks.submit_evidence(caller, in_time.id, frames_of("me", ACTIONS))).outcome is Outcome.PASSED
    face.ground.clock.move(timedelta(seconds=1))
    with pytest.raises(CheckExpired):
        await face.checks.submit_evidence(caller, late.id, frames_of("me", ACTIONS))


async def test_a_check_takes_evidence_once(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    await face.checks.submit_evidence(caller, check.id, frames_of("somebody", ACTIONS))
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))


async def test_of_twenty_at_once_one_is_judged(ground: Ground) -> None:
    face = make_face(ground, engine=FakeFaceEngine(places=30))
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    outcomes = await asyncio.gather(
        *(face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS)) for _ in range(20)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, EvidenceReplayed)]
    assert len(refused) == 19


async def test_pictures_once_seen_are_refused_on_every_account(face: Face) -> None:
    caller = await resident(face)
    other = await resident(face, OTHER_NAME, OTHER_NUMBER)
    frames = frames_of("me", ACTIONS)
    first = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    await face.checks.submit_evidence(caller, first.id, frames)
    for who in (caller, other):
        again = await face.checks.start(who, Purpose.STEP_UP, "face@1")
        with pytest.raises(EvidenceReplayed):
            await face.checks.submit_evidence(who, again.id, [*frames_of("me", ACTIONS)[:-1], frames[2]])
        row = await fetch_one("SELECT outcome, reason FROM face_check WHERE id = $1", again.id)
        assert row == {"outcome": "failed", "reason": "replayed"}
    assert await level_of(other) is Level.REAL_NAME


async def test_padding_a_picture_does_not_make_it_new(face: Face) -> None:
    caller = await resident(face)
    frames = frames_of("me", ACTIONS)
    first = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    await face.checks.submit_evidence(caller, first.id, frames)
    again = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, again.id, [frame + b"\0\0" for frame in frames])


async def test_other_metadata_and_another_order_make_no_new_pictures(face: Face) -> None:
    caller = await resident(face)
    other = await resident(face, OTHER_NAME, OTHER_NUMBER)
    frames = frames_of("me", ACTIONS)
    first = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    await face.checks.submit_evidence(caller, first.id, frames)
    for who in (caller, other):
        again = await face.checks.start(who, Purpose.STEP_UP, "face@1")
        with pytest.raises(EvidenceReplayed):
            await face.checks.submit_evidence(who, again.id, [frame + b"|new remark" for frame in frames[::-1]])
        row = await fetch_one("SELECT state, outcome, reason FROM face_check WHERE id = $1", again.id)
        assert row == {"state": "done", "outcome": "failed", "reason": "replayed"}
    assert await level_of(other) is Level.REAL_NAME


async def test_new_pictures_of_one_person_pass_again_and_again(face: Face) -> None:
    caller = await resident(face)
    for _ in range(50):
        check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
        result = await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))
        assert (result.outcome, result.attempts_left) == (Outcome.PASSED, 5)


async def test_the_same_picture_twice_is_no_recording(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    frames = frames_of("me", ACTIONS)
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check.id, [frames[0], *frames])


async def test_trouble_gives_the_check_back_with_the_same_frames(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    frames = frames_of("me", ACTIONS)
    face.engine.trouble = EngineUnavailable(retry_after=2)
    with pytest.raises(EngineUnavailable):
        await face.checks.submit_evidence(caller, check.id, frames)
    face.engine.trouble = None
    face.auth.registry.trouble = RegistryUnavailable(retry_after=2)
    with pytest.raises(RegistryUnavailable):
        await face.checks.submit_evidence(caller, check.id, frames)
    face.auth.registry.trouble = None
    assert (await face.checks.submit_evidence(caller, check.id, frames)).outcome is Outcome.PASSED


async def test_a_check_is_given_back_twice_and_then_closed_without_counting(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    frames = frames_of("me", ACTIONS)
    face.engine.trouble = EngineUnavailable(retry_after=2)
    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            await face.checks.submit_evidence(caller, check.id, frames)
    face.engine.trouble = None
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))
    row = await fetch_one("SELECT state, outcome, reason FROM face_check WHERE id = $1", check.id)
    assert row == {"state": "done", "outcome": "failed", "reason": "unavailable"}
    last = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, last.id, frames_of("somebody", ACTIONS))
    assert result.attempts_left == 4


async def test_a_check_that_takes_too_long_is_closed_at_once_without_counting(face: Face) -> None:
    caller = await resident(face)
    for _ in range(6):
        check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
        face.engine.trouble = EngineOvertime(retry_after=2)
        with pytest.raises(EngineUnavailable) as refusal:
            await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))
        assert refusal.value.code == "face.engine-unavailable"
        face.engine.trouble = None
        with pytest.raises(EvidenceReplayed):
            await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))


async def test_files_that_are_no_pictures_use_a_check_up(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    for _ in range(3):
        with pytest.raises(PictureUnusable):
            await face.checks.submit_evidence(caller, check.id, [*frames_of("me", ACTIONS), b"\xff\xd8\xff?"])
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))
    last = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, last.id, frames_of("somebody", ACTIONS))
    assert result.attempts_left == 3


async def test_one_account_cannot_keep_the_engine_busy(ground: Ground) -> None:
    face = make_face(ground, settings=FaceSettings(evidence_limit="3/minute"))
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    for _ in range(3):
        with pytest.raises(FrameCount):
            await face.checks.submit_evidence(caller, check.id, [picture_of("me")])
    with pytest.raises(TooManyRequests):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))


async def test_the_face_of_a_child_is_not_checked_without_a_guardian(face: Face) -> None:
    child = await resident(face, "霍小满", "999999201706011190")
    with pytest.raises(GuardianNeeded) as refusal:
        await face.checks.start(child, Purpose.STEP_UP, "face@1")
    assert [way.method for way in refusal.value.extras.alternatives] == ["family", "counter", "phone"]
    assert await fetch("SELECT id FROM face_check") == []


async def test_the_face_of_a_child_is_checked_with_a_guardians_consent_while_it_stands(face: Face) -> None:
    child = await resident(face, "霍小满", "999999201706011190")
    guardian, consents = Actor.citizen(uuid4(), on_behalf_of=child.citizen_id), face.auth.consents
    await transaction(lambda: consents.give(child.citizen_id, "face@1", actor=guardian))
    check = await face.checks.start(child, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(child, check.id, frames_of("me", ACTIONS))
    assert result.outcome is Outcome.PASSED
    assert await consents.withdraw(child.citizen_id, "face@1", actor=guardian)
    with pytest.raises(GuardianNeeded):
        await face.checks.start(child, Purpose.STEP_UP, "face@1")


async def test_whoever_hangs_up_may_come_again(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    frames = frames_of("me", ACTIONS)
    face.engine.slowly = asyncio.Event()
    gone = asyncio.ensure_future(face.checks.submit_evidence(caller, check.id, frames))
    await asyncio.sleep(0.1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    face.engine.slowly = None
    assert (await face.checks.submit_evidence(caller, check.id, frames)).outcome is Outcome.PASSED


async def test_a_full_engine_leaves_the_check_open(ground: Ground) -> None:
    face = make_face(ground, engine=FakeFaceEngine(places=0))
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    with pytest.raises(EngineBusy):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", ACTIONS))
    assert await fetch_one("SELECT state FROM face_check WHERE id = $1", check.id) == {"state": "open"}


async def test_bad_files_leave_the_check_open(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    frames = frames_of("me", ACTIONS)
    for bad, fault in ((b"GIF89a", PictureFault.WRONG_TYPE), (b"\xff\xd8\xff?", PictureFault.UNREADABLE)):
        with pytest.raises(PictureUnusable) as refusal:
            await face.checks.submit_evidence(caller, check.id, [*frames, bad])
        assert refusal.value.fault is fault
        assert refusal.value.extras.errors[0].pointer == f"/frames/{len(frames)}"
    for count in (5, 25):
        with pytest.raises(FrameCount):
            await face.checks.submit_evidence(caller, check.id, [picture_of("me") for _ in range(count)])
    assert (await face.checks.submit_evidence(caller, check.id, frames)).outcome is Outcome.PASSED


async def test_five_attempts_in_six_hours(face: Face) -> None:
    caller = await resident(face)
    for _ in range(5):
        await face.checks.start(caller, Purpose.STEP_UP, "face@1")
        face.ground.clock.move(timedelta(hours=1))
    with pytest.raises(TooManyAttempts) as refusal:
        await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    assert refusal.value.extras.retry_after == 3600
    assert refusal.value.extras.alternatives
    face.ground.clock.move(timedelta(hours=1))
    await face.checks.start(caller, Purpose.STEP_UP, "face@1")


async def test_attempts_started_at_once_are_all_counted(face: Face) -> None:
    caller = await resident(face)
    outcomes = await asyncio.gather(
        *(face.checks.start(caller, Purpose.STEP_UP, "face@1") for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 7


async def test_a_check_belongs_to_one_session(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    elsewhere = await face.auth.caller(f"openid-{NUMBER}")
    stranger = await resident(face, OTHER_NAME, OTHER_NUMBER)
    for other in (elsewhere, stranger):
        with pytest.raises(NoSuchCheck):
            await face.checks.submit_evidence(other, check.id, frames_of("me", ACTIONS))
    with pytest.raises(NoSuchCheck):
        await face.checks.submit_evidence(caller, uuid5(NAMESPACE_DNS, "no check"), frames_of("me", ACTIONS))


@pytest.mark.parametrize("consent", ["", "face@2", "real-name@1", "face"])
async def test_nothing_starts_without_the_consent_in_force(face: Face, consent: str) -> None:
    caller = await resident(face)
    with pytest.raises(ConsentRequired):
        await face.checks.start(caller, Purpose.STEP_UP, consent)
    assert await fetch("SELECT id FROM face_check") == []


async def test_without_a_real_name_there_is_nobody_to_compare_with(face: Face) -> None:
    caller = await face.auth.caller()
    with pytest.raises(LevelTooLow):
        await face.checks.start(caller, Purpose.STEP_UP, "face@1")


async def test_an_installation_may_let_a_check_prove_nothing(ground: Ground) -> None:
    face = make_face(ground, settings=FaceSettings(engines=NO_LOCAL))
    caller = await resident(face)
    with pytest.raises(NotOffered) as refusal:
        await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    assert refusal.value.extras.alternatives


async def test_without_a_consent_that_stands_no_evidence_is_looked_at(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    assert await face.auth.consents.withdraw(caller.citizen_id, "face@1")
    with pytest.raises(ConsentRequired):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
    assert await level_of(caller) is Level.REAL_NAME
    # Agreeing again lets the same check go on.
    await face.auth.consents.agree(caller, "face@1")
    result = await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
    assert result.outcome is Outcome.PASSED


async def test_a_consent_withdrawn_while_the_pictures_are_looked_at_ends_the_check(face: Face) -> None:
    caller = await resident(face)
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    face.engine.slowly = asyncio.Event()
    looking = asyncio.create_task(face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions)))
    while (await fetch("SELECT state FROM face_check WHERE id = $1", check.id))[0]["state"] != "judging":
        await asyncio.sleep(0)
    assert await face.auth.consents.withdraw(caller.citizen_id, "face@1")
    face.engine.slowly.set()
    with pytest.raises(ConsentRequired):
        await looking
    assert await level_of(caller) is Level.REAL_NAME
    row = await fetch_one("SELECT state, outcome, reason FROM face_check WHERE id = $1", check.id)
    assert row == {"state": "done", "outcome": "failed", "reason": "withdrawn"}
    await face.auth.consents.agree(caller, "face@1")
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check.id, frames_of("me", check.actions))
