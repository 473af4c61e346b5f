"""Corrections: asked for, opened by an operator for a purpose, answered once, read by the person."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.errors import RegistryUnavailable
from auth.rights.errors import CorrectionAnswered, CorrectionsTooMany, NoSuchCorrection, NothingToCorrect
from auth.rights.types import About, CorrectionState, Recheck
from core.crypto import RecordUnreadable
from core.db import fetch, fetch_one
from tests.auth.rights.conftest import NUMBER, OPERATOR, Rights, actions_of
from tests.matters.conftest import ENDORSEMENT, jobs_named

WORDS = "我的名字里有一个字写错了"


async def test_a_correction_is_answered_once_and_both_can_be_read(rights: Rights) -> None:
    caller = await rights.resident()
    asked = await rights.corrections.ask(caller, About.IDENTITY, None, WORDS)
    assert asked.line.number.startswith("GZ20260310")
    [line] = await rights.corrections.list_for_operators(CorrectionState.OPEN)
    assert line == asked.line
    opened = await rights.corrections.open_for(OPERATOR, line.id)
    assert (opened.text, opened.name, opened.id_number) == (WORDS, "霍**", "9999**********2179")

    async def answer(outcome: CorrectionState) -> bool:
        try:
            await rights.corrections.answer(OPERATOR, line.id, outcome, "已经改好")
        except CorrectionAnswered:
            return False
        return True

    assert await jobs_named("notices.tell") == []
    outcomes = await asyncio.gather(*(answer(CorrectionState.CORRECTED) for _ in range(5)))
    assert outcomes.count(True) == 1
    assert not await answer(CorrectionState.REFUSED)
    # Told once, whoever answered first, and nothing of what was said.
    assert await jobs_named("notices.tell") == [
        {"event": "auth.correction-answered", "citizen_id": str(caller.citizen_id), "object_id": str(line.id)}
    ]
    [seen] = await rights.corrections.list_own(caller)
    assert (seen.line.state, seen.text, seen.answer) == (CorrectionState.CORRECTED, WORDS, "已经改好")
    assert await rights.corrections.get_own(caller, line.id) == seen
    assert await rights.corrections.list_for_operators(CorrectionState.OPEN) == []


async def test_the_person_sees_who_read_what_they_wrote_and_why(rights: Rights) -> None:
    caller = await rights.resident()
    asked = await rights.corrections.ask(caller, About.MOBILE, None, WORDS)
    # Lines of one millisecond have no order.
    rights.ground.clock.move(timedelta(seconds=1))
    await rights.corrections.open_for(OPERATOR, asked.line.id)
    rights.ground.clock.move(timedelta(seconds=1))
    await rights.corrections.answer(OPERATOR, asked.line.id, CorrectionState.REFUSED, "请自己改")
    actions = [action for action in await actions_of(caller.citizen_id) if "correction" in action]
    assert actions == ["auth.correction-asked", "auth.correction-read", "auth.correction-answered"]
    row = await fetch_one(
        "SELECT actor_kind, actor_id, purpose, object_id FROM audit_line WHERE action = 'auth.correction-read'"
    )
    assert row == {
        "actor_kind": "operator",
        "actor_id": str(OPERATOR.operator_id),
        "purpose": "处理更正申请",
        "object_id": str(asked.line.id),
    }


async def test_the_registry_is_asked_again_about_an_identity(rights: Rights) -> None:
    caller = await rights.resident()

    async def ask() -> Recheck:
        return (await rights.corrections.ask(caller, About.IDENTITY, None, WORDS)).line.recheck

    assert await ask() is Recheck.AGREES
    rights.auth.registry.people[NUMBER] = "霍明泽"
    assert await ask() is Recheck.DIFFERS
    rights.auth.registry.trouble = RegistryUnavailable()
    assert await ask() is Recheck.UNKNOWN
    rights.auth.registry.trouble = None
    # The way that the hint names: a new name under the same number, checked with the registry.
    await rights.auth.realname.bind(caller, name="霍明泽", id_number=NUMBER, consent="real-name@1")
    assert await ask() is Recheck.AGREES


async def test_only_ones_own_things_can_be_called_wrong(rights: Rights) -> None:
    caller = await rights.resident()
    other = await rights.resident("openid-other", "宛秋实", "999999197806214551")
    draft = await rights.desk.drafts.start(caller, ENDORSEMENT, {})
    asked = await rights.corrections.ask(caller, About.APPLICATION, draft.id, WORDS)
    assert asked.line.object_id == draft.id
    for about, object_id in [
        (About.APPLICATION, None), (About.APPLICATION, uuid4()), (About.CERTIFICATE, draft.id),
        (About.MOBILE, draft.id),
    ]:  # fmt: skip
        with pytest.raises(NothingToCorrect):
            await rights.corrections.ask(caller, about, object_id, WORDS)
    with pytest.raises(NothingToCorrect):
        await rights.corrections.ask(other, About.APPLICATION, draft.id, WORDS)
    with pytest.raises(NoSuchCorrection):
        await rights.corrections.get_own(other, asked.line.id)
    for work in (
        rights.corrections.open_for(OPERATOR, uuid4()),
        rights.corrections.answer(OPERATOR, uuid4(), CorrectionState.REFUSED, "不"),
    ):
        with pytest.raises(NoSuchCorrection):
            await work


async def test_so_many_a_day_and_no_more(rights: Rights) -> None:
    caller = await rights.resident()

    async def ask() -> bool:
        try:
            await rights.corrections.ask(caller, About.MOBILE, None, WORDS)
        except CorrectionsTooMany:
            return False
        return True

    assert (await asyncio.gather(*(ask() for _ in range(8)))).count(True) == 5
    rights.ground.clock.move(timedelta(days=1, seconds=1))
    assert await ask()


async def test_texts_rest_under_the_persons_own_key(rights: Rights) -> None:
    caller = await rights.resident()
    asked = await rights.corrections.ask(caller, About.MOBILE, None, WORDS)
    [row] = await fetch("SELECT text_sealed FROM correction")
    assert WORDS.encode() not in bytes(row["text_sealed"])
    with pytest.raises(RecordUnreadable):
        rights.ground.vault.open("correction.text", asked.line.id, row["text_sealed"])
    person = await rights.ground.vault.find_person(caller.citizen_id)
    assert person.open("correction.text", asked.line.id, row["text_sealed"]) == WORDS
