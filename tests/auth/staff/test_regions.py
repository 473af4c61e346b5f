"""Where an officer sits is the smallest region that their grants name."""

import pytest

from auth.staff.grants import OfficerRegions, seat_of
from auth.types import Role, RoleGrant, StaffScope
from tests.conftest import Ground


@pytest.mark.parametrize(
    ("regions", "sits"),
    [((), ""), (("",), ""), (("", "9999"), "9999"), (("9999", "999901"), "999901"), (("999902", "999901"), "999901")],
)
def test_an_officer_sits_where_the_grants_say(regions: tuple[str, ...], sits: str) -> None:
    assert seat_of([RoleGrant(Role.ACCEPTOR, StaffScope(region=region)) for region in regions]) == sits


async def test_somebody_without_grants_sits_nowhere(ground: Ground) -> None:
    assert await OfficerRegions().region_of(ground.ids.uuid()) == ""
