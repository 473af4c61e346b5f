"""One town for all journeys of a test process, and residents who live in it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import SERVICES_DATABASE, _admin, _with_name
from tests.faults.installation import PrivateRedis
from tests.journeys.resident import Resident
from tests.journeys.town import Town
from tests.privacy import leaks


@contextmanager
def town_of_its_own(folder: Path, *, pause_ms: int = 50) -> Iterator[Town]:
    """The product and the sandbox as processes, over a database of their own."""
    name = f"zhijian_town_{uuid.uuid4().hex[:12]}"
    # Towns that stand side by side would take the ids of each other's jobs from one Redis, and drop them.
    redis = PrivateRedis() if SERVICES_DATABASE and PrivateRedis.is_possible() else None
    if SERVICES_DATABASE:
        asyncio.run(_admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}"'))
    if redis is not None:
        redis.start()
    made = Town(
        folder,
        database_url=_with_name(name) if SERVICES_DATABASE else "",
        redis_url=redis.url if redis else os.environ.get("ZHIJIAN_TEST_REDIS_URL", "memory://"),
        # A town for each process of the run stands beside those that are damaged: a server has a hundred places in all.
        settings={"ZHIJIAN_DATABASE__POOL": "4"},
        pause_ms=pause_ms,
    )
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.stop()
        if redis is not None:
            redis.kill()
        if SERVICES_DATABASE:
            asyncio.run(_admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town of the cast: whoever changes what others rely on has one of their own."""
    with town_of_its_own(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture
async def resident(town: Town) -> AsyncIterator[Callable[[str], Resident]]:
    """Give a phone to one of the cast."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        met: list[Resident] = []

        def give(slug: str) -> Resident:
            met.append(Resident(session, town.portal, town.sandbox, slug))
            return met[-1]

        yield give
        told = [text for who in met for text in who.problems]
        assert leaks(told) == [], "the cast turned up in an error body"
        written = [line for name in town.processes for line in town.log_of(name).splitlines() if name != "sandbox"]
        assert leaks(written) == [], "the cast turned up in the logs of a process"
