"""Drafts: filled with what is known, amended under a tag."""

import pytest

from auth.errors import LevelTooLow
from auth.types import Caller, Level
from core.db import fetch
from matters.errors import ChangedMeanwhile, FormInvalid, MatterUnknown, NoSuchApplication, StateForbids
from matters.types import State
from tests.fakes.matters import MOBILE
from tests.matters.conftest import ENDORSEMENT, Desk


async def test_a_draft_is_filled_with_what_is_known_and_says_from_where(desk: Desk) -> None:
    view = await desk.drafts.start(desk.citizen(Level.PRESENT), ENDORSEMENT, {"residence_kind": "rented"})
    assert view.state is State.DRAFT
    assert {name: value.source for name, value in view.form.items()} == {
        "applicant_name": "real-name",
        "contact_phone": "real-name",
        "permit_number": "certificate:residence-permit",
        "endorsed_until": "certificate:residence-permit",
        "residence_address": "certificate:residence-permit",
        "residence_kind": "applicant",
    }
    assert view.form["residence_address"].value == "示例市东湖区梧桐路9号2栋1501室"
    assert view.form["residence_address"].as_of is not None
    assert not view.form["permit_number"].editable


async def test_below_presence_sensitive_values_are_masked(desk: Desk) -> None:
    caller = desk.citizen(Level.REAL_NAME)
    view = await desk.drafts.start(caller, ENDORSEMENT, {})
    assert view.form["applicant_name"].value == "瞿**"
    assert view.form["contact_phone"].value == "199****0005"
    assert str(view.form["residence_address"].value).startswith("示例市东湖区**")
    assert view.form["residence_address"].masked
    assert view.form["endorsed_until"].value == "2026-03-20"


async def test_without_a_permit_only_the_real_name_is_filled_in(desk: Desk) -> None:
    view = await desk.drafts.start(desk.citizen(permit=False), ENDORSEMENT, {})
    assert set(view.form) == {"applicant_name", "contact_phone"}


async def test_prefilling_tells_the_ledger_of_the_certificate_why(desk: Desk) -> None:
    await desk.drafts.start(desk.citizen(), ENDORSEMENT, {})
    assert desk.holdings.purposes == ["预填申请表：居住证签注"]


async def test_an_amended_value_is_the_applicants_own(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    view = await desk.drafts.amend(
        caller, draft.id, {"residence_address": "示例市西山区新址1号", "contact_phone": None}, version=draft.version
    )
    assert view.form["residence_address"].source == "applicant"
    assert view.form["residence_address"].value == "示例市西山区新址1号"
    assert "contact_phone" not in view.form
    assert view.version == draft.version + 1


async def test_a_stale_tag_changes_nothing(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.drafts.amend(caller, draft.id, {"remark": "一"}, version=draft.version)
    with pytest.raises(ChangedMeanwhile):
        await desk.drafts.amend(caller, draft.id, {"remark": "二"}, version=draft.version)
    assert (await desk.view(caller, draft.id)).form["remark"].value == "一"


@pytest.mark.parametrize(
    ("form", "pointer", "code"),
    [
        ({"nothing_like_it": 1}, "/form/nothing_like_it", "unknown"),
        ({"permit_number": "JZ1"}, "/form/permit_number", "locked"),
        ({"residence_kind": "castle"}, "/form/residence_kind", "enum"),
        ({"remark": "字" * 201}, "/form/remark", "maxLength"),
        ({"remark": 7}, "/form/remark", "type"),
        ({"contact_phone": "call me"}, "/form/contact_phone", "pattern"),
    ],
)
async def test_what_is_wrong_with_a_field_is_said_without_its_value(
    desk: Desk, form: dict[str, object], pointer: str, code: str
) -> None:
    with pytest.raises(FormInvalid) as wrong:
        await desk.drafts.start(desk.citizen(), ENDORSEMENT, form)
    [error] = wrong.value.extras.errors
    assert (error.pointer, error.code) == (pointer, code)
    assert str(next(iter(form.values()))) not in error.message


async def test_a_submitted_application_is_not_amended(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    view = await desk.view(caller, submitted.application_id)
    with pytest.raises(StateForbids):
        await desk.drafts.amend(caller, view.id, {"remark": "迟了"}, version=view.version)


async def test_strangers_matters_and_strangers_drafts_are_not_found(desk: Desk) -> None:
    with pytest.raises(MatterUnknown):
        await desk.drafts.start(desk.citizen(), "no-such-matter", {})
    draft = await desk.drafts.start(desk.citizen(), ENDORSEMENT, {})
    with pytest.raises(NoSuchApplication):
        await desk.drafts.amend(desk.citizen(), draft.id, {}, version=draft.version)


async def test_without_a_real_name_there_is_no_draft(desk: Desk) -> None:
    nobody = desk.ground.ids.uuid()
    with pytest.raises(LevelTooLow):
        await desk.drafts.start(Caller(nobody, nobody, Level.LINKED, False, nobody), ENDORSEMENT, {})


async def test_the_form_is_sealed_in_the_database(desk: Desk) -> None:
    await desk.drafts.start(desk.citizen(), ENDORSEMENT, {})
    [row] = await fetch("SELECT form_sealed FROM application")
    for value in ("梧桐路", MOBILE):
        assert value.encode() not in bytes(row["form_sealed"])
