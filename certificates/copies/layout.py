"""Laying a stamped copy out as PDF, in an open font that has Chinese. It runs in a process of its own.

The stamp goes across the whole of each page, so that no part of a copy can be cut out without it.
"""

import io
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

import segno

from auth.rights.lettering import FONT, add_font

ATTACHED: Final = "stamp.json"
"""The file in the paper with its data signed by SM2, where there is one."""
_PICTURE: Final = 34  # mm
_STAMPS: Final = range(45, 290, 38)  # mm from the top
_VISIBLE: Final = 165  # mm of a line of the stamp that begins where the stamps begin, and slants
_SIZES: Final = (13, 9)


def lay_out(copy: Mapping[str, Any]) -> bytes:
    """Return a copy as PDF: title, fields, what it is for, a code to check it, and the stamp across the page."""
    from fpdf import FPDF  # noqa: PLC0415 — only the process that lays out pays for it

    class Pages(FPDF):
        """Pages that each carry the stamp, under all else."""

        def header(self) -> None:
            """Draw the stamp."""
            _stamp(self, f"仅供{copy['consumer']}用于{copy['purpose']}")

    pdf = Pages(format="A4")
    pdf.set_title(f"{copy['title']}（加注件）")
    pdf.set_auto_page_break(True, margin=18)
    add_font(pdf)
    pdf.add_page()

    def line(text: str, size: int, height: float) -> None:
        pdf.set_font(FONT, size=size)
        pdf.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT")

    line(f"{copy['title']}（加注件）", 20, 12)
    for name, value in copy["fields"]:
        line(f"{name}：{value}", 12, 8)
    pdf.ln(4)
    for name in ("consumer", "purpose", "made_at", "expires_at"):
        line(f"{_TITLES[name]}：{copy[name]}", 11, 7)
    if pdf.will_page_break(_PICTURE + 8):
        pdf.add_page()
    top = pdf.get_y() + 4
    picture = io.BytesIO()
    segno.make_qr(copy["code"], error="m").save(picture, kind="png", scale=8, border=4)
    pdf.image(picture, x=pdf.l_margin, y=top, w=_PICTURE)
    pdf.set_xy(pdf.l_margin + _PICTURE + 4, top + 6)
    pdf.set_font(FONT, size=10)
    pdf.multi_cell(
        0, 6, f"核对码：{copy['code']}\n扫码或输入核对码，可查真伪、用途和当前状态。\n用于其他用途无效。", align="L"
    )
    if attached := copy.get("attached"):
        pdf.embed_file(basename=ATTACHED, bytes=attached.encode(), mime_type="application/json", desc="加注件数据")
    return bytes(pdf.output())


_TITLES: Final = {
    "consumer": "使用单位",
    "purpose": "用途",
    "made_at": "生成时间（北京时间）",
    "expires_at": "有效至（北京时间）",
}


def _stamp(pdf: Any, text: str) -> None:  # noqa: ANN401 — the library is imported by the process alone
    for size in _SIZES:
        pdf.set_font(FONT, size=size)
        if pdf.get_string_width(text) <= _VISIBLE:
            break
    pdf.set_text_color(200, 200, 200)
    lines = _wrapped(pdf, text)
    step = max(map(pdf.get_string_width, lines)) + 12
    for number, top in enumerate(_STAMPS):
        left = 10 + number % 2 * 35
        with pdf.rotation(18, x=left, y=top):
            for turn in range(max(1, int(240 // step))):
                for row, line in enumerate(lines):
                    pdf.text(left + turn * step, top + row * pdf.font_size * 1.2, line)
    pdf.set_text_color(0, 0, 0)


def _wrapped(pdf: Any, text: str) -> list[str]:  # noqa: ANN401 — the library is imported by the process alone
    """Return a text in lines of which none runs off the page."""
    lines = [""]
    for each in text:
        if pdf.get_string_width(lines[-1] + each) > _VISIBLE:
            lines.append("")
        lines[-1] += each
    return lines


if __name__ == "__main__":
    sys.stdout.buffer.write(lay_out(json.loads(sys.stdin.buffer.read())))
