"""The rooms of auth over a fresh database, with fakes outside."""

import pytest

from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth


@pytest.fixture
def auth(ground: Ground) -> Auth:
    return make_auth(ground)
