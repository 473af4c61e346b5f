"""Real faces for the tests of the engine: pictures that packages ship, made by the sandbox's camera."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from sandbox import faces


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the network is converted once for all tests of this process."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture
async def engine(networks: Path) -> AsyncIterator[LocalEngine]:
    """A warm engine with one child."""
    engine = LocalEngine(cache=networks, clock=SystemClock(), limits=LocalEngineLimits(workers=1))
    await engine.warm_up()
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
def portrait() -> bytes:
    return faces.portrait("a")


@pytest.fixture(scope="session")
def other_portrait() -> bytes:
    return faces.portrait("b")
