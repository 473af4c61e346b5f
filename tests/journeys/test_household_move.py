"""A household move through the real product: one case, and the register of the place moved from hears of its end."""

from collections.abc import Iterator

import aiohttp
import pytest

from tests.journeys.conftest import town_of_its_own
from tests.journeys.test_cast import until
from tests.journeys.test_every_matter import Walker
from tests.journeys.town import Town
from tests.matters.conftest import RETURNED

pytestmark = [pytest.mark.xdist_group("household-move"), pytest.mark.slow]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_of_its_own(tmp_path_factory.mktemp("moves"), pause_ms=20) as made:
        yield made


async def test_the_register_of_the_place_moved_from_hears_of_the_decision_once(town: Town) -> None:
    [slug] = RETURNED
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        walker = Walker(session, town)
        walk = await walker.walk(slug)
        assert walk.trouble == ""
        assert walk.application["state"] == "approved"
        who = await walker.phone("huomingzhe")

        async def results() -> list[tuple[str, int]]:
            told = await who.tell_sandbox("GET", "/sandbox/public-security/received")
            return [(item["reference"], item["count"]) for item in told["items"] if item["outcome"] == "result"]

        [(reference, count)] = await until(results)
        assert reference.startswith(f"{walk.number}-")
        assert count == 1
        ledger = (await who.ask("GET", "/v1/citizen/ledger")).body["items"]
        lines = [line for line in ledger if line["action"] == "matters.result-told"]
        assert {line["outcome"] for line in lines} >= {"sent"}
        assert all(line["what"] == "办理结果告知迁出地登记机关" for line in lines)
