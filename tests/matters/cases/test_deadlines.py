"""The dates of a case follow its history: what stops, goes on and is made longer, and what comes before acceptance."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.audit.actors import SYSTEM
from core.calendar_store import extend_calendar
from core.clock import CHINA
from core.db import as_moment, execute, fetch_one, transaction
from core.metrics import CASES_WITHOUT_DATE
from matters.applications.records import Submitted
from matters.cases.history import Entry
from matters.types import State, Step
from tests.matters.conftest import Desk


def at(text: str) -> datetime:
    """A moment in China."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(UTC)


async def append(desk: Desk, case: Submitted, step: Step, when: str, **more: Any) -> None:
    desk.ground.clock.set(at(when))
    await transaction(lambda: desk.history.append(case.application_id, Entry(step=step, actor=SYSTEM, **more)))


async def row(case: Submitted) -> dict[str, Any]:
    found = await fetch_one("SELECT * FROM application WHERE id = $1", case.application_id)
    assert found is not None
    return found


async def dates(case: Submitted) -> tuple[datetime | None, datetime | None, str]:
    found = await row(case)
    due, legal = (None if found[name] is None else as_moment(found[name]) for name in ("due_at", "legal_due_at"))
    return due, legal, str(found["due_note"])


async def accepted(desk: Desk, when: str, *, promised: int = 5, legal: int = 10) -> Submitted:
    """Return a case that was accepted at a moment, under limits of its own."""
    desk.ground.clock.set(at(when) - timedelta(hours=1))
    case = await desk.submitted(desk.citizen())
    await desk.deliver(case.application_id)
    await transaction(
        lambda: execute(
            "UPDATE application SET limit_days = $2, legal_days = $3 WHERE id = $1",
            case.application_id,
            promised,
            legal,
        )
    )
    await append(desk, case, Step.ACCEPTED, when)
    return case


async def test_both_dates_stand_still_and_go_on_with_the_case_and_an_extension_moves_both(desk: Desk) -> None:
    case = await accepted(desk, "2026-03-09 10:00")
    assert await dates(case) == (at("2026-03-16 23:59:59"), at("2026-03-23 23:59:59"), "")
    await append(desk, case, Step.REVIEWED, "2026-03-09 11:00")
    await append(desk, case, Step.SUSPENDED, "2026-03-11 09:00", reason="hearing")
    assert await dates(case) == (None, None, "clock-stopped")
    await append(desk, case, Step.RESUMED, "2026-03-16 09:00")
    assert await dates(case) == (at("2026-03-19 23:59:59"), at("2026-03-26 23:59:59"), "")
    await append(desk, case, Step.EXTENDED, "2026-03-17 09:00", data={"added_days": 10})
    assert await dates(case) == (at("2026-04-02 23:59:59"), at("2026-04-10 23:59:59"), "")
    await append(desk, case, Step.APPROVED, "2026-03-20 09:00")
    assert await dates(case) == (at("2026-04-02 23:59:59"), at("2026-04-10 23:59:59"), "")


async def test_a_pre_review_has_a_day_by_the_clock_over_a_weekend_and_again_for_what_was_supplied(desk: Desk) -> None:
    desk.ground.clock.set(at("2026-03-06 20:00"))  # A Friday evening.
    case = await desk.submitted(desk.citizen())
    assert as_moment((await row(case))["review_due_at"]) == at("2026-03-07 20:00")
    await desk.deliver(case.application_id)
    assert as_moment((await row(case))["review_due_at"]) == at("2026-03-07 20:00")
    await append(desk, case, Step.SUPPLEMENT_REQUESTED, "2026-03-07 10:00")
    assert (await row(case))["review_due_at"] is None
    await append(desk, case, Step.SUPPLEMENTED, "2026-03-08 09:00")
    assert as_moment((await row(case))["review_due_at"]) == at("2026-03-09 09:00")
    await append(desk, case, Step.ACCEPTED, "2026-03-08 10:00")
    assert (await row(case))["review_due_at"] is None


async def test_hours_of_the_day_give_a_date_too(desk: Desk) -> None:
    case = await accepted(desk, "2026-03-06 23:30", promised=0)
    await transaction(lambda: execute("UPDATE application SET limit_hours = 1 WHERE id = $1", case.application_id))
    await append(desk, case, Step.REVIEWED, "2026-03-06 23:40")
    assert (await dates(case))[0] == at("2026-03-07 00:30")


async def test_whatever_a_missing_year_leaves_open_is_caught_up_with(desk: Desk) -> None:
    both = await accepted(desk, "2026-12-29 10:00")
    assert await dates(both) == (None, None, "calendar-missing")
    legal = await accepted(desk, "2026-12-29 10:30", promised=1)
    assert await dates(legal) == (at("2026-12-30 23:59:59"), None, "legal-calendar-missing")
    await append(desk, both, Step.REVIEWED, "2026-12-30 10:00")
    await append(desk, both, Step.SUSPENDED, "2026-12-30 10:30", reason="test")
    assert await dates(both) == (None, None, "clock-stopped")
    await append(desk, both, Step.RESUMED, "2026-12-30 11:00")
    assert await dates(both) == (None, None, "calendar-missing")
    version = (await row(both))["version"]
    assert await desk.deadlines.catch_up() == 0
    # Nothing is written while nothing is known, and an alarm can tell of it.
    assert (await row(both))["version"] == version
    assert CASES_WITHOUT_DATE._value.get() == 2
    await extend_calendar(2027, {}, source="operator")
    desk.ground.clock.move(timedelta(minutes=2))
    assert await desk.deadlines.catch_up(at_most=1) == 1
    assert await desk.deadlines.catch_up(at_most=1) == 1
    assert await desk.deadlines.catch_up(at_most=1) == 0
    assert await dates(both) == (at("2027-01-05 23:59:59"), at("2027-01-12 23:59:59"), "")
    assert await dates(legal) == (at("2026-12-30 23:59:59"), at("2027-01-12 23:59:59"), "")
    assert CASES_WITHOUT_DATE._value.get() == 0


async def test_a_case_keeps_the_limits_of_the_version_it_began_under(desk: Desk) -> None:
    caller = desk.citizen()
    case = await desk.submitted(caller)
    matter = desk.catalogue.find("residence-permit-endorsement").matter
    found = await row(case)
    assert (found["limit_days"], found["legal_days"]) == (matter.promised_limit.days, matter.legal_limit.days)
    assert (found["limit_hours"], found["legal_hours"]) == (matter.promised_limit.hours, matter.legal_limit.hours)
    assert (await desk.view(caller, case.application_id)).state is State.SUBMITTED
