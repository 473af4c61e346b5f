"""A sandbox of its own for each test, over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.sandbox.town import Caller, Keys, MovableClock, Portal, called_back, opened

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "sandbox.sqlite3"


@pytest.fixture
async def caller(data: Path, keys: Keys, clock: MovableClock) -> AsyncIterator[Caller]:
    async with opened(data, keys, clock) as caller:
        yield caller


@pytest.fixture
async def portal(keys: Keys) -> AsyncIterator[Portal]:
    async with called_back(keys) as portal:
        yield portal


@pytest.fixture
def until() -> Until:
    async def wait(true: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)

    return wait
