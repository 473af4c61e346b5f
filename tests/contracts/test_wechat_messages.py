"""Every way to send subscribe messages keeps the port's promises: the fake, and the adapter against the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from auth.adapters.wechat import Wechat
from core.clock import SystemClock
from core.outbound import Outbound, Partner
from core.pii import Secret
from core.settings import OutboundSettings
from core.signers.leased_token import LeasedToken
from notices.adapters.wechat_messages import WechatMessages
from notices.adapters.wechat_push import WechatPush
from notices.errors import ChannelUnavailable
from notices.ports import SubscribeMessages
from notices.types import Card, Handed, PushItem, Reason
from tests.conftest import Ground
from tests.fakes.notices import FakeSubscribeMessages
from tests.sandbox.town import Caller, Keys, MovableClock, opened, served

PAGE = "pages/applications/detail?id=1"
CARD = Card("progress", {"thing1": "居住证签注", "phrase2": "已通过", "time3": "2026-03-10 10:00", "thing4": "请查看"})
SANDBOX_TEMPLATES = {key: f"sandbox-{key}" for key in ("progress", "certificate", "security")}


@dataclass
class Case:
    """A channel, somebody's openid there, a tap of theirs, and the switch that takes the channel away."""

    channel: SubscribeMessages
    openid: Secret
    accept: Callable[[], Awaitable[None]]
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


def adapters(
    ground: Ground, door: Outbound, base: str, *, app_id: str, app_secret: str, lease: str = ""
) -> tuple[Wechat, WechatMessages]:
    """The login's adapter and ours, with one lease between them."""
    partner = Partner("wechat", base, timeout=3, attempts=1)
    name = lease or f"wechat-{ground.ids.token(8)}"
    token = LeasedToken(name, cache=ground.cache, vault=ground.vault, clock=ground.clock)
    login = Wechat(outbound=door, partner=partner, lease=token, app_id=app_id, app_secret=SecretStr(app_secret))
    messages = WechatMessages(
        outbound=door,
        partner=partner,
        lease=token,
        fetch_token=login.fetch_token,
        template_ids=SANDBOX_TEMPLATES,
        miniprogram_state="formal",
    )
    return login, messages


def at_town(ground: Ground, door: Outbound, town: Caller) -> tuple[Wechat, WechatMessages]:
    told = town.keys.told["wechat"]
    return adapters(ground, door, f"{town.base}/wechat", app_id=told["app_id"], app_secret=told["app_secret"])


async def tap(town: Caller, template: str, status: str, **more: object) -> Any:
    body = {"person": "huomingzhe", "template": f"sandbox-{template}", "status": status, **more}
    answer = await town.call("POST", "/sandbox/wechat/subscriptions", body)
    assert answer.status == 201
    return answer.json["answered"]


@pytest.fixture(params=["fake", "sandbox"])
async def case(request: pytest.FixtureRequest, ground: Ground, town: Caller, door: Outbound) -> Case:
    if request.param == "fake":
        fake = FakeSubscribeMessages()

        async def agree() -> None:
            fake.quota["o"] = fake.quota.get("o", 0) + 1

        async def away() -> None:
            fake.away = True

        return Case(fake, Secret("o"), agree, away)
    login, messages = at_town(ground, door, town)
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]

    async def accept() -> None:
        await tap(town, "progress", "accept")

    async def fault() -> None:
        await town.fault("wechat", "error")

    return Case(messages, (await login.identify(code)).openid, accept, fault)


async def test_a_message_rests_on_a_consent_and_uses_it_up(case: Case) -> None:
    assert await case.channel.send(case.openid, CARD, page=PAGE) == Handed(refused=Reason.NO_CONSENT)
    await case.accept()
    handed = await case.channel.send(case.openid, CARD, page=PAGE)
    assert handed.refused is None
    assert handed.number
    assert await case.channel.send(case.openid, CARD, page=PAGE) == Handed(refused=Reason.NO_CONSENT)


async def test_a_template_that_is_not_known_is_no_failure(case: Case) -> None:
    assert case.channel.knows("progress")
    assert not case.channel.knows("weather")
    refused = await case.channel.send(case.openid, Card("weather", {"thing1": "x"}), page=PAGE)
    assert refused == Handed(refused=Reason.NO_TEMPLATE)


async def test_a_channel_that_is_away_says_so(case: Case) -> None:
    await case.accept()
    await case.take_away()
    with pytest.raises(ChannelUnavailable):
        await case.channel.send(case.openid, CARD, page=PAGE)


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable(
    ground: Ground, door: Outbound, town: Caller, mode: str
) -> None:
    _, messages = at_town(ground, door, town)
    await town.fault("wechat", mode)
    with pytest.raises(ChannelUnavailable):
        await messages.send(Secret("o"), CARD, page=PAGE)


@pytest.mark.parametrize(
    ("card", "page"),
    [
        (Card("progress", {**CARD.values, "thing1": "字" * 21}), PAGE),
        (Card("progress", {**CARD.values, "phrase2": "六个字的状态"}), PAGE),
        (Card("progress", {"thing1": "少了几个"}), PAGE),
        (Card("progress", {**CARD.values, "thing9": "多了一个"}), PAGE),
        (Card("progress", {**CARD.values, "thing1": ""}), PAGE),
        (CARD, "nowhere"),
    ],
)
async def test_what_wechat_cannot_show_is_refused_for_good(
    ground: Ground, door: Outbound, town: Caller, card: Card, page: str
) -> None:
    await tap(town, "progress", "accept")
    _, messages = at_town(ground, door, town)
    assert await messages.send(Secret("o"), card, page=page) == Handed(refused=Reason.REFUSED)


