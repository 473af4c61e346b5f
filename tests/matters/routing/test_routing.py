"""Cases are routed before they are first sent, once; who handles them shows in progress and to staff by region."""

from typing import Any

import pytest

from auth.types import StaffScope
from core.db import OutsideTransaction, execute, fetch_one, transaction
from matters.errors import DepartmentUnavailable
from matters.types import HandledBy
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, count_of

MOVE = "household-move"
FORM = {"from_place": "邻湖市", "to_address": "示例市老城区书院街1号", "ground": "home", "members": 0}


async def stored(application_id: object) -> dict[str, Any]:
    row = await fetch_one(
        "SELECT unit, region, home_region, rule, rule_version FROM application "
        "JOIN delivery ON delivery.application_id = application.id WHERE application.id = $1",
        application_id,
    )
    assert row is not None
    return row


async def moved_in(desk: Desk, **form: object) -> Any:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, MOVE, {**FORM, **form})
    submitted = await desk.submit(caller, draft.id)
    return caller, submitted


async def test_a_case_is_routed_when_it_is_first_sent_and_shows_who_handles_it(desk: Desk) -> None:
    caller, submitted = await moved_in(desk, to_address="示例市东湖区梧桐路3号")
    before = await desk.view(caller, submitted.application_id)
    assert before.handled_by is None
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.handled_by == HandledBy("donghu-police", "999901", "东湖分局户政窗口", "Donghu household police")
    asked = await desk.progress.query(submitted.number, submitted.query_code, address="198.51.100.7")
    assert asked.handled_by == view.handled_by
    row = await stored(submitted.application_id)
    assert (row["home_region"], row["rule"], row["rule_version"]) == ("999901001", "household-police", "2026-03-01")
    # The reach of grants is by the region of whoever handles it.
    assert StaffScope(region="9999").covers(StaffScope(region=row["region"]))
    assert not StaffScope(region="999902").covers(StaffScope(region=row["region"]))


async def test_of_two_windows_the_one_with_fewer_open_cases_gets_the_next(desk: Desk) -> None:
    units = []
    for _ in range(4):
        _, submitted = await moved_in(desk)
        await desk.deliver(submitted.application_id)
        units.append((await stored(submitted.application_id))["unit"])
    one, two = "laocheng-police-1", "laocheng-police-2"
    assert units == [one, two, one, two]
    # What is over counts no more.
    await transaction(lambda: execute("UPDATE application SET state = 'closed' WHERE unit = $1", two))
    _, submitted = await moved_in(desk)
    await desk.deliver(submitted.application_id)
    assert (await stored(submitted.application_id))["unit"] == two


async def test_a_case_is_routed_once_however_often_it_is_sent(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    desk.public_security.failures += [DepartmentUnavailable("public-security", ambiguous=False)]
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    first = await stored(submitted.application_id)
    assert first["unit"]
    # Somebody moved it meanwhile: there it stays.
    await transaction(
        lambda: execute(
            "UPDATE application SET unit = 'city-hall', region = '9999' WHERE id = $1", submitted.application_id
        )
    )
    await desk.deliver(submitted.application_id)
    assert (await stored(submitted.application_id))["unit"] == "city-hall"
    view = await desk.view(caller, submitted.application_id)
    assert view.handled_by is not None
    assert view.handled_by.unit == "city-hall"


async def test_what_rules_decide_is_routed_too(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, SETTLEMENT, {})
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(submitted.application_id)
    row = await stored(submitted.application_id)
    assert (row["unit"], row["home_region"]) == ("city-hall", "")


async def test_a_unit_that_is_no_more_in_the_table_shows_by_its_code(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller, ENDORSEMENT)
    await desk.deliver(submitted.application_id)
    await transaction(lambda: execute("UPDATE application SET unit = 'closed-window'"))
    view = await desk.view(caller, submitted.application_id)
    assert view.handled_by is not None
    assert view.handled_by.title == "closed-window"
    assert await count_of("delivery") == 1


async def test_a_case_is_routed_in_the_transaction_that_takes_it_up(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    published = desk.catalogue.find(ENDORSEMENT)
    with pytest.raises(OutsideTransaction):
        await desk.routing.send(submitted.application_id, published, {}, "999901")
