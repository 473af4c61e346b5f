"""Having one's account back with a new WeChat account: by face, after a cool-down that its holder sees."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.account.errors import TakeoverImpossible, TakeoverNotNeeded
from auth.account.types import Side, TakeoverState, TakeoverView
from auth.errors import AlreadyBound, ConsentRequired, IdentityMismatch, LevelTooLow, RefreshInvalid
from auth.types import Caller, Level
from core.audit.ledger import lines_of
from core.db import as_json, as_uuid, fetch, fetch_one, transaction
from face.errors import EvidenceReplayed, GuardianNeeded, NoSuchCheck
from face.types import CheckResult, Outcome, Purpose
from tests.conftest import Ground
from tests.fakes.face import Face, frames_of, make_face, picture_of

NAME, NUMBER = "霍明哲", "999999198503122179"
DAY = timedelta(hours=24)


@pytest.fixture
async def face(ground: Ground) -> Face:
    face = make_face(ground)
    face.auth.registry.people[NUMBER] = NAME
    face.auth.registry.portraits[NUMBER] = picture_of("ming")
    return face


async def holder(face: Face, openid: str = "openid-old") -> Caller:
    return await face.auth.caller_named(openid, NAME, NUMBER)


async def ask(face: Face, claimant: Caller, *, looks: str = "ming") -> tuple[CheckResult, TakeoverView | None]:
    check = await face.takeover.start(claimant, NAME, NUMBER, "face@1")
    return await face.takeover.submit_evidence(claimant, check.id, frames_of(looks, check.actions))


async def present(face: Face, citizen_id: UUID) -> Caller:
    grant = await face.auth.sessions.open(citizen_id, level=Level.PRESENT, device="")
    return await face.auth.sessions.caller_of(grant.access_token)


async def run_jobs(face: Face) -> int:
    """Do what the worker would: the takeovers whose time has come."""
    due = await fetch(
        "SELECT id, payload FROM job WHERE name = 'auth.complete-takeover' AND run_at <= $1", face.ground.clock.now()
    )
    for row in due:
        change = await face.auth.takeovers.complete(**as_json(row["payload"]))
        await transaction(change)
    return len(due)


async def test_after_the_cool_down_the_new_account_is_the_only_way_in(face: Face) -> None:
    old = await holder(face)
    new = await face.auth.caller("openid-new")
    with pytest.raises(AlreadyBound) as caught:
        await face.auth.realname.bind(new, name=NAME, id_number=NUMBER, consent="real-name@1")
    assert "/v1/citizen/takeovers" in {way.start for way in caught.value.extras.alternatives}
    result, takeover = await ask(face, new)
    assert result.outcome is Outcome.PASSED
    assert takeover
    assert takeover.effective_at == face.ground.clock.now() + DAY
    face.ground.clock.move(DAY - timedelta(seconds=1))
    assert await run_jobs(face) == 0
    assert (await face.auth.log_in("openid-old")).citizen.level is Level.REAL_NAME
    face.ground.clock.move(timedelta(seconds=1))
    assert await run_jobs(face) == 1
    grant = await face.auth.log_in("openid-new")
    assert (grant.citizen.id, grant.citizen.level) == (old.citizen_id, Level.REAL_NAME)
    assert (await face.auth.log_in("openid-old")).citizen.level is Level.LINKED
    gone = await fetch_one("SELECT count(*) AS n FROM citizen WHERE id_number_hash IS NOT NULL")
    assert gone == {"n": 1}


async def test_every_session_of_both_ends_with_the_takeover(face: Face) -> None:
    await holder(face)
    old, new = [await face.auth.log_in(openid) for openid in ("openid-old", "openid-new")]
    await ask(face, await face.auth.sessions.caller_of(new.access_token))
    face.ground.clock.move(DAY)
    await run_jobs(face)
    for grant in (old, new):
        with pytest.raises(RefreshInvalid):
            await face.auth.sessions.renew(grant.refresh_token, "")
    open_ones = await fetch_one("SELECT count(*) AS n FROM citizen_session WHERE ended_at IS NULL")
    assert open_ones == {"n": 0}


async def test_the_holder_sees_it_and_stops_it_with_a_proof_of_presence(face: Face) -> None:
    old = await holder(face)
    _, takeover = await ask(face, await face.auth.caller("openid-new"))
    assert takeover
    [seen] = await face.auth.takeovers.list_takeovers(old)
    assert (seen.id, seen.side, seen.state) == (takeover.id, Side.HOLDER, TakeoverState.WAITING)
    lines = await lines_of(old.citizen_id, before=None, limit=20)
    assert "auth.takeover-asked" in {line.action for line in lines}
    with pytest.raises(LevelTooLow):
        await face.auth.takeovers.stop(old, takeover.id)
    assert await face.auth.takeovers.stop(await present(face, old.citizen_id), takeover.id)
    assert not await face.auth.takeovers.stop(await present(face, old.citizen_id), takeover.id)
    face.ground.clock.move(DAY)
    await run_jobs(face)
    assert (await face.auth.log_in("openid-old")).citizen.level is Level.REAL_NAME
    assert (await face.auth.log_in("openid-new")).citizen.level is Level.LINKED


async def test_who_has_asked_may_think_otherwise_and_others_see_and_stop_nothing(face: Face) -> None:
    await holder(face)
    new, stranger = await face.auth.caller("openid-new"), await face.auth.caller("openid-stranger")
    _, takeover = await ask(face, new)
    assert takeover
    assert await face.auth.takeovers.list_takeovers(stranger) == []
    assert not await face.auth.takeovers.stop(stranger, takeover.id)
    assert await face.auth.takeovers.stop(new, takeover.id)
    [seen] = await face.auth.takeovers.list_takeovers(new)
    assert (seen.side, seen.state) == (Side.CLAIMANT, TakeoverState.STOPPED)


async def test_another_face_asks_for_nothing_and_the_holder_sees_the_attempt(face: Face) -> None:
    old = await holder(face)
    result, takeover = await ask(face, await face.auth.caller("openid-new"), looks="a thief")
    assert (result.outcome, takeover) == (Outcome.FAILED, None)
    assert await face.auth.takeovers.list_takeovers(old) == []
    tried = [line for line in await lines_of(old.citizen_id, before=None, limit=20) if line.action.startswith("face.")]
    assert {line.purpose for line in tried} == {Purpose.ACCOUNT_TAKEOVER}
    assert len(tried) == 2


async def test_it_starts_for_nobody_who_could_not_bind_the_name(face: Face) -> None:
    new = await face.auth.caller("openid-new")
    with pytest.raises(TakeoverNotNeeded):
        await face.takeover.start(new, NAME, NUMBER, "face@1")
    old = await holder(face)
    for name, number in (("王小明", NUMBER), (NAME, "999999198604044819")):
        with pytest.raises(IdentityMismatch):
            await face.takeover.start(new, name, number, "face@1")
    with pytest.raises(ConsentRequired):
        await face.takeover.start(new, NAME, NUMBER, "real-name@1")
    with pytest.raises(GuardianNeeded):
        await face.takeover.start(new, "霍小满", "999999201706011190", "face@1")
    with pytest.raises(TakeoverImpossible):
        await face.takeover.start(old, NAME, NUMBER, "face@1")
    with pytest.raises(TakeoverImpossible):
        await face.takeover.start(await present(face, old.citizen_id), NAME, NUMBER, "face@1")


async def test_the_evidence_goes_where_the_check_was_asked_for(face: Face) -> None:
    await holder(face)
    new = await face.auth.caller("openid-new")
    check = await face.takeover.start(new, NAME, NUMBER, "face@1")
    with pytest.raises(NoSuchCheck):
        await face.checks.submit_evidence(new, check.id, frames_of("ming", check.actions))
    other = await face.auth.caller("openid-other")
    with pytest.raises(NoSuchCheck):
        await face.takeover.submit_evidence(other, check.id, frames_of("ming", check.actions))
    await face.takeover.submit_evidence(new, check.id, frames_of("ming", check.actions))
    with pytest.raises(EvidenceReplayed):
        await face.takeover.submit_evidence(new, check.id, frames_of("ming", check.actions))


async def test_a_later_takeover_takes_the_place_of_an_earlier_one(face: Face) -> None:
    old = await holder(face)
    await asyncio.gather(*[ask(face, await face.auth.caller(f"openid-{number}")) for number in range(4)])
    states = [view.state for view in await face.auth.takeovers.list_takeovers(old)]
    assert sorted(states) == [TakeoverState.STOPPED] * 3 + [TakeoverState.WAITING]
    face.ground.clock.move(DAY)
    await run_jobs(face)
    accounts = await fetch("SELECT id FROM wechat_account WHERE citizen_id = $1", old.citizen_id)
    assert len(accounts) == 1


async def test_an_account_that_got_a_name_of_its_own_meanwhile_takes_nothing_over(face: Face) -> None:
    old = await holder(face)
    new = await face.auth.caller("openid-new")
    await ask(face, new)
    face.auth.registry.people["999999199011053335"] = "厉云齐"
    await face.auth.realname.bind(new, name="厉云齐", id_number="999999199011053335", consent="real-name@1")
    face.ground.clock.move(DAY)
    await run_jobs(face)
    [seen] = await face.auth.takeovers.list_takeovers(old)
    assert seen.state is TakeoverState.STOPPED
    assert (await face.auth.log_in("openid-new")).citizen.id == new.citizen_id
    assert (await face.auth.log_in("openid-old")).citizen.id == old.citizen_id


async def test_stopping_and_completing_at_once_leaves_one_outcome(face: Face) -> None:
    old = await holder(face)
    _, takeover = await ask(face, await face.auth.caller("openid-new"))
    assert takeover
    face.ground.clock.move(DAY)
    owner = await present(face, old.citizen_id)
    stopped, _ = await asyncio.gather(face.auth.takeovers.stop(owner, takeover.id), run_jobs(face))
    row = await fetch_one("SELECT state FROM takeover")
    assert row == {"state": "stopped" if stopped else "done"}
    owner_now = await fetch_one("SELECT citizen_id FROM wechat_account WHERE bound_at IS NOT NULL")
    assert owner_now
    assert as_uuid(owner_now["citizen_id"]) == old.citizen_id


async def test_no_name_and_no_number_stay_when_it_is_over(face: Face) -> None:
    await holder(face)
    await ask(face, await face.auth.caller("openid-new"))
    row = await fetch_one("SELECT count(*) AS n FROM face_check WHERE id_number_sealed IS NOT NULL")
    assert row == {"n": 0}
