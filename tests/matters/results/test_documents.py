"""The decision on paper: one for each decision, signed, checked with and without us."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest

from auth.rights.document import pdf_by
from auth.types import Caller, Level
from core.db import fetch, fetch_one, transaction
from matters.applications.records import Submitted
from matters.catalogue.terms.types import Ending
from matters.errors import FileStoreUnavailable, NoSuchApplication
from matters.results.errors import NothingDecided
from matters.results.types import DecisionOutcome
from matters.types import State
from tests.fakes.matters import NAME
from tests.matters.conftest import ENDORSEMENT, PENSION, SETTLEMENT, Desk, count_of, jobs_named

READER = shutil.which("pdfsig")


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    return text.replace("\r", "").replace("\n", "")


def code_of(desk: Desk, place: int = -1) -> str:
    return str(json.loads(desk.lay_out.asked[place])["code"])


async def approved(desk: Desk) -> tuple[Caller, Submitted]:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for sequence, state in ((1, State.ACCEPTED), (2, State.IN_REVIEW), (3, State.APPROVED)):
        result = {"endorsed_until": "2027-03-20"} if state is State.APPROVED else None
        await desk.hear(submitted.number, sequence, state, result=result)
    return caller, submitted


async def test_an_approval_promises_its_paper_which_says_what_was_decided(desk: Desk) -> None:
    caller, submitted = await approved(desk)
    promised = await jobs_named("matters.promise-decision")
    assert promised == [{"application_id": str(submitted.application_id)}]
    assert await desk.put_on_paper(submitted.application_id) == 1
    paper = await desk.documents.read(caller, submitted.application_id)
    text = desk.lay_out.asked[-1]
    for part in ("准予办理决定书", submitted.number, NAME, "示例市公安局", "签注有效期至：2027-03-20", paper.number):
        assert part in text, part
    assert "行政复议" not in text
    row = await fetch_one("SELECT sha256, file_name, next_at FROM decision_document")
    assert row is not None
    assert (row["sha256"], row["next_at"]) == (paper.sha256, None)
    assert NAME.encode() not in desk.files.files[row["file_name"]]


async def test_a_refusal_says_why_and_what_can_be_done_about_it(desk: Desk) -> None:
    desk.public_security.declines = "incomplete"
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.put_on_paper(submitted.application_id)
    text = desk.lay_out.asked[-1]
    for part in ("不予受理决定书", "材料不齐全", "行政复议", "行政诉讼"):
        assert part in text, part


async def test_what_rules_decided_names_their_version_and_a_digest_of_the_facts(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen(), SETTLEMENT)
    await desk.deliver(submitted.application_id)
    await desk.put_on_paper(submitted.application_id)
    told = json.loads(desk.lay_out.asked[-1])
    head, lines = dict(told["head"]), [line for section in told["sections"] for line in section["lines"]]
    table = desk.catalogue.find(SETTLEMENT).matter.decision
    assert table is not None
    assert head["判定规则版本"] == table.version
    assert len(head["判定事实摘要"]) == 32
    assert lines.count("学历：通过") == 1


async def test_nobody_has_to_wait_for_the_timetable_and_there_is_one_paper(desk: Desk) -> None:
    caller, submitted = await approved(desk)
    change = await desk.documents.promise(str(submitted.application_id))
    assert change is not None
    await transaction(change)
    await transaction(change)
    first = await desk.documents.read(caller, submitted.application_id)
    assert await desk.documents.make_next() == 0
    assert await desk.documents.read(caller, submitted.application_id) == first
    assert await count_of("decision_document") == 1


async def test_there_is_none_before_a_decision_nor_of_a_strangers_case(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    with pytest.raises(NothingDecided):
        await desk.documents.read(caller, submitted.application_id)
    assert await desk.documents.promise(str(submitted.application_id)) is None
    _, other = await approved(desk)
    await desk.put_on_paper(other.application_id)
    with pytest.raises(NoSuchApplication):
        await desk.documents.read(caller, other.application_id)


async def test_whoever_holds_the_paper_checks_it_and_the_applicant_reads_of_it(desk: Desk) -> None:
    caller, submitted = await approved(desk)
    await desk.put_on_paper(submitted.application_id)
    paper = await desk.documents.read(caller, submitted.application_id)
    code = code_of(desk)
    found = await desk.documents.check(code, sha256=paper.sha256)
    assert found.outcome is DecisionOutcome.OK
    assert (found.number, found.decision, found.department) == (paper.number, State.APPROVED, "示例市公安局")
    assert (await desk.documents.check(code, sha256="0" * 64)).outcome is DecisionOutcome.ALTERED
    assert (await desk.documents.check("nothing")).outcome is DecisionOutcome.UNKNOWN
    lines = await fetch("SELECT outcome FROM audit_line WHERE action = 'matters.decision-checked' ORDER BY id")
    assert [line["outcome"] for line in lines] == ["ok", "altered"]


async def test_a_paper_is_replaced_when_late_news_decides_otherwise(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 3, State.APPROVED)
    await desk.put_on_paper(submitted.application_id)
    await desk.hear(submitted.number, 2, State.REJECTED)
    assert (await desk.view(caller, submitted.application_id)).state is State.REJECTED
    await desk.put_on_paper(submitted.application_id)
    assert "准予办理决定书" in desk.lay_out.asked[0]
    assert "不予办理决定书" in desk.lay_out.asked[1]
    assert (await desk.documents.check(code_of(desk, 0))).outcome is DecisionOutcome.REPLACED
    assert (await desk.documents.check(code_of(desk, 1))).outcome is DecisionOutcome.OK


async def test_a_store_that_is_away_is_tried_again(desk: Desk) -> None:
    caller, submitted = await approved(desk)
    desk.files.is_full = True
    assert await desk.put_on_paper(submitted.application_id) == 0
    with pytest.raises(FileStoreUnavailable):
        await desk.documents.read(caller, submitted.application_id)
    desk.files.is_full = False
    assert await desk.documents.make_next() == 0
    desk.ground.clock.move(timedelta(seconds=61))
    assert await desk.documents.make_next() == 1


async def test_any_reader_finds_the_signature_good_without_us(desk: Desk, tmp_path: Path) -> None:
    if READER is None:
        pytest.skip("pdfsig is not installed (Debian: poppler-utils)")
    desk.documents._lay_out = pdf_by
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller, PENSION)
    await desk.deliver(submitted.application_id)
    await desk.put_on_paper(submitted.application_id)
    paper = await desk.documents.read(caller, submitted.application_id)

    def told(pdf: bytes) -> str:
        path = tmp_path / "decision.pdf"
        path.write_bytes(pdf)
        return subprocess.run([READER, path], capture_output=True, text=True, check=False).stdout

    text = text_of(paper.pdf)
    for part in ("准予办理决定书", submitted.number, NAME, "核对码", "第 1 页"):
        assert part in text, part
    good = told(paper.pdf)
    assert "Signature is Valid." in good
    assert "Total document signed" in good
    place = paper.pdf.index(b"/MediaBox")
    assert "Signature is Valid." not in told(paper.pdf[:place] + b"/MediaBoX" + paper.pdf[place + 9 :])


async def test_every_matter_that_ends_with_a_certificate_of_the_wallet_fetches_it(desk: Desk) -> None:
    ending = [each.matter for each in desk.catalogue.all if each.matter.ending is Ending.CERTIFICATE]
    # What a notary confirms about a certificate is a paper of the notary's, and none of the wallet.
    of_the_wallet = [matter for matter in ending if matter.certificates and matter.template != "notarial-certificate"]
    assert len(of_the_wallet) == 12
    for matter in of_the_wallet:
        assert matter.refreshes_certificate in matter.certificates, matter.slug
    assert desk.catalogue.find(ENDORSEMENT).matter.refreshes_certificate == "residence-permit"
