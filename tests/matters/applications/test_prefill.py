"""Prefilled values: from where and when, wanted or not, and called wrong."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from auth.types import Level
from core.db import fetch
from matters.errors import FormInvalid, NoSuchApplication, NotPrefilled
from tests.matters.conftest import ENDORSEMENT, Desk


async def test_each_value_says_from_which_certificate_of_when_it_is(desk: Desk) -> None:
    view = await desk.drafts.start(desk.citizen(Level.PRESENT), ENDORSEMENT, {})
    number = view.form["permit_number"]
    assert (number.source, number.certificate, number.editable) == ("certificate:residence-permit", UUID(int=1), False)
    assert number.as_of == datetime(2026, 3, 1, tzinfo=UTC)
    name = view.form["applicant_name"]
    assert (name.source, name.certificate, name.as_of) == ("real-name", None, None)


async def test_who_wants_nothing_filled_in_finds_it_empty_and_nothing_is_read(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    view = await desk.drafts.start(caller, ENDORSEMENT, {}, prefill=False)
    assert view.form == {}
    assert desk.holdings.purposes == []
    typed = await desk.drafts.amend(caller, view.id, {"permit_number": "JZ1", "applicant_name": "瞿"}, version=None)
    assert {name: value.source for name, value in typed.form.items()} == {
        "permit_number": "applicant",
        "applicant_name": "applicant",
    }


async def test_single_fields_may_stay_empty(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    view = await desk.drafts.start(caller, ENDORSEMENT, {}, without=["contact_phone", "residence_address"])
    assert "contact_phone" not in view.form
    assert "residence_address" not in view.form
    assert "permit_number" in view.form
    with pytest.raises(FormInvalid):
        await desk.drafts.amend(caller, view.id, {"permit_number": "JZ1"}, version=None)


async def test_a_wrong_value_gets_a_ticket_and_the_form_shows_it(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    ticket = await desk.value_reports.report(caller, draft.id, "residence_address", "门牌号错了")
    assert desk.value_desk.told == [("residence_address", UUID(int=1), "门牌号错了")]
    view = await desk.view(caller, draft.id)
    assert view.form["residence_address"].reported == ticket
    assert view.form["permit_number"].reported is None
    assert view.version > draft.version
    await desk.value_reports.report(caller, draft.id, "applicant_name", "名字错了")
    assert desk.value_desk.told[-1][:2] == ("name", None)
    [row] = await fetch("SELECT sources FROM application")
    assert "门牌号" not in str(row["sources"])


async def test_ones_own_values_are_mended_and_strangers_values_are_nobodys(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {"remark": "无"})
    for field in ("remark", "nothing_like_it", "residence_kind"):
        with pytest.raises(NotPrefilled):
            await desk.value_reports.report(caller, draft.id, field, "不对")
    with pytest.raises(NoSuchApplication):
        await desk.value_reports.report(desk.citizen(), draft.id, "residence_address", "不对")
    assert desk.value_desk.told == []
