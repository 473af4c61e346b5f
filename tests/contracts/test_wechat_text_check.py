"""WeChat's look at texts keeps the contract of its port: the adapter against the sandbox, and the fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from auth.adapters.wechat import Wechat
from core.clock import SystemClock
from core.outbound import Outbound, Partner
from core.pii import Secret
from core.settings import OutboundSettings
from core.signers.leased_token import LeasedToken
from matters.adapters.wechat_text_check import WechatTextCheck
from matters.errors import TextCheckUnavailable
from matters.types import Suggestion, TextVerdict
from tests.conftest import Ground
from tests.fakes.matters import FakeTextCheck
from tests.sandbox.town import Caller, Keys, MovableClock, opened


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


def adapters(ground: Ground, door: Outbound, town: Caller, *, secret: str = "") -> tuple[Wechat, WechatTextCheck]:
    told = town.keys.told["wechat"]
    partner = Partner("wechat", f"{town.base}/wechat", 3.0, 1)
    lease = LeasedToken(f"wechat-{secret or 'good'}", cache=ground.cache, vault=ground.vault, clock=ground.clock)
    login = Wechat(
        outbound=door,
        partner=partner,
        lease=lease,
        app_id=told["app_id"],
        app_secret=SecretStr(secret or told["app_secret"]),
    )
    return login, WechatTextCheck(outbound=door, partner=partner, lease=lease, fetch_token=login.fetch_token)


async def openid(login: Wechat, town: Caller) -> Secret:
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]
    return (await login.identify(code)).openid


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("房东已经同意续租", TextVerdict(Suggestion.PASS, 100)),
        ("这句话 [risk]", TextVerdict(Suggestion.RISK, 20001)),
        ("这句话 [review]", TextVerdict(Suggestion.REVIEW, 20003)),
        ("字" * 2500, TextVerdict(Suggestion.PASS, 100)),
    ],
)
async def test_the_verdict_is_the_platforms(
    ground: Ground, door: Outbound, town: Caller, text: str, verdict: TextVerdict
) -> None:
    login, checks = adapters(ground, door, town)
    assert await checks.check(text, await openid(login, town)) == verdict


@pytest.mark.parametrize("text", ["[inactive]", "", "字" * 2501])
async def test_what_the_platform_cannot_look_at_is_no_verdict(
    ground: Ground, door: Outbound, town: Caller, text: str
) -> None:
    login, checks = adapters(ground, door, town)
    with pytest.raises(TextCheckUnavailable):
        await checks.check(text, await openid(login, town))


async def test_an_account_that_the_platform_does_not_know_is_no_verdict(
    ground: Ground, door: Outbound, town: Caller
) -> None:
    _, checks = adapters(ground, door, town)
    with pytest.raises(TextCheckUnavailable):
        await checks.check("字", Secret("o-nobody"))


async def test_a_token_that_ran_out_is_replaced(ground: Ground, door: Outbound, town: Caller) -> None:
    login, checks = adapters(ground, door, town)
    account = await openid(login, town)
    await checks.check("字", account)
    assert isinstance(town.clock, MovableClock)
    town.clock.ahead += town.clock.ahead.__class__(hours=3)
    assert (await checks.check("字", account)).suggestion is Suggestion.PASS


@pytest.mark.parametrize("mode", ["error", "garbage", "drop"])
async def test_every_outage_is_told_alike(ground: Ground, door: Outbound, town: Caller, mode: str) -> None:
    login, checks = adapters(ground, door, town)
    account = await openid(login, town)
    await town.fault("wechat", mode)
    with pytest.raises(TextCheckUnavailable):
        await checks.check("字", account)


async def test_without_a_token_there_is_no_verdict(ground: Ground, door: Outbound, town: Caller) -> None:
    _, checks = adapters(ground, door, town, secret="wrong")
    with pytest.raises(TextCheckUnavailable):
        await checks.check("字", Secret("o"))


async def test_the_fake_may_be_away_too() -> None:
    fake = FakeTextCheck()
    assert (await fake.check("字", Secret("o"))).suggestion is Suggestion.PASS
    fake.is_away = True
    with pytest.raises(TextCheckUnavailable):
        await fake.check("字", Secret("o"))
