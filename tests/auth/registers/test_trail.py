"""The audit as who audits sees it: found by who, what and when, with marks for people, and not without a trace."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api.staff import audit
from api.staff.sessions import AFTER_ALL
from auth.registers.trail import Trail
from auth.staff.errors import SubjectNeedsCase
from auth.types import Role, StaffCaller
from core.audit.actors import NOBODY, Actor
from core.audit.reading import Hold, Line, Wanted
from core.audit.seal import Sealer
from core.db import execute, fetch, is_postgres, transaction
from core.errors import Problem
from tests.fakes.staff import Staff

SUBJECT, OTHER = UUID(int=0xA1), UUID(int=0xB2)
ALL = Wanted(datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))


@pytest.fixture
def trail(staff: Staff) -> Trail:
    return staff.trail


@pytest.fixture
async def auditor(staff: Staff) -> StaffCaller:
    return (await staff.member(Role.AUDITOR)).caller


@pytest.fixture
async def clerk(staff: Staff) -> StaffCaller:
    """An officer with a few lines about two residents, a second apart."""
    officer = (await staff.member(Role.OPERATOR)).caller
    record, clock = staff.ground.audit.record, staff.ground.clock
    lines = (
        ("auth.data-opened", officer.actor, SUBJECT, "ok"),
        ("auth.data-opened", officer.actor, OTHER, "ok"),
        ("auth.person-read", Actor.citizen(SUBJECT), SUBJECT, "ok"),
        ("certificates.verified", NOBODY, SUBJECT, "expired"),
        ("matters.submitted", Actor.citizen(OTHER, on_behalf_of=SUBJECT), SUBJECT, "ok"),
    )
    for action, actor, subject, outcome in lines:
        clock.move(timedelta(seconds=1))
        await transaction(
            lambda action=action, actor=actor, subject=subject, outcome=outcome: record(  # type: ignore[misc]
                action, actor=actor, subject_id=subject, outcome=outcome, object_kind="resident", object_id=subject
            )
        )
    clock.move(timedelta(seconds=1))
    return officer


async def look(trail: Trail, who: StaffCaller, limit: int = 50, **changes: object) -> list[Line]:
    wanted = Wanted(**{**{name: getattr(ALL, name) for name in ALL.__slots__}, **changes})
    told = {"purpose": "a complaint", "case": "C-2026-9"} if wanted.subject_id else {}
    return list(await trail.look(who, wanted, before=AFTER_ALL, limit=limit, **told))


async def test_lines_are_found_by_who_what_and_how_it_ended(
    trail: Trail, auditor: StaffCaller, clerk: StaffCaller
) -> None:
    by_actor = await look(trail, auditor, actor_id=str(clerk.operator_id), actor_kind="operator")
    assert [line.action for line in by_actor] == ["auth.data-opened"] * 2 + ["auth.operator-activated"]
    assert {line.actor_id for line in by_actor} == {str(clerk.operator_id)}
    by_action = await look(trail, auditor, action="certificates.verified")
    assert [(line.action, line.outcome) for line in by_action] == [("certificates.verified", "expired")]
    assert [line.action for line in await look(trail, auditor, outcome="expired")] == ["certificates.verified"]
    assert await look(trail, auditor, action="certificates.verified", outcome="ok") == []
    assert {line.actor_kind for line in await look(trail, auditor, actor_kind="nobody")} == {"nobody"}


async def test_lines_are_found_by_time(staff: Staff, trail: Trail, auditor: StaffCaller, clerk: StaffCaller) -> None:
    now = staff.ground.clock.now()
    lines = await look(trail, auditor, since=now - timedelta(seconds=3), until=now - timedelta(seconds=1))
    assert [line.action for line in lines] == ["certificates.verified", "auth.person-read"]


async def test_people_stand_under_marks(trail: Trail, auditor: StaffCaller, clerk: StaffCaller) -> None:
    lines = await look(trail, auditor)
    assert len(lines) >= 5
    mark = trail.mark_of(SUBJECT)
    assert mark != trail.mark_of(OTHER)
    for line in lines:
        if line.subject_id == SUBJECT:
            assert line.object_id == mark
    (acted,) = [line for line in lines if line.action == "matters.submitted"]
    assert acted.actor_id == trail.mark_of(OTHER)
    for person in (SUBJECT, OTHER):
        assert str(person) not in "".join(line.actor_id + line.object_id for line in lines)


async def test_one_person_is_asked_about_for_a_purpose_and_a_case_alone(
    trail: Trail, auditor: StaffCaller, clerk: StaffCaller
) -> None:
    wanted = Wanted(ALL.since, ALL.until, subject_id=SUBJECT)
    for told in ({}, {"purpose": "a complaint"}, {"case": "C-2026-9"}):
        with pytest.raises(SubjectNeedsCase):
            await trail.look(auditor, wanted, before=AFTER_ALL, limit=5, **told)
    assert await fetch("SELECT id FROM audit_line WHERE action = 'auth.audit-looked-at'") == []
    lines = await look(trail, auditor, subject_id=SUBJECT)
    assert len(lines) == 4
    both = await look(trail, auditor, subject_id=SUBJECT, actor_id=str(clerk.operator_id))
    assert [line.action for line in both] == ["auth.data-opened"]
    # By the id of an actor nobody gets round it.
    assert await look(trail, auditor, actor_id=str(SUBJECT)) == []
    assert await look(trail, auditor, actor_id=str(SUBJECT), actor_kind="citizen") == []


async def test_the_look_is_a_line_itself_which_the_person_sees(
    trail: Trail, auditor: StaffCaller, clerk: StaffCaller
) -> None:
    await look(trail, auditor, subject_id=SUBJECT)
    await look(trail, auditor, action="auth.data-opened", outcome="ok")
    lines = await fetch(
        "SELECT actor_id, subject_id, purpose, object_id, field_names FROM audit_line "
        "WHERE action = 'auth.audit-looked-at' ORDER BY at, id"
    )
    assert [line["actor_id"] for line in lines] == [str(auditor.operator_id)] * 2
    assert [str(line["subject_id"] or "") for line in lines] == [str(SUBJECT), ""]
    assert [(line["purpose"], line["object_id"]) for line in lines] == [("a complaint", "C-2026-9"), ("", "")]
    assert "action" in str(lines[1]["field_names"])


async def test_pages_hold_every_line_once(trail: Trail, auditor: StaffCaller, clerk: StaffCaller) -> None:
    wanted = Wanted(ALL.since, ALL.until, outcome="ok", actor_kind="operator", actor_id=str(clerk.operator_id))
    whole = await trail.look(auditor, wanted, before=AFTER_ALL, limit=50)
    seen: list[UUID] = []
    place = AFTER_ALL
    while page := await trail.look(auditor, wanted, before=place, limit=1):
        seen += [line.id for line in page]
        place = (page[-1].at, page[-1].id)
    assert seen == [line.id for line in whole]


async def test_each_line_says_whether_the_chain_holds_it(
    staff: Staff, trail: Trail, auditor: StaffCaller, clerk: StaffCaller
) -> None:
    assert (await trail.chain()).seq == 0
    await Sealer(ring=staff.ground.ring, clock=staff.ground.clock).seal_all()
    chain = await trail.chain()
    assert chain.is_signed
    assert chain.unsealed_seconds == 0
    sealed = await look(trail, auditor)
    assert {line.hold for line in sealed} == {Hold.SEALED}
    assert [line.seq for line in sealed] == list(range(chain.seq, 0, -1))
    newest = (await look(trail, auditor))[0]
    assert (newest.action, newest.hold, newest.seq) == ("auth.audit-looked-at", Hold.UNSEALED, None)


async def test_a_line_that_was_changed_shows(
    staff: Staff, trail: Trail, auditor: StaffCaller, clerk: StaffCaller
) -> None:
    await Sealer(ring=staff.ground.ring, clock=staff.ground.clock).seal_all()
    if is_postgres():
        await transaction(lambda: execute("ALTER TABLE audit_line DISABLE TRIGGER audit_line_no_change"))
    else:
        await transaction(lambda: execute("DROP TRIGGER audit_line_no_update"))
    await transaction(lambda: execute("UPDATE audit_line SET outcome = 'ok' WHERE action = 'certificates.verified'"))
    held = {line.action: line.hold for line in await look(trail, auditor)}
    assert held.pop("certificates.verified") is Hold.BROKEN
    assert held.pop("auth.audit-looked-at", Hold.UNSEALED) is Hold.UNSEALED
    assert set(held.values()) == {Hold.SEALED}


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 1, 31, tzinfo=UTC)}, True),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 3, 1, tzinfo=UTC)}, False),
        ({"since": datetime(2026, 2, 1, tzinfo=UTC), "until": datetime(2026, 1, 1, tzinfo=UTC)}, False),
        (
            {
                "since": datetime(2024, 1, 1, tzinfo=UTC),
                "until": datetime(2026, 3, 1, tzinfo=UTC),
                "actor": str(uuid4()),
                "actor_kind": "operator",
            },
            True,
        ),
        ({"since": datetime(2024, 1, 1, tzinfo=UTC), "until": datetime(2026, 3, 1, tzinfo=UTC), "actor": "x"}, False),
    ],
)
def test_without_an_operator_or_a_person_a_month_is_looked_through(changes: dict[str, object], right: bool) -> None:
    query, now = audit.LinesQuery.model_validate(changes), datetime(2026, 11, 1, tzinfo=UTC)
    if right:
        assert audit._wanted(query, now).since < audit._wanted(query, now).until
    else:
        with pytest.raises(Problem):
            audit._wanted(query, now)
