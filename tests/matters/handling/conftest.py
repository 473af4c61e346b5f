"""Cases brought to where a test needs them, and people who handle them."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from auth.types import Caller, Role, RoleGrant, StaffCaller, StaffScope
from core.audit.actors import SYSTEM
from core.db import fetch_one, transaction
from matters.cases.history import Entry
from matters.handling.types import Order
from matters.types import State, Step
from tests.matters.conftest import ENDORSEMENT, Desk

# At the common desk: its department has no system of its own for it.
RELIEF = "temporary-relief"
FORM = {"residence_address": "示例市东湖区梧桐路9号", "situation": "家中失火"}


def operator(*roles: Role, **scope: str) -> StaffCaller:
    """Somebody of the staff whom nobody has seen before."""
    grants = tuple(RoleGrant(role, StaffScope(**scope)) for role in roles)
    return StaffCaller(uuid4(), uuid4(), "somebody", grants)


@dataclass(frozen=True)
class Case:
    """A case and whose it is."""

    id: UUID
    number: str
    owner: Caller


@dataclass(frozen=True)
class Hall:
    """Brings cases about by what people do."""

    desk: Desk

    async def handed_over(self, matter: str = RELIEF, owner: Caller | None = None) -> Case:
        """A case that lies with its department."""
        case = await self.submitted(matter, owner)
        await self.desk.deliver(case.id)
        return case

    async def submitted(self, matter: str = RELIEF, owner: Caller | None = None) -> Case:
        """A case that was just submitted."""
        who = owner or self.desk.citizen()
        draft = await self.desk.drafts.start(who, matter, FORM if matter == RELIEF else {})
        sent = await self.desk.submit(who, draft.id)
        return Case(draft.id, sent.number, who)

    async def order(self, case: Case, *, reason: str = "", note: str = "") -> Order:
        """An order for a case as it is now."""
        return Order(case.id, await version_of(case.id), reason=reason, note=note)

    async def at(self, state: State, *, matter: str = RELIEF, owner: Caller | None = None) -> Case:
        """A case that stands at a state, and was brought there step by step by people whom no test uses."""
        if state is State.DRAFT:
            who = owner or self.desk.citizen()
            draft = await self.desk.drafts.start(who, matter, FORM if matter == RELIEF else {})
            return Case(draft.id, "", who)
        if state is State.SUBMITTED:
            return await self.submitted(matter, owner)
        if state is State.WITHDRAWN:
            case = await self.submitted(matter, owner)
            await self.desk.withdrawals.withdraw(case.owner, case.id)
            return case
        case = await self.handed_over(matter, owner)
        for step in PATHS[state]:
            await self.step(case, step)
        return case

    async def step(self, case: Case, step: Step) -> None:
        """Take one step by the history itself."""
        await transaction(lambda: self.desk.history.append(case.id, Entry(step=step, actor=SYSTEM)))

    async def state_of(self, case: Case) -> State:
        """Where a case stands."""
        return (await self.desk.view(case.owner, case.id)).state


PATHS: dict[State, tuple[Step, ...]] = {
    State.PRE_REVIEW: (),
    State.SUPPLEMENT_REQUESTED: (Step.SUPPLEMENT_REQUESTED,),
    State.NOT_ACCEPTED: (Step.NOT_ACCEPTED,),
    State.ACCEPTED: (Step.ACCEPTED,),
    State.IN_REVIEW: (Step.ACCEPTED, Step.REVIEWED),
    State.SUSPENDED: (Step.ACCEPTED, Step.REVIEWED, Step.SUSPENDED),
    State.APPROVED: (Step.ACCEPTED, Step.REVIEWED, Step.APPROVED),
    State.REJECTED: (Step.ACCEPTED, Step.REVIEWED, Step.REJECTED),
    State.DELIVERED: (Step.ACCEPTED, Step.REVIEWED, Step.APPROVED, Step.DELIVERED),
    State.CLOSED: (Step.ACCEPTED, Step.REVIEWED, Step.APPROVED, Step.DELIVERED, Step.CLOSED),
    State.TERMINATED: (Step.TERMINATED,),
}


async def version_of(application_id: UUID) -> int:
    """The version that `ETag` would tell."""
    row = await fetch_one("SELECT version FROM application WHERE id = $1", application_id)
    return int(row["version"]) if row else -1


async def delivery_of(case: Case) -> tuple[str, str, str]:
    """To whom a dossier goes, how it stands, and its receipt."""
    row = await fetch_one("SELECT department, state, receipt_number FROM delivery WHERE application_id = $1", case.id)
    assert row is not None
    return row["department"], row["state"], row["receipt_number"]


__all__ = ["ENDORSEMENT", "FORM", "RELIEF", "Case", "Hall", "delivery_of", "operator", "version_of"]


@pytest.fixture
def hall(desk: Desk) -> Hall:
    return Hall(desk)
