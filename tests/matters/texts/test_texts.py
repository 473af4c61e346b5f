"""Texts in residents' own words: looked at before they leave, held for a person, never lost."""

from datetime import timedelta
from uuid import UUID

import pytest

from auth.types import Caller, Role, RoleGrant, StaffCaller, StaffScope
from core.audit.ledger import lines_of
from core.db import fetch
from matters.errors import NoSuchApplication, StateForbids
from matters.texts.rules import free_texts, look_locally, pieces, worst
from matters.types import State, Suggestion, TextVerdict
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, jobs_named

EVERYWHERE = [StaffScope()]
RISK = TextVerdict(Suggestion.RISK, 20001)


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.OPERATOR),))


async def sent(desk: Desk, caller: Caller, remark: str, matter: str = ENDORSEMENT) -> UUID:
    draft = await desk.drafts.start(caller, matter, {"remark": remark} if remark else {})
    await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    return draft.id


async def test_a_text_that_nobody_minds_goes_on(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await sent(desk, caller, "房东已经同意续租")
    assert desk.platform.texts == ["房东已经同意续租"]
    assert (await desk.view(caller, application_id)).state is State.PRE_REVIEW
    assert len(desk.public_security.arrived) == 1


async def test_where_nothing_was_written_nobody_is_asked(desk: Desk) -> None:
    await sent(desk, desk.citizen(), "")
    await sent(desk, desk.citizen(), "", SETTLEMENT)
    assert desk.platform.texts == []
    assert [row["source"] for row in await fetch("SELECT source FROM text_check")] == ["nothing"] * 2


@pytest.mark.parametrize("thinks", [RISK, TextVerdict(Suggestion.REVIEW, 20003)])
async def test_a_risky_text_is_held_and_nothing_of_it_is_lost(desk: Desk, thinks: TextVerdict) -> None:
    caller, desk.platform.thinks = desk.citizen(), thinks
    application_id = await sent(desk, caller, "有风险的话")
    for _ in range(3):
        await desk.deliver(application_id)
    assert desk.public_security.arrived == []
    view = await desk.view(caller, application_id)
    assert (view.state, view.number is not None) == (State.SUBMITTED, True)
    assert view.next_action is not None
    assert view.next_action.code == "being-read"
    assert view.form["remark"].value == "有风险的话"
    [held] = await desk.held_texts.list_held(EVERYWHERE)
    assert (held.id, held.label, held.source.value) == (application_id, thinks.label, "wechat")
    assert await desk.held_texts.list_held([StaffScope(department="education")]) == []
    assert len(desk.platform.texts) == 1


async def test_a_person_reads_it_and_lets_it_on(desk: Desk) -> None:
    caller, desk.platform.thinks = desk.citizen(), RISK
    application_id = await sent(desk, caller, "有风险的话")
    [text] = await desk.held_texts.read(clerk(desk), application_id)
    assert (text.title, text.text) == ("说明", "有风险的话")
    before = len(await jobs_named("matters.deliver"))
    await desk.held_texts.decide(clerk(desk), application_id, let_on=True)
    assert len(await jobs_named("matters.deliver")) == before + 1
    await desk.deliver(application_id)
    assert len(desk.public_security.arrived) == 1
    with pytest.raises(StateForbids):
        await desk.held_texts.decide(clerk(desk), application_id, let_on=False)
    with pytest.raises(NoSuchApplication):
        await desk.held_texts.read(clerk(desk), application_id)
    actions = [line.action for line in await lines_of(caller.citizen_id, before=None, limit=20)]
    assert {"matters.text-read", "matters.text-decided"} <= set(actions)


async def test_a_person_reads_it_and_refuses_it_with_a_reason(desk: Desk) -> None:
    caller, desk.platform.thinks = desk.citizen(), RISK
    application_id = await sent(desk, caller, "有风险的话")
    await desk.held_texts.decide(clerk(desk), application_id, let_on=False)
    await desk.deliver(application_id)
    view = await desk.view(caller, application_id)
    assert view.state is State.NOT_ACCEPTED
    assert view.result is not None
    assert view.result.reason == "text-not-accepted"
    assert desk.public_security.arrived == []
    assert [job["event"] for job in await jobs_named("notices.tell")] == ["matters.not-accepted"]


async def test_who_has_thought_better_of_it_takes_it_back(desk: Desk) -> None:
    caller, desk.platform.thinks = desk.citizen(), RISK
    application_id = await sent(desk, caller, "有风险的话")
    assert (await desk.withdrawals.withdraw(caller, application_id)).state is State.WITHDRAWN
    assert await desk.held_texts.list_held(EVERYWHERE) == []
    with pytest.raises(StateForbids):
        await desk.held_texts.decide(clerk(desk), application_id, let_on=True)


@pytest.mark.parametrize("why", ["away", "no account"])
@pytest.mark.parametrize(
    ("remark", "held"), [("房东已经同意续租", False), ("另外，我这里可以代 开・发 票，加微信", True)]
)
async def test_without_the_platform_our_own_list_decides(desk: Desk, why: str, remark: str, held: bool) -> None:
    desk.platform.is_away, desk.openids.nobody = why == "away", why == "no account"
    caller = desk.citizen()
    application_id = await sent(desk, caller, remark)
    state = (await desk.view(caller, application_id)).state
    assert state is (State.SUBMITTED if held else State.PRE_REVIEW)
    [row] = await fetch("SELECT source, state FROM text_check")
    assert (row["source"], row["state"]) == ("local", "held" if held else "passed")


async def test_our_own_list_holds_what_the_platform_lets_pass(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await sent(desk, caller, "本人可以代开发票")
    assert (await desk.view(caller, application_id)).state is State.SUBMITTED


async def test_a_case_that_rules_decide_waits_too(desk: Desk) -> None:
    # Settlement has no free text of its own: the list is of fields, not of matters.
    caller = desk.citizen()
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.APPROVED
    desk.ground.clock.move(timedelta(days=1))


def test_only_what_is_written_freely_is_a_text() -> None:
    schema = {
        "properties": {
            "remark": {"type": "string"},
            "kind": {"enum": ["a"]},
            "phone": {"type": "string", "pattern": "^1"},
            "day": {"type": "string", "format": "date"},
            "total": {"x-computed": {"value": "x"}},
            "count": {"type": "integer"},
            "address": {"type": "string"},
            "blank": {"type": "string"},
        }
    }
    form = {"remark": "字", "kind": "a", "phone": "1", "day": "2026-01-01", "total": "x", "count": 3, "blank": " "}
    assert free_texts(schema, {**form, "address": "从证照来"}, {"address"}) == {"remark": "字"}


@pytest.mark.parametrize("text", ["赌博", "赌　博", "赌-博", "【赌】【博】", "赌\n博", "ＤＵ赌.博"])
def test_gaps_and_signs_hide_nothing(text: str) -> None:
    assert look_locally(text, ["赌博"]).suggestion is Suggestion.REVIEW


def test_the_gravest_counts_and_nothing_falls_between_pieces() -> None:
    assert worst([TextVerdict(Suggestion.PASS), RISK, TextVerdict(Suggestion.REVIEW)]) is RISK
    assert worst([]).suggestion is Suggestion.PASS
    text = "".join(chr(0x4E00 + number % 3000) for number in range(6000))
    parts = pieces(text, 2500)
    assert all(len(part) <= 2500 for part in parts)
    assert all(any(text[at : at + 20] in part for part in parts) for at in range(0, 5980, 7))
