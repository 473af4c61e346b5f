"""A leased token: shared by all workers, fetched by one, sealed in the cache."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.cache import Cache
from core.errors import Unavailable
from core.settings import CoreSettings
from core.signers.leased_token import LeasedToken, LeaseUnavailable
from tests.conftest import Ground


class Issuer:
    """Issues tokens: the same until it is forced, as WeChat does."""

    def __init__(self) -> None:
        self.calls: list[bool] = []
        self.number = 1
        self.trouble: Unavailable | None = None

    async def __call__(self, force: bool) -> tuple[str, int]:
        self.calls.append(force)
        await asyncio.sleep(0.02)
        if self.trouble is not None:
            raise self.trouble
        self.number += force
        return f"token-number-{self.number}", 7200


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def name_of(ground: Ground) -> str:
    """A name of this test's own: tests may share one cache."""
    return format(int(ground.ring.tokens.keys[0].secret.public_key().public_numbers().x), "x")


def key_of(ground: Ground) -> str:
    return f"lease:{name_of(ground)}"


def worker(ground: Ground, cache: Cache | None = None) -> LeasedToken:
    return LeasedToken(name_of(ground), cache=cache or ground.cache, vault=ground.vault, clock=ground.clock)


@pytest.fixture
async def no_cache() -> AsyncIterator[Cache]:
    cache = Cache(CoreSettings(redis_url="redis://127.0.0.1:1/0"))
    yield cache
    await cache.close()


async def test_ten_workers_at_once_fetch_one_token(ground: Ground, issuer: Issuer) -> None:
    workers = [worker(ground) for _ in range(10)]
    tokens = await asyncio.gather(*(each.token(issuer) for each in workers for _ in range(5)))
    assert set(tokens) == {"token-number-1"}
    assert issuer.calls == [False]


async def test_a_token_is_fetched_anew_five_minutes_before_its_end(ground: Ground, issuer: Issuer) -> None:
    lease = worker(ground)
    await lease.token(issuer)
    ground.clock.move(timedelta(seconds=6899))
    await lease.token(issuer)
    assert issuer.calls == [False]
    ground.clock.move(timedelta(seconds=1))
    await lease.token(issuer)
    assert issuer.calls == [False, False]


async def test_a_refused_token_is_replaced_once_by_force_and_the_others_take_over(
    ground: Ground, issuer: Issuer
) -> None:
    one, other = worker(ground), worker(ground)
    refused = await one.token(issuer)
    assert await other.token(issuer) == refused
    replaced = await one.replace(refused, issuer)
    assert replaced == "token-number-2"
    assert await other.replace(refused, issuer) == replaced
    assert issuer.calls == [False, True]


async def test_force_is_used_once_in_half_a_minute(ground: Ground, issuer: Issuer) -> None:
    lease = worker(ground)
    replaced = await lease.replace(await lease.token(issuer), issuer)
    with pytest.raises(LeaseUnavailable):
        await lease.replace(replaced, issuer)
    assert issuer.calls == [False, True]


async def test_a_failed_fetch_holds_nobody_up(ground: Ground, issuer: Issuer) -> None:
    issuer.trouble = Unavailable()
    with pytest.raises(Unavailable):
        await worker(ground).token(issuer)
    issuer.trouble = None
    async with asyncio.timeout(1):
        assert await worker(ground).token(issuer) == "token-number-1"


async def test_without_the_cache_each_worker_leases_its_own(ground: Ground, issuer: Issuer, no_cache: Cache) -> None:
    lease = worker(ground, no_cache)
    assert await lease.token(issuer) == "token-number-1"
    assert await lease.token(issuer) == "token-number-1"
    assert await lease.replace("token-number-1", issuer) == "token-number-2"
    assert issuer.calls == [False, True]


async def test_the_token_lies_sealed_in_the_cache(ground: Ground, issuer: Issuer) -> None:
    token = await worker(ground).token(issuer)
    kept = await ground.cache.get(key_of(ground))
    assert kept is not None
    assert token not in kept


@pytest.mark.parametrize("rubbish", ["", "not base64!", "AAAA", "e30="])
async def test_rubbish_in_the_cache_is_replaced(ground: Ground, issuer: Issuer, rubbish: str) -> None:
    await ground.cache.put(key_of(ground), rubbish, seconds=60)
    assert await worker(ground).token(issuer) == "token-number-1"
