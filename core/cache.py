"""Redis, or its in-process twin: caches, one-time marks and rate limits.

Wiping it may slow things; it may lose nothing. The only importer of `redis` (docs/decisions/0001).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import fakeredis
import redis.asyncio as redis
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisClusterStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from core.clock import Clock
from core.errors import TooMany, Unavailable
from core.settings import CoreSettings, Switch

T = TypeVar("T")


class CacheUnavailable(Unavailable):
    """Redis did not answer in time."""

    code = "core.cache-unavailable"
    title = "系统繁忙，请稍后再试"
    title_en = "The system is busy; please try again shortly"
    plain = "现在有点忙，请过一会儿再试。"


class TooManyRequests(TooMany):
    """A limit is used up."""

    code = "request.too-many"
    title = "操作太频繁了，请稍后再试"
    title_en = "Too many attempts; please wait and try again"
    plain = "试的次数太多了，请歇一会儿再试。"


class Cache:
    """Short-lived values by key. Every call is bounded and raises `CacheUnavailable` instead of hanging."""

    def __init__(self, settings: CoreSettings) -> None:
        self._redis: Any = _client(settings.redis_url, settings.redis_timeout_seconds)
        self._patience = settings.redis_timeout_seconds * 2

    async def get(self, key: str) -> str | None:
        """Return a value or None.

        Raises:
            CacheUnavailable: Redis is away.
        """
        return await self._bounded(lambda: self._redis.get(key))

    async def put(self, key: str, value: str, *, seconds: int) -> None:
        """Keep a value for some seconds.

        Raises:
            CacheUnavailable: Redis is away.
        """
        await self._bounded(lambda: self._redis.set(key, value, ex=seconds))

    async def claim(self, key: str, *, seconds: int) -> bool:
        """Set a mark for some seconds unless it is set; return whether this call set it.

        Raises:
            CacheUnavailable: Redis is away.
        """
        return bool(await self._bounded(lambda: self._redis.set(key, "1", ex=seconds, nx=True)))

    async def forget(self, key: str) -> None:
        """Delete a value.

        Raises:
            CacheUnavailable: Redis is away.
        """
        await self._bounded(lambda: self._redis.delete(key))

    async def ping(self) -> None:
        """Ask whether Redis answers.

        Raises:
            CacheUnavailable: it does not.
        """
        await self._bounded(self._redis.ping)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _bounded(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return await call()
        except (RedisError, OSError, TimeoutError) as error:
            raise CacheUnavailable(retry_after=2) from error


def _client(url: str, timeout: float) -> Any:  # noqa: ANN401 — two clients with one interface, typed by neither library
    if url.startswith("memory://"):
        return fakeredis.FakeAsyncRedis(decode_responses=True)
    if url.startswith("redis+cluster://"):
        return RedisCluster.from_url(
            url.replace("redis+cluster://", "redis://", 1), decode_responses=True, socket_timeout=timeout
        )
    return redis.Redis.from_pool(_pool(url, timeout, decode_responses=True))


def _pool(url: str, timeout: float, **options: Any) -> redis.BlockingConnectionPool:  # noqa: ANN401 — passed on as they are
    """Return a pool that waits for a free connection; the library's own raises at its limit."""
    return redis.BlockingConnectionPool.from_url(
        url,
        max_connections=64,
        timeout=max(1.0, timeout),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        **options,
    )


class Limits:
    """Rate limits by the library `limits`: sliding windows over Redis, or inside this process."""

    def __init__(self, settings: CoreSettings, *, clock: Clock) -> None:
        self._clock = clock
        self._storage = _storage(settings.redis_url, settings.redis_timeout_seconds)
        self._patience = settings.redis_timeout_seconds * 2
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._by_address = settings.address_limits is Switch.ON
        self._items: dict[str, RateLimitItem] = {}

    async def hit(self, action: str, rule: str, *keys: str, fail_open: bool = True) -> None:
        """Count one attempt; attempts count when they start, whatever comes of them.

        `rule` is like `10/minute`; `keys` name who is counted (`account:…`). When the store is away a limit that fails
        open counts in this process alone; one that fails closed refuses.

        Raises:
            TooManyRequests: the limit is used up; `retry_after` says for how long.
            CacheUnavailable: the store is away and the limit fails closed.
        """
        item = self._items.get(rule) or self._items.setdefault(rule, parse(rule))
        try:
            async with asyncio.timeout(self._patience):
                allowed = await self._limiter.hit(item, "zhijian", action, *keys)
        except (RedisError, OSError, TimeoutError) as error:
            if not fail_open:
                raise CacheUnavailable(retry_after=5) from error
            allowed = await self._own.hit(item, "zhijian", action, *keys)
        if not allowed:
            raise TooManyRequests(retry_after=await self._wait(item, action, *keys))

    async def hit_here(self, action: str, rule: str, *keys: str) -> None:
        """Count one attempt in this process alone: a ceiling for each portal, where no way to a store is worth it.

        Raises:
            TooManyRequests: the limit is used up.
        """
        item = self._items.get(rule) or self._items.setdefault(rule, parse(rule))
        if not await self._own.hit(item, "zhijian", action, *keys):
            raise TooManyRequests(retry_after=1)

    async def hit_address(self, action: str, rule: str, address: str, *, fail_open: bool = True) -> None:
        """Count one attempt of an address, unless limits by address are switched off.

        Raises:
            TooManyRequests: the limit is used up.
            CacheUnavailable: the store is away and the limit fails closed.
        """
        if self._by_address:
            await self.hit(f"{action}:address", rule, address, fail_open=fail_open)

    async def close(self) -> None:
        """Close the store's connections."""
        if isinstance(self._storage, RedisStorage):
            bridge: Any = self._storage.bridge  # The one of redis-py, chosen below.
            client = bridge.get_connection()
            await client.aclose()
            if isinstance(client, redis.Redis):
                await client.connection_pool.disconnect()

    async def _wait(self, item: RateLimitItem, action: str, *keys: str) -> int:
        """Return whole seconds until a place may be free again; at worst the whole window."""
        try:
            async with asyncio.timeout(self._patience / 2):
                window = await self._limiter.get_window_stats(item, "zhijian", action, *keys)
        except (RedisError, OSError, TimeoutError):
            return int(item.get_expiry())
        return max(1, min(int(item.get_expiry()), int(window.reset_time - self._clock.now().timestamp()) + 1))


def _storage(url: str, timeout: float) -> MemoryStorage | RedisStorage:
    if url.startswith("memory://"):
        return MemoryStorage()
    if url.startswith("redis+cluster://"):
        return RedisClusterStorage(
            f"async+{url}", implementation="redispy", socket_timeout=timeout, socket_connect_timeout=timeout
        )
    pool: Any = _pool(url, timeout)  # Passed on to redis-py; typed by the library as if it were a plain value.
    return RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool)
