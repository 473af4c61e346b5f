"""What people say about lines of their ledger, and who has to do something about it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from auth.registers.models import Party
from auth.registers.verifiers import RegisteredVerifiers
from auth.rights.errors import NoSuchLine, NoSuchReport, ReportUnsuitable
from auth.rights.reports import LedgerReports
from auth.rights.types import ReportAnswer, ReportKind
from auth.types import EVERYWHERE, Caller, Level, Role, RoleGrant, StaffCaller
from core.audit.actors import NOBODY, Actor, ActorKind
from core.audit.ledger import lines_of
from core.db import as_json, fetch, transaction
from tests.conftest import Ground

FIRST = UUID(int=0)
SHOP = uuid4()
ME = Caller(uuid4(), uuid4(), Level.REAL_NAME, elder=False, actor_id=uuid4())
SECURITY = StaffCaller(uuid4(), uuid4(), "security", (RoleGrant(Role.SECURITY_ADMIN, EVERYWHERE),))
OTHER = Caller(uuid4(), uuid4(), Level.REAL_NAME, elder=False, actor_id=uuid4())
Write = Callable[[Actor], Awaitable[UUID]]


@pytest.fixture
def reports(ground: Ground) -> LedgerReports:
    return LedgerReports(audit=ground.audit, jobs=ground.jobs, clock=ground.clock, ids=ground.ids)


@pytest.fixture
def write(ground: Ground) -> Write:
    async def work(actor: Actor) -> UUID:
        return await transaction(
            lambda: ground.audit.record("certificates.verified", actor=actor, subject_id=ME.citizen_id)
        )

    return work


async def register(state: str) -> None:
    now = datetime.now(UTC)
    details: dict[str, object] = {"name": "某商店"}
    made = await Party.create(
        id=SHOP, kind="verifier", slug="shop", state=state, details=details, registered_at=now, changed_at=now
    )
    assert made.state == state


async def told() -> list[str]:
    rows = await fetch("SELECT payload FROM job WHERE name = 'notices.tell'")
    return [as_json(row["payload"])["event"] for row in rows]


async def test_this_was_not_me_goes_to_the_security_staff_and_is_answered(reports: LedgerReports, write: Write) -> None:
    made = await reports.report(ME, await write(NOBODY), ReportKind.NOT_ME)
    assert (made.kind, made.answer) == (ReportKind.NOT_ME, None)
    assert [each.id for each in await reports.list_open(after=FIRST, limit=5)] == [made.id]
    await reports.answer(SECURITY, made.id, ReportAnswer.MISUSE)
    assert await reports.list_open(after=FIRST, limit=5) == []
    assert await told() == ["auth.report-answered"]
    again = await reports.report(ME, made.line_id, ReportKind.NOT_ME)
    assert (again.id, again.answer) == (made.id, ReportAnswer.MISUSE)
    with pytest.raises(NoSuchReport):
        await reports.answer(SECURITY, made.id, ReportAnswer.IN_ORDER)
    actions = [(line.action, line.outcome) for line in await lines_of(ME.citizen_id, before=None, limit=9)]
    assert {("auth.line-reported", "open"), ("auth.report-answered", "misuse")} <= set(actions)


async def test_ask_them_to_erase_goes_to_the_verifier_that_read(reports: LedgerReports, write: Write) -> None:
    await register("active")
    made = await reports.report(ME, await write(Actor(ActorKind.VERIFIER, str(SHOP))), ReportKind.ERASURE)
    with pytest.raises(NoSuchReport):
        await reports.answer(SECURITY, made.id, ReportAnswer.ERASED)
    assert [each.id for each in await reports.list_for(SHOP, after=FIRST, limit=5)] == [made.id]
    assert await reports.list_for(uuid4(), after=FIRST, limit=5) == []
    assert await reports.list_open(after=FIRST, limit=5) == []
    with pytest.raises(NoSuchReport):
        await reports.confirm(uuid4(), made.id, ReportAnswer.ERASED)
    await reports.confirm(SHOP, made.id, ReportAnswer.ERASED)
    assert await reports.list_for(SHOP, after=FIRST, limit=5) == []
    assert await told() == ["auth.report-answered"]


async def test_what_a_suspended_verifier_shall_erase_goes_to_the_security_staff(
    ground: Ground, reports: LedgerReports, write: Write
) -> None:
    await register("suspended")
    made = await reports.report(ME, await write(Actor(ActorKind.VERIFIER, str(SHOP))), ReportKind.ERASURE)
    assert [each.id for each in await reports.list_open(after=FIRST, limit=5)] == [made.id]
    with pytest.raises(NoSuchReport):
        await reports.answer(SECURITY, made.id, ReportAnswer.IN_ORDER)
    await reports.answer(SECURITY, made.id, ReportAnswer.KEPT_BY_LAW)
    verifiers = RegisteredVerifiers(clock=ground.clock, ids=ground.ids)
    assert (await verifiers.find(SHOP), await verifiers.name_of(SHOP)) == (None, "某商店")
    assert await reports.list_open(after=FIRST, limit=5) == []
    assert await told() == ["auth.report-answered"]


async def test_only_a_registered_verifier_can_be_asked_to_erase(reports: LedgerReports, write: Write) -> None:
    with pytest.raises(ReportUnsuitable):
        await reports.report(ME, await write(NOBODY), ReportKind.ERASURE)


async def test_a_line_of_somebody_else_is_not_there(reports: LedgerReports, write: Write) -> None:
    line_id = await write(NOBODY)
    for caller, line in ((OTHER, line_id), (ME, uuid4())):
        with pytest.raises(NoSuchLine):
            await reports.report(caller, line, ReportKind.NOT_ME)
    assert await fetch("SELECT id FROM ledger_report") == []
