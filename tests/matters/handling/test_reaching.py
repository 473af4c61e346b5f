"""Lists are cut to what an operator reaches in SQL, and that is what `StaffScope.covers` says of each case."""

from typing import Any

import pytest

from auth.types import StaffScope
from core.db import execute, fetch, transaction
from matters.handling.queues import Sought
from matters.handling.rules import QUEUES
from matters.handling.types import Queue
from matters.types import State
from tests.matters.handling.conftest import ENDORSEMENT, RELIEF, Hall

EVERYTHING = (StaffScope(),)
DEPARTMENTS = ("public-security", "civil-affairs", "health")
REGIONS = ("", "99", "9999", "999901", "99990", "999901001", "44", "440100", "%", "9_9")
# Before its dossier goes out a case has no region.
ROUTED = ("9999", "999901001", "440100", "")


async def cases(hall: Hall) -> list[dict[str, Any]]:
    """Six cases of two matters at three departments, of regions from none to a town."""
    for matter in (ENDORSEMENT, RELIEF):
        for _ in range(3):
            await hall.submitted(matter)
    rows = await fetch("SELECT id, matter_code FROM application ORDER BY id")
    for place, row in enumerate(rows):
        department, region = DEPARTMENTS[place % 3], ROUTED[place % 4]
        await transaction(
            lambda values=(row["id"], department, region): execute(  # type: ignore[misc]
                "UPDATE application SET department = $2, region = $3 WHERE id = $1", *values
            )
        )
    return await fetch("SELECT id, matter_code, department, region FROM application ORDER BY submitted_at, id")


async def test_a_list_holds_exactly_what_the_grants_cover(hall: Hall) -> None:
    rows = await cases(hall)
    codes = ["", *sorted({row["matter_code"] for row in rows})]

    async def hold(drawn: list[tuple[str, str, int]]) -> None:
        held = [StaffScope(region, department, codes[matter]) for region, department, matter in drawn]
        found = await hall.desk.handling.queues.list_cases(Sought(), held, after=None, limit=100)
        expected = [
            str(row["id"])
            for row in rows
            if any(scope.covers(StaffScope(row["region"], row["department"], row["matter_code"])) for scope in held)
        ]
        assert [str(line.id) for line in found] == expected, held

    for region in REGIONS:
        for department in ("", *DEPARTMENTS):
            for matter in range(3):
                await hold([(region, department, matter)])
    await hold([])
    await hold([("440100", "", 0), ("", "health", 1)])
    await hold([("", "health", 1), ("99", "public-security", 2)])


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_go_on_where_the_last_one_ended_and_hold_what_is_reached_alone(hall: Hall, limit: int) -> None:
    await cases(hall)
    scope = (StaffScope(department="public-security"), StaffScope(department="health"))
    whole = await hall.desk.handling.queues.list_cases(Sought(), scope, after=None, limit=100)
    assert len(whole) == 4
    seen, after = [], None
    while page := await hall.desk.handling.queues.list_cases(Sought(), scope, after=after, limit=limit):
        assert len(page) <= limit
        seen += page
        after = (page[-1].submitted_at, page[-1].id)
    assert seen == whole


async def test_each_queue_holds_its_states_and_every_case_is_in_one(hall: Hall) -> None:
    for state in State:
        await hall.at(state)
    found = {}
    for queue in Queue:
        lines = await hall.desk.handling.queues.list_cases(Sought(queue=queue), EVERYTHING, after=None, limit=100)
        found[queue] = sorted(line.state for line in lines)
        assert set(found[queue]) == QUEUES[queue]
    parts = [state for queue in Queue if queue is not Queue.ALL for state in found[queue]]
    assert sorted(parts) == found[Queue.ALL]
    [one] = await hall.desk.handling.queues.list_cases(
        Sought(queue=Queue.DECISION, state=State.IN_REVIEW, matter=RELIEF, department="civil-affairs"),
        EVERYTHING,
        after=None,
        limit=10,
    )
    assert one.state is State.IN_REVIEW
    assert one.due_at is not None
    soon = Sought(queue=Queue.DECISION, due_before=one.due_at)
    assert await hall.desk.handling.queues.list_cases(soon, EVERYTHING, after=None, limit=10) == []
