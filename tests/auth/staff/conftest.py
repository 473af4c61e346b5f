"""The rooms of the staff over a fresh database."""

import pytest

from tests.conftest import Ground
from tests.fakes.staff import Staff, make_staff


@pytest.fixture
def staff(ground: Ground) -> Staff:
    return make_staff(ground)
