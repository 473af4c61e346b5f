"""Losing what we lean on, in the middle: the documented 503, nothing lost, and well again by itself."""

import asyncio
import time
import uuid
from collections import Counter
from typing import Any, Final

import asyncpg
import pytest

from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.installation import PrivateRedis, answers, ready
from tests.faults.neighbours import (
    ENDORSEMENT,
    PENSION,
    SETTLEMENT,
    Acknowledged,
    Neighbours,
    ask_for,
    definite,
    keep_asking,
    reached,
    received,
)
from tests.journeys.resident import Reply, Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

# Promise 5 of the fault model: normal again within 30 seconds of the fault's end, without anybody's help.
RECOVERED_SECONDS: Final = 30


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found({"ZHIJIAN_AUTH__SESSIONS__GRACE_SECONDS": "10"})


def unavailable(reply: Reply, code: str) -> bool:
    """Tell whether this is the documented 503."""
    return (
        (reply.status, reply.body["code"]) == (503, code)
        and reply.body["retryable"] is True
        and int(reply.headers["Retry-After"]) >= 1
        and reply.headers["Content-Type"].startswith("application/problem+json")
    )


async def fault(
    who: Resident, system: str, mode: str, *, count: int | None = None, delay_ms: int | None = None
) -> None:
    asked: dict[str, Any] = {"mode": mode}
    if count is not None:
        asked["count"] = count
    if delay_ms is not None:
        asked["delay_ms"] = delay_ms
    await who.tell_sandbox("PUT", f"/sandbox/faults/{system}", asked)


async def arrivals(who: Resident, department: str, number: str) -> list[dict[str, Any]]:
    return [item for item in await received(who, department) if item["reference"] == number]


async def eventually_logged_in(neighbours: Neighbours, slug: str) -> Resident:
    async with asyncio.timeout(RECOVERED_SECONDS):
        while True:
            who = neighbours.stranger(slug)
            if (await who.log_in()).status == 201:
                return who
            await asyncio.sleep(0.2)


# --- the back offices ----------------------------------------------------------------------------------------------


