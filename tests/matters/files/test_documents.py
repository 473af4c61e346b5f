"""PDFs: whole ones that do nothing pass as they are."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matters.files.documents import look_through
from matters.files.pictures import Unsound
from tests.fakes.papers import EVIL_PDFS, PDF


def made_by_fpdf() -> bytes:
    from fpdf import FPDF  # noqa: PLC0415 — slow to import

    pdf = FPDF()
    for _ in range(3):
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.cell(text="lease")
    return bytes(pdf.output())


def test_whole_documents_pass() -> None:
    look_through(PDF)
    look_through(made_by_fpdf())


@pytest.mark.parametrize("name", EVIL_PDFS)
def test_what_is_damaged_locked_or_acts_is_refused(name: str) -> None:
    with pytest.raises(Unsound):
        look_through(EVIL_PDFS[name])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(PDF) - 1), st.binary(max_size=12))
def test_no_damage_breaks_the_look_through_it(at: int, other: bytes) -> None:
    damaged = io.BytesIO(PDF)
    damaged.seek(at)
    damaged.write(other)
    try:
        look_through(damaged.getvalue())
    except Unsound:
        return
