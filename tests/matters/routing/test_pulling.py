"""A household move: the place moved to asks the place moved from; one case, and nobody goes there for it."""

import pytest

from core.db import as_json, fetch
from matters.errors import DepartmentUnavailable
from matters.types import State
from tests.matters.conftest import Desk
from tests.matters.routing.test_routing import moved_in, stored


async def test_what_the_old_place_has_on_record_goes_along_to_the_new_one(desk: Desk) -> None:
    caller, submitted = await moved_in(desk)
    await desk.deliver(submitted.application_id)
    (dossier,) = desk.common_desk.arrived
    assert dossier.form["pulled"] == {"from_region": "9998", "result": "clear"}
    assert dossier.form["from_place"] == "邻湖市"
    assert desk.records["public-security"].asked == 1
    # One case, at the place moved to; it begins as any other.
    assert (await stored(submitted.application_id))["region"] == "999902"
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_the_ledger_tells_of_the_question_and_of_what_went_out(desk: Desk) -> None:
    caller, submitted = await moved_in(desk)
    await desk.deliver(submitted.application_id)
    lines = await fetch(
        "SELECT action, purpose, object_id, field_names FROM audit_line WHERE subject_id = $1 AND action IN "
        "('matters.checked', 'matters.delivered') AND outcome IN ('ok', 'sent') ORDER BY at, id",
        caller.citizen_id,
    )
    asked = next(line for line in lines if line["action"] == "matters.checked")
    assert (asked["purpose"], asked["object_id"]) == ("省内户口迁移：向迁出地调取登记信息", "public-security")
    sent = next(line for line in lines if line["action"] == "matters.delivered" and as_json(line["field_names"]))
    assert "pulled" in as_json(sent["field_names"])


async def test_while_the_old_place_is_away_nothing_leaves_and_nothing_is_lost(desk: Desk) -> None:
    caller, submitted = await moved_in(desk)
    records = desk.records["public-security"]
    answers, records.facts = records.facts, None
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    assert desk.common_desk.arrived == []
    assert (await desk.view(caller, submitted.application_id)).state is State.SUBMITTED
    records.facts = answers
    await desk.deliver(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert len(desk.common_desk.arrived) == 1


async def test_other_matters_pull_nothing(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    assert desk.records["public-security"].asked == 0
    assert "pulled" not in desk.public_security.arrived[0].form
