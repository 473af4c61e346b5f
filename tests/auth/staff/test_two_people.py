"""Ten thousand random sequences of requests and decisions: nothing is done that two people did not agree on.

An example is ten short sequences among the same people, one after the other: what was done to people in one (roles
taken, accounts disabled) still holds in the next. A small model of the rules, written apart from them, says of each
approval whether it may happen; both must agree.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.errors import RoleForbidden
from auth.staff.approvals import Approvals
from auth.staff.errors import (
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    NoSuchApproval,
    NotApproved,
    RequesterGone,
    SelfApproval,
)
from auth.staff.rules import payload_hash
from auth.types import Role, StaffCaller
from core.db import execute, fetch, transaction
from tests.fakes.staff import Staff

ACTION: Final = "verifiers.register"  # Done with the approval.
COMMAND: Final = "keys.retire"  # Spent by a command.
SEQUENCES: Final = 10
EXAMPLES: Final = 1000
# Two cores that others use as well: when they are busy, fewer examples are tried, never for longer.
AT_MOST_SECONDS: Final = 55
REFUSED: Final = (
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    NoSuchApproval,
    RequesterGone,
    RoleForbidden,
    SelfApproval,
)
# Two who ask for both, two who approve both and ask for the second, one who approves the first, one who may nothing.
ROLES: Final = (
    Role.SYSTEM_ADMIN,
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    Role.APPROVER,
    Role.SECURITY_ADMIN,
    Role.AUDITOR,
)
ASKS: Final = {ACTION: {Role.SYSTEM_ADMIN}, COMMAND: {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}}
APPROVES: Final = {ACTION: {Role.SECURITY_ADMIN, Role.APPROVER}, COMMAND: {Role.SECURITY_ADMIN}}
STEPS: Final = (
    *["approve"] * 6, *["spend"] * 2, "edit", "edit", "reject", "withdraw", "disable", "strip", "wait", "forge"
)  # fmt: skip
# Most often those who may.
DECIDERS: Final = (2, 2, 4, 4, 3, 0, 1, 5)

steps = st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(DECIDERS), st.booleans()), min_size=1, max_size=4)
sequences = st.tuples(st.sampled_from((ACTION, COMMAND)), st.sampled_from((0, 0, 1, 1, 2, 4, 3)), steps)


@dataclass
class Person:
    """Somebody of the staff, as the model knows them."""

    caller: StaffCaller
    role: Role
    active: bool = True
    holds: bool = True

    def may(self, roles: set[Role]) -> bool:
        return self.active and self.holds and self.role in roles


@dataclass
class Request:
    """Something that was asked for, as the model knows it."""

    id: UUID
    action: str
    by: Person
    payload: dict[str, Any]
    state: str = "waiting"
    late: bool = False
    forged: bool = False
    approved_by: Person | None = None
    seen: list[str] = field(default_factory=list)


@dataclass
class Town:
    """People and requests in the product, and the model of them beside it."""

    staff: Staff
    people: list[Person]
    done: list[tuple[Mapping[str, Any], UUID]] = field(default_factory=list)
    counted: int = 0
    executed: int = 0

    @property
    def approvals(self) -> Approvals:
        return Approvals(
            deeds={ACTION: self._do},
            checks={},
            papers=self.staff.papers,
            audit=self.staff.ground.audit,
            clock=self.staff.ground.clock,
            ids=self.staff.ground.ids,
            settings=self.staff.settings.operators,
        )

    async def _do(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        self.done.append((payload, caller.operator_id))

    async def play(self, action: str, who: int, moves: list[tuple[str, int, bool]]) -> None:
        """Play one sequence."""
        self.counted += 1
        by = self.people[who]
        payload = {"n": self.counted, "edit": 0}
        if by.role not in ASKS[action]:
            with pytest.raises(RoleForbidden):
                await self.approvals.ask(by.caller, action, payload, reason="because")
            return
        view = await self.approvals.ask(by.caller, action, payload, reason="because")
        request = Request(view.id, action, by, payload)
        request.seen.append(view.payload_hash)
        for move, whom, flag in moves:
            await getattr(self, f"_{move}")(request, self.people[whom], flag)

    async def play_all(self, given_: list[tuple[str, int, list[tuple[str, int, bool]]]]) -> None:
        """Play the sequences of an example, which begins with everybody at work."""
        await self._everybody_is_back()
        for action, who, moves in given_:
            await self.play(action, who, moves)

    async def _everybody_is_back(self) -> None:
        for person in self.people:
            if not person.active:
                await self._set("UPDATE operator_account SET state = 'active' WHERE id = $1", person)
            if not person.holds:
                await self._set("UPDATE operator_grant SET department = '' WHERE operator_id = $1", person)
            person.active = person.holds = True

    async def _set(self, sql: str, person: Person) -> None:
        await transaction(lambda: execute(sql, person.caller.operator_id))

    async def _approve(self, request: Request, person: Person, old: bool) -> None:
        looked_at = request.seen[0] if old else request.seen[-1]
        allowed = (
            person is not request.by
            and person.may(APPROVES[request.action])
            and request.by.may(ASKS[request.action])
            and request.state == "waiting"
            and not request.late
            and not request.forged
            and looked_at == request.seen[-1]
        )
        before = len(self.done)
        try:
            await self.approvals.decide(person.caller, request.id, approve=True, looked_at=looked_at)
        except REFUSED:
            assert not allowed, "refused, though two people agree"
            # What was begun before the refusal is undone with it.
            rows = await fetch("SELECT state FROM approval WHERE id = $1", request.id)
            assert rows[0]["state"] == request.state
            assert len(self.done) == before
            return
        assert allowed, "done, though two people did not agree"
        request.approved_by = person
        if request.action == ACTION:
            assert self.done[before:] == [(request.payload, person.caller.operator_id)]
            request.state, self.executed = "executed", self.executed + 1
        else:
            request.state = "approved"

    async def _reject(self, request: Request, person: Person, old: bool) -> None:
        looked_at = request.seen[0] if old else request.seen[-1]
        try:
            await self.approvals.decide(person.caller, request.id, approve=False, looked_at=looked_at)
        except REFUSED:
            return
        assert request.state == "waiting"
        assert person is not request.by
        request.state = "rejected"

    async def _edit(self, request: Request, person: Person, mine: bool) -> None:
        editor = request.by if mine else person
        payload = {**request.payload, "edit": len(request.seen)}
        try:
            view = await self.approvals.change(editor.caller, request.id, payload)
        except REFUSED:
            assert editor is not request.by or request.state != "waiting" or request.late
            return
        assert editor is request.by
        assert request.state == "waiting"
        request.payload, request.forged, request.late = payload, False, False
        request.seen.append(view.payload_hash)

    async def _withdraw(self, request: Request, person: Person, mine: bool) -> None:
        who = request.by if mine else person
        try:
            await self.approvals.withdraw(who.caller, request.id)
        except REFUSED:
            return
        assert who is request.by
        assert request.state in {"waiting", "approved"}
        request.state = "withdrawn"

    async def _disable(self, _request: Request, person: Person, _flag: bool) -> None:
        await self._set("UPDATE operator_account SET state = 'disabled' WHERE id = $1", person)
        person.active = False

    async def _strip(self, _request: Request, person: Person, _flag: bool) -> None:
        """From now on the role reaches one department: not far enough for this."""
        await self._set("UPDATE operator_grant SET department = 'taxation' WHERE operator_id = $1", person)
        person.holds = False

    async def _wait(self, request: Request, _person: Person, _flag: bool) -> None:
        self.staff.ground.clock.move(timedelta(hours=24))
        request.late = True

    async def _forge(self, request: Request, _person: Person, _flag: bool) -> None:
        """Somebody with the database and the keys puts other words under the hash that people look at."""
        sealed = self.staff.papers.seal_payload(request.id, {**request.payload, "n": -1})
        await transaction(lambda: execute("UPDATE approval SET payload_sealed = $2 WHERE id = $1", request.id, sealed))
        request.forged = True

    async def _spend(self, request: Request, _person: Person, exact: bool) -> None:
        payload = request.payload if exact else {**request.payload, "n": -2}
        agreed = request.approved_by
        allowed = (
            request.action == COMMAND
            and request.state == "approved"
            and not request.late
            and not request.forged
            and exact
            and agreed is not None
            and agreed.active
            and request.by.active
        )
        try:
            asked, approved = await transaction(lambda: self.approvals.spend(request.id, request.action, payload))
        except (NotApproved, ApprovalChanged):
            assert not allowed
            return
        assert allowed
        assert agreed is not None
        assert (asked, approved) == (request.by.caller.operator_id, agreed.caller.operator_id)
        assert asked != approved
        request.state, self.executed = "executed", self.executed + 1


@pytest.mark.slow
async def test_nothing_is_done_without_two_people_in_ten_thousand_random_sequences(staff: Staff) -> None:
    people = [Person((await staff.member(role)).caller, role) for role in ROLES]
    town, loop = Town(staff, people), asyncio.get_running_loop()
    started = time.monotonic()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(sequences, min_size=SEQUENCES, max_size=SEQUENCES))
    def examples(given_: list[tuple[str, int, list[tuple[str, int, bool]]]]) -> None:
        if time.monotonic() - started > AT_MOST_SECONDS:
            return
        asyncio.run_coroutine_threadsafe(town.play_all(given_), loop).result(timeout=60)

    # Hypothesis waits for each example: it does so beside the loop in which they happen.
    await asyncio.to_thread(examples)
    print(f"{town.counted} sequences, {town.executed} done")  # noqa: T201 — shown with -s, and when it fails
    assert town.counted >= SEQUENCES * 10
    assert town.executed >= town.counted // 50, "the model forbids nearly everything: the test would say nothing"
    rows = await fetch("SELECT requested_by, approved_by FROM approval WHERE state IN ('approved', 'executed')")
    assert len(rows) >= town.executed
    assert all(row["approved_by"] is not None and row["approved_by"] != row["requested_by"] for row in rows)


async def test_of_many_approvals_at_once_one_is_taken(staff: Staff) -> None:
    asker, *deciders = [await staff.member(role) for role in (Role.SYSTEM_ADMIN, *[Role.SECURITY_ADMIN] * 3)]
    town = Town(staff, [])
    for turn in range(10):
        view = await town.approvals.ask(asker.caller, ACTION, {"turn": turn}, reason="because")
        told = await asyncio.gather(
            *(
                town.approvals.decide(each.caller, view.id, approve=True, looked_at=view.payload_hash)
                for each in random.sample(deciders, 3)
            ),
            return_exceptions=True,
        )
        assert sum(not isinstance(each, BaseException) for each in told) == 1
        assert sum(isinstance(each, ApprovalDecided) for each in told) == 2
        assert len(town.done) == turn + 1


async def test_an_edit_and_an_approval_at_once_never_do_what_was_not_looked_at(staff: Staff) -> None:
    asker, decider = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    town = Town(staff, [])
    for turn in range(10):
        view = await town.approvals.ask(asker.caller, ACTION, {"turn": turn}, reason="because")
        await asyncio.gather(
            town.approvals.change(asker.caller, view.id, {"turn": -1}),
            town.approvals.decide(decider.caller, view.id, approve=True, looked_at=view.payload_hash),
            return_exceptions=True,
        )
    assert {payload["turn"] for payload, _ in town.done} <= set(range(10))


def test_the_hash_is_of_the_action_too() -> None:
    assert payload_hash("verifiers.register", {"a": 1}) != payload_hash("verifiers.change", {"a": 1})
    assert payload_hash("verifiers.register", {"a": 1, "b": 2}) == payload_hash("verifiers.register", {"b": 2, "a": 1})
