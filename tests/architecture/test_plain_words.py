"""Elder mode: every problem and every notice has one spoken sentence, short, and without what cannot be read aloud."""

import re
from collections.abc import Mapping

import pytest

from notices.texts import Texts
from scripts.reference import _problems

# A breath: what a screen reader says before somebody has forgotten how the sentence began.
LONGEST = 30
UNSPEAKABLE = re.compile(r"[A-Za-zＡ-Ｚａ-ｚ0-9０-９()（）\[\]【】{}<>《》/\\|_*#@%&=+~^`$]")
ENDS = ("。", "！", "？")


def unspoken(sentences: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {sentence}"
        for name, sentence in sentences.items()
        if not 0 < len(sentence) <= LONGEST or UNSPEAKABLE.search(sentence) or not sentence.endswith(ENDS)
    ]


def of_problems() -> dict[str, str]:
    return {problem.code: problem.plain for problem in _problems()}


def of_notices() -> dict[str, str]:
    found = {}
    for event in Texts.load().all:
        found[event.name] = event.said.plain
        if event.copy is not None:
            found[f"{event.name} (family)"] = event.copy.plain
    return found


def test_every_problem_can_be_said_in_a_breath() -> None:
    assert len(of_problems()) > 80
    assert unspoken(of_problems()) == []


def test_every_notice_can_be_said_in_a_breath() -> None:
    assert len(of_notices()) > 15
    assert unspoken(of_notices()) == []


@pytest.mark.parametrize(
    "sentence", ["", "没有句号", "请打开APP。", "请拨打12345。", "请看（说明）。", "很" * 30 + "。", "请看【通知】。"]
)
def test_what_cannot_be_said_is_found(sentence: str) -> None:
    found = unspoken({"planted": sentence})
    assert found
