"""What is written beside an application: a supplement's note, a rating's text, an objection; held, and never lost."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from auth.types import Caller, Role, RoleGrant, StaffCaller, StaffScope
from core.audit.actors import SYSTEM
from core.audit.ledger import lines_of
from core.db import fetch, transaction
from matters.cases.history import Entry
from matters.cases.rules import DEMANDED
from matters.errors import NoSuchApplication, StateForbids
from matters.ratings.types import Said, TicketState
from matters.texts.rules import changed_texts
from matters.texts.types import About, HeldText
from matters.texts.written import withheld_in
from matters.types import Satisfaction, State, Step, Suggestion, TextVerdict
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, jobs_named

RISK = TextVerdict(Suggestion.RISK, 20001)
PROOF = "proof-of-residence"
WORDS = "有风险的话"
Wrote = Callable[[Desk, Caller], Awaitable[UUID]]


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.OPERATOR),))


async def supplemented(desk: Desk, caller: Caller, note: str = WORDS, remark: str | None = None) -> UUID:
    submitted = await desk.submitted(caller, ENDORSEMENT)
    await desk.deliver(submitted.application_id)
    entry = Entry(step=Step.SUPPLEMENT_REQUESTED, actor=SYSTEM, data={DEMANDED: []})
    await transaction(lambda: desk.history.append(submitted.application_id, entry))
    if remark is not None:
        view = await desk.view(caller, submitted.application_id)
        await desk.drafts.amend(caller, view.id, {"remark": remark}, version=view.version)
        # What is written and not handed in yet is nobody else's.
        assert "remark" not in await desk.handling.looking.open_form(clerk(desk), view.id, "核对")
    await desk.supplements.hand_in(caller, submitted.application_id, note)
    return submitted.application_id


async def rated(desk: Desk, caller: Caller) -> UUID:
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    await desk.ratings.rate(caller, submitted.application_id, Said(Satisfaction.DISSATISFIED, (), WORDS))
    return submitted.application_id


async def objected(desk: Desk, caller: Caller) -> UUID:
    submitted = await desk.submitted(caller, ENDORSEMENT)
    await desk.commitments.breach(clerk(desk), submitted.application_id, PROOF, "查无此处居住")
    await desk.commitments.object(caller, submitted.application_id, PROOF, WORDS)
    return submitted.application_id


async def held(desk: Desk) -> HeldText:
    [found] = await desk.held_texts.list_held([StaffScope()])
    return found


WAYS = [(supplemented, About.SUPPLEMENT), (rated, About.RATING), (objected, About.OBJECTION)]


@pytest.mark.parametrize(("wrote", "about"), WAYS)
async def test_words_wait_for_a_look_and_those_that_nobody_minds_are_read(
    desk: Desk, wrote: Wrote, about: About
) -> None:
    application_id = await wrote(desk, desk.citizen())
    assert len(await withheld_in(application_id)) == 1
    await desk.look_at_remarks()
    assert await withheld_in(application_id) == frozenset()
    assert desk.platform.texts[-1] == WORDS
    [row] = await fetch("SELECT state, source FROM text_check WHERE about = $1", about.value)
    assert (row["state"], row["source"]) == ("passed", "wechat")
    assert await desk.held_texts.list_held([StaffScope()]) == []


@pytest.mark.parametrize("let_on", [True, False])
@pytest.mark.parametrize(("wrote", "about"), WAYS)
async def test_risky_words_are_held_until_a_person_decides_once(
    desk: Desk, wrote: Wrote, about: About, let_on: bool
) -> None:
    caller = desk.citizen()
    application_id = await wrote(desk, caller)
    desk.platform.thinks = RISK
    asked = len(desk.platform.texts)
    for _ in range(3):
        await desk.look_at_remarks()
    assert len(desk.platform.texts) == asked + 1
    found = await held(desk)
    assert (found.about, found.label) == (about, RISK.label)
    assert await desk.held_texts.list_held([StaffScope(department="education")]) == []
    assert (await desk.held_texts.concerned(found.id)).department == found.department
    [text] = await desk.held_texts.read(clerk(desk), found.id)
    assert text.text == WORDS
    state = (await desk.view(caller, application_id)).state
    await desk.held_texts.decide(clerk(desk), found.id, let_on=let_on)
    assert (await withheld_in(application_id) == frozenset()) is let_on
    assert (await desk.view(caller, application_id)).state is state
    with pytest.raises(StateForbids):
        await desk.held_texts.decide(clerk(desk), found.id, let_on=not let_on)
    with pytest.raises(NoSuchApplication):
        await desk.held_texts.read(clerk(desk), found.id)
    actions = [line.action for line in await lines_of(caller.citizen_id, before=None, limit=20)]
    assert {"matters.text-read", "matters.text-decided"} <= set(actions)


async def test_staff_does_not_read_a_note_that_is_held_and_the_case_goes_on(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await supplemented(desk, caller)
    desk.platform.thinks = RISK
    await desk.look_at_remarks()

    async def note() -> tuple[str, bool]:
        view = await desk.handling.looking.look(clerk(desk), application_id)
        entry = next(each for each in view.timeline if each.step is Step.SUPPLEMENTED)
        return entry.note, entry.withheld

    assert await note() == ("", True)
    view = await desk.view(caller, application_id)
    assert view.state is State.PRE_REVIEW
    assert any(WORDS in (entry.note or "") for entry in view.timeline)
    await desk.held_texts.decide(clerk(desk), (await held(desk)).id, let_on=True)
    assert await note() == (WORDS, False)


async def test_what_a_supplement_changed_in_the_form_is_looked_at_too(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await supplemented(desk, caller, note="", remark="新的说明")
    desk.platform.thinks = RISK
    await desk.look_at_remarks()
    assert desk.platform.texts[-1] == "新的说明"
    form = await desk.handling.looking.open_form(clerk(desk), application_id, "核对")
    assert form
    assert "remark" not in form
    [text] = await desk.held_texts.read(clerk(desk), (await held(desk)).id)
    assert (text.name, text.text) == ("remark", "新的说明")
    await desk.held_texts.decide(clerk(desk), (await held(desk)).id, let_on=True)
    form = await desk.handling.looking.open_form(clerk(desk), application_id, "核对")
    assert form["remark"] == "新的说明"


async def test_of_a_supplement_without_words_nobody_is_asked(desk: Desk) -> None:
    await supplemented(desk, desk.citizen(), note="  ")
    asked = len(desk.platform.texts)
    await desk.look_at_remarks()
    assert len(desk.platform.texts) == asked
    [row] = await fetch("SELECT state, source FROM text_check WHERE about = 'supplement'")
    assert (row["state"], row["source"]) == ("passed", "nothing")


async def test_a_bad_rating_opens_its_ticket_and_its_words_come_when_they_are_let_on(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await rated(desk, caller)
    desk.platform.thinks = RISK
    await desk.look_at_remarks()
    assert (await desk.view(caller, application_id)).rated is Satisfaction.DISSATISFIED
    [ticket] = await desk.rating_tickets.list_tickets(TicketState.OPEN, [StaffScope()])
    opened = await desk.rating_tickets.read(clerk(desk), ticket.id)
    assert (opened.text, opened.withheld) == ("", True)
    await desk.held_texts.decide(clerk(desk), (await held(desk)).id, let_on=True)
    opened = await desk.rating_tickets.read(clerk(desk), ticket.id)
    assert (opened.text, opened.withheld) == (WORDS, False)


async def test_whoever_answers_reads_an_objection_once_it_is_let_on(desk: Desk) -> None:
    caller = desk.citizen()
    application_id = await objected(desk, caller)
    desk.platform.thinks = RISK
    await desk.look_at_remarks()
    closed = next(each for each in await desk.commitments.read(clerk(desk), application_id) if each.withheld)
    assert (closed.material, closed.objection) == (PROOF, None)
    mine = next(each for each in await desk.commitments.list_of(caller, application_id) if each.material == PROOF)
    assert mine.objection == WORDS
    await desk.held_texts.decide(clerk(desk), (await held(desk)).id, let_on=True)
    told = await desk.commitments.read(clerk(desk), application_id)
    assert [each.objection for each in told if each.material == PROOF] == [WORDS]
    actions = [line.action for line in await lines_of(caller.citizen_id, before=None, limit=20)]
    assert actions.count("matters.promise-read") == 2


async def test_a_rating_without_words_leaves_nothing_to_look_at(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    await desk.ratings.rate(caller, submitted.application_id, Said(Satisfaction.SATISFIED))
    assert await jobs_named("matters.look-at-text") == []


async def test_without_the_platform_our_own_list_decides_here_too(desk: Desk) -> None:
    caller, desk.platform.is_away = desk.citizen(), True
    application_id = await supplemented(desk, caller, note="本人可以代开发票")
    await desk.look_at_remarks()
    assert len(await withheld_in(application_id)) == 1
    assert (await held(desk)).source.value == "local"


async def test_a_look_at_what_is_gone_comes_to_nothing(desk: Desk) -> None:
    assert await desk.remarks.look(str(desk.ground.ids.uuid())) is None


def test_only_what_was_changed_is_looked_at_again() -> None:
    assert changed_texts({"a": "甲", "b": "乙", "c": "丙"}, {"a": "甲", "b": "旧"}) == {"b": "乙", "c": "丙"}


@pytest.mark.parametrize("let_on", [True, False])
async def test_a_department_hears_of_a_supplement_once_its_words_are_looked_at(desk: Desk, let_on: bool) -> None:
    caller = desk.citizen()
    await supplemented(desk, caller, note="", remark="新的说明")
    desk.platform.thinks = RISK
    for look in (False, True):
        if look:
            await desk.look_at_remarks()
        await desk.send_letters()
        assert desk.public_security.supplied == []
    await desk.held_texts.decide(clerk(desk), (await held(desk)).id, let_on=let_on)
    await desk.send_letters()
    [came] = desk.public_security.supplied
    assert came.form
    assert ("remark" in came.form) is let_on
