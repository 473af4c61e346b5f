"""The wire to PostgreSQL is cut at one byte after another of what a submission says over it.

`ZHIJIAN_TEST_CUTS` says how often (`make bench-nightly`: a thousand times).
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pytest

from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.cutting import Wire, wire_to
from tests.faults.installation import ready, services_are_meant
from tests.faults.neighbours import PENSION, Acknowledged, Neighbours, ask_for, reached, received
from tests.journeys.town import Town

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(not services_are_meant(), reason="a file has no wire to cut"),
]

CUTS: Final = int(os.environ.get("ZHIJIAN_TEST_CUTS", "40"))
SECONDS: Final = 60


@dataclass
class Cuttable:
    """A town whose database lies behind a wire."""

    town: Town
    wire: Wire


@pytest.fixture(scope="module")
def cuttable(found: Found) -> Iterator[Cuttable]:
    def put_between(town: Town) -> None:
        wire, town.database_url = endings.enter_context(wire_to(town.database_url))
        made.append(Cuttable(town, wire))

    with ExitStack() as endings:
        made: list[Cuttable] = []
        town = found(before_start=put_between)
        endings.callback(town.stop)
        yield made[0]


@pytest.fixture(scope="module")
def town(cuttable: Cuttable) -> Town:
    return cuttable.town


async def test_a_cut_anywhere_in_the_dialogue_loses_nothing_and_half_writes_nothing(
    cuttable: Cuttable, neighbours: Neighbours, acknowledged: Acknowledged
) -> None:
    wire, elder = cuttable.wire, await neighbours.elder()
    # Prepared statements are said once for a connection; then as many bytes pass as pass each time.
    for _ in range(3):
        await reached(elder, await ask_for(elder, PENSION, acknowledged), seconds=SECONDS)
    before = wire.passed
    await reached(elder, await ask_for(elder, PENSION, acknowledged), seconds=SECONDS)
    span = wire.passed - before
    assert span > 5000
    asked = 4
    for turn in range(CUTS):
        wire.cut_after(1 + span * turn // CUTS)
        while wire.is_armed:
            await ask_for(elder, PENSION, acknowledged)
            asked += 1
    assert wire.cuts == CUTS
    await ready(cuttable.town)
    promised = acknowledged.submitted()
    assert len(promised) == asked
    for application, promise in promised.items():
        ended = await reached(elder, application, seconds=SECONDS)
        assert (ended["state"], ended["number"]) == ("approved", promise)
    references = Counter(item["reference"] for item in await received(elder, "human-resources"))
    assert {references[promise] for promise in promised.values()} == {1}
    async with books_of(cuttable.town) as books:
        assert await books.damage() == {}
        rows = await books.rows("SELECT id, number FROM application")
    # An application that nobody was told of would be one begun twice under one key.
    assert {str(row["id"]): row["number"] for row in rows} == promised
    print(f"{wire.cuts} cuts over {span} bytes, {len(promised)} acknowledged")  # noqa: T201 — the figure
