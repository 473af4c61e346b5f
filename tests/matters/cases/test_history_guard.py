"""The history of a case cannot be changed, and leaves only as a whole, after its application."""

import pytest

from core.db import execute, transaction
from tests.matters.conftest import Desk, count_of


@pytest.mark.parametrize("sql", ["DELETE FROM case_action", "UPDATE case_action SET reason = 'another'"])
async def test_the_history_of_a_case_that_is_there_stays_as_it_is(desk: Desk, sql: str) -> None:
    await desk.submitted(desk.citizen())
    before = await count_of("case_action")
    with pytest.raises(Exception, match="append-only"):
        await transaction(lambda: execute(sql))
    assert await count_of("case_action") == before


async def test_a_history_goes_after_its_application(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await transaction(lambda: execute("DELETE FROM application WHERE id = $1", submitted.application_id))
    await transaction(lambda: execute("DELETE FROM case_action WHERE application_id = $1", submitted.application_id))
    assert await count_of("case_action") == 0