async def test_losing_every_back_office_at_once_loses_nothing(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    elder, graduate = await neighbours.elder(), await neighbours.named("chenxinran")
    newcomer = neighbours.stranger("fenggangyi")
    assert (await newcomer.log_in()).status == 201
    person = await newcomer.person()
    code = (await newcomer.tell_sandbox("POST", "/sandbox/wechat/codes", {"person": "huomingzhe"}))["code"]
    town.kill("sandbox")

    login = await neighbours.stranger("huomingzhe").ask("POST", "/v1/citizen/sessions", {"code": code})
    assert unavailable(login, "auth.wechat-unavailable"), login.text
    identity = {"name": person["name"], "id_number": person["id_number"], "consent": "real-name@1"}
    bound = await newcomer.ask("PUT", "/v1/citizen/me/identity", identity)
    assert unavailable(bound, "auth.registry-unavailable"), bound.text
    for kind in ("driving-licence", "social-security-card"):
        fetched = await graduate.ask("POST", "/v1/citizen/certificates", {"kind": kind})
        assert unavailable(fetched, "certificates.issuer-unavailable"), fetched.text
    for path in ("/v1/citizen/me", "/v1/citizen/certificates", "/v1/citizen/matters", "/v1/citizen/ledger"):
        assert (await elder.ask("GET", path)).status == 200
    applications = [
        (elder, await ask_for(elder, PENSION, acknowledged)),
        (graduate, await ask_for(graduate, SETTLEMENT, acknowledged)),
    ]
    await asyncio.sleep(1)
    for who, application in applications:
        shown = (await who.ask("GET", f"/v1/citizen/applications/{application}")).body
        assert shown["state"] == "submitted"
        assert shown["next_action"]
    assert await answers(f"{town.portal}/health/ready") == 200

    await asyncio.to_thread(town.start_sandbox)
    for who, application in applications:
        assert (await reached(who, application, seconds=RECOVERED_SECONDS))["state"] == "approved"
    number = acknowledged.submitted()[applications[0][1]]
    assert [item["count"] for item in await arrivals(elder, "human-resources", number)] == [1]
    await eventually_logged_in(neighbours, "huomingzhe")
    again = await newcomer.ask("PUT", "/v1/citizen/me/identity", identity)
    assert again.status == 200, again.text
    async with books_of(town) as books:
        assert await books.damage() == {}


@pytest.mark.parametrize("mode", ["error", "garbage", "drop", "accept_then_drop", "slow"])
async def test_a_department_that_fails_three_times_gets_each_application_once(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, mode: str
) -> None:
    elder = await neighbours.elder()
    await fault(elder, "human-resources", mode, count=3, delay_ms=8_000)
    application = await ask_for(elder, PENSION, acknowledged)
    ended = await reached(elder, application, seconds=45)
    assert ended["state"] == "approved"
    arrived = await arrivals(elder, "human-resources", ended["number"])
    assert [item["count"] for item in arrived] == [1]
    if mode == "accept_then_drop":
        # It had taken it in the first time already.
        assert arrived[0]["deliveries"] > 1
    steps = Counter(step["step"] for step in ended["timeline"])
    assert steps["approved"] == steps["submitted"] == 1
    async with books_of(town) as books:
        assert await books.damage() == {}


@pytest.mark.parametrize("mode", ["duplicate_callback", "reordered_callback"])
async def test_news_twice_or_out_of_order_come_to_the_same_end(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, mode: str
) -> None:
    # Each of the two once: a permit is endorsed once a year.
    slug = {"duplicate_callback": "qumanlin", "reordered_callback": "wujinglan"}[mode]
    who = await neighbours.named(slug)
    await fault(who, "public-security", mode, count=1)
    ended = await reached(who, await ask_for(who, ENDORSEMENT, acknowledged))
    assert ended["state"] == "approved"
    await asyncio.sleep(1)
    later = (await who.ask("GET", f"/v1/citizen/applications/{ended['id']}")).body
    assert later["state"] == "approved"
    assert Counter(step["step"] for step in later["timeline"])["approved"] == 1
    async with books_of(town) as books:
        assert await books.damage() == {}


async def test_one_failing_department_leaves_the_others_as_quick_as_they_were(
    neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    elder, other = await neighbours.elder(), await neighbours.named("huomingzhe")
    await fault(elder, "human-resources", "slow", delay_ms=20_000)
    waiting = [await ask_for(elder, PENSION, acknowledged) for _ in range(8)]
    try:
        for _ in range(5):
            before = time.monotonic()
            fetched = await other.ask("POST", "/v1/citizen/certificates", {"kind": "driving-licence"})
            assert fetched.status in {200, 201}, fetched.text
            assert time.monotonic() - before < 1.0
    finally:
        await fault(elder, "human-resources", "ok")
    for application in waiting:
        assert (await reached(elder, application, seconds=RECOVERED_SECONDS))["state"] == "approved"


# --- Redis ---------------------------------------------------------------------------------------------------------


async def test_losing_redis_stops_no_reader_and_loses_no_promise(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, redis: PrivateRedis | None
) -> None:
    if redis is None:
        pytest.skip("no Redis is used here, or none can be started")
    elder = await neighbours.elder()
    application = await ask_for(elder, PENSION, acknowledged)
    submitted = await reached(elder, application)
    newcomer = neighbours.stranger("zhouqiangshan")
    assert (await newcomer.log_in()).status == 201
    # Guessed at without logging in: attempts that cannot be counted are not made.
    guess = {"number": submitted["number"], "query_code": "000000"}
    redis.kill()
    try:
        for path in ("/v1/citizen/me", "/v1/citizen/certificates", "/v1/citizen/applications", "/v1/citizen/ledger"):
            before = time.monotonic()
            assert (await elder.ask("GET", path)).status == 200
            assert time.monotonic() - before < 1.0
        refused = await newcomer.ask("POST", "/v1/public/progress-queries", guess, token="")
        assert unavailable(refused, "core.cache-unavailable"), refused.text
        # Logging in goes on with a local share; attempts at a real name are counted in the database.
        assert (await neighbours.stranger("huomingzhe").log_in()).status == 201
        bound = await newcomer.identify()
        assert bound.status == 200, bound.text
        assert await answers(f"{town.portal}/health/ready") == 200
        meanwhile = [await ask_for(elder, PENSION, acknowledged) for _ in range(5)]
    finally:
        redis.start()
    before = time.monotonic()
    for each in meanwhile:
        assert (await reached(elder, each, seconds=RECOVERED_SECONDS))["state"] == "approved"
    guessed = await definite(newcomer, "/v1/public/progress-queries", guess, key=uuid.uuid4().hex)
    assert guessed.status == 404, guessed.text
    later = await reached(elder, await ask_for(elder, PENSION, acknowledged))
    assert later["state"] == "approved"
    assert time.monotonic() - before < RECOVERED_SECONDS
    async with books_of(town) as books:
        assert await books.damage() == {}
        assert await books.open_jobs() == []


# --- the database --------------------------------------------------------------------------------------------------

_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'zhijian'
"""


async def cut_often(address: str, times: int) -> int:
    """Cut every connection of the product, again and again; return how many were cut."""
    database = await asyncpg.connect(address)
    try:
        cut = 0
        for _ in range(times):
            cut += await database.fetchval(_CUT)
            await asyncio.sleep(0.3)
        return cut
    finally:
        await database.close()


async def test_losing_every_database_connection_again_and_again_half_writes_nothing(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    if not town.database_url:
        pytest.skip("a file has no connections to lose")
    elder, graduate = await neighbours.elder(), await neighbours.named("chenxinran")
    stop = asyncio.Event()
    seen: Counter[int] = Counter()

    async def read() -> None:
        while not stop.is_set():
            seen[(await graduate.ask("GET", "/v1/citizen/certificates")).status] += 1
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(keep_asking(who, matter, acknowledged, stop, pause=0.02))
            for who, matter in ((elder, PENSION), (elder, PENSION), (graduate, SETTLEMENT))
        ]
        group.create_task(read())
        cut = await cut_often(town.database_url, 20)
        stop.set()
    assert cut >= 20
    assert set(seen) <= {200, 503}
    assert seen[200] > 0
    assert sum(task.result() for task in asking) > 20
    await ready(town, seconds=5)
    promised = acknowledged.submitted()
    owners = {promise["id"]: promise["who"] for promise in acknowledged.all() if promise["kind"] == "started"}
    people = {"pangxiuying": elder, "chenxinran": graduate}
    for application, number in promised.items():
        ended = await reached(people[owners[application]], application, seconds=RECOVERED_SECONDS)
        assert (ended["state"], ended["number"]) == ("approved", number)
    references = Counter(item["reference"] for item in await received(elder, "human-resources"))
    assert all(references[number] <= 1 for number in promised.values())
    async with books_of(town) as books:
        assert await books.damage() == {}


async def test_a_repeated_key_gives_the_one_answer_also_to_a_crowd(town: Town, neighbours: Neighbours) -> None:
    graduate = await neighbours.named("chenxinran")
    key = uuid.uuid4().hex
    replies = await asyncio.gather(
        *(definite(graduate, "/v1/citizen/applications", {"matter": SETTLEMENT}, key=key) for _ in range(30))
    )
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["id"] for reply in replies}) == 1
    async with books_of(town) as books:
        assert await books.damage() == {}
