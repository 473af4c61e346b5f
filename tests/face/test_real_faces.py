"""The real engine and the rules together, on what the sandbox's camera makes: honest people pass, cheats do not."""

import random
from collections.abc import Sequence

import pytest

from face import rules
from face.adapters.local_engine import LocalEngine
from face.types import Action, Judgement, Reason
from sandbox import faces

LIMITS = rules.FaceLimits()
PEOPLE = ("huomingzhe", "wanqiushi", "qumanlin", "pangxiuying", "chenxinran")


async def check(engine: LocalEngine, portrait: bytes, actions: Sequence[Action], style: str, count: int) -> Judgement:
    frames = faces.make_frames(random.choice(PEOPLE), [str(action) for action in actions], style, count)
    async with engine.admit() as examination:
        (known,) = await examination.look_at([portrait])
        seen = await examination.look_at(frames)
    return rules.judge(seen, known, actions, LIMITS)


@pytest.mark.parametrize("count", [6, 12, 24])
async def test_a_person_who_does_what_is_asked_passes(engine: LocalEngine, portrait: bytes, count: int) -> None:
    actions = rules.choose_actions(3, random.randrange)
    judgement = await check(engine, portrait, actions, "genuine", count)
    assert (judgement.reason, judgement.passed) == (None, True), actions


@pytest.mark.parametrize(
    ("style", "reasons"),
    [
        ("still", {Reason.ACTION_MISSED}),
        ("reordered", {Reason.ACTION_MISSED}),
        ("swapped", {Reason.PERSON_CHANGED}),
        ("other_person", {Reason.NOT_PASSED, Reason.ACTION_MISSED}),
    ],
)
async def test_a_cheat_is_refused(engine: LocalEngine, portrait: bytes, style: str, reasons: set[Reason]) -> None:
    for _ in range(2):
        actions = rules.choose_actions(3, random.randrange)
        judgement = await check(engine, portrait, actions, style, 12)
        assert not judgement.passed
        assert judgement.reason in reasons, actions


async def test_a_portrait_of_somebody_else_is_refused(engine: LocalEngine, other_portrait: bytes) -> None:
    actions = rules.choose_actions(3, random.randrange)
    judgement = await check(engine, other_portrait, actions, "genuine", 12)
    assert judgement.reason is Reason.NOT_PASSED
