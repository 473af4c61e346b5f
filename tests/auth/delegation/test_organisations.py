"""Organisations: represented by whom the register names, for as long as it does; agents are named in their name."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.delegation.errors import (
    BusinessRegisterUnavailable,
    MandateStateForbids,
    NoSelfDelegation,
    NotRepresentative,
    UsccInvalid,
)
from auth.delegation.types import MandateState, Named, OrganisationView
from auth.errors import MandateMissing
from auth.rules import parse_person
from auth.settings import DelegationSettings
from auth.types import Caller, MandateKind, PrincipalKind
from core.audit.ledger import lines_of
from core.cache import TooManyRequests
from core.db import fetch
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import Household, make_household, number_of

CODE, NAME = "91999999MA0000170G", "示例云帆软件（东湖）有限公司"


async def represented(house: Household, code: str = CODE) -> tuple[Caller, Named, OrganisationView]:
    boss, myself = await house.somebody()
    house.business.representatives[code, NAME] = (myself.id_number.reveal(), myself.name.reveal())
    view, is_new = await house.organisations.add(boss, uscc=code.lower(), name=" 示例云帆软件(东湖)有限公司")
    assert is_new
    return boss, myself, view


async def test_a_representative_acts_for_the_organisation(house: Household) -> None:
    boss, _, organisation = await represented(house)
    assert (organisation.uscc, organisation.name) == (CODE, NAME)
    acting = await house.acting(boss, organisation.mandate_id)
    assert acting.citizen_id == organisation.id
    assert acting.mandate is not None
    assert (acting.mandate.kind, acting.mandate.principal) == (MandateKind.REPRESENTATIVE, PrincipalKind.ORGANISATION)
    assert await house.organisations.of(acting) == organisation
    assert [view.id for view in await house.organisations.list_organisations(boss)] == [organisation.id]
    assert {line.action for line in await lines_of(organisation.id, before=None, limit=9)} == {
        "auth.representative-named"
    }


async def test_who_is_not_named_and_what_is_not_known_are_refused_alike(house: Household) -> None:
    await represented(house)
    stranger, _ = await house.somebody()
    for code, name in ((CODE, NAME), ("91999999MA00002504", "没有这家公司")):
        with pytest.raises(NotRepresentative):
            await house.organisations.add(stranger, uscc=code, name=name)
    assert await house.organisations.list_organisations(stranger) == []
    told = [line.outcome for line in await lines_of(stranger.citizen_id, before=None, limit=9)]
    assert told.count("not-representative") == 2


async def test_a_wrong_code_is_no_attempt(house: Household) -> None:
    boss, _ = await house.somebody()
    with pytest.raises(UsccInvalid):
        await house.organisations.add(boss, uscc="91999999MA0000170H", name=NAME)
    assert await fetch("SELECT id FROM delegation_attempt") == []
    assert house.business.questions == 0


async def test_attempts_are_counted_by_account_and_by_code(ground: Ground) -> None:
    limits = DelegationSettings(organisation_account="2/day", organisation_code="3/day")
    house = make_household(make_auth(ground), limits)
    one, two = (await house.somebody())[0], (await house.somebody())[0]
    for caller, refused in ((one, 2), (two, 1)):
        for _ in range(refused):
            with pytest.raises(NotRepresentative):
                await house.organisations.add(caller, uscc=CODE, name=NAME)
    for caller in (one, two):
        with pytest.raises(TooManyRequests):
            await house.organisations.add(caller, uscc=CODE, name=NAME)


async def test_saying_it_again_renews_it_and_makes_no_second(house: Household) -> None:
    boss, _, organisation = await represented(house)
    house.auth.ground.clock.move(timedelta(days=100))
    again, is_new = await house.organisations.add(boss, uscc=CODE, name=NAME)
    assert (again.id, again.mandate_id, is_new) == (organisation.id, organisation.mandate_id, False)
    assert again.ends_at == organisation.ends_at + timedelta(days=100)


async def test_two_taps_at_once_make_one_mandate(house: Household) -> None:
    boss, myself = await house.somebody()
    house.business.representatives[CODE, NAME] = (myself.id_number.reveal(), myself.name.reveal())
    results = await asyncio.gather(
        *(house.organisations.add(boss, uscc=CODE, name=NAME) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(result, tuple | MandateStateForbids) for result in results)
    assert len(await fetch("SELECT id FROM mandate")) == 1
    assert len(await fetch("SELECT id FROM organisation")) == 1


async def test_the_register_is_asked_again_and_its_no_ends_everything(house: Household) -> None:
    boss, _, organisation = await represented(house)
    agent, person = await house.somebody()
    offered = await house.mandates.offer_for_organisation(
        boss, organisation.id, house.terms(), name=person.name.reveal(), id_number=person.id_number.reveal()
    )
    assert offered is not None
    await house.mandates.accept(agent, offered.id)
    clock, asked = house.auth.ground.clock, house.business.questions
    clock.move(timedelta(hours=23))
    await house.acting(agent, offered.id)
    assert house.business.questions == asked
    clock.move(timedelta(hours=1))
    house.business.trouble = BusinessRegisterUnavailable()
    for caller, mandate_id in ((agent, offered.id), (boss, organisation.mandate_id)):
        with pytest.raises(BusinessRegisterUnavailable):
            await house.acting(caller, mandate_id)
    house.business.trouble = None
    await house.acting(agent, offered.id)  # What an agent has rests on the representative: one question for both.
    await house.acting(boss, organisation.mandate_id)
    assert house.business.questions == asked + 3
    clock.move(timedelta(hours=24))
    house.business.representatives.clear()
    for caller, mandate_id in ((agent, offered.id), (boss, organisation.mandate_id)):
        with pytest.raises(MandateMissing):
            await house.acting(caller, mandate_id)
    view = await house.mandates.find(agent, offered.id)
    assert view is not None
    assert (view.state, view.end_reason) == (MandateState.ENDED, "register")
    assert await house.organisations.list_organisations(boss) == []


async def test_an_agent_is_named_without_telling_whether_there_is_anybody(house: Household) -> None:
    boss, _, organisation = await represented(house)
    agent, known = await house.somebody("贾二二")
    unknown = Named(*parse_person("贾三三", number_of(800)))
    misnamed = replace(known, name=unknown.name)
    views = [
        await house.mandates.offer_for_organisation(
            boss,
            organisation.id,
            house.terms(),
            name=each.name.reveal(),
            id_number=each.id_number.reveal(),
        )
        for each in (known, unknown, misnamed)
    ]
    shown = {(view.state, view.agent_name, view.principal_name) for view in views if view is not None}
    assert shown == {(MandateState.OFFERED, "贾**", NAME)}
    assert [view.id for view in await house.mandates.list_mandates(agent, as_agent=True)] == [views[0].id]  # type: ignore[union-attr]
    lines = await fetch("SELECT object_id FROM audit_line WHERE action = 'auth.mandate-offered'")
    assert sorted(sum(row["object_id"] == str(view.id) for row in lines) for view in views if view) == [2, 2, 2]


async def test_only_the_representative_names_agents_and_not_themselves(house: Household) -> None:
    boss, myself, organisation = await represented(house)
    agent, person = await house.somebody()
    terms, who = house.terms(), {"name": person.name.reveal(), "id_number": person.id_number.reveal()}
    _, third = await house.somebody()
    other = {"name": third.name.reveal(), "id_number": third.id_number.reveal()}
    assert await house.mandates.offer_for_organisation(agent, organisation.id, terms, **other) is None
    assert await house.mandates.offer_for_organisation(boss, uuid4(), terms, **who) is None
    with pytest.raises(NoSelfDelegation):
        await house.mandates.offer_for_organisation(
            boss, organisation.id, terms, name=myself.name.reveal(), id_number=myself.id_number.reveal()
        )
    view = await house.mandates.offer_for_organisation(boss, organisation.id, terms, **who)
    assert view is not None
    await house.mandates.accept(agent, view.id)
    # An agent of the organisation is not its representative.
    assert await house.mandates.offer_for_organisation(agent, organisation.id, terms, **other) is None


async def test_a_representative_who_gives_up_takes_the_agents_along(house: Household) -> None:
    boss, _, organisation = await represented(house)
    agent, person = await house.somebody()
    view = await house.mandates.offer_for_organisation(
        boss, organisation.id, house.terms(), name=person.name.reveal(), id_number=person.id_number.reveal()
    )
    assert view is not None
    await house.mandates.accept(agent, view.id)
    assert await house.mandates.revoke(boss, organisation.mandate_id)
    with pytest.raises(MandateMissing):
        await house.acting(agent, view.id)


async def test_what_an_agent_gets_ends_no_later_than_what_it_rests_on(house: Household) -> None:
    boss, _, organisation = await represented(house)
    _, person = await house.somebody()
    house.auth.ground.clock.move(timedelta(days=200))
    view = await house.mandates.offer_for_organisation(
        boss, organisation.id, house.terms(days=300), name=person.name.reveal(), id_number=person.id_number.reveal()
    )
    assert view is not None
    assert view.ends_at == organisation.ends_at
