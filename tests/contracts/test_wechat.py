"""Every mini-program platform keeps the port's promises: the fake, and the adapter against the sandbox."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from auth.adapters.wechat import Wechat
from auth.errors import (
    CodeInvalid,
    MobileCodeInvalid,
    MobileUnsupported,
    WechatBlocked,
    WechatMisconfigured,
    WechatQuota,
    WechatTooMany,
    WechatUnavailable,
)
from auth.ports import MiniProgram
from core.clock import SystemClock
from core.errors import Problem
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.leased_token import LeasedToken
from tests.conftest import Ground
from tests.fakes.auth import FakeMiniProgram
from tests.sandbox.town import Caller, Keys, MovableClock, opened, served


@dataclass
class Case:
    """A platform, how to get its codes, and the switch that takes it away."""

    platform: MiniProgram
    login_code: Callable[[str], Awaitable[str]]
    mobile_code: Callable[[], Awaitable[str]]
    sealed_mobile: Callable[[], Awaitable[tuple[str, str, str]]]
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


def wechat(ground: Ground, door: Outbound, base: str, *, app_id: str, app_secret: str) -> Wechat:
    return Wechat(
        outbound=door,
        partner=Partner("wechat", base, timeout=5, attempts=1),
        lease=LeasedToken(f"wechat-{ground.ids.token(8)}", cache=ground.cache, vault=ground.vault, clock=ground.clock),
        app_id=app_id,
        app_secret=SecretStr(app_secret),
    )


def at_town(ground: Ground, door: Outbound, town: Caller, *, app_secret: str = "") -> Wechat:
    told = town.keys.told["wechat"]
    return wechat(
        ground, door, f"{town.base}/wechat", app_id=told["app_id"], app_secret=app_secret or told["app_secret"]
    )


@pytest.fixture(params=["fake", "sandbox"])
def case(request: pytest.FixtureRequest, ground: Ground) -> Case:
    if request.param == "fake":
        fake = FakeMiniProgram()

        async def login_code(person: str) -> str:
            return fake.code_for(person)

        async def mobile_code() -> str:
            return fake.mobile_code_for("19900000001")

        async def sealed() -> tuple[str, str, str]:
            return fake.sealed_mobile_for("huomingzhe", "19900000001")

        async def away() -> None:
            fake.trouble = WechatUnavailable()

        return Case(fake, login_code, mobile_code, sealed, away)
    town: Caller = request.getfixturevalue("town")

    async def code(path: str, person: str) -> str:
        got: str = (await town.call("POST", f"/sandbox/wechat/{path}", {"person": person})).json["code"]
        return got

    async def fault() -> None:
        await town.fault("wechat", "error")

    async def sealed_at_town() -> tuple[str, str, str]:
        told = (await town.call("POST", "/sandbox/wechat/sealed-phones", {"person": "huomingzhe"})).json
        return told["code"], told["encrypted_data"], told["iv"]

    return Case(
        at_town(ground, request.getfixturevalue("door"), town),
        lambda person: code("codes", person),
        lambda: code("phone-codes", "huomingzhe"),
        sealed_at_town,
        fault,
    )


async def test_one_person_is_one_account_and_another_is_another(case: Case) -> None:
    first = await case.platform.identify(await case.login_code("huomingzhe"))
    again = await case.platform.identify(await case.login_code("huomingzhe"))
    other = await case.platform.identify(await case.login_code("lieyunqi"))
    assert first.openid == again.openid
    assert first.openid != other.openid
    assert first.openid.reveal() not in repr(first)


async def test_a_login_code_works_once(case: Case) -> None:
    code = await case.login_code("huomingzhe")
    await case.platform.identify(code)
    with pytest.raises(CodeInvalid):
        await case.platform.identify(code)


@pytest.mark.parametrize("code", ["never-given", "登录", "a&appid=other", "x" * 128])
async def test_a_code_that_was_never_given_is_refused(case: Case, code: str) -> None:
    with pytest.raises(CodeInvalid):
        await case.platform.identify(code)


async def test_a_mobile_code_gives_the_number_once(case: Case) -> None:
    code = await case.mobile_code()
    assert (await case.platform.mobile_of(code)).reveal() == "19900000001"
    with pytest.raises(MobileCodeInvalid):
        await case.platform.mobile_of(code)


async def test_a_number_of_the_old_button_opens_with_its_own_login_only(case: Case) -> None:
    code, encrypted, iv = await case.sealed_mobile()
    account, number = await case.platform.mobile_of_sealed(code, encrypted, iv)
    assert number.reveal() == "19900000001"
    assert account.openid == (await case.platform.identify(await case.login_code("huomingzhe"))).openid
    with pytest.raises(CodeInvalid):
        await case.platform.mobile_of_sealed(code, encrypted, iv)
    with pytest.raises(MobileCodeInvalid):
        await case.platform.mobile_of_sealed(await case.login_code("huomingzhe"), encrypted, iv)


async def test_the_two_kinds_of_code_are_not_mixed_up(case: Case) -> None:
    with pytest.raises(MobileCodeInvalid):
        await case.platform.mobile_of(await case.login_code("huomingzhe"))
    with pytest.raises(CodeInvalid):
        await case.platform.identify(await case.mobile_code())


async def test_a_platform_that_is_away_says_so(case: Case) -> None:
    login_code, mobile_code = await case.login_code("huomingzhe"), await case.mobile_code()
    await case.take_away()
    with pytest.raises(WechatUnavailable):
        await case.platform.identify(login_code)
    with pytest.raises(WechatUnavailable):
        await case.platform.mobile_of(mobile_code)


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable(
    ground: Ground, door: Outbound, town: Caller, mode: str
) -> None:
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]
    await town.fault("wechat", mode)
    with pytest.raises(WechatUnavailable):
        await at_town(ground, door, town).identify(code)


async def test_a_wrong_secret_is_our_trouble_not_the_residents(ground: Ground, door: Outbound, town: Caller) -> None:
    platform = at_town(ground, door, town, app_secret="another secret")
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]
    with pytest.raises(WechatMisconfigured):
        await platform.identify(code)
    with pytest.raises(WechatMisconfigured):
        await platform.mobile_of(code)


class Script:
    """A WeChat that answers what a test says, and notes what it was asked."""

    def __init__(self) -> None:
        self.login: object = {"errcode": -1}
        self.mobiles: list[object] = []
        self.tokens: list[bool] = []
        self.asked_with: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/sns/jscode2session", self._login)
        app.router.add_post("/cgi-bin/stable_token", self._token)
        app.router.add_post("/wxa/business/getuserphonenumber", self._mobile)
        return app

    async def _login(self, _request: web.Request) -> web.Response:
        return web.json_response(self.login)

    async def _token(self, request: web.Request) -> web.Response:
        self.tokens.append(bool((await request.json()).get("force_refresh", False)))
        return web.json_response({"access_token": f"token-{len(self.tokens)}", "expires_in": 7200})

    async def _mobile(self, request: web.Request) -> web.Response:
        self.asked_with.append(request.query["access_token"])
        return web.json_response(self.mobiles.pop(0))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def scripted(ground: Ground, door: Outbound, script: Script) -> AsyncIterator[Wechat]:
    async with served(script.app()) as base:
        yield wechat(ground, door, base, app_id="wx-ours", app_secret="a secret")


@pytest.mark.parametrize(
    ("errcode", "problem"),
    [
        (-1, WechatUnavailable),
        (40029, CodeInvalid),
        (40163, CodeInvalid),
        (45011, WechatTooMany),
        (40226, WechatBlocked),
        (40002, WechatMisconfigured),
        (40013, WechatMisconfigured),
        (40125, WechatMisconfigured),
        (44002, WechatMisconfigured),
        (47001, WechatMisconfigured),
        (48001, WechatMisconfigured),
        (45009, WechatQuota),
        (99999, WechatUnavailable),
    ],
)
async def test_every_login_error_of_the_page_is_a_problem_of_ours(
    scripted: Wechat, script: Script, errcode: int, problem: type[Problem]
) -> None:
    script.login = {"errcode": errcode, "errmsg": "hints"}
    with pytest.raises(problem) as caught:
        await scripted.identify("a-code")
    told = caught.value
    assert told.title
    assert told.plain
    assert told.retryable is (problem in {WechatUnavailable, WechatQuota, WechatTooMany})


@pytest.mark.parametrize("answer", [{}, {"openid": ""}, {"openid": 1}, {"errcode": "x"}, [], None, 0])
async def test_a_login_answer_without_an_account_is_no_login(scripted: Wechat, script: Script, answer: object) -> None:
    script.login = answer
    with pytest.raises(WechatUnavailable):
        await scripted.identify("a-code")


def mobile(number: str = "19900000001", *, country: str = "86", app_id: str = "wx-ours") -> dict[str, object]:
    watermark = {"timestamp": 1, "appid": app_id}
    info = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": country, "watermark": watermark}
    return {"errcode": 0, "errmsg": "ok", "phone_info": info}


@pytest.mark.parametrize("errcode", [40001, 42001, 40014])
async def test_a_refused_token_is_replaced_and_the_question_asked_once_more(
    scripted: Wechat, script: Script, errcode: int
) -> None:
    script.mobiles = [{"errcode": errcode}, mobile()]
    assert (await scripted.mobile_of("a-code")).reveal() == "19900000001"
    assert script.tokens == [False, True]
    assert script.asked_with == ["token-1", "token-2"]


async def test_a_token_refused_twice_is_given_up(scripted: Wechat, script: Script) -> None:
    script.mobiles = [{"errcode": 40001}, {"errcode": 40001}]
    with pytest.raises(WechatUnavailable):
        await scripted.mobile_of("a-code")
    assert len(script.asked_with) == 2


async def test_the_token_is_leased_once_for_many_questions(scripted: Wechat, script: Script) -> None:
    script.mobiles = [mobile(), mobile(), mobile()]
    for _ in range(3):
        await scripted.mobile_of("a-code")
    assert script.tokens == [False]


async def test_a_number_under_the_watermark_of_another_program_is_not_taken(scripted: Wechat, script: Script) -> None:
    script.mobiles = [mobile(app_id="wx-theirs")]
    with pytest.raises(MobileCodeInvalid):
        await scripted.mobile_of("a-code")


@pytest.mark.parametrize(("number", "country"), [("19900000001", "852"), ("12345", "86"), ("", "86")])
async def test_only_mainland_mobiles_are_taken(scripted: Wechat, script: Script, number: str, country: str) -> None:
    script.mobiles = [mobile(number, country=country)]
    with pytest.raises(MobileUnsupported):
        await scripted.mobile_of("a-code")


@pytest.mark.parametrize(
    "answer", [{"errcode": 0}, {"errcode": 0, "phone_info": {}}, {"errcode": 40001.5}, {"errcode": -1}]
)
async def test_a_mobile_answer_without_a_number_is_unavailable(
    scripted: Wechat, script: Script, answer: object
) -> None:
    script.mobiles = [answer]
    with pytest.raises(WechatUnavailable):
        await scripted.mobile_of("a-code")


# WeChat's public sample: what its page gives for trying one's own decryption.
SAMPLE_KEY = "tiihtNczf5v6AKRyjwEUhQ=="
SAMPLE_IV = "r7BXXKkLb8qrSNn05n0qiA=="
SAMPLE_APP = "wx4f4bc4dec97d474b"
SAMPLE = (
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+"
    "3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6"
    "/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs"
    "8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns"
    "/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG"
    "20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew=="
)


async def test_the_platforms_own_sample_opens_and_is_no_mobile_number(
    ground: Ground, door: Outbound, script: Script
) -> None:
    script.login = {"openid": "o" * 28, "session_key": SAMPLE_KEY}
    async with served(script.app()) as base:
        ours = wechat(ground, door, base, app_id=SAMPLE_APP, app_secret="a secret")
        with pytest.raises(MobileUnsupported):  # It opens: the sample is a profile, which has no number.
            await ours.mobile_of_sealed("a-code", SAMPLE, SAMPLE_IV)
        theirs = wechat(ground, door, base, app_id="wx-theirs", app_secret="a secret")
        with pytest.raises(MobileCodeInvalid):
            await theirs.mobile_of_sealed("a-code", SAMPLE, SAMPLE_IV)


@pytest.mark.parametrize(
    "sealed",
    [
        ("", SAMPLE_IV, SAMPLE_KEY),
        ("AAAA", SAMPLE_IV, SAMPLE_KEY),
        (SAMPLE[:64], SAMPLE_IV, SAMPLE_KEY),
        (SAMPLE, "AAAA", SAMPLE_KEY),
        (SAMPLE, SAMPLE_IV[::-1], SAMPLE_KEY),
        (SAMPLE, SAMPLE_IV, ""),
        (SAMPLE, SAMPLE_IV, "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("不是密文", SAMPLE_IV, SAMPLE_KEY),
    ],
)
async def test_what_does_not_open_is_a_code_that_does_not_hold(
    ground: Ground, door: Outbound, script: Script, sealed: tuple[str, str, str]
) -> None:
    encrypted, iv, key = sealed
    script.login = {"openid": "o" * 28, "session_key": key}
    async with served(script.app()) as base:
        with pytest.raises(MobileCodeInvalid):
            await wechat(ground, door, base, app_id=SAMPLE_APP, app_secret="a secret").mobile_of_sealed(
                "a-code", encrypted, iv
            )
