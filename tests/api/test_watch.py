"""Whether the working-day calendar reaches far enough: what readiness says, and what raises the alarm."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from api.wiring.running.watch import Watch
from core.metrics import CALENDAR_CURRENT
from tests.conftest import Ground
from tests.fakes.ground import FixedClock


class Years:
    """A calendar of some years."""

    def __init__(self, *years: int) -> None:
        self._years = years

    async def covers(self, year: int) -> bool:
        return year in self._years


@pytest.mark.parametrize(
    ("day", "years", "state", "figure"),
    [
        ("2026-10-31", (2026,), "ok", 1),
        ("2026-11-02", (2026,), "ok", 0),
        ("2026-11-02", (2026, 2027), "ok", 1),
        ("2026-12-14", (2026,), "degraded", 0),
        ("2026-12-14", (2026, 2027), "ok", 1),
        ("2027-03-01", (2026,), "degraded", 0),
    ],
)
async def test_the_calendar_is_asked_for_before_deadlines_need_it(
    ground: Ground, day: str, years: tuple[int, ...], state: str, figure: int
) -> None:
    del ground  # The database, which the other figures are read from.
    clock = FixedClock(datetime.fromisoformat(day).replace(tzinfo=UTC))
    watch = Watch(clock=clock, calendar=cast("Any", Years(*years)))
    await watch.look()
    assert (await watch.calendar(), CALENDAR_CURRENT._value.get()) == (state, figure)
