"""How a face check ends, whoever looks: the engine that gets pictures, and the platform that looks by itself."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from auth.adapters.wechat import Wechat
from auth.types import Caller, Level
from core.clock import SystemClock
from core.db import fetch, fetch_one
from core.errors import Conflict, Unavailable
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.leased_token import LeasedToken
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.adapters.wechat_face import WechatFace
from face.errors import CheckExpired, EngineUnavailable, NoSuchCheck, TooManyAttempts
from face.platform.errors import PlatformUnavailable
from face.platform.types import Reason as PlatformReason
from face.settings import FaceSettings
from face.types import Action, Purpose
from sandbox import faces
from tests.conftest import Ground
from tests.fakes.face import BOTH, Face, frames_of, make_face, picture_of
from tests.sandbox.town import Keys, MovableClock, opened

NAME, NUMBER = "霍明哲", "999999198503122179"
SETTINGS = FaceSettings(engines=BOTH)


@dataclass
class Started:
    """A check that has begun, and what stands before the camera in it is still to be said."""

    id: UUID
    actions: tuple[Action, ...] = ()
    reference: str = ""


@dataclass
class Case:
    """One way to look at faces: begin, finish with the right face or another's, and take it away for a while."""

    face: Face
    caller: Caller
    start: Callable[[Caller], Awaitable[Started]]
    finish: Callable[[Caller, Started, bool], Awaitable[str]]
    take_away: Callable[[], Awaitable[None]]
    bring_back: Callable[[], Awaitable[None]]
    # What callers are told when it is away.
    away: type[Unavailable]


async def with_pictures(ground: Ground, *, engine: LocalEngine | None) -> Case:
    face = make_face(ground, settings=SETTINGS, real_engine=engine)
    face.auth.registry.portraits[NUMBER] = faces.portrait("a") if engine else picture_of("me")

    async def start(caller: Caller) -> Started:
        check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
        return Started(check.id, check.actions)

    async def finish(caller: Caller, check: Started, genuine: bool) -> str:
        if engine:
            style = "genuine" if genuine else "other_person"
            frames = faces.make_frames(random.choice(["huomingzhe", "qumanlin"]), check.actions, style, 12)
        else:
            frames = frames_of("me" if genuine else "somebody", check.actions)
        return str((await face.checks.submit_evidence(caller, check.id, frames)).outcome)

    async def take_away() -> None:
        face.auth.registry.trouble = EngineUnavailable(retry_after=1)

    async def bring_back() -> None:
        face.auth.registry.trouble = None

    caller = await face.auth.caller_named("openid-mine", NAME, NUMBER)
    return Case(face, caller, start, finish, take_away, bring_back, EngineUnavailable)


async def with_a_platform(ground: Ground, stack: AsyncExitStack, folder: Path, *, real: bool) -> Case:
    openid = "openid-mine"
    if not real:
        face = make_face(ground, settings=SETTINGS)
        fake = face.platform

        async def show(check: Started, genuine: bool) -> None:
            fake.show(check.reference, None if genuine else PlatformReason.NOT_PASSED)

        async def take_away() -> None:
            fake.trouble = PlatformUnavailable(retry_after=1)

        async def bring_back() -> None:
            fake.trouble = None
    else:
        town = await stack.enter_async_context(opened(folder / "sandbox.sqlite3", Keys(), MovableClock()))
        told = town.keys.told["wechat"]
        outbound = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
        await outbound.open()
        stack.push_async_callback(outbound.close)
        partner = Partner("wechat", f"{town.base}/wechat", timeout=3, attempts=1)
        lease = LeasedToken(f"wechat-{ground.ids.token(8)}", cache=ground.cache, vault=ground.vault, clock=ground.clock)
        secret = SecretStr(told["app_secret"])
        login = Wechat(outbound=outbound, partner=partner, lease=lease, app_id=told["app_id"], app_secret=secret)
        platform = WechatFace(outbound=outbound, partner=partner, lease=lease, fetch_token=login.fetch_token)
        face = make_face(ground, settings=SETTINGS, platform=platform)
        code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]
        openid = (await login.identify(code)).openid.reveal()

        async def show(check: Started, genuine: bool) -> None:
            style = "genuine" if genuine else "other_person"
            body = {"verify_id": check.reference, "person": "huomingzhe", "as": style}
            await town.call("POST", "/sandbox/wechat/facial-verifications", body)

        async def take_away() -> None:
            await town.fault("wechat", "error")

        async def bring_back() -> None:
            await town.fault("wechat", "ok")

    async def start(caller: Caller) -> Started:
        check = await face.by_platform.start(caller, Purpose.STEP_UP, "wechat-face@1")
        return Started(check.id, reference=check.reference)

    async def finish(caller: Caller, check: Started, genuine: bool) -> str:
        await show(check, genuine)
        return str((await face.by_platform.finish(caller, check.id)).outcome)

    caller = await face.auth.caller_named(openid, NAME, NUMBER)
    return Case(face, caller, start, finish, take_away, bring_back, PlatformUnavailable)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network is converted once."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(params=["pictures", "pictures, the real engine", "platform", "platform, WeChat at the sandbox"])
