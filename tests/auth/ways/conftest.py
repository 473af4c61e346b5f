"""The rooms of the ways over a fresh database, with fakes outside; one resident is known everywhere."""

import pytest

from auth.types import Caller
from tests.auth.ways.people import MOBILE, NAME, NUMBER
from tests.conftest import Ground
from tests.fakes.ways import OFFICER, Ways, employ, make_ways


@pytest.fixture
async def ways(ground: Ground) -> Ways:
    made = make_ways(ground)
    await employ(ground, OFFICER)
    made.know(NAME, NUMBER, MOBILE)
    return made


@pytest.fixture
async def caller(ways: Ways) -> Caller:
    return await ways.auth.caller_named("openid-1", NAME, NUMBER)
