"""One town for all journeys of a test process, and residents who live in it."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest

from tests.conftest import SERVICES_DATABASE, _admin, _with_name
from tests.journeys.resident import Resident
from tests.journeys.town import Town
from tests.privacy import leaks


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """The address of a database of this test process's own; empty where SQLite is used."""
    if not SERVICES_DATABASE:
        yield ""
        return
    name = f"zhijian_town_{uuid.uuid4().hex[:12]}"
    asyncio.run(_admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}"'))
    yield _with_name(name)
    asyncio.run(_admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, empty_database: str) -> Iterator[Town]:
    """The product and the sandbox as processes."""
    made = Town(
        tmp_path_factory.mktemp("town"),
        database_url=empty_database,
        redis_url=os.environ.get("ZHIJIAN_TEST_REDIS_URL", "memory://"),
        # A town for each process of the run stands beside those that are damaged: a server has a hundred places in all.
        settings={"ZHIJIAN_DATABASE__POOL": "4"},
    )
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.stop()


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
