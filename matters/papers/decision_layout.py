"""Laying a decision out as PDF, in an open font that has Chinese. It runs in a process of its own."""

import io
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

import segno

from auth.rights.lettering import FONT, add_font, with_marks

_PICTURE: Final = 32  # mm
_ROOM: Final = 60  # mm for signature, picture and notice
# Nobody waits for most of them: whoever is being served goes first.
_NICE: Final = 10


def lay_out(paper: Mapping[str, Any]) -> bytes:
    """Return a decision as PDF: what was asked, what was decided and why, by whom, and a code to check it by."""
    from fpdf import FPDF  # noqa: PLC0415 — only the process that lays out pays for it

    class Pages(FPDF):
        """Pages that say which of how many they are, and of which decision."""

        def footer(self) -> None:
            """Write the number of the decision and of the page."""
            self.set_y(-12)
            self.set_font(FONT, size=8)
            self.cell(0, 6, f"{paper['number']} · 第 {self.page_no()} 页，共 {{nb}} 页", align="C")

    pdf = Pages(format="A4")
    pdf.set_title(str(paper["title"]))
    pdf.set_auto_page_break(True, margin=18)
    add_font(pdf)
    pdf.add_page()

    def line(text: str, size: float, height: float, align: str = "L") -> None:
        pdf.set_font(FONT, size=size)
        pdf.multi_cell(0, height, with_marks(text), align=align, new_x="LMARGIN", new_y="NEXT")

    line(paper["title"], 20, 14, "C")
    for name, value in paper["head"]:
        line(f"{name}：{value}", 11, 6.5)
    for section in paper["sections"]:
        pdf.ln(3)
        if pdf.will_page_break(25):
            pdf.add_page()
        line(section["title"], 13, 8)
        for text in section["lines"]:
            line(text, 11, 6.5)
    if pdf.will_page_break(_ROOM):
        pdf.add_page()
    pdf.ln(6)
    line(paper["by"], 12, 7, "R")
    line(paper["at"], 12, 7, "R")
    top = pdf.get_y() + 2
    picture = io.BytesIO()
    segno.make_qr(paper["code"], error="m").save(picture, kind="png", scale=8, border=4)
    pdf.image(picture, x=pdf.l_margin, y=top, w=_PICTURE)
    pdf.set_xy(pdf.l_margin + _PICTURE + 4, top + 6)
    pdf.set_font(FONT, size=10)
    pdf.multi_cell(0, 6, f"核对码：{paper['code']}\n扫码或输入核对码，可查真伪和当前效力。", align="L")
    if paper["notice"]:
        pdf.set_y(max(pdf.get_y(), top + _PICTURE) + 2)
        line(paper["notice"], 8.5, 5)
    return bytes(pdf.output())


if __name__ == "__main__":
    os.nice(_NICE)
    sys.stdout.buffer.write(lay_out(json.loads(sys.stdin.buffer.read())))
