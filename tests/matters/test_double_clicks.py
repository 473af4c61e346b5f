"""A hundred double clicks on "submit": one application each, whatever the client sends with the second one."""

import asyncio
from uuid import uuid4

import pytest

from core.db import fetch
from tests.matters.conftest import ENDORSEMENT, Desk, count_of, jobs_named
from tests.matters.edge import Answered, opened

CLICKS = 100
START = "/v1/citizen/applications"


@pytest.mark.parametrize("same_key", [True, False])
async def test_a_hundred_double_clicks_are_a_hundred_applications(desk: Desk, same_key: bool) -> None:
    async with opened(desk) as portal:
        places = asyncio.Semaphore(16)

        async def one() -> tuple[Answered, Answered]:
            async with places:
                draft = await portal.post(START, {"matter": ENDORSEMENT})
                where = f"{START}/{draft.json['id']}/submissions"
                first = uuid4().hex
                second = first if same_key else uuid4().hex
                clicked = await asyncio.gather(portal.post(where, key=first), portal.post(where, key=second))
                return clicked[0], clicked[1]

        pairs = await asyncio.gather(*(one() for _ in range(CLICKS)))
    numbers = set()
    for pair in pairs:
        statuses = sorted(answer.status for answer in pair)
        assert statuses[0] == 202
        if same_key and statuses[1] == 202:
            assert pair[0].json == pair[1].json
        else:
            # The second click came while the first was at it, or after: nothing of it had an effect.
            assert statuses[1] == 409
        numbers |= {answer.json["number"] for answer in pair if answer.status == 202}
    assert len(numbers) == CLICKS
    rows = await fetch("SELECT number FROM application WHERE state = 'submitted'")
    assert {row["number"] for row in rows} == numbers
    assert await count_of("application") == await count_of("delivery") == CLICKS
    assert await count_of("application_material") == 3 * CLICKS
    assert len(await jobs_named("matters.deliver")) == CLICKS
