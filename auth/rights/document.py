"""Laying an export out as PDF, for people who want to read it, in an open font that has Chinese.

Reading the font and cutting the used characters out of it keeps a processor busy for seconds, so it is done in a
process of its own: what it is given goes in and out by pipes, and nothing of it touches the disk.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

from core.errors import Unavailable

_ROOT: Final = Path(__file__).resolve().parents[2]
_FONT_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_FONT_FILE: Final = "NotoSansSC-Regular.otf"
_FONT: Final = "noto"
_SECONDS: Final = 45
# A ledger of years would be a book; the JSON beside it has every line.
_ROWS: Final = 300
_LONGEST: Final = 2000


# What residents read of names that many parts share; what is not here stands as in the JSON.
_LABELS: Final[Mapping[str, str]] = {
    "id": "编号", "name": "姓名", "id_number": "公民身份号码", "mobile": "手机号", "state": "状态", "number": "号码",
    "created_at": "建立时间", "identified_at": "实名时间", "bound_at": "绑定时间", "mark": "标记", "level": "可信等级",
    "last_used_at": "最近使用", "expires_at": "到期时间", "ended_at": "结束时间", "end_reason": "结束原因",
    "purpose": "用途", "version": "版本", "given_at": "同意时间", "withdrawn_at": "撤回时间", "channel": "渠道",
    "text_hash": "文本摘要", "started_at": "开始时间", "decided_at": "结果时间", "outcome": "结果", "reason": "原因",
    "kind": "种类", "issuer": "签发机关", "valid_until": "有效期至", "fields": "内容项", "fetched_at": "获取时间",
    "identifier": "证照标识", "matter": "事项", "department": "部门", "form": "表单", "sources": "来源",
    "submitted_at": "提交时间", "due_at": "应办结时间", "history": "办理过程", "delivery": "送达", "ratings": "评价",
    "material": "材料", "bytes": "字节数", "media_type": "文件类型", "at": "时间", "actor": "操作人", "action": "操作",
    "object_kind": "对象", "object_id": "对象编号", "about": "更正对象", "text": "内容", "answer": "答复",
    "requested_at": "申请时间", "ready_at": "生成时间", "downloads": "下载次数", "closes_at": "注销时间",
    "answered_at": "答复时间", "consent": "同意文本", "elder": "长辈模式", "elder_chosen": "自选长辈模式",
}  # fmt: skip


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
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A library may complain of a character by showing it: nobody reads that.
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
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

    pdf = FPDF(format="A4")
    pdf.set_title("我的个人信息")
    pdf.set_auto_page_break(True, margin=15)
    with resources.as_file(resources.files(_FONT_PACKAGE) / _FONT_FILE) as font:
        pdf.add_font(_FONT, fname=font)
    pdf.add_page()

    def line(text: str, size: int, height: float) -> None:
        pdf.set_font(_FONT, size=size)
        pdf.multi_cell(0, height, text, new_x="LMARGIN", new_y="NEXT")

    line("我的个人信息", 18, 10)
    line(f"{export['service']} · {export['made_at']} · {export['citizen_id']}", 9, 6)
    for section in export["sections"]:
        pdf.ln(3)
        rows = section["rows"]
        line(f"{section['title']}  {section['title_en']}（{len(rows)}）", 13, 8)
        if not rows:
            line("没有记录", 10, 6)
        for row in rows[:_ROWS]:
            for name, value in row.items():
                if value not in (None, "", [], {}):
                    line(f"{_LABELS.get(name, name)}：{_words(value)}", 10, 5.5)
            pdf.ln(1.5)
        if len(rows) > _ROWS:
            line(f"以上为最近 {_ROWS} 条，全部 {len(rows)} 条见 JSON 文件。", 10, 6)
    return bytes(pdf.output())


def _words(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


if __name__ == "__main__":
    sys.stdout.buffer.write(lay_out(json.loads(sys.stdin.buffer.read())))
