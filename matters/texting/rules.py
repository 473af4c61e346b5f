"""Reading a text message that asks how a case stands, and putting the answer into one."""

import re
import unicodedata
from datetime import date
from typing import Final

from matters.cases.rules import is_open
from matters.cases.wording import STEPS
from matters.views.types import ApplicationView

# What a short message holds behind the provider's signature (`docs/departments/sms-notices.md`).
LONGEST: Final = 64
NUMBER_DIGITS: Final = 43
CODE_DIGITS: Final = 6
_TITLE: Final = 18
_LETTERS: Final = re.compile(r"[0-9A-Z]+")

UNREADABLE: Final = "没看懂您的短信。请发送办件编号和6位查询密码，中间空一格；也可以拨打12345询问。"
WRONG: Final = "办件编号或查询密码不对，请核对后再发一次；也可以拨打12345询问。"
TOO_OFTEN: Final = "查询的次数太多了，请过一小时再发；也可以拨打12345询问。"


def asked_in(text: str) -> tuple[str, str] | None:
    """Return number and query code that a message names, however they are spaced and in whatever width; None for none.

    Words around them are allowed for: what people write is not chosen from a menu.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    # A phone breaks so long a number, people put hyphens and blanks into it: letters and digits count alone.
    letters = "".join(_LETTERS.findall(plain))
    if len(letters) != NUMBER_DIGITS + CODE_DIGITS or not letters[-CODE_DIGITS:].isdecimal():
        return None
    return letters[:NUMBER_DIGITS], letters[NUMBER_DIGITS:]


def said_of(view: ApplicationView, *, due: date | None) -> str:
    """Return how a case stands in one short message: what it is, its last step, what comes next, its last day."""
    title = view.title if len(view.title) <= _TITLE else f"{view.title[: _TITLE - 1]}…"
    parts = [f"{title}：{STEPS[view.timeline[-1].step].zh if view.timeline else '正在办理'}。"]
    if view.next_action is not None:
        parts.append(_sentence(view.next_action.text))
    if due is not None and is_open(view.state):
        parts.append(f"最晚{due.month}月{due.day}日办完。")
    said = parts[0]
    for part in parts[1:]:
        if len(said) + len(part) <= LONGEST:
            said += part
    return said


def _sentence(text: str) -> str:
    return text if text.endswith(("。", "！", "？")) else f"{text}。"
