"""Every provider of notices by short message keeps the port's promises: the fake, and the adapter at the sandbox."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.pii import Mobile
from core.settings import OutboundSettings
from core.signers.http_signature import SignatureChecker, TrustedKey
from core.signers.signed_json import SignedJson
from notices.adapters.sms_notices import SmsNotices
from notices.errors import ChannelUnavailable
from notices.ports import TextMessages
from notices.types import Handed, Reason
from tests.fakes.notices import FakeTextMessages
from tests.sandbox.town import Caller, Keys, MovableClock, opened, served

MINE, OTHER = Mobile("19900000001"), Mobile("19900000002")
TEXT = "您的申请有结果了，请打开“指尖办事”小程序查看。"


@dataclass
class Case:
    """A provider, what a mobile got, a mobile that takes nothing, and the switch that takes the provider away."""

    provider: TextMessages
    got: Callable[[Mobile], Awaitable[list[str]]]
    shut: Callable[[Mobile], Awaitable[None]]
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


def at_town(door: Outbound, town: Caller, *, secret: str = "", report_url: str = "http://127.0.0.1:9/x") -> SmsNotices:
    told = town.keys.told["sms"]
    signer = SignedJson(
        app_id=told["app_id"], secret=SecretStr(secret or told["secret"]), clock=SystemClock(), ids=RandomIds()
    )
    partner = Partner("sms", f"{town.base}/sms", timeout=5, attempts=1, signer=signer)
    return SmsNotices(outbound=door, partner=partner, ids=RandomIds(), report_url=report_url)


@pytest.fixture(params=["fake", "sandbox"])
def case(request: pytest.FixtureRequest, town: Caller, door: Outbound) -> Case:
    if request.param == "fake":
        fake = FakeTextMessages()

        async def got(mobile: Mobile) -> list[str]:
            return [text for number, text in fake.texts if number == mobile.reveal()]

        async def shut(mobile: Mobile) -> None:
            fake.refuses[mobile.reveal()] = Reason.TAKES_NONE

        async def away() -> None:
            fake.away = True

        return Case(fake, got, shut, away)

    async def outbox(mobile: Mobile) -> list[str]:
        shown = await town.call("GET", f"/sandbox/sms/notices?mobile={mobile.reveal()}")
        return [item["text"].removeprefix("【指尖办事】") for item in shown.json["items"]]

    async def takes_none(mobile: Mobile) -> None:
        await town.call("PUT", f"/sandbox/sms/mobiles/{mobile.reveal()}", {"answers": "takes-none"})

    async def fault() -> None:
        await town.fault("sms", "error")

    return Case(at_town(door, town), outbox, takes_none, fault)


async def test_a_text_arrives_at_its_mobile_alone(case: Case) -> None:
    handed = await case.provider.send(MINE, TEXT, reference=secrets.token_hex(16))
    assert handed.refused is None
    assert handed.number
    assert (await case.got(MINE), await case.got(OTHER)) == ([TEXT], [])


async def test_one_reference_is_one_message_however_often_and_at_once(case: Case) -> None:
    reference = secrets.token_hex(16)
    handed = await asyncio.gather(*(case.provider.send(MINE, TEXT, reference=reference) for _ in range(10)))
    assert len(set(handed)) == 1
    assert await case.got(MINE) == [TEXT]


async def test_a_mobile_that_takes_nothing_is_an_outcome(case: Case) -> None:
    await case.shut(OTHER)
    assert await case.provider.send(OTHER, TEXT, reference=secrets.token_hex(16)) == Handed(refused=Reason.TAKES_NONE)
    assert await case.got(OTHER) == []


async def test_a_provider_that_is_away_says_so(case: Case) -> None:
    await case.take_away()
    with pytest.raises(ChannelUnavailable):
        await case.provider.send(MINE, TEXT, reference=secrets.token_hex(16))


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop"])
async def test_whatever_goes_wrong_on_the_way_is_unavailable_and_repeated_once(
    door: Outbound, town: Caller, mode: str
) -> None:
    provider, reference = at_town(door, town), secrets.token_hex(16)
    await town.fault("sms", mode, count=1)
    with pytest.raises(ChannelUnavailable):
        await provider.send(MINE, TEXT, reference=reference)
    assert (await provider.send(MINE, TEXT, reference=reference)).refused is None
    shown = await town.call("GET", f"/sandbox/sms/notices?mobile={MINE.reveal()}")
    assert [item["reference"] for item in shown.json["items"]] == [reference]


async def test_a_wrong_secret_is_our_trouble_and_not_the_residents(door: Outbound, town: Caller) -> None:
    with pytest.raises(ChannelUnavailable):
        await at_town(door, town, secret="another secret").send(MINE, TEXT, reference=secrets.token_hex(16))


async def test_a_text_that_is_too_long_or_goes_elsewhere_is_refused(door: Outbound, town: Caller) -> None:
    refused = Handed(refused=Reason.REFUSED)
    assert await at_town(door, town).send(MINE, "长" * 65, reference=secrets.token_hex(16)) == refused
    elsewhere = at_town(door, town, report_url="https://elsewhere.test/x")
    assert await elsewhere.send(MINE, TEXT, reference=secrets.token_hex(16)) == refused
    nobody = await at_town(door, town).send(Mobile("12345"), TEXT, reference=secrets.token_hex(16))
    assert nobody == Handed(refused=Reason.NO_SUCH_NUMBER)


@dataclass
class Reported:
    """Who is reported to, and checks the signature as the edge does."""

    keys: Keys
    base: str = ""
    came: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    fails: int = 0

    async def take(self, request: web.Request) -> web.Response:
        told = self.keys.told["sms_reports"]
        checker = SignatureChecker({told["key_id"]: TrustedKey("sms", self.keys.report_public)}, clock=SystemClock())
        signed = await checker.check(
            method="POST", target_uri=f"{self.base}/reports", headers=request.headers, body=await request.read()
        )
        assert signed.party == "sms"
        self.came.append(await request.json())
        if self.fails:
            self.fails -= 1
            return web.Response(status=503)
        self.arrived.set()
        return web.Response(status=204)


@pytest.mark.parametrize(("answers", "status"), [("delivered", "delivered"), ("failed", "failed")])
async def test_reports_come_signed_and_are_repeated_until_taken(
    door: Outbound, town: Caller, answers: str, status: str
) -> None:
    reported = Reported(town.keys, fails=1)
    app = web.Application()
    app.router.add_post("/reports", reported.take)
    await town.call("PUT", f"/sandbox/sms/mobiles/{MINE.reveal()}", {"answers": answers})
    async with served(app) as base:
        reported.base = base
        reference = secrets.token_hex(16)
        handed = await at_town(door, town, report_url=f"{base}/reports").send(MINE, TEXT, reference=reference)
        async with asyncio.timeout(10):
            await reported.arrived.wait()
    assert [(each["reference"], each["status"]) for each in reported.came] == [(reference, status)] * 2
    assert reported.came[0]["message_id"] == handed.number
