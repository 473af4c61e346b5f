"""The one door out: bounded in time and size, careful with repetitions, patient with systems that are down."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from core.clock import SystemClock
from core.db import InsideTransaction, transaction
from core.errors import Unavailable
from core.log import set_request_id
from core.outbound import Outbound, Outgoing, Partner, Unreachable, unavailable_as
from core.outside.breaker import Breaker, Passage
from core.settings import OutboundSettings
from tests.core.bureau import Bureau, closed_port, hangs_up, open_bureau, open_raw, pours, says, sleeps
from tests.fakes.ground import FixedClock

QUICK = OutboundSettings(breaker_minimum=4, breaker_open_seconds=0.2, response_bytes=100_000)


@asynccontextmanager
async def door(settings: OutboundSettings = QUICK, *, production: bool = False) -> AsyncIterator[Outbound]:
    outbound = Outbound(settings, clock=SystemClock(), production=production)
    await outbound.open()
    try:
        yield outbound
    finally:
        await outbound.close()


def partner(address: Bureau | str, **more: Any) -> Partner:
    return Partner("bureau", address if isinstance(address, str) else address.address, **more)


class CountingSigner:
    """Signs every try anew, or cannot."""

    def __init__(self, *, fails: bool = False) -> None:
        self.count = 0
        self.fails = fails

    async def sign(self, request: Outgoing) -> Outgoing:
        self.count += 1
        if self.fails:
            raise Unavailable
        return request.with_headers(X_Signature=f"try-{self.count}")


async def test_a_request_goes_out_whole_and_its_answer_comes_back() -> None:
    async with open_bureau(says(201, '{"名": 1}', X_Own="yes")) as bureau, door() as outbound:
        set_request_id("request-12345678")
        answer = await outbound.call(
            partner(bureau),
            "POST",
            "/cases",
            query={"a b": "中/1"},
            json_body={"name": "值"},
            headers={"X-Extra": "1"},
            idempotency_key="our-reference",
        )
    assert (answer.status, answer.mapping(), answer.headers["X-Own"]) == (201, {"名": 1}, "yes")
    heard = bureau.heard[0]
    assert (heard.method, heard.raw_path) == ("POST", "/base/cases?a+b=%E4%B8%AD%2F1")
    assert bureau.bodies == ['{"name":"值"}'.encode()]
    assert heard.headers["Idempotency-Key"] == "our-reference"
    assert heard.headers["X-Request-Id"] == "request-12345678"
    assert heard.headers["X-Extra"] == "1"
    assert heard.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_without_a_request_id_no_empty_one_is_sent() -> None:
    async with open_bureau(says()) as bureau, door() as outbound:
        set_request_id("")
        await outbound.call(partner(bureau), "GET", "/")
    assert "X-Request-Id" not in bureau.heard[0].headers


async def test_a_call_ends_at_its_deadline() -> None:
    async with open_bureau(sleeps(5)) as bureau, door() as outbound:
        clock = SystemClock()
        began = clock.monotonic()
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(bureau, timeout=0.2, attempts=5), "GET", "/")
    assert clock.monotonic() - began < 1
    assert (caught.value.reason, caught.value.ambiguous, caught.value.retryable) == ("timeout", True, True)


async def test_a_failed_try_is_repeated_and_signed_anew() -> None:
    signer = CountingSigner()
    async with open_bureau(says(503), says(200)) as bureau, door() as outbound:
        answer = await outbound.call(partner(bureau, signer=signer, attempts=3), "POST", "/", json_body={})
    assert answer.status == 200
    assert [heard.headers["X-Signature"] for heard in bureau.heard] == ["try-1", "try-2"]


async def test_tries_are_bounded() -> None:
    async with open_bureau(says(500)) as bureau, door() as outbound:
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(bureau, attempts=3), "GET", "/")
    assert (len(bureau.heard), caught.value.reason) == (3, "status-500")


@pytest.mark.parametrize("answer", [says(502), hangs_up(), sleeps(5)], ids=["status", "hang-up", "silence"])
async def test_what_may_have_had_its_effect_is_not_repeated_unless_that_is_harmless(answer: Any) -> None:
    async with open_bureau(answer) as bureau, door() as outbound:
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(bureau, attempts=3, timeout=0.4), "POST", "/", body=b"x", repeatable=False)
    assert len(bureau.heard) == 1
    assert caught.value.ambiguous


async def test_no_connection_is_not_ambiguous() -> None:
    async with door() as outbound:
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(f"http://127.0.0.1:{closed_port()}"), "POST", "/", repeatable=False)
    assert (caught.value.reason, caught.value.ambiguous) == ("no-connection", False)


async def test_a_refusal_is_a_complete_answer_and_not_repeated() -> None:
    async with open_bureau(says(404, "{}")) as bureau, door() as outbound:
        assert (await outbound.call(partner(bureau, attempts=3), "GET", "/")).status == 404
    assert len(bureau.heard) == 1


async def test_calls_are_held_back_while_a_system_fails_and_one_probe_opens_the_door_again() -> None:
    async with open_bureau(*[says(500)] * 4, says(500), sleeps(0.1), says(200)) as bureau, door() as outbound:
        bureau_partner = partner(bureau, attempts=1)
        for _ in range(4):
            with pytest.raises(Unreachable):
                await outbound.call(bureau_partner, "GET", "/")
        assert outbound.is_held_back("bureau")
        with pytest.raises(Unreachable) as caught:
            await outbound.call(bureau_partner, "GET", "/")
        assert caught.value.reason == "held-back"
        assert len(bureau.heard) == 4

        await asyncio.sleep(0.25)
        with pytest.raises(Unreachable):  # The probe fails: held back for another while.
            await outbound.call(bureau_partner, "GET", "/")
        assert len(bureau.heard) == 5

        await asyncio.sleep(0.25)
        many = [outbound.call(bureau_partner, "GET", "/") for _ in range(20)]
        ends = await asyncio.gather(*many, return_exceptions=True)
        assert len(bureau.heard) == 6
        assert sum(not isinstance(end, Unreachable) for end in ends) == 1
        assert not outbound.is_held_back("bureau")
        assert (await outbound.call(bureau_partner, "GET", "/")).status == 200


def test_late_reports_of_earlier_calls_do_not_speak_for_an_open_breaker() -> None:
    clock = FixedClock()
    breaker = Breaker(OutboundSettings(breaker_minimum=2, breaker_open_seconds=10), clock)
    late = [breaker.enter() for _ in range(4)]
    assert late == [Passage.FREE] * 4
    breaker.report(Passage.FREE, good=False)
    breaker.report(Passage.FREE, good=False)
    assert breaker.is_open
    clock.move(timedelta(seconds=11))
    assert breaker.enter() is Passage.PROBE
    breaker.report(Passage.FREE, good=True)
    breaker.abandon(Passage.FREE)
    assert breaker.is_open
    assert breaker.enter() is None
    breaker.report(Passage.PROBE, good=True)
    assert not breaker.is_open


def test_old_failures_are_forgotten() -> None:
    clock = FixedClock()
    breaker = Breaker(OutboundSettings(breaker_minimum=3, breaker_window_seconds=60), clock)
    for _ in range(2):
        breaker.report(Passage.FREE, good=False)
    clock.move(timedelta(seconds=61))
    for _ in range(2):
        breaker.report(Passage.FREE, good=False)
    assert not breaker.is_open


async def test_a_cancelled_probe_gives_its_place_back() -> None:
    async with open_bureau(*[says(500)] * 4, sleeps(5), says(200)) as bureau, door() as outbound:
        bureau_partner = partner(bureau, attempts=1)
        for _ in range(4):
            with pytest.raises(Unreachable):
                await outbound.call(bureau_partner, "GET", "/")
        await asyncio.sleep(0.25)
        probe = asyncio.create_task(outbound.call(bureau_partner, "GET", "/"))
        await asyncio.sleep(0.05)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert (await outbound.call(bureau_partner, "GET", "/")).status == 200


async def test_a_signer_that_cannot_sign_says_nothing_about_the_system() -> None:
    async with open_bureau(says()) as bureau, door() as outbound:
        for _ in range(6):
            with pytest.raises(Unavailable):
                await outbound.call(partner(bureau, signer=CountingSigner(fails=True)), "GET", "/")
        assert not outbound.is_held_back("bureau")
        assert bureau.heard == []


async def test_one_system_failing_holds_no_other_back() -> None:
    async with open_bureau(says(500)) as bad, open_bureau(says()) as good, door() as outbound:
        for _ in range(4):
            with pytest.raises(Unreachable):
                await outbound.call(Partner("bad", bad.address, attempts=1), "GET", "/")
        assert outbound.is_held_back("bad")
        assert (await outbound.call(Partner("good", good.address), "GET", "/")).status == 200


async def test_an_answer_over_the_cap_is_not_read_to_its_end() -> None:
    async with open_bureau(pours(50_000_000)) as bureau, door() as outbound:
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(bureau, attempts=1), "GET", "/")
    assert caught.value.reason == "answer-too-large"


async def test_nothing_packed_is_asked_for_and_nothing_is_unpacked() -> None:
    bomb = zlib.compress(b"0" * 50_000_000)

    async def packed(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "deflate"})

    async with open_bureau(packed) as bureau, door() as outbound:
        answer = await outbound.call(partner(bureau), "GET", "/")
        assert answer.body == bomb
        with pytest.raises(Unreachable):
            answer.json()
    assert bureau.heard[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff\x00\xff" * 100,
        b"<html>hello</html>",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_garbage_is_a_failure_to_be_repeated_later(garbage: bytes) -> None:
    async with open_raw(garbage) as address, door() as outbound:
        with pytest.raises(Unreachable) as caught:
            await outbound.call(partner(address, attempts=1, timeout=1), "GET", "/")
    assert caught.value.reason in {"broken-connection", "broken-answer"}


@pytest.mark.parametrize(
    "text", ["", "<html/>", '{"a": NaN}', "{", "[" * 100_000, "\ufeff{}", '{"code": "0000"'], ids=range(7)
)
async def test_an_answer_that_is_no_json_is_a_failure_whatever_its_status(text: str) -> None:
    async with open_bureau(says(200, text)) as bureau, door() as outbound:
        answer = await outbound.call(partner(bureau), "GET", "/")
        with pytest.raises(Unreachable):
            answer.json()


async def test_json_in_another_encoding_or_shape_is_a_failure() -> None:
    async def gb18030(_request: web.Request) -> web.StreamResponse:
        return web.Response(body='{"name": "霍"}'.encode("gb18030"))

    async with open_bureau(gb18030, says(200, "[1]")) as bureau, door() as outbound:
        with pytest.raises(Unreachable):
            (await outbound.call(partner(bureau), "GET", "/")).json()
        with pytest.raises(Unreachable):
            (await outbound.call(partner(bureau), "GET", "/")).mapping()


async def test_redirects_are_not_followed() -> None:
    async with open_bureau(says()) as elsewhere, open_bureau(says(302, Location=elsewhere.address)) as bureau:
        async with door() as outbound:
            answer = await outbound.call(partner(bureau), "GET", "/")
        assert answer.status == 302
        assert elsewhere.heard == []


async def test_an_answer_of_the_sandbox_is_refused_in_production() -> None:
    async with open_bureau(says(X_Sandbox="1")) as bureau:
        async with door() as outbound:
            assert (await outbound.call(partner(bureau), "GET", "/")).status == 200
        async with door(production=True) as outbound:
            with pytest.raises(Unreachable) as caught:
                await outbound.call(partner(bureau, attempts=1), "GET", "/")
    assert caught.value.reason == "sandbox-in-production"


async def test_no_call_goes_out_inside_a_transaction(database: Mapping[str, Any]) -> None:
    async with open_bureau(says()) as bureau, door() as outbound:

        async def work() -> None:
            await outbound.call(partner(bureau), "GET", "/")

        with pytest.raises(InsideTransaction):
            await transaction(work)
    assert bureau.heard == []


async def test_a_closed_door_is_told() -> None:
    outbound = Outbound(QUICK, clock=SystemClock(), production=False)
    with pytest.raises(Unreachable) as caught:
        await outbound.call(partner("http://127.0.0.1:9", attempts=1), "GET", "/")
    assert caught.value.reason == "door-closed"


async def test_a_header_that_cannot_be_sent_sends_nothing() -> None:
    async with open_bureau(says()) as bureau, door() as outbound:
        with pytest.raises(Unreachable):
            await outbound.call(partner(bureau, attempts=1), "GET", "/", headers={"X-A": "b\r\nX-C: d"})
    assert bureau.heard == []


async def test_a_failed_call_is_told_in_a_domains_own_words() -> None:
    class RegistryUnavailable(Unavailable):
        code = "auth.registry-unavailable"

    with pytest.raises(RegistryUnavailable) as caught, unavailable_as(RegistryUnavailable):
        raise Unreachable("bureau", "timeout", ambiguous=True)
    assert caught.value.extras.retry_after == 5
