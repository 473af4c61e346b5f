"""The rooms that keep time, over the rooms of matters, and people of the staff to play with."""

from typing import Any
from uuid import uuid4

from api.wiring.handling.supervision import SupervisionServices
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.audit.actors import SYSTEM
from core.db import execute, transaction
from matters.applications.records import Submitted
from matters.cases.history import Entry
from matters.extensions.extensions import Extensions
from matters.settings import MatterSettings
from matters.supervision.cards import Cards
from matters.supervision.orders import Orders
from matters.supervision.records import Records
from matters.types import Step
from tests.matters.cases.test_deadlines import at
from tests.matters.conftest import ENDORSEMENT, Desk


def overseen(desk: Desk) -> SupervisionServices:
    """Put the rooms together as the wiring does."""
    ground, settings = desk.ground, MatterSettings()
    audit, vault, clock, ids = ground.audit, ground.vault, ground.clock, ground.ids
    records = Records(audit=audit, vault=vault, clock=clock, ids=ids)
    return SupervisionServices(
        extensions=Extensions(
            catalogue=desk.catalogue,
            history=desk.history,
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        cards=Cards(
            deadlines=desk.deadlines,
            records=records,
            audit=audit,
            clock=clock,
            ids=ids,
            settings=settings.supervision,
        ),
        orders=Orders(
            deadlines=desk.deadlines,
            records=records,
            audit=audit,
            vault=vault,
            clock=clock,
            ids=ids,
            settings=settings.supervision,
        ),
        records=records,
    )


def member(role: Role, **scope: str) -> StaffCaller:
    """Somebody of the staff with one role."""
    return StaffCaller(uuid4(), uuid4(), role.value, (RoleGrant(role, StaffScope(**scope)),))


async def go_to(desk: Desk, case: Submitted, step: Step, when: str, **more: Any) -> None:
    """Let a case take a step at a moment in China."""
    desk.ground.clock.set(at(when))
    await transaction(lambda: desk.history.append(case.application_id, Entry(step=step, actor=SYSTEM, **more)))


async def in_review(desk: Desk, *, promised: int = 5, legal: int = 10, matter: str = ENDORSEMENT) -> Submitted:
    """Return a case that has been in review since the 9th of March 2026, a Monday; 5 days end on the 16th."""
    desk.ground.clock.set(at("2026-03-09 09:00"))
    case = await desk.submitted(desk.citizen(), matter)
    await desk.deliver(case.application_id)
    await transaction(
        lambda: execute(
            "UPDATE application SET limit_days = $2, legal_days = $3 WHERE id = $1",
            case.application_id,
            promised,
            legal,
        )
    )
    await go_to(desk, case, Step.REVIEWED, "2026-03-09 10:00")
    return case
