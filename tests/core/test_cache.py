"""Short-lived values and limits: bounded in time, and clear about what happens when Redis is away."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.cache import Cache, CacheUnavailable, Limits, TooManyRequests
from core.clock import SystemClock
from core.settings import CoreSettings, Switch
from tests.core.bureau import closed_port

URLS = ["memory://"]
if os.environ.get("ZHIJIAN_TEST_REDIS_URL"):
    URLS.append(os.environ["ZHIJIAN_TEST_REDIS_URL"])
# Named without the number of the database, which is another in each worker of a run.
EVERYWHERE = pytest.mark.parametrize("url", URLS, ids=lambda url: url.partition(":")[0])


def dead() -> CoreSettings:
    return CoreSettings(redis_url=f"redis://127.0.0.1:{closed_port()}/0")


@asynccontextmanager
async def open_cache(settings: CoreSettings) -> AsyncIterator[Cache]:
    cache = Cache(settings)
    try:
        yield cache
    finally:
        await cache.close()


@asynccontextmanager
async def open_limits(settings: CoreSettings) -> AsyncIterator[Limits]:
    limits = Limits(settings, clock=SystemClock())
    try:
        yield limits
    finally:
        await limits.close()


@asynccontextmanager
async def silent_redis() -> AsyncIterator[CoreSettings]:
    """A server that takes connections and never says anything."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield CoreSettings(redis_url=f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    finally:
        for writer in writers:
            writer.close()
        server.close()


@EVERYWHERE
async def test_a_value_is_kept_forgotten_and_runs_out(url: str) -> None:
    key = uuid.uuid4().hex
    async with open_cache(CoreSettings(redis_url=url)) as cache:
        assert await cache.get(key) is None
        await cache.put(key, "值", seconds=60)
        assert await cache.get(key) == "值"
        await cache.forget(key)
        assert await cache.get(key) is None
        await cache.put(key, "short", seconds=1)
        await asyncio.sleep(1.1)
        assert await cache.get(key) is None
        await cache.ping()


@EVERYWHERE
async def test_a_mark_is_claimed_by_one(url: str) -> None:
    key = uuid.uuid4().hex
    async with open_cache(CoreSettings(redis_url=url)) as cache:
        claims = await asyncio.gather(*(cache.claim(key, seconds=5) for _ in range(20)))
    assert sorted(claims) == [False] * 19 + [True]


async def test_a_dead_redis_is_told_at_once() -> None:
    async with open_cache(dead()) as cache:
        for call in (cache.ping(), cache.get("a"), cache.put("a", "b", seconds=1), cache.claim("a", seconds=1)):
            with pytest.raises(CacheUnavailable) as caught:
                await call
            assert caught.value.retryable


async def test_a_silent_redis_is_given_up_in_time() -> None:
    clock = SystemClock()
    async with silent_redis() as settings, open_cache(settings) as cache:
        began = clock.monotonic()
        with pytest.raises(CacheUnavailable):
            await cache.get("a")
        assert clock.monotonic() - began < 1


@pytest.mark.skipif(len(URLS) == 1, reason="ZHIJIAN_TEST_REDIS_URL is not set")
async def test_more_calls_at_once_than_connections_wait_their_turn_instead_of_failing() -> None:
    async with open_cache(CoreSettings(redis_url=URLS[-1], redis_timeout_seconds=5)) as cache:
        await cache.ping()
        results = await asyncio.gather(*(cache.get(f"none-{number}") for number in range(150)))
    assert results == [None] * 150


@EVERYWHERE
async def test_a_limit_counts_attempts_and_says_how_long_to_wait(url: str) -> None:
    key = f"account:{uuid.uuid4()}"
    async with open_limits(CoreSettings(redis_url=url)) as limits:
        for _ in range(3):
            await limits.hit("test.action", "3/minute", key)
        with pytest.raises(TooManyRequests) as caught:
            await limits.hit("test.action", "3/minute", key)
        assert caught.value.extras.retry_after is not None
        assert 1 <= caught.value.extras.retry_after <= 60
        await limits.hit("test.action", "3/minute", f"account:{uuid.uuid4()}")
        await limits.hit("test.other", "3/minute", key)


@EVERYWHERE
async def test_a_limit_is_exact_when_many_come_at_once(url: str) -> None:
    key = f"account:{uuid.uuid4()}"
    async with open_limits(CoreSettings(redis_url=url, redis_timeout_seconds=5)) as limits:
        ends = await asyncio.gather(
            *(limits.hit("test.burst", "10/hour", key) for _ in range(30)), return_exceptions=True
        )
    assert sum(end is None for end in ends) == 10


async def test_without_redis_an_open_limit_counts_in_this_process() -> None:
    async with open_limits(dead()) as limits:
        await limits.hit("test.open", "2/minute", "a", fail_open=True)
        await limits.hit("test.open", "2/minute", "a", fail_open=True)
        with pytest.raises(TooManyRequests) as caught:
            await limits.hit("test.open", "2/minute", "a", fail_open=True)
        assert caught.value.extras.retry_after == 60


async def test_without_redis_a_closed_limit_refuses() -> None:
    async with open_limits(dead()) as limits:
        with pytest.raises(CacheUnavailable) as caught:
            await limits.hit("test.closed", "2/minute", "a", fail_open=False)
        assert caught.value.extras.retry_after == 5


async def test_with_a_silent_redis_an_open_limit_still_answers_in_time() -> None:
    clock = SystemClock()
    async with silent_redis() as settings, open_limits(settings) as limits:
        began = clock.monotonic()
        await limits.hit("test.silent", "2/minute", "a")
        assert clock.monotonic() - began < 1


async def test_limits_by_address_can_be_switched_off_and_others_cannot() -> None:
    async with open_limits(CoreSettings(address_limits=Switch.OFF)) as limits:
        for _ in range(5):
            await limits.hit_address("test.address", "1/minute", "203.0.113.9")
        await limits.hit("test.address", "1/minute", "account:1")
        with pytest.raises(TooManyRequests):
            await limits.hit("test.address", "1/minute", "account:1")
    async with open_limits(CoreSettings()) as limits:
        await limits.hit_address("test.address", "1/minute", "203.0.113.9")
        with pytest.raises(TooManyRequests):
            await limits.hit_address("test.address", "1/minute", "203.0.113.9")
