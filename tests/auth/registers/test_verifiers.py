"""What the register lets a verifier do, and how its quota of a day is counted."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

from auth.registers.errors import QuotaUsedUp
from auth.registers.types import PartyKind
from auth.registers.verifiers import RegisteredVerifiers
from auth.types import Role
from core.clock import CHINA
from tests.auth.registers.test_parties import do, only, verifier
from tests.fakes.staff import Staff


async def register(staff: Staff, **changes: Any) -> RegisteredVerifiers:
    await do(staff, "verifiers.register", verifier(**changes), await staff.member(Role.SYSTEM_ADMIN))
    return RegisteredVerifiers(clock=staff.ground.clock, ids=staff.ground.ids)


async def test_a_verifier_may_read_what_the_register_says_for_a_purpose(staff: Staff) -> None:
    verifiers = await register(staff)
    terms = await verifiers.find((await only(staff, PartyKind.VERIFIER)).id)
    assert terms is not None
    assert (terms.name, terms.quota_per_day) == ("示例酒店", 500)
    assert [terms.may_read(name, "check-in") for name in ("name", "age>=18", "number")] == [True, True, False]
    assert not terms.may_read("name", "curiosity")


async def test_a_suspended_verifier_and_one_that_never_was_are_not_there(staff: Staff) -> None:
    verifiers = await register(staff)
    view = await only(staff, PartyKind.VERIFIER)
    security = await staff.member(Role.SECURITY_ADMIN)
    await staff.parties.suspend(security.caller, PartyKind.VERIFIER, view.id, reason="asks too much")
    assert await verifiers.find(view.id) is None
    assert await verifiers.find(uuid4()) is None


async def test_of_many_questions_at_once_as_many_pass_as_the_day_has_left(staff: Staff) -> None:
    verifiers = await register(staff, quota_per_day=7)
    terms = await verifiers.find((await only(staff, PartyKind.VERIFIER)).id)
    assert terms is not None
    told = await asyncio.gather(*(verifiers.count(terms) for _ in range(20)), return_exceptions=True)
    refused = [each for each in told if isinstance(each, QuotaUsedUp)]
    assert (len(refused), told.count(None)) == (13, 7)
    now = staff.ground.clock.now()
    midnight = (now.astimezone(CHINA) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert 0 <= (refused[0].extras.retry_after or 0) - (midnight - now).total_seconds() <= 1
    staff.ground.clock.move(timedelta(days=1))
    await verifiers.count(terms)


async def test_without_a_quota_questions_are_only_counted(staff: Staff) -> None:
    verifiers = await register(staff, quota_per_day=0)
    terms = await verifiers.find((await only(staff, PartyKind.VERIFIER)).id)
    assert terms is not None
    for _ in range(20):
        await verifiers.count(terms)
