import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.sandbox.conftest import Until
from tests.sandbox.town import Caller, Keys, MovableClock, Portal, opened

CASES = "/public-security/v1/cases"
DEGREE = "/education/v1/checks/degree"


async def degree(caller: Caller) -> int:
    return (await caller.signed(DEGREE, await caller.named("chenxinran"))).status


async def test_an_error_is_a_500_until_the_switch_is_turned_back(caller: Caller) -> None:
    await caller.fault("education", "error")
    assert [await degree(caller) for _ in range(2)] == [500, 500]
    await caller.fault("education", "ok")
    assert await degree(caller) == 200


async def test_a_count_is_used_up_and_the_system_is_well_again(caller: Caller) -> None:
    await caller.fault("education", "error", count=2)
    assert [await degree(caller) for _ in range(3)] == [500, 500, 200]
    assert {"system": "education", "mode": "ok", "delay_ms": 15000, "count": 0} in (
        await caller.call("GET", "/sandbox/faults")
    ).json["items"]


async def test_a_count_is_exact_under_load(caller: Caller) -> None:
    await caller.fault("education", "error", count=5)
    assert sorted(await asyncio.gather(*(degree(caller) for _ in range(20)))) == [200] * 15 + [500] * 5


async def test_a_fault_concerns_one_system_only(caller: Caller) -> None:
    await caller.fault("education", "error")
    heard = await caller.signed("/real-estate/v1/checks/residence", await caller.named("chenxinran"))
    assert heard.json["code"] == "0000"


async def test_garbage_is_a_page_of_nonsense(caller: Caller) -> None:
    await caller.fault("education", "garbage")
    heard = await caller.signed(DEGREE, await caller.named("chenxinran"))
    assert heard.status == 200
    assert heard.headers["Content-Type"].startswith("text/html")
    assert heard.headers["X-Sandbox"] == "1"


async def test_the_soap_desk_fails_with_a_fault_of_the_server(caller: Caller) -> None:
    await caller.fault("human-resources", "error")
    heard = await caller.call("POST", "/human-resources/soap/pension", b"<x/>")
    assert heard.status == 500
    assert b"<faultcode>soap:Server</faultcode>" in heard.body


async def test_slow_answers_after_the_delay(caller: Caller) -> None:
    await caller.fault("education", "slow", delay_ms=250)
    asked = await caller.named("chenxinran")
    began = asyncio.get_running_loop().time()
    assert (await caller.signed(DEGREE, asked)).status == 200
    assert 0.25 <= asyncio.get_running_loop().time() - began < 2


async def test_slow_records_nothing_for_a_caller_who_left(caller: Caller, portal: Portal) -> None:
    await caller.fault("public-security", "slow", delay_ms=400)
    submission = await caller.submission("qumanlin", portal.url)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await caller.signed(CASES, submission)
    await asyncio.sleep(0.6)
    assert await caller.received("public-security") == []
    await caller.fault("public-security", "ok")
    assert (await caller.signed(CASES, submission)).json["code"] == "0000"


async def test_slow_records_the_case_of_a_caller_who_waits(caller: Caller, portal: Portal) -> None:
    await caller.fault("public-security", "slow", delay_ms=200)
    sending = asyncio.create_task(caller.signed(CASES, await caller.submission("qumanlin", portal.url)))
    await asyncio.sleep(0.1)
    assert await caller.received("public-security") == []
    assert (await sending).json["code"] == "0000"
    assert len(await caller.received("public-security")) == 1


async def test_drop_closes_the_connection_and_does_nothing(caller: Caller, portal: Portal) -> None:
    await caller.fault("public-security", "drop", count=1)
    submission = await caller.submission("qumanlin", portal.url)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.signed(CASES, submission)
    assert await caller.received("public-security") == []
    assert (await caller.signed(CASES, submission)).json["code"] == "0000"


