"""A wrong value goes to its issuer, and what the issuer says comes back to the holder."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from certificates.errors import FieldUnknown, IssuerUnavailable
from certificates.living.reports import Reports
from certificates.types import ReportState, Ticket, Verdict
from core.db import fetch, transaction
from tests.certificates.conftest import Hall


class FakeQualityDesk:
    """Keeps tickets, and answers what a test has written."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.is_away = False

    async def file(self, ticket: Ticket) -> str:
        if self.is_away:
            raise IssuerUnavailable
        self.tickets[ticket.reference] = ticket
        return f"T{len(self.tickets)}"

    async def answer(self, reference: str) -> Verdict | None:
        return self.verdicts.get(reference)


@pytest.fixture
def desk() -> FakeQualityDesk:
    return FakeQualityDesk()


@pytest.fixture
def reports(hall: Hall, desk: FakeQualityDesk) -> Reports:
    ground = hall.ground
    return Reports(
        kinds=hall.kinds,
        records=hall.records,
        desk=desk,
        persons=hall.persons,
        vault=ground.vault,
        audit=ground.audit,
        jobs=ground.jobs,
        limits=ground.limits,
        clock=ground.clock,
        ids=ground.ids,
        settings=hall.settings,
    )


async def promised(name: str) -> int:
    return len(await fetch("SELECT id FROM job WHERE name = $1", name))


async def test_a_report_goes_to_the_issuer_and_the_answer_comes_back(
    hall: Hall, reports: Reports, desk: FakeQualityDesk
) -> None:
    view = await hall.held()
    made = await reports.report(hall.me, view.id, field="address", text="门牌号应为十九号")
    assert made is not None
    assert await promised("certificates.send-report") == 1
    for _ in range(2):
        change = await reports.send(str(made.id))
        if change is not None:
            await transaction(change)
    [ticket] = desk.tickets.values()
    assert (ticket.department, ticket.item, ticket.told) == ("public-security", "address", "门牌号应为十九号")
    assert ticket.identifier.startswith("1.2.156.3005.2.")
    assert "十九" not in repr(ticket)
    assert await promised("certificates.follow-report") == 1
    waiting = await reports.follow(str(made.id))
    assert waiting is not None
    await transaction(waiting)
    assert await promised("certificates.follow-report") == 2
    desk.verdicts[made.id.hex] = Verdict(ReportState.CORRECTED, "已更正门牌号")
    answered = await reports.follow(str(made.id))
    assert answered is not None
    await transaction(answered)
    assert await reports.follow(str(made.id)) is None
    [read] = await reports.list_of(hall.me, view.id) or []
    assert (read.state, read.note, read.text) == (ReportState.CORRECTED, "已更正门牌号", "门牌号应为十九号")
    assert await promised("certificates.refresh") == 1
    assert await promised("notices.tell") == 1
    told = {line.action for line in await hall.ledger()}
    assert told >= {"certificates.reported", "certificates.report-answered"}
    stored = repr(await fetch("SELECT * FROM certificate_report"))
    assert "十九" not in stored
    assert "已更正" not in stored


async def test_a_field_that_is_not_there_and_a_certificate_that_is_not_theirs(hall: Hall, reports: Reports) -> None:
    view = await hall.held()
    with pytest.raises(FieldUnknown):
        await reports.report(hall.me, view.id, field="blood_group", text="不对")
    assert await reports.report(hall.me, hall.ground.ids.uuid(), field="name", text="不对") is None
    assert await reports.list_of(hall.me, hall.ground.ids.uuid()) is None


async def test_a_desk_that_is_away_gets_it_later(hall: Hall, reports: Reports, desk: FakeQualityDesk) -> None:
    view = await hall.held()
    made = await reports.report(hall.me, view.id, field="address", text="不对")
    assert made is not None
    desk.is_away = True
    with pytest.raises(IssuerUnavailable):
        await reports.send(str(made.id))
    [read] = await reports.list_of(hall.me, view.id) or []
    assert read.state is ReportState.WAITING


async def test_what_nobody_answers_is_asked_for_no_more(hall: Hall, reports: Reports) -> None:
    view = await hall.held()
    made = await reports.report(hall.me, view.id, field="address", text="不对")
    assert made is not None
    change = await reports.send(str(made.id))
    assert change is not None
    await transaction(change)
    hall.ground.clock.move(timedelta(days=61))
    assert await reports.follow(str(made.id)) is None


async def test_what_somebody_else_reads_of_reports_and_changes_stands_in_the_holders_ledger(
    hall: Hall, reports: Reports
) -> None:
    view = await hall.held()
    await reports.report(hall.me, view.id, field="address", text="门牌号不对")
    officer = replace(hall.me, operator_id=uuid4())
    for caller in (hall.me, officer):
        assert len(await reports.list_of(caller, view.id) or []) == 1
        assert len(await hall.wallet.history_of(caller, view.id, after=None, limit=5) or []) == 1
    told = {
        (line.action, line.actor_kind, line.field_names)
        for line in await hall.ledger()
        if line.action.endswith("-read")
    }
    assert told == {
        ("certificates.reports-read", "operator", ("address",)),
        ("certificates.history-read", "operator", ()),
    }
