"""A town of its own for each file of this folder, on SQLite or on PostgreSQL with a Redis that may be killed."""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import SERVICES_DATABASE, _admin, _with_name
from tests.faults.installation import GENEROUS, PrivateRedis
from tests.faults.neighbours import Acknowledged, Neighbours
from tests.journeys.town import Town

Found = Callable[..., Town]


@pytest.fixture(scope="session")
def face_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the converted face network is kept for all towns; made by the first."""
    return tmp_path_factory.mktemp("network")


@pytest.fixture(scope="module")
def redis() -> Iterator[PrivateRedis | None]:
    """The Redis of this file's town; None where none is used or none can be started."""
    if not SERVICES_DATABASE or not PrivateRedis.is_possible():
        yield None
        return
    made = PrivateRedis()
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, face_network: Path, redis: PrivateRedis | None) -> Iterator[Found]:
    """Found a town, prepared and running; it ends with the file's last test."""
    with ExitStack() as endings:

        def make(
            settings: Mapping[str, str] | None = None, *, before_start: Callable[[Town], None] | None = None
        ) -> Town:
            shared = os.environ.get("ZHIJIAN_TEST_REDIS_URL", "memory://")
            town = Town(
                tmp_path_factory.mktemp("town"),
                database_url=endings.enter_context(_own_database()) if SERVICES_DATABASE else "",
                redis_url=redis.url if redis else shared if SERVICES_DATABASE else "memory://",
                settings={**GENEROUS, **(settings or {})},
            )
            endings.callback(town.stop)
            if any(face_network.iterdir()):
                shutil.copytree(face_network, town.data / "models")
            town.prepare()
            if not any(face_network.iterdir()):
                shutil.copytree(town.data / "models", face_network, dirs_exist_ok=True)
            if before_start is not None:
                before_start(town)
            town.start()
            return town

        yield make


@contextmanager
def _own_database() -> Iterator[str]:
    name = f"zhijian_faults_{uuid.uuid4().hex[:12]}"
    asyncio.run(_admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}"'))
    yield _with_name(name)
    asyncio.run(_admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="module")
def pockets() -> dict[str, tuple[str, str, str]]:
    """The devices and tokens of those who have come in already."""
    return {}


@pytest.fixture
async def neighbours(town: Town, pockets: dict[str, tuple[str, str, str]]) -> AsyncIterator[Neighbours]:
    """The residents of this file's town."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        yield Neighbours(session, town, pockets)


@pytest.fixture
def acknowledged(tmp_path: Path) -> Acknowledged:
    """Where promises of the product are written down."""
    return Acknowledged(tmp_path / "acknowledged.jsonl")