async def case(request: pytest.FixtureRequest, ground: Ground, networks: Path, tmp_path: Path) -> AsyncIterator[Case]:
    kind: str = request.param
    async with AsyncExitStack() as stack:
        if kind.startswith("platform"):
            yield await with_a_platform(ground, stack, tmp_path, real="sandbox" in kind)
        elif kind == "pictures":
            yield await with_pictures(ground, engine=None)
        else:
            # Also where the machine does other things: how long a check may take is tried elsewhere.
            limits = LocalEngineLimits(workers=1, seconds_per_frame=30.0, seconds_per_check=60.0, seconds_to_start=60.0)
            engine = LocalEngine(cache=networks, clock=SystemClock(), limits=limits)
            await engine.warm_up()
            stack.push_async_callback(engine.close)
            yield await with_pictures(ground, engine=engine)


async def level_of(caller: Caller) -> Level:
    row = await fetch_one("SELECT present_until FROM citizen_session WHERE id = $1", caller.session_id)
    return Level.PRESENT if row and row["present_until"] else Level.REAL_NAME


async def attempts(case: Case) -> int:
    """How many further checks the person may begin."""
    row = await fetch_one("SELECT person_hash FROM face_check LIMIT 1")
    assert row
    left = 0
    try:
        for _ in range(9):
            await case.start(case.caller)
            left += 1
    except TooManyAttempts:
        return left
    raise AssertionError("attempts have no end")


async def test_the_right_face_raises_the_session_and_is_given_back(case: Case) -> None:
    check = await case.start(case.caller)
    assert await case.finish(case.caller, check, True) == "passed"
    assert await level_of(case.caller) is Level.PRESENT
    assert await attempts(case) == 5


async def test_another_face_raises_nothing_and_counts(case: Case) -> None:
    check = await case.start(case.caller)
    assert await case.finish(case.caller, check, False) == "failed"
    assert await level_of(case.caller) is Level.REAL_NAME
    assert await attempts(case) == 4


async def test_a_check_ends_once(case: Case) -> None:
    check = await case.start(case.caller)
    assert await case.finish(case.caller, check, False) == "failed"
    with pytest.raises(Conflict):
        await case.finish(case.caller, check, True)
    assert await level_of(case.caller) is Level.REAL_NAME


async def test_a_check_runs_out(case: Case) -> None:
    check = await case.start(case.caller)
    case.face.ground.clock.move(timedelta(minutes=5))
    with pytest.raises(CheckExpired):
        await case.finish(case.caller, check, True)
    assert await level_of(case.caller) is Level.REAL_NAME


async def test_a_check_is_nobody_elses(case: Case) -> None:
    check = await case.start(case.caller)
    other = await case.face.auth.caller_named("openid-of-another", "宛秋实", "999999197806214551")
    with pytest.raises(NoSuchCheck):
        await case.finish(other, check, True)
    assert await level_of(other) is Level.REAL_NAME


async def test_whoever_is_away_costs_nobody_an_attempt(case: Case) -> None:
    check = await case.start(case.caller)
    if check.reference:
        assert await case.finish(case.caller, check, True) == "passed"
        check = await case.start(case.caller)
    await case.take_away()
    with pytest.raises(case.away):
        await case.finish(case.caller, check, True)
    await case.bring_back()
    assert await case.finish(case.caller, check, True) == "passed"
    assert await attempts(case) == 5


async def test_every_result_says_who_looked_and_none_tells_a_score(case: Case) -> None:
    for genuine in (True, False):
        await case.finish(case.caller, await case.start(case.caller), genuine)
    rows = await fetch("SELECT engine, model_id, threshold_id, outcome, reason FROM face_check ORDER BY started_at")
    assert sorted(row["outcome"] for row in rows) == ["failed", "passed"]
    assert all(row["engine"] and row["model_id"] and row["threshold_id"] for row in rows)
    lines = await fetch("SELECT action FROM audit_line WHERE action LIKE 'face.check-%' ORDER BY id")
    told = [line["action"] for line in lines]
    assert told == ["face.check-started", "face.check-passed", "face.check-started", "face.check-failed"]
