"""What every test may ask for: a database at the newest schema, and the ground made of fakes and real parts."""

import asyncio
import importlib.util
import logging
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest
import redis

from api.wiring.domains import MODELS
from core.audit.record import Audit
from core.cache import Cache, Limits
from core.crypto import KeyRing, Vault, make_keys
from core.database import close_database, open_database, orm_config
from core.ids import RandomIds
from core.jobs.queue import Jobs
from core.migrate import migrate
from core.settings import CoreSettings, DatabaseSettings
from tests.fakes.ground import FixedClock, NotingCarrier
from tests.privacy import Listener, kept_for_others, leaks

# Two cores that also run servers and databases: an example's time says nothing about the code.
hypothesis.settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared-machine")

SERVICES_DATABASE = os.environ.get("ZHIJIAN_TEST_DATABASE_URL", "")
_REDIS_DATABASES = 16


def _own_redis(url: str, worker: str) -> str:
    """Return the address of a Redis database that no other worker of the run uses."""
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    parts = urlsplit(url)
    if not number or parts.scheme not in {"redis", "rediss"}:
        return url
    return parts._replace(path=f"/{(int(parts.path.strip('/') or 0) + number) % _REDIS_DATABASES}").geturl()


def use_memory(folder: Path, *, room: int = 4 * 2**30) -> None:
    """Let temporary files lie in memory if there is room: no test pulls the plug, and a disk makes each commit wait."""
    if folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= room:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


use_memory(Path("/dev/shm"))  # noqa: S108 — Linux' own place for it; the folder in it is made by pytest, for us alone

# Before any test module is read: they find their Redis in the environment.
if os.environ.get("ZHIJIAN_TEST_REDIS_URL"):
    os.environ["ZHIJIAN_TEST_REDIS_URL"] = _own_redis(
        os.environ["ZHIJIAN_TEST_REDIS_URL"], os.environ.get("PYTEST_XDIST_WORKER", "")
    )


def models_that_exist() -> dict[str, list[str]]:
    """Return the domains whose tables can be imported."""
    return {app: modules for app, modules in MODELS.items() if all(_exists(module) for module in modules)}


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _config(url: str) -> dict[str, Any]:
    # A machine on which other suites run may hold a statement up for longer than anybody should wait for an answer.
    patient = DatabaseSettings(statement_timeout_ms=20_000)
    return orm_config(CoreSettings(database_url=url, database=patient), models_that_exist())


async def _admin(url: str, statement: str) -> None:
    parts = urlsplit(url)
    connection = await asyncpg.connect(
        host=parts.hostname, port=parts.port or 5432, user=parts.username, password=parts.password, database="postgres"
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def empty_redis() -> None:
    """Forget what an earlier test has left behind: its limits would still be used up."""
    url = os.environ.get("ZHIJIAN_TEST_REDIS_URL", "")
    if url.startswith(("redis://", "rediss://")):
        with redis.Redis.from_url(url) as client:
            client.flushdb()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with all migrations, made once and copied for each test; its file, or its name on PostgreSQL."""
    if not SERVICES_DATABASE:
        path = tmp_path_factory.mktemp("template") / "template.sqlite3"
        asyncio.run(migrate(_config(f"sqlite:///{path}")))
        yield str(path)
        return
    name = f"zhijian_template_{uuid.uuid4().hex[:12]}"
    asyncio.run(_admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}"'))
    asyncio.run(migrate(_config(_with_name(name))))
    yield name
    asyncio.run(_admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)'))


def _with_name(name: str) -> str:
    return urlsplit(SERVICES_DATABASE)._replace(path=f"/{name}").geturl()


@pytest.fixture
async def database_url(template: str, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a fresh database at the newest schema, not opened."""
    if not SERVICES_DATABASE:
        path = tmp_path / "test.sqlite3"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        return
    name = f"zhijian_test_{uuid.uuid4().hex[:12]}"
    await _admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield _with_name(name)
    await _admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Mapping[str, Any]]:
    """An open, fresh database at the newest schema; gives its configuration."""
    config = _config(database_url)
    await open_database(config)
    yield config
    assert leaks(await kept_for_others()) == [], "the cast turned up in job payloads or audit lines"
    await close_database()


@pytest.fixture(autouse=True)
def privacy_canary() -> Iterator[None]:
    """Fail a test that lets something of the cast into the logs."""
    listener = Listener()
    root = logging.getLogger()
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    assert leaks(listener.lines) == [], "the cast turned up in the logs"


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground's objects as the wiring would make them, with a clock that stands still."""

    settings: CoreSettings
    clock: FixedClock
    ids: RandomIds
    ring: KeyRing
    vault: Vault
    audit: Audit
    jobs: Jobs
    carrier: NotingCarrier
    limits: Limits
    cache: Cache


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> CoreSettings:
    """Embedded settings in a folder of the test's own."""
    return CoreSettings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        redis_url=os.environ.get("ZHIJIAN_TEST_REDIS_URL", "memory://"),
        # Two cores that also run servers and databases: how long Redis takes is tested where it is meant.
        redis_timeout_seconds=5,
    )


@pytest.fixture
async def ground(database: Mapping[str, Any], settings: CoreSettings, empty_redis: None) -> AsyncIterator[Ground]:
    """The ground over an open database."""
    del database, empty_redis
    clock, ids, carrier = FixedClock(), RandomIds(), NotingCarrier()
    make_keys(settings.key_folder)
    ring = KeyRing.load(settings.key_folder)
    vault = Vault(ring, clock=clock, ids=ids)
    await vault.load()
    cache = Cache(settings)
    limits = Limits(settings, clock=clock)
    yield Ground(
        settings=settings,
        clock=clock,
        ids=ids,
        ring=ring,
        vault=vault,
        audit=Audit(clock=clock, ids=ids),
        jobs=Jobs(clock=clock, ids=ids, carrier=carrier),
        carrier=carrier,
        limits=limits,
        cache=cache,
    )
    await cache.close()
    await limits.close()
