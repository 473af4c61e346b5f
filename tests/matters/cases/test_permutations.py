"""Callbacks in any order, any of them more than once, the receipt somewhere between: always one end.

`ZHIJIAN_TEST_ORDERS` says how many orders are tried (`make bench-nightly`: 20,000).
"""

import os
import random
from datetime import UTC, datetime
from typing import Final

from core.audit.actors import SYSTEM
from core.db import fetch_one, transaction
from matters.cases.history import Entry
from matters.cases.tracking import Heard
from matters.types import ProgressEvent, State, Step
from tests.matters.conftest import Desk, count_of

ORDERS: Final = int(os.environ.get("ZHIJIAN_TEST_ORDERS", "150"))
PATHS: Final = (
    (State.ACCEPTED, State.IN_REVIEW, State.APPROVED),
    (State.SUPPLEMENT_REQUESTED, State.ACCEPTED, State.IN_REVIEW, State.REJECTED),
    (State.NOT_ACCEPTED,),
    (State.ACCEPTED, State.IN_REVIEW, State.IN_REVIEW, State.IN_REVIEW, State.APPROVED),
)


class Undone(Exception):
    """What was tried in a transaction is taken back with it, so that the next order finds the case as this one did."""


def event(reference: str, number: int, state: State) -> ProgressEvent:
    demands = ("proof-of-residence",) if state is State.SUPPLEMENT_REQUESTED else ()
    at = datetime(2026, 3, 10, 3, number, tzinfo=UTC)
    return ProgressEvent(f"e.{number}", reference, number, state, at, demands=demands)


async def test_any_order_of_news_with_any_of_it_twice_comes_to_one_end(desk: Desk) -> None:
    dice = random.Random(20_000)
    submitted = await desk.submitted(desk.citizen())
    case = submitted.application_id
    tried: set[tuple[tuple[State, ...], tuple[int, ...]]] = set()

    async def hear(path: tuple[State, ...], order: list[int]) -> None:
        seen: set[int] = set()
        for number in order:
            if number == 0:  # Our own receipt, wherever it falls.
                await desk.history.append(case, Entry(step=Step.HANDED_OVER, actor=SYSTEM), strict=False)
                continue
            heard = await desk.tracking.hear("public-security", event(submitted.number, number, path[number - 1]))
            assert heard is (Heard.KNOWN if number in seen else Heard.NEW)
            seen.add(number)
        row = await fetch_one("SELECT state, decided_at FROM application WHERE id = $1", case)
        assert row is not None
        assert row["state"] == path[-1].value, order
        assert row["decided_at"] is not None
        assert await count_of("department_event") == len(path)
        assert await count_of("department_event_clash") == 0
        raise Undone

    while len(tried) < ORDERS:
        path = dice.choice(PATHS[:2] + PATHS[3:]) if len(tried) > 4 else dice.choice(PATHS)
        numbers = list(range(1, len(path) + 1))
        order = [0, *numbers, *(dice.choice(numbers) for _ in range(dice.randrange(5)))]
        dice.shuffle(order)
        if (path, tuple(order)) in tried:
            continue
        tried.add((path, tuple(order)))
        try:
            await transaction(lambda path=path, order=order: hear(path, order))  # type: ignore[misc]
        except Undone:
            continue
        raise AssertionError("nothing was tried")
    row = await fetch_one("SELECT state FROM application WHERE id = $1", case)
    assert row is not None
    assert row["state"] == State.SUBMITTED.value