async def test_a_long_term_consent_is_good_until_it_is_taken_back(ground: Ground, door: Outbound, town: Caller) -> None:
    login, messages = at_town(ground, door, town)
    code = (await town.call("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"})).json["code"]
    openid = (await login.identify(code)).openid
    card = Card("security", {"thing1": "提醒", "time2": "2026-03-10 10:00", "thing3": "请查看"})
    await tap(town, "security", "accept")
    for _ in range(3):
        assert (await messages.send(openid, card, page="pages/x")).refused is None
    await tap(town, "security", "turn-off")
    assert await messages.send(openid, card, page="pages/x") == Handed(refused=Reason.NO_CONSENT)
    shown = await town.call("GET", "/sandbox/wechat/messages?person=huomingzhe")
    assert [item["data"]["thing1"] for item in shown.json["items"]] == ["提醒"] * 3


class Clerk:
    """A WeChat that counts who asks for tokens, and takes none but the newest."""

    def __init__(self) -> None:
        self.forced: list[bool] = []
        self.token = "token-0"
        self.answers: list[dict[str, object]] = []
        self.sent = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/cgi-bin/stable_token", self._lease)
        app.router.add_post("/cgi-bin/message/subscribe/send", self._take)
        return app

    async def _lease(self, request: web.Request) -> web.Response:
        force = bool((await request.json()).get("force_refresh"))
        self.forced.append(force)
        await asyncio.sleep(0.05)
        if force:
            self.token = f"token-{len(self.forced)}"
        return web.json_response({"access_token": self.token, "expires_in": 7200})

    async def _take(self, request: web.Request) -> web.Response:
        if self.answers:
            return web.json_response(self.answers.pop(0))
        if request.query["access_token"] != self.token:
            return web.json_response({"errcode": 42001, "errmsg": "access_token expired"})
        self.sent += 1
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": self.sent})


async def test_fifty_workers_at_an_expired_token_are_one_refresh(ground: Ground, door: Outbound) -> None:
    clerk, lease = Clerk(), f"wechat-{ground.ids.token(8)}"
    async with served(clerk.app()) as base:
        workers = [
            adapters(ground, door, base, app_id="wx-ours", app_secret="a secret", lease=lease)[1] for _ in range(50)
        ]
        for worker in workers:
            assert (await worker.send(Secret("o"), CARD, page=PAGE)).refused is None
        assert clerk.forced == [False]
        clerk.token = "another token of WeChat's"  # Whatever was leased is refused from now on.
        handed = await asyncio.gather(*(worker.send(Secret("o"), CARD, page=PAGE) for worker in workers))
    assert clerk.forced == [False, True]
    assert [each.refused for each in handed] == [None] * 50
    assert len({each.number for each in handed}) == 50


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (43101, Reason.NO_CONSENT),
        (40003, Reason.NO_ACCOUNT),
        (40037, Reason.NO_TEMPLATE),
        (41030, Reason.REFUSED),
        (47003, Reason.REFUSED),
        (48001, Reason.REFUSED),
    ],
)
async def test_codes_that_are_final_are_outcomes(ground: Ground, door: Outbound, code: int, reason: Reason) -> None:
    clerk = Clerk()
    clerk.answers = [{"errcode": code, "errmsg": "no"}]
    async with served(clerk.app()) as base:
        _, messages = adapters(ground, door, base, app_id="wx-ours", app_secret="a secret")
        assert await messages.send(Secret("o"), CARD, page=PAGE) == Handed(refused=reason)


@pytest.mark.parametrize("answer", [{"errcode": -1}, {"errcode": 45009}, {"errcode": 99999}, {"errcode": "x"}])
async def test_codes_that_pass_are_unavailable(ground: Ground, door: Outbound, answer: dict[str, object]) -> None:
    clerk = Clerk()
    clerk.answers = [answer]
    async with served(clerk.app()) as base:
        _, messages = adapters(ground, door, base, app_id="wx-ours", app_secret="a secret")
        with pytest.raises(ChannelUnavailable):
            await messages.send(Secret("o"), CARD, page=PAGE)


@pytest.mark.parametrize("mode", ["safe", "plain"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_what_the_sandbox_pushes_is_read(town: Caller, mode: str, form: str) -> None:
    told = town.keys.told["wechat_push"]
    reader = WechatPush(
        token=SecretStr(told["token"]),
        aes_key=SecretStr(told["aes_key"] if mode == "safe" else ""),
        app_id=town.keys.told["wechat"]["app_id"],
        clock=SystemClock(),
    )
    read = []

    async def take(request: web.Request) -> web.Response:
        read.append(reader.read(dict(request.query), await request.read()))
        return web.Response(text="success")

    app = web.Application()
    app.router.add_post("/v1/wechat/push", take)
    async with served(app) as base:
        more = {"tell": f"{base}/v1/wechat/push", "mode": mode, "format": form}
        assert await tap(town, "progress", "accept", **more) == 200
        assert await tap(town, "progress", "turn-off", **more) == 200
    assert [(push.event, push.items) for push in read] == [
        ("subscribe_msg_popup_event", (PushItem("sandbox-progress", "accept"),)),
        ("subscribe_msg_change_event", (PushItem("sandbox-progress", "reject"),)),
    ]
