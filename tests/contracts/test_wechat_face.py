"""Every platform that looks at faces keeps the port's promises: the fake, and WeChat's adapter against the sandbox."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from auth.adapters.wechat import Wechat
from core.clock import SystemClock
from core.outbound import Outbound, Partner
from core.pii import IdNumber, PersonName, Secret
from core.settings import OutboundSettings
from core.signers.leased_token import LeasedToken
from face.adapters.wechat_face import WechatFace, cert_hash
from face.platform.errors import PlatformRefused, PlatformTooMany, PlatformUnavailable
from face.platform.ports import FacePlatform
from face.platform.types import Begun, Finding, Outcome, Reason, Subject
from tests.conftest import Ground
from tests.fakes.face import FakeFacePlatform
from tests.sandbox.town import Caller, Keys, MovableClock, opened, served

PASSED, PENDING = Finding(Outcome.PASSED), Finding(Outcome.PENDING)
NO_MATCH = Finding(Outcome.FAILED, Reason.NOT_PASSED)


@dataclass
class Case:
    """A platform, somebody of whom it has a portrait, and what makes them or another stand before the camera."""

    platform: FacePlatform
    subject: Subject
    show: Callable[[Begun, bool], Awaitable[None]]
    take_away: Callable[[], Awaitable[None]]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Caller]:
    async with opened(tmp_path / "sandbox.sqlite3", Keys(), MovableClock()) as caller:
        yield caller


@pytest.fixture
async def door() -> AsyncIterator[Outbound]:
    outbound = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await outbound.open()
    yield outbound
    await outbound.close()


def adapters(ground: Ground, door: Outbound, base: str, told: dict[str, str]) -> tuple[Wechat, WechatFace]:
    """The login's adapter and ours, with one lease between them."""
    partner = Partner("wechat", base, timeout=3, attempts=1)
    lease = LeasedToken(f"wechat-{ground.ids.token(8)}", cache=ground.cache, vault=ground.vault, clock=ground.clock)
    secret = SecretStr(told["app_secret"])
    login = Wechat(outbound=door, partner=partner, lease=lease, app_id=told["app_id"], app_secret=secret)
    return login, WechatFace(outbound=door, partner=partner, lease=lease, fetch_token=login.fetch_token)


async def subject_of(town: Caller, login: Wechat, slug: str) -> Subject:
    person = await town.person(slug)
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": slug})).json["code"]
    openid = (await login.identify(code)).openid
    return Subject(PersonName.parse(person["name"]), IdNumber.parse(person["id_number"]), openid)


async def go_through(town: Caller, begun: Begun, person: str = "huomingzhe", **more: object) -> int:
    body = {"verify_id": begun.reference.reveal(), "person": person, **more}
    return (await town.call("POST", "/sandbox/wechat/facial-verifications", body)).status


@pytest.fixture(params=["fake", "sandbox"])
async def case(request: pytest.FixtureRequest, ground: Ground, town: Caller, door: Outbound) -> Case:
    if request.param == "fake":
        fake = FakeFacePlatform()
        person = await town.person("huomingzhe")

        async def pose(begun: Begun, genuine: bool) -> None:
            fake.show(begun.reference.reveal(), None if genuine else Reason.NOT_PASSED)

        async def away() -> None:
            fake.trouble = PlatformUnavailable(retry_after=5)

        subject = Subject(PersonName.parse(person["name"]), IdNumber.parse(person["id_number"]), Secret("o-1"))
        return Case(fake, subject, pose, away)
    login, platform = adapters(ground, door, f"{town.base}/wechat", town.keys.told["wechat"])

    async def show(begun: Begun, genuine: bool) -> None:
        style = "genuine" if genuine else "other_person"
        assert await go_through(town, begun, **{"as": style}) == 201

    async def fault() -> None:
        await town.fault("wechat", "error")

    return Case(platform, await subject_of(town, login, "huomingzhe"), show, fault)


def number() -> str:
    return secrets.token_hex(16)


# --- what all keep ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("genuine", "finding"), [(True, PASSED), (False, NO_MATCH)])
async def test_it_tells_how_it_ended_as_often_as_it_is_asked(case: Case, genuine: bool, finding: Finding) -> None:
    ours = number()
    begun = await case.platform.begin(case.subject, number=ours)
    assert begun.seconds > 0
    assert await case.platform.ask(case.subject, begun, number=ours) == PENDING
    await case.show(begun, genuine)
    for _ in range(2):
        assert await case.platform.ask(case.subject, begun, number=ours) == finding


async def test_the_end_of_one_check_is_no_others(case: Case) -> None:
    first, second = number(), number()
    one = await case.platform.begin(case.subject, number=first)
    other = await case.platform.begin(case.subject, number=second)
    assert one.reference.reveal() != other.reference.reveal()
    await case.show(one, True)
    assert await case.platform.ask(case.subject, one, number=first) == PASSED
    assert await case.platform.ask(case.subject, other, number=second) == PENDING
    with pytest.raises(PlatformRefused):
        await case.platform.ask(case.subject, one, number=second)


