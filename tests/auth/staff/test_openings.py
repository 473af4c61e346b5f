"""Opening personal data: for a purpose and a case, within a reach, counted, and seen by the resident."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import RoleForbidden
from auth.settings import AuthSettings, OperatorSettings
from auth.staff.errors import NothingToOpen, TooManyOpenings
from auth.staff.types import OpeningReason, PersonField
from auth.types import EVERYWHERE, Role, StaffScope
from core.audit.ledger import lines_of
from core.db import fetch
from core.metrics import OPENINGS_ALARMS
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth
from tests.fakes.staff import Member, Staff, make_staff

NAME, NUMBER = "霍明哲", "999999198503122179"


@pytest.fixture
def auth(ground: Ground) -> Auth:
    return make_auth(ground)


@pytest.fixture
async def resident(auth: Auth) -> UUID:
    return (await auth.caller_named("openid-1", NAME, NUMBER)).citizen_id


@pytest.fixture
async def clerk(staff: Staff) -> Member:
    return await staff.member(Role.OPERATOR)


async def opened(
    staff: Staff,
    clerk: Member,
    resident: UUID,
    *fields: PersonField,
    scope: StaffScope = EVERYWHERE,
    of: StaffScope = EVERYWHERE,
    of_the_case: bool = True,
) -> Mapping[PersonField, str | None]:
    return await staff.openings.open_person(
        clerk.caller,
        [scope],
        resident,
        fields or (PersonField.NAME,),
        OpeningReason("calls back about a form", "C-2026-17", of, is_of_the_case=of_the_case),
    )


async def refusals(resident: UUID) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return what the resident reads of refused openings: why, for what, under which case, of which fields."""
    return [
        (line.outcome, line.purpose, line.object_id, line.field_names)
        for line in await lines_of(resident, before=None, limit=50)
        if line.action == "auth.opening-refused"
    ]


async def test_an_opening_tells_what_was_asked_and_the_resident_sees_it(
    staff: Staff, clerk: Member, resident: UUID
) -> None:
    values = await opened(staff, clerk, resident, PersonField.NAME, PersonField.MOBILE)
    assert values == {PersonField.NAME: NAME, PersonField.MOBILE: None}
    line = (await lines_of(resident, before=None, limit=1))[0]
    assert (line.actor_kind, line.actor_id) == ("operator", str(clerk.caller.operator_id))
    assert (line.action, line.purpose, line.object_id) == ("auth.data-opened", "calls back about a form", "C-2026-17")
    assert line.field_names == ("name", "mobile")


async def test_without_opening_everything_is_masked_and_seen_as_well(
    staff: Staff, clerk: Member, resident: UUID
) -> None:
    values = await staff.openings.look(clerk.caller, resident)
    assert values == {
        PersonField.NAME: "霍**",
        PersonField.ID_NUMBER: "9999**********2179",
        PersonField.MOBILE: None,
    }
    assert (await lines_of(resident, before=None, limit=1))[0].action == "auth.resident-looked-up"


@pytest.mark.parametrize(
    "case",
    [
        (EVERYWHERE, EVERYWHERE, True),
        (EVERYWHERE, StaffScope(department="taxation", matter="m-1"), True),
        (StaffScope(department="taxation"), StaffScope(department="taxation", matter="m-1"), True),
        (StaffScope(department="taxation", matter="m-2"), StaffScope(department="taxation", matter="m-1"), False),
        (StaffScope(department="health"), StaffScope(department="taxation", matter="m-1"), False),
        (StaffScope(department="taxation"), EVERYWHERE, False),
        (StaffScope(region="3201"), StaffScope(department="taxation", matter="m-1"), False),
    ],
)
async def test_a_grant_opens_what_it_reaches(
    staff: Staff, clerk: Member, resident: UUID, case: tuple[StaffScope, StaffScope, bool]
) -> None:
    reach, of, allowed = case
    if allowed:
        assert await opened(staff, clerk, resident, scope=reach, of=of) == {PersonField.NAME: NAME}
        return
    with pytest.raises(RoleForbidden):
        await opened(staff, clerk, resident, scope=reach, of=of)
    assert await fetch("SELECT id FROM opening") == []
    assert await refusals(resident) == [("forbidden", "calls back about a form", "C-2026-17", ("name",))]


async def test_an_opening_under_another_case_is_none_and_the_resident_sees_the_attempt(
    staff: Staff, clerk: Member, resident: UUID
) -> None:
    with pytest.raises(NothingToOpen):
        await opened(staff, clerk, resident, PersonField.MOBILE, of_the_case=False)
    assert await fetch("SELECT id FROM opening") == []
    assert await refusals(resident) == [("other-case", "calls back about a form", "C-2026-17", ("mobile",))]
    line = (await lines_of(resident, before=None, limit=1))[0]
    assert (line.actor_kind, line.actor_id) == ("operator", str(clerk.caller.operator_id))


async def test_nobody_is_opened_who_is_not_there(staff: Staff, clerk: Member) -> None:
    with pytest.raises(NothingToOpen):
        await opened(staff, clerk, staff.ground.ids.uuid())
    with pytest.raises(NothingToOpen):
        await staff.openings.look(clerk.caller, staff.ground.ids.uuid())
    assert await fetch("SELECT id FROM opening") == []
    assert await fetch("SELECT id FROM audit_line WHERE action = 'auth.opening-refused'") == []


async def test_an_hour_and_a_day_have_their_limits_and_half_of_them_alarms(ground: Ground, resident: UUID) -> None:
    staff = make_staff(ground, AuthSettings(operators=OperatorSettings(openings_an_hour=4, openings_a_day=6)))
    clerk, other = await staff.member(Role.OPERATOR), await staff.member(Role.OPERATOR)
    before = OPENINGS_ALARMS._value.get()
    alarms = []
    for _ in range(4):
        await opened(staff, clerk, resident)
        alarms.append(OPENINGS_ALARMS._value.get() - before)
    assert alarms == [0, 1, 2, 2]  # Half of an hour's with the second, half of a day's with the third.
    with pytest.raises(TooManyOpenings) as caught:
        await opened(staff, clerk, resident)
    assert 3_600 <= (caught.value.extras.retry_after or 0) <= 3_601
    assert [outcome for outcome, *_ in await refusals(resident)] == ["too-many"]
    await opened(staff, other, resident)
    ground.clock.move(timedelta(hours=1))
    for _ in range(2):
        await opened(staff, clerk, resident)
    with pytest.raises(TooManyOpenings) as caught:
        await opened(staff, clerk, resident)
    assert 82_000 < (caught.value.extras.retry_after or 0) <= 82_801
    ground.clock.move(timedelta(hours=23))
    await opened(staff, clerk, resident)


async def test_many_at_once_are_no_more_than_one_after_the_other(ground: Ground, resident: UUID) -> None:
    staff = make_staff(ground, AuthSettings(operators=OperatorSettings(openings_an_hour=5)))
    clerk = await staff.member(Role.OPERATOR)
    told = await asyncio.gather(*(opened(staff, clerk, resident) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, Mapping) for each in told) == 5
    assert sum(isinstance(each, TooManyOpenings) for each in told) == 15
    assert (
        len([line for line in await lines_of(resident, before=None, limit=50) if line.action == "auth.data-opened"])
        == 5
    )
    assert [outcome for outcome, *_ in await refusals(resident)] == ["too-many"] * 15
