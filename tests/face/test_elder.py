"""Elder sessions: a way in by name, number and face; whoever asks learns nothing about who exists."""

from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

import pytest

from auth.errors import ConsentRequired, IdNumberInvalid, RegistryUnavailable
from auth.types import Level
from core.cache import TooManyRequests
from core.db import fetch, fetch_one
from core.settings import Switch
from face.errors import (
    CheckExpired,
    EngineBusy,
    EvidenceReplayed,
    GuardianNeeded,
    NoSuchCheck,
    NotOffered,
    TooManyAttempts,
)
from face.settings import FaceSettings
from face.types import CheckResult, Outcome, Purpose, Reason, StartedCheck
from tests.conftest import Ground
from tests.fakes.face import ACTIONS, Face, FakeFaceEngine, frames_of, make_face, picture_of

NAME, NUMBER = "逄秀英", "999999194910017247"
UNKNOWN_ELDER = "999999195004054817"
YOUNGER_NUMBER = "999999198604044819"
CHILD_NUMBER = "999999201706011190"


@pytest.fixture
def face(ground: Ground) -> Face:
    face = make_face(ground)
    face.auth.registry.people[NUMBER] = NAME
    face.auth.registry.portraits[NUMBER] = picture_of("grandmother")
    return face


async def start(face: Face, name: str = NAME, number: str = NUMBER) -> StartedCheck:
    return await face.elder.start(name, number, "face@1", address="192.0.2.7")


async def test_an_elder_logs_in_with_nothing_but_their_face(face: Face) -> None:
    check = await start(face)
    assert check.expires_at == face.ground.clock.now() + timedelta(seconds=120)
    frames = frames_of("grandmother", check.actions)
    result, grant = await face.elder.submit_evidence(check.id, frames, device="kiosk-device-0001", address="192.0.2.7")
    # Also a check that is passed counts: it was asked for by nobody known.
    assert (result.outcome, result.attempts_left) == (Outcome.PASSED, 7)
    assert grant
    assert grant.citizen.level is Level.PRESENT
    caller = await face.auth.sessions.caller_of(grant.access_token)
    assert caller.elder
    await face.auth.consents.require(caller.citizen_id, "face")


async def test_the_second_time_it_is_the_same_account(face: Face) -> None:
    accounts = set()
    for _ in range(2):
        check = await start(face)
        _, grant = await face.elder.submit_evidence(
            check.id, frames_of("grandmother", ACTIONS), device="", address="192.0.2.7"
        )
        assert grant
        accounts.add(grant.citizen.id)
    assert len(accounts) == 1


@pytest.mark.parametrize(
    ("name", "number", "looks"),
    [
        pytest.param(NAME, UNKNOWN_ELDER, "grandmother", id="unknown number"),
        pytest.param("王小明", NUMBER, "grandmother", id="wrong name"),
        pytest.param(NAME, NUMBER, "neighbour", id="another face"),
    ],
)
async def test_everybody_who_does_not_pass_gets_the_same_answers(
    face: Face, name: str, number: str, looks: str
) -> None:
    check = await start(face, name, number)
    assert check.actions == ACTIONS
    result, grant = await face.elder.submit_evidence(
        check.id, frames_of(looks, ACTIONS), device="", address="192.0.2.7"
    )
    assert result == CheckResult(Outcome.FAILED, Reason.NOT_PASSED, 7)
    assert grant is None


async def test_name_and_number_are_wiped_with_the_outcome(face: Face) -> None:
    check = await start(face)
    before = await fetch_one("SELECT name_sealed, id_number_sealed FROM face_check WHERE id = $1", check.id)
    assert before
    assert all(before.values())
    await face.elder.submit_evidence(check.id, frames_of("neighbour", ACTIONS), device="", address="192.0.2.7")
    after = await fetch_one("SELECT name_sealed, id_number_sealed FROM face_check WHERE id = $1", check.id)
    assert after == {"name_sealed": None, "id_number_sealed": None}
    with pytest.raises(EvidenceReplayed):
        await face.elder.submit_evidence(check.id, frames_of("grandmother", ACTIONS), device="", address="192.0.2.7")


async def test_name_and_number_of_forgotten_checks_are_wiped(face: Face) -> None:
    check = await start(face)
    assert await face.checks.tidy() == 0
    face.ground.clock.move(timedelta(seconds=121))
    assert await face.checks.tidy() == 1
    with pytest.raises(CheckExpired):
        await face.elder.submit_evidence(check.id, frames_of("grandmother", ACTIONS), device="", address="192.0.2.7")