async def test_accept_then_drop_opens_the_case_and_says_nothing(caller: Caller, portal: Portal, until: Until) -> None:
    await caller.fault("public-security", "accept_then_drop", count=1)
    submission = await caller.submission("qumanlin", portal.url)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.signed(CASES, submission)
    [received] = await caller.received("public-security")
    assert (received["count"], received["deliveries"]) == (1, 1)
    answers = [(await caller.signed(CASES, submission)).json for _ in range(2)]
    assert answers[0] == answers[1]
    [received] = await caller.received("public-security")
    assert (received["count"], received["deliveries"]) == (1, 3)
    await until(lambda: portal.states == ["accepted", "in_review", "approved"])


async def test_duplicate_callback_sends_each_event_twice(caller: Caller, portal: Portal, until: Until) -> None:
    await caller.fault("public-security", "duplicate_callback")
    await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    await until(lambda: len(portal.came) == 6)
    assert portal.states == ["accepted"] * 2 + ["in_review"] * 2 + ["approved"] * 2
    assert len({event["event_id"] for event in portal.came}) == 3
    assert len(set(portal.nonces)) == 6


async def test_reordered_callback_sends_the_last_event_first(caller: Caller, portal: Portal, until: Until) -> None:
    await caller.fault("public-security", "reordered_callback")
    submission = await caller.submission("qumanlin", portal.url)
    await caller.signed(CASES, submission)
    await until(lambda: len(portal.came) == 3)
    assert [event["sequence"] for event in portal.came] == [3, 2, 1]
    heard = await caller.signed(f"{CASES}/{submission['reference']}", method="GET")
    assert heard.json["state"] == "approved"


async def test_a_callback_fault_uses_its_count_on_cases_only(caller: Caller, portal: Portal, until: Until) -> None:
    await caller.fault("public-security", "duplicate_callback", count=1)
    await caller.signed("/public-security/v1/checks/household", await caller.named("qumanlin"))
    await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    await until(lambda: len(portal.came) == 6)


async def test_a_department_hangs_until_it_is_said_to_be_well_and_again_after_a_later_fault(
    caller: Caller, portal: Portal
) -> None:
    submission = await caller.submission("zhuangjiheng", portal.url)

    async def sent() -> str:
        async with asyncio.timeout(0.5):
            return str((await caller.signed(CASES, submission)).json["code"])

    with pytest.raises(TimeoutError):
        await sent()
    assert await caller.received("public-security") == []
    await caller.fault("education", "ok")
    with pytest.raises(TimeoutError):
        await sent()
    await caller.fault("public-security", "ok")
    assert await sent() == "0000"
    await caller.fault("public-security", "error", count=1)
    assert (await caller.signed(CASES, submission)).status == 500
    with pytest.raises(TimeoutError):
        await sent()
    assert len(await caller.received("public-security")) == 1


async def test_a_caller_who_still_waits_is_answered_when_the_hanging_ends(caller: Caller, portal: Portal) -> None:
    sending = asyncio.create_task(caller.signed(CASES, await caller.submission("zhuangjiheng", portal.url)))
    await asyncio.sleep(0.2)
    await caller.fault("public-security", "ok")
    assert (await sending).json["code"] == "0000"


async def test_the_switches_outlive_a_restart(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        await caller.fault("education", "error", count=3)
        await caller.fault("taxation", "slow", delay_ms=70)
        assert await degree(caller) == 500
    async with opened(data, keys, clock) as caller:
        items = {item["system"]: item for item in (await caller.call("GET", "/sandbox/faults")).json["items"]}
        assert items["education"] == {"system": "education", "mode": "error", "delay_ms": 15000, "count": 2}
        assert items["taxation"] == {"system": "taxation", "mode": "slow", "delay_ms": 70, "count": None}
        assert [await degree(caller) for _ in range(3)] == [500, 500, 200]


async def test_an_ok_before_anybody_hung_does_not_end_the_hanging(caller: Caller, portal: Portal) -> None:
    await caller.fault("public-security", "ok")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await caller.signed(CASES, await caller.submission("zhuangjiheng", portal.url))