async def test_a_check_is_of_one_person_at_one_account(case: Case) -> None:
    ours = number()
    begun = await case.platform.begin(case.subject, number=ours)
    await case.show(begun, True)
    for other in (
        replace(case.subject, account=Secret("o-another-account-of-nobody-1")),
        replace(case.subject, name=PersonName.parse("宛秋实")),
        replace(case.subject, id_number=IdNumber.parse("999999197806214551")),
    ):
        with pytest.raises(PlatformRefused):
            await case.platform.ask(other, begun, number=ours)


async def test_one_that_is_away_says_so(case: Case) -> None:
    ours = number()
    begun = await case.platform.begin(case.subject, number=ours)
    await case.take_away()
    with pytest.raises(PlatformUnavailable):
        await case.platform.begin(case.subject, number=number())
    with pytest.raises(PlatformUnavailable):
        await case.platform.ask(case.subject, begun, number=ours)


# --- WeChat's --------------------------------------------------------------------------------------------------------


def test_the_digest_of_a_person_is_the_one_of_the_page() -> None:
    subject = Subject(PersonName.parse("张三"), IdNumber("11010519491231002X"), Secret("o"))
    assert cert_hash(subject) == "471b502b022b21f3e120c5deb08295259bd77cac82956ebffc055c6fced73ce0"
    by_hand = "&".join(
        f"{name}={base64.b64encode(value.encode()).decode()}"
        for name, value in (("cert_type", "IDENTITY_CARD"), ("cert_name", "张三"), ("cert_no", "11010519491231002X"))
    )
    assert cert_hash(subject) == hashlib.sha256(by_hand.encode()).hexdigest()


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable_and_may_be_done_again(
    ground: Ground, door: Outbound, town: Caller, mode: str
) -> None:
    login, platform = adapters(ground, door, f"{town.base}/wechat", town.keys.told["wechat"])
    subject, ours = await subject_of(town, login, "huomingzhe"), number()
    await platform.begin(subject, number=number())  # The token is there.
    await town.fault("wechat", mode, count=1)
    with pytest.raises(PlatformUnavailable):
        await platform.begin(subject, number=ours)
    again = number()
    begun = await platform.begin(subject, number=again)
    assert await go_through(town, begun) == 201
    await town.fault("wechat", mode, count=1)
    with pytest.raises(PlatformUnavailable):
        await platform.ask(subject, begun, number=again)
    assert await platform.ask(subject, begun, number=again) == PASSED


async def test_a_number_is_good_once(ground: Ground, door: Outbound, town: Caller) -> None:
    login, platform = adapters(ground, door, f"{town.base}/wechat", town.keys.told["wechat"])
    subject, ours = await subject_of(town, login, "huomingzhe"), number()
    await platform.begin(subject, number=ours)
    with pytest.raises(PlatformUnavailable):
        await platform.begin(subject, number=ours)


async def test_whose_portrait_is_another_face_does_not_pass(ground: Ground, door: Outbound, town: Caller) -> None:
    login, platform = adapters(ground, door, f"{town.base}/wechat", town.keys.told["wechat"])
    subject, ours = await subject_of(town, login, "lieyunqi"), number()
    begun = await platform.begin(subject, number=ours)
    assert await go_through(town, begun, "huomingzhe") == 409  # Another account's window does not open it.
    assert await go_through(town, begun, "lieyunqi") == 201
    assert await go_through(town, begun, "lieyunqi") == 409
    assert await platform.ask(subject, begun, number=ours) == NO_MATCH


class Clerk:
    """A WeChat that answers what it is told to, and takes no token but the newest."""

    def __init__(self, *answers: dict[str, object]) -> None:
        self.answers = list(answers)
        self.token = "token-0"
        self.asked: list[dict[str, object]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._lease)
        app.router.add_post("/cityservice/face/identify/getverifyid", self._take)
        app.router.add_post("/cityservice/face/identify/queryverifyinfo", self._take)
        return app

    async def _lease(self, request: web.Request) -> web.Response:
        if (await request.json()).get("force_refresh"):
            self.token = "token-1"
        return web.json_response({"access_token": self.token, "expires_in": 7200})

    async def _take(self, request: web.Request) -> web.Response:
        if request.query["access_token"] != self.token:
            return web.json_response({"errcode": 42001, "errmsg": "access_token expired"})
        self.asked.append(await request.json())
        return web.json_response(self.answers.pop(0))


SUBJECT = Subject(PersonName.parse("霍明哲"), IdNumber.parse("999999198503122179"), Secret("o-huomingzhe"))
TOLD = {"app_id": "wx-ours", "app_secret": "a secret"}
GOOD = {"errcode": 0, "errmsg": "ok", "verify_id": "v", "expires_in": 3600}


