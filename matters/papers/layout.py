"""Laying a submission's copy out as PDF, in an open font that has Chinese. It runs in a process of its own."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from auth.rights.lettering import FONT, add_font, with_marks


def lay_out(copy: Mapping[str, Any]) -> bytes:
    """Return a copy as PDF: what was asked for and when, each answer with its source, materials, files."""
    from fpdf import FPDF  # noqa: PLC0415 — only the process that lays out pays for it

    class Pages(FPDF):
        """Pages that say which of how many they are, and of which application."""

        def footer(self) -> None:
            """Write the number of the application and of the page."""
            self.set_y(-12)
            self.set_font(FONT, size=8)
            self.cell(0, 6, f"{copy['number']} · 第 {self.page_no()} 页，共 {{nb}} 页", align="C")

    pdf = Pages(format="A4")
    pdf.set_title(f"{copy['title']}（申请副本）")
    pdf.set_auto_page_break(True, margin=18)
    add_font(pdf)
    pdf.add_page()

    def line(text: str, size: float, height: float, indent: float = 0) -> None:
        pdf.set_font(FONT, size=size)
        pdf.set_x(pdf.l_margin + indent)
        pdf.multi_cell(0, height, with_marks(text), align="L", new_x="LMARGIN", new_y="NEXT")

    line(f"{copy['title']}（申请副本）", 18, 11)
    for name, value in copy["head"]:
        line(f"{name}：{value}", 11, 6.5)
    for section in copy["sections"]:
        pdf.ln(3)
        # A heading goes with what stands under it.
        if pdf.will_page_break(25):
            pdf.add_page()
        line(section["title"], 13, 8)
        for name, value, remark in section["rows"]:
            line(f"{name}：{value}" if value else name, 11, 6.5)
            if remark:
                line(remark, 8.5, 5, 5)
        if not section["rows"]:
            line("无", 11, 6.5)
    pdf.ln(4)
    line("本副本由系统按提交时的内容生成，供申请人留存，不代替部门的受理凭证。", 8.5, 5)
    return bytes(pdf.output())


if __name__ == "__main__":
    sys.stdout.buffer.write(lay_out(json.loads(sys.stdin.buffer.read())))
