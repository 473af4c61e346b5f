"""The rooms of notices over a fresh database, with fakes outside."""

import pytest

from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.notices import House, make_house


@pytest.fixture
def house(ground: Ground) -> House:
    return make_house(ground, make_auth(ground))