async def test_of_a_check_of_long_ago_nothing_is_left_but_marks_that_are_nobodys(face: Face) -> None:
    check = await start(face)
    frames = frames_of("grandmother", ACTIONS)
    await face.elder.submit_evidence(check.id, frames, device="", address="192.0.2.7")
    face.ground.clock.move(timedelta(days=183))
    assert await face.checks.tidy() == 0
    again = await start(face)
    face.ground.clock.move(timedelta(days=2))
    # The first is erased, the second, which nobody finished, is wiped.
    assert await face.checks.tidy() == 2
    assert [row["id"] for row in await fetch("SELECT CAST(id AS TEXT) AS id FROM face_check")] == [str(again.id)]
    assert await fetch("SELECT key FROM face_subject WHERE counted_at < $1", again.expires_at - timedelta(days=1)) == []
    third = await start(face)
    with pytest.raises(EvidenceReplayed):
        await face.elder.submit_evidence(third.id, frames, device="", address="192.0.2.7")


async def test_eight_attempts_on_one_person(face: Face) -> None:
    for _ in range(8):
        await start(face)
    with pytest.raises(TooManyAttempts) as refusal:
        await start(face)
    assert [way.method for way in refusal.value.extras.alternatives] == ["family", "counter", "phone"]


async def test_who_is_no_elder_by_the_number_has_the_usual_time_and_attempts(face: Face) -> None:
    for _ in range(5):
        check = await start(face, "王小明", YOUNGER_NUMBER)
        assert check.expires_at == face.ground.clock.now() + timedelta(seconds=60)
    with pytest.raises(TooManyAttempts):
        await start(face, "王小明", YOUNGER_NUMBER)


async def test_the_face_of_a_child_is_not_checked_without_a_guardian(face: Face) -> None:
    with pytest.raises(GuardianNeeded) as refusal:
        await start(face, "霍小满", CHILD_NUMBER)
    assert [way.method for way in refusal.value.extras.alternatives] == ["family", "counter", "phone"]
    assert await fetch("SELECT id FROM face_check") == []


async def test_evidence_is_limited_by_address(ground: Ground) -> None:
    face = make_face(ground, settings=FaceSettings(elder_evidence_limit="2/minute"))
    for _ in range(2):
        with pytest.raises(NoSuchCheck):
            await face.elder.submit_evidence(uuid5(NAMESPACE_DNS, "none"), [], device="", address="192.0.2.7")
    with pytest.raises(TooManyRequests):
        await face.elder.submit_evidence(uuid5(NAMESPACE_DNS, "none"), [], device="", address="192.0.2.7")
    with pytest.raises(NoSuchCheck):
        await face.elder.submit_evidence(uuid5(NAMESPACE_DNS, "none"), [], device="", address="192.0.2.8")


async def test_places_are_kept_for_those_who_are_logged_in(ground: Ground) -> None:
    face = make_face(ground, engine=FakeFaceEngine(places=1, places_kept=1))
    face.auth.registry.portraits[NUMBER] = picture_of("grandmother")
    caller = await face.auth.caller_named("openid-of-grandmother", NAME, NUMBER)
    check = await start(face)
    with pytest.raises(EngineBusy):
        await face.elder.submit_evidence(check.id, frames_of("grandmother", ACTIONS), device="", address="192.0.2.7")
    own = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    result = await face.checks.submit_evidence(caller, own.id, frames_of("grandmother", ACTIONS))
    assert result.outcome is Outcome.PASSED


async def test_attempts_on_a_person_count_whichever_way_they_came(face: Face) -> None:
    caller = await face.auth.caller_named("openid-of-grandmother", NAME, NUMBER)
    for _ in range(8):
        await start(face)
    with pytest.raises(TooManyAttempts):
        await face.checks.start(caller, Purpose.PENSION, "face@1")


async def test_a_closed_registry_gives_the_check_back(face: Face) -> None:
    check = await start(face)
    frames = frames_of("grandmother", ACTIONS)
    face.auth.registry.trouble = RegistryUnavailable(retry_after=2)
    with pytest.raises(RegistryUnavailable):
        await face.elder.submit_evidence(check.id, frames, device="", address="192.0.2.7")
    face.auth.registry.trouble = None
    assert (await face.elder.submit_evidence(check.id, frames, device="", address="192.0.2.7"))[1]


async def test_a_residents_own_check_opens_no_session(face: Face) -> None:
    caller = await face.auth.caller_named("openid-of-grandmother", NAME, NUMBER)
    check = await face.checks.start(caller, Purpose.PENSION, "face@1")
    with pytest.raises(NoSuchCheck):
        await face.elder.submit_evidence(check.id, frames_of("grandmother", ACTIONS), device="", address="192.0.2.7")
    elders = await start(face)
    with pytest.raises(NoSuchCheck):
        await face.checks.submit_evidence(caller, elders.id, frames_of("grandmother", ACTIONS))


async def test_a_form_knows_what_no_number_can_be(face: Face) -> None:
    with pytest.raises(IdNumberInvalid):
        await start(face, number="999999194910017248")
    with pytest.raises(ConsentRequired):
        await face.elder.start(NAME, NUMBER, "real-name@1", address="192.0.2.7")
    assert await fetch("SELECT id FROM face_check") == []


async def test_an_installation_may_close_this_way(ground: Ground) -> None:
    face = make_face(ground, settings=FaceSettings(elder_sessions=Switch.OFF))
    with pytest.raises(NotOffered):
        await start(face)