async def test_what_is_sent_is_what_the_page_says(ground: Ground, door: Outbound) -> None:
    clerk = Clerk(GOOD, {"errcode": 0, "verify_ret": 10000})
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        begun = await platform.begin(SUBJECT, number="n" * 32)
        assert await platform.ask(SUBJECT, begun, number="n" * 32) == PASSED
    card = {"cert_type": "IDENTITY_CARD", "cert_name": "霍明哲", "cert_no": "999999198503122179"}
    assert clerk.asked == [
        {"out_seq_no": "n" * 32, "cert_info": card, "openid": "o-huomingzhe"},
        {"verify_id": "v", "out_seq_no": "n" * 32, "cert_hash": cert_hash(SUBJECT), "openid": "o-huomingzhe"},
    ]


async def test_a_token_that_is_refused_is_replaced_and_the_question_asked_again(ground: Ground, door: Outbound) -> None:
    clerk = Clerk(GOOD, GOOD)
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        await platform.begin(SUBJECT, number=number())
        clerk.token = "another token of WeChat's"
        await platform.begin(SUBJECT, number=number())
    assert len(clerk.asked) == 2


@pytest.mark.parametrize(
    ("code", "problem", "seconds"),
    [
        (-1, PlatformUnavailable, 5),
        (40003, PlatformRefused, None),
        (45009, PlatformUnavailable, 3600),
        (45011, PlatformTooMany, 60),
        (47001, PlatformUnavailable, 5),
        (48001, PlatformUnavailable, 600),
        (84001, PlatformRefused, None),
        (99999, PlatformUnavailable, 5),
    ],
)
async def test_every_error_is_a_problem(
    ground: Ground, door: Outbound, code: int, problem: type[Exception], seconds: int | None
) -> None:
    clerk = Clerk({"errcode": code, "errmsg": "no", "verify_ret": 10000})
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        with pytest.raises(problem) as refusal:
            await platform.begin(SUBJECT, number=number())
    assert refusal.value.extras.retry_after == seconds  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": -1, "verify_ret": 10000},
        {"errcode": 45011, "verify_ret": 10000},
        {"errcode": 99999, "verify_ret": 10000},
        {"verify_ret": 10000},
        {"errcode": False, "verify_ret": 10000},
        {"errcode": "0", "verify_ret": 10000},
        {"errcode": None, "verify_ret": 10000},
    ],
)
async def test_nobody_passes_without_a_zero(ground: Ground, door: Outbound, answer: dict[str, object]) -> None:
    clerk = Clerk(answer)
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        with pytest.raises(PlatformUnavailable):
            await platform.ask(SUBJECT, Begun(Secret("v"), 60), number=number())


@pytest.mark.parametrize("end", [{}, *({"verify_ret": value} for value in (None, True, "10000", 10000.0, 0, 1, 91234))])
async def test_what_is_no_listed_end_is_none(ground: Ground, door: Outbound, end: dict[str, object]) -> None:
    clerk = Clerk({"errcode": 0, "errmsg": "ok", **end})
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        assert await platform.ask(SUBJECT, Begun(Secret("v"), 60), number=number()) == PENDING


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (10001, Reason.UNAVAILABLE),
        (10002, Reason.NO_FACE),
        (10003, Reason.NOT_PASSED),
        (10004, Reason.NOT_PASSED),
        (10005, Reason.TOO_BRIGHT),
        (10009, Reason.NO_PORTRAIT),
        (10010, Reason.POOR_PICTURE),
        (10020, Reason.TIMED_OUT),
        (10042, Reason.TOO_OFTEN),
        (10057, Reason.TOO_OFTEN),
        (90001, Reason.DEVICE_UNFIT),
        (90002, Reason.CANCELLED),
        (90006, Reason.CANCELLED),
        (90007, Reason.CONNECTION_LOST),
        (90008, Reason.CAMERA_DENIED),
        (90010, Reason.CAMERA_DENIED),
        (90011, Reason.NO_FACE),
        (90017, Reason.TIMED_OUT),
        (90018, Reason.UNAVAILABLE),
        (90107, Reason.TIMED_OUT),
        (90199, Reason.UNAVAILABLE),
    ],
)
async def test_every_end_is_a_reason(ground: Ground, door: Outbound, code: int, reason: Reason) -> None:
    clerk = Clerk({"errcode": 0, "errmsg": "ok", "verify_ret": code})
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        found = await platform.ask(SUBJECT, Begun(Secret("v"), 60), number=number())
    assert found == Finding(Outcome.FAILED, reason)


@pytest.mark.parametrize(
    "wrong",
    [
        {"verify_id": ""},
        {"verify_id": "v" * 257},
        {"verify_id": 7},
        {"expires_in": 0},
        {"expires_in": True},
        {"expires_in": "3600"},
    ],
)
async def test_a_beginning_without_a_name_or_a_time_is_none(
    ground: Ground, door: Outbound, wrong: dict[str, object]
) -> None:
    clerk = Clerk({**GOOD, **wrong})
    async with served(clerk.app()) as base:
        _, platform = adapters(ground, door, base, TOLD)
        with pytest.raises(PlatformUnavailable):
            await platform.begin(SUBJECT, number=number())
