from datetime import date

from sandbox.people import later
from tests.sandbox.town import Caller

DEGREE = "/education/v1/checks/degree"


async def test_a_fresh_graduate_graduated_within_the_year(caller: Caller) -> None:
    told = (await caller.signed(DEGREE, await caller.named("chenxinran"))).json
    assert (told["result"], told["degree"]) == ("confirmed", "bachelor")
    graduated_on, today = date.fromisoformat(told["graduated_on"]), caller.clock.today()
    assert later(today, years=-1) < graduated_on <= today


async def test_a_degree_of_long_ago_is_one_of_long_ago(caller: Caller) -> None:
    told = (await caller.signed(DEGREE, await caller.named("huomingzhe"))).json
    assert told["graduated_on"] == "2007-06-30"


async def test_others_hold_none(caller: Caller) -> None:
    for asked in (await caller.named("qumanlin"), await caller.named("chenxinran", name="谌欣")):
        told = (await caller.signed(DEGREE, asked)).json
        assert (told["code"], told["result"]) == ("0000", "none")
        assert "degree" not in told
