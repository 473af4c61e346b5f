"""What people write by text message, and what fits into an answer."""

import itertools
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matters.cases.wording import STEPS
from matters.texting.rules import LONGEST, TOO_OFTEN, UNREADABLE, WRONG, asked_in, said_of
from matters.types import State, Step
from tests.fakes.shipped import shipped_matters

NUMBER, CODE = "11999900MB1234567A400010900500020260310000A", "048215"
LAST = date(2026, 3, 20)


@pytest.mark.parametrize(
    "text",
    [
        f"{NUMBER} {CODE}",
        f"{NUMBER}{CODE}",
        f"查询办件:{NUMBER}，密码{CODE}。谢谢",
        f"{NUMBER.lower()}\n{CODE}",
        f"{NUMBER[:20]} - {NUMBER[20:]} ＋ {CODE}",
        f"{NUMBER} ０４８２１５",
    ],
)
def test_number_and_code_are_found_however_they_are_written(text: str) -> None:
    assert asked_in(text) == (NUMBER, CODE)


@pytest.mark.parametrize(
    "text", ["", "你好", NUMBER, CODE, f"{NUMBER} 04821A", f"{NUMBER} {CODE}7", "9" * 500, "٣" * 49]
)
def test_anything_else_names_none(text: str) -> None:
    assert asked_in(text) is None


@given(st.text(max_size=500))
def test_no_text_breaks_the_reading(text: str) -> None:
    asked = asked_in(text)
    assert asked is None or (len(asked[0]), len(asked[1])) == (43, 6)


def seen(title: str, step: Step, next_text: str) -> Any:
    return SimpleNamespace(
        title=title,
        timeline=[SimpleNamespace(step=step)],
        next_action=SimpleNamespace(text=next_text),
        state=State.ACCEPTED,
    )


def test_every_answer_about_every_matter_fits_into_one_message() -> None:
    following = ("请补充材料", "部门正在办理，办好后会通知您，请您耐心等待，无需再次提交任何材料，也不必到现场来。")
    titles = {published.matter.title.zh for published in shipped_matters()}
    for title, step, each in itertools.product(titles, Step, following):
        said = said_of(seen(title, step, each), due=LAST)
        assert len(said) <= LONGEST
        assert STEPS[step].zh in said


def test_what_comes_next_and_until_when_are_said_where_they_fit() -> None:
    said = said_of(seen("居住证签注", Step.SUPPLEMENT_REQUESTED, "请补充材料"), due=LAST)
    assert said == "居住证签注：部门请您补充材料。请补充材料。最晚3月20日办完。"


def test_every_other_answer_fits_and_names_a_way_without_a_phone_that_can_write() -> None:
    for said in (UNREADABLE, WRONG, TOO_OFTEN):
        assert len(said) <= LONGEST
        assert "12345" in said
