"""A restore doubles nothing: where a department cannot tell a dossier sent twice, a person decides."""

from datetime import timedelta

import pytest

from core.db import transaction
from matters.cases.restoring import RestoredCases
from matters.types import Dedupe
from tests.matters.applications.test_submission import delivery_state
from tests.matters.conftest import ENDORSEMENT, Desk


def restored(desk: Desk) -> RestoredCases:
    return RestoredCases(clock=desk.ground.clock, matter_codes=[each.matter.code for each in desk.catalogue.all])


@pytest.mark.parametrize(("dedupe", "effects", "state"), [("key", 1, "acknowledged"), ("none", 1, "unknown")])
async def test_what_may_have_gone_out_since_the_backup_has_one_effect(
    desk: Desk, dedupe: str, effects: int, state: str
) -> None:
    desk.public_security.dedupe = Dedupe(dedupe)
    submitted = await desk.submitted(desk.citizen())
    assert await delivery_state(desk, submitted.application_id) == "pending"
    # It went out after the backup was made, of which the restored database knows nothing.
    desk.public_security.effects[submitted.number] = 1

    assert await transaction(restored(desk).mark) == 1
    await desk.deliver(submitted.application_id)
    assert desk.public_security.effects[submitted.number] == effects
    assert await delivery_state(desk, submitted.application_id) == state


async def test_numbers_go_on_where_none_can_have_been_given_since_the_backup(desk: Desk) -> None:
    code = desk.catalogue.find(ENDORSEMENT).matter.code
    before = await desk.submitted(desk.citizen())
    await transaction(restored(desk).mark)
    first = (await desk.submitted(desk.citizen())).number
    desk.ground.clock.move(timedelta(seconds=1))
    # Restored once more: also what was given since the first restore is left behind.
    await transaction(restored(desk).mark)
    second = (await desk.submitted(desk.citizen())).number
    assert first.startswith(code)
    assert before.number < first < second
    assert first[-4:] > "9999"


async def test_a_counter_never_goes_back(desk: Desk) -> None:
    await transaction(restored(desk).mark)
    numbers = [(await desk.submitted(desk.citizen())).number for _ in range(3)]
    await transaction(restored(desk).mark)
    numbers.append((await desk.submitted(desk.citizen())).number)
    assert len(set(numbers)) == 4
