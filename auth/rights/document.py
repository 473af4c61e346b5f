"""Laying an export out as PDF, for people who want to read it, in an open font that has Chinese.

Reading the font and cutting the used characters out of it keeps a processor busy for seconds, so it is done in a
process of its own: what it is given goes in and out by pipes, and nothing of it touches the disk.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from auth.rights.lettering import FONT, add_font, with_marks
from auth.rights.wording import lines_of, moment
from core.errors import Unavailable

_ROOT: Final = Path(__file__).resolve().parents[2]
# Below what a job may take with the reading before it, so that a busy machine tries again in order.
_SECONDS: Final = 30
# A ledger of years would be a book; the JSON beside it has every line.
_ROWS: Final = 300
_INDENT: Final = 6


class LayoutFailed(Unavailable):
    """The document could not be laid out in time."""

    code = "auth.layout-failed"
    title = "文件暂时无法生成，请稍后再试"
    title_en = "The document cannot be made now; please try later"
    plain = "文件现在做不出来，请过一会儿再试。"


async def pdf_of(content: str) -> bytes:
    """Return an export's JSON as PDF.

    Raises:
        LayoutFailed: it took too long, or the process that does it ended badly.
    """
    return await pdf_by(__name__, content)


async def pdf_by(module: str, content: str, *, seconds: float = _SECONDS) -> bytes:
    """Return what a module, run in a process of its own, makes of a JSON text on its standard input: a PDF.

    Raises:
        LayoutFailed: it took too long, or the process that does it ended badly.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A library may complain of a character by showing it: nobody reads that.
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(seconds):
            pdf, _ = await process.communicate(content.encode())
    except TimeoutError:
        raise LayoutFailed from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not pdf.startswith(b"%PDF"):
        raise LayoutFailed
    return pdf


def lay_out(export: Mapping[str, Any]) -> bytes:
    """Return an export as PDF: its sections with every row as lines of names and values."""
    from fpdf import FPDF  # noqa: PLC0415 — only the process that lays out pays for it

    class Pages(FPDF):
        """Pages that say which of how many they are."""

        def footer(self) -> None:
            """Write the number of the page."""
            self.set_y(-12)
            self.set_font(FONT, size=8)
            self.cell(0, 6, f"第 {self.page_no()} 页，共 {{nb}} 页", align="C")

    pdf = Pages(format="A4")
    pdf.set_title("我的个人信息")
    pdf.set_auto_page_break(True, margin=18)
    add_font(pdf)
    pdf.add_page()

    def line(text: str, size: int, height: float, depth: int = 0) -> None:
        pdf.set_font(FONT, size=size)
        pdf.set_x(pdf.l_margin + depth * _INDENT)
        # Left, not justified: a long value would be torn apart.
        pdf.multi_cell(0, height, with_marks(text), align="L", new_x="LMARGIN", new_y="NEXT")

    line("我的个人信息", 18, 10)
    line(f"{export['service']} · {moment(export['made_at'])}（北京时间） · {export['citizen_id']}", 9, 6)
    for section in export["sections"]:
        pdf.ln(3)
        rows = section["rows"]
        # A heading goes with what stands under it.
        if pdf.will_page_break(25):
            pdf.add_page()
        line(f"{section['title']}  {section['title_en']}（{len(rows)}）", 13, 8)
        if not rows:
            line("没有记录", 10, 6)
        for row in rows[:_ROWS]:
            for depth, text in lines_of(row, section.get("terms", {})):
                line(text, 10, 5.5, depth)
            pdf.ln(1.5)
        if len(rows) > _ROWS:
            line(f"以上为最近 {_ROWS} 条，全部 {len(rows)} 条见 JSON 文件。", 10, 6)
    return bytes(pdf.output())


if __name__ == "__main__":
    sys.stdout.buffer.write(lay_out(json.loads(sys.stdin.buffer.read())))
