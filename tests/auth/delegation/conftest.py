"""The rooms of delegation over a fresh database, with fakes outside."""

import pytest

from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import Household, make_household


@pytest.fixture
def house(ground: Ground) -> Household:
    return make_household(make_auth(ground))
