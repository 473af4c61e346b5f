"""The copy of a submission: what was submitted, with its sources, whatever happens afterwards."""

from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pytest

from auth.types import Level
from matters.errors import NoSuchApplication, StateForbids
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, Desk

PROOF = "proof-of-residence"


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "\n")


async def test_a_copy_holds_what_was_submitted_with_its_sources_materials_and_files(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {"residence_kind": "rented", "remark": "房东同意续租"})
    given = await desk.attachments.add(caller, draft.id, PROOF, PDF)
    desk.ground.clock.move(timedelta(minutes=5))
    submitted = await desk.submit(caller, draft.id)
    name, pdf = await desk.copies.make(caller, draft.id)
    assert name == f"application-20260310-{submitted.number[-4:]}.pdf"
    text = text_of(pdf).replace("\n", "")
    for part in (
        "居住证签注（申请副本）",
        submitted.number,
        "示例市公安局",
        "2026-03-10 10:05",
        "瞿漫林",
        "来源：实名信息",
        "JZ999900000628",
        "来源：居住证，2026-03-01 08:00 的记录",
        "房东同意续租",
        "来源：申请人填写",
        "在线核验，免交",
        "部门共享，免交",
        given.sha256,
    ):
        assert part in text, part


async def test_a_promise_stands_on_it(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    text = text_of((await desk.copies.make(caller, submitted.application_id))[1]).replace("\n", "")
    assert "告知承诺，免交" in text
    assert "申请人提交时承诺所述情况属实" in text


async def test_an_officers_part_in_it_is_told(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.submit(replace(caller, operator_id=desk.ground.ids.uuid()), draft.id)
    assert "窗口（工作人员代为操作" in text_of((await desk.copies.make(caller, draft.id))[1]).replace("\n", "")


async def test_there_is_no_copy_of_a_draft_nor_of_a_strangers_application(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(StateForbids):
        await desk.copies.make(caller, draft.id)
    await desk.submit(caller, draft.id)
    with pytest.raises(NoSuchApplication):
        await desk.copies.make(desk.citizen(Level.PRESENT), draft.id)
