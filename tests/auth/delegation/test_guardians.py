"""Guardians: by the word of the register, without the leave of the ward, until the birthday and no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.delegation.errors import KinshipUnavailable, LinkStateForbids, MandateStateForbids
from auth.delegation.types import Guardianship, Kinship, LinkState, MandateState, Named, Relation
from auth.errors import AccountClosed, MandateMissing, RegistryUnavailable
from auth.rules import parse_person
from auth.settings import DelegationSettings
from auth.types import Caller, MandateKind, ReadPurpose
from core.audit.ledger import lines_of
from core.db import fetch, transaction
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import NOBODY, Household, make_household, number_of

CHILD = Named(*parse_person("甄小小", number_of(501, "20170601")))
GROWN = Named(*parse_person("甄大大", number_of(502, "20110601")))


def on_record(house: Household, guardian: Named, ward: Named, guardianship: Guardianship) -> None:
    """Put a guardianship on record; the population registry knows the ward."""
    relation = Relation.CHILD if guardianship is Guardianship.MINOR else None
    house.kinship.know(guardian, ward, Kinship(relation, guardianship))
    house.auth.registry.people[ward.id_number.reveal()] = ward.name.reveal()


async def parent_of(house: Household, ward: Named = CHILD) -> Caller:
    parent, person = await house.somebody()
    on_record(house, person, ward, Guardianship.MINOR)
    return parent


async def test_a_parent_acts_for_a_child_that_has_no_account(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD, Relation.CHILD)
    assert view.guardian_mandate is not None
    acting = await house.acting(parent, view.guardian_mandate)
    assert (acting.actor_id, acting.session_id, acting.level) == (parent.citizen_id, parent.session_id, parent.level)
    child = await house.auth.realname.person_of(acting.citizen_id, ReadPurpose.DELEGATION)
    assert child.id_number == CHILD.id_number
    assert acting.mandate is not None
    assert (acting.mandate.kind, acting.certificates, acting.matters) == (MandateKind.GUARDIAN, None, None)
    mandate = await house.mandates.find(parent, view.guardian_mandate)
    assert mandate is not None
    assert mandate.ends_at == datetime(2031, 5, 31, 16, 0, tzinfo=UTC)
    # The account was made by the parent, and says so.
    made = next(
        line for line in await lines_of(child.citizen_id, before=None, limit=9) if line.action == "auth.identity-bound"
    )
    assert made.actor_id == str(parent.citizen_id)


async def test_a_guardianship_ends_with_the_birthday(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD)
    assert view.guardian_mandate is not None
    clock = house.auth.ground.clock
    clock.move(datetime(2031, 5, 31, 15, 59, tzinfo=UTC) - clock.now())
    await house.acting(parent, view.guardian_mandate)
    clock.move(timedelta(minutes=1))
    with pytest.raises(MandateMissing):
        await house.acting(parent, view.guardian_mandate)
    # And asking again makes none: the child is fourteen now.
    again = await house.ask(parent, CHILD)
    assert (again.state, again.guardian_mandate) == (LinkState.CONFIRMED, None)
    with pytest.raises(MandateMissing):
        await house.acting(parent, view.guardian_mandate)


@pytest.mark.parametrize(("until", "is_guardian"), [(14, False), (18, True)])
async def test_up_to_which_age_is_a_setting(ground: Ground, until: int, is_guardian: bool) -> None:
    house = make_household(make_auth(ground), DelegationSettings(guardian_until_age=until))
    parent = await parent_of(house, GROWN)
    view = await house.ask(parent, GROWN)
    assert view.state is LinkState.CONFIRMED
    assert (view.guardian_mandate is not None) is is_guardian


async def test_an_adult_without_capacity_has_the_guardian_that_the_register_names(house: Household) -> None:
    guardian, person = await house.somebody()
    _, ward = await house.somebody()
    on_record(house, person, ward, Guardianship.ADULT)
    view = await house.ask(guardian, ward)
    assert (view.state, view.relation) == (LinkState.CONFIRMED, Relation.OTHER)
    assert view.guardian_mandate is not None
    assert (await house.acting(guardian, view.guardian_mandate)).mandate is not None


async def test_both_parents_are_guardians_and_each_only_once(house: Household) -> None:
    mother, father = await parent_of(house), await parent_of(house)
    first, second = await house.ask(mother, CHILD), await house.ask(father, CHILD)
    again = await house.ask(mother, CHILD)
    assert first.guardian_mandate == again.guardian_mandate != second.guardian_mandate
    assert len(await fetch("SELECT id FROM mandate WHERE kind = 'guardian'")) == 2
    with pytest.raises(MandateMissing):
        await house.acting(father, first.guardian_mandate)  # type: ignore[arg-type]


async def test_a_tie_without_the_population_registry_waits_for_it(house: Household) -> None:
    parent = await parent_of(house)
    house.auth.registry.trouble = RegistryUnavailable()
    assert (await house.ask(parent, CHILD)).guardian_mandate is None
    house.auth.registry.trouble = None
    assert (await house.ask(parent, CHILD)).guardian_mandate is not None


async def test_the_register_is_asked_again_after_a_while_and_its_no_ends_it(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD)
    assert view.guardian_mandate is not None
    asked, clock = house.kinship.questions, house.auth.ground.clock
    clock.move(timedelta(hours=167))
    await house.acting(parent, view.guardian_mandate)
    assert house.kinship.questions == asked
    clock.move(timedelta(hours=1))
    house.kinship.trouble = KinshipUnavailable()
    with pytest.raises(KinshipUnavailable):
        await house.acting(parent, view.guardian_mandate)
    house.kinship.trouble = None
    await house.acting(parent, view.guardian_mandate)
    await house.acting(parent, view.guardian_mandate)
    assert house.kinship.questions == asked + 2
    clock.move(timedelta(hours=168))
    house.kinship.ties = dict.fromkeys(house.kinship.ties, NOBODY)
    with pytest.raises(MandateMissing):
        await house.acting(parent, view.guardian_mandate)
    ended = await house.mandates.find(parent, view.guardian_mandate)
    assert ended is not None
    assert (ended.state, ended.end_reason) == (MandateState.ENDED, "register")


async def test_a_ward_ends_neither_the_mandate_nor_the_tie(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD)
    assert view.guardian_mandate is not None
    child = await house.auth.caller_named("openid-child", CHILD.name.reveal(), number_of(600))
    acting = await house.acting(parent, view.guardian_mandate)
    ward = Caller(acting.citizen_id, child.session_id, child.level, False, acting.citizen_id)
    with pytest.raises(MandateStateForbids):
        await house.mandates.revoke(ward, view.guardian_mandate)
    with pytest.raises(LinkStateForbids):
        await house.relatives.remove(ward, view.id)
    assert await house.mandates.revoke(parent, view.guardian_mandate)
    with pytest.raises(MandateMissing):
        await house.acting(parent, view.guardian_mandate)


async def test_a_guardian_consents_in_the_wards_place_and_the_row_says_who(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD)
    assert view.guardian_mandate is not None
    ward_id = (await house.acting(parent, view.guardian_mandate)).citizen_id
    consents = house.auth.consents
    assert not await consents.has_from_guardian(ward_id, "face")
    await house.guardians.consent(parent, view.guardian_mandate, "face@1")
    assert await consents.has_from_guardian(ward_id, "face")
    [row] = await fetch("SELECT given_by FROM consent WHERE citizen_id = $1 AND purpose = 'face'", ward_id)
    assert str(row["given_by"]) == str(parent.citizen_id)
    assert await house.guardians.withdraw(parent, view.guardian_mandate, "face@1")
    assert not await consents.has_from_guardian(ward_id, "face")
    assert not await house.guardians.withdraw(parent, view.guardian_mandate, "face@1")


async def test_ones_own_consent_is_no_guardians(house: Household) -> None:
    me, _ = await house.somebody()
    await transaction(lambda: house.auth.consents.give(me.citizen_id, "face@1"))
    assert not await house.auth.consents.has_from_guardian(me.citizen_id, "face")


async def test_an_agent_who_is_no_guardian_consents_to_nothing(house: Household) -> None:
    (principal, _), (agent, _) = await house.somebody(), await house.somebody()
    mandate_id = await house.given(principal, agent)
    with pytest.raises(MandateMissing):
        await house.guardians.consent(agent, mandate_id, "face@1")


async def test_nobody_acts_for_an_account_that_is_closed(house: Household) -> None:
    parent = await parent_of(house)
    view = await house.ask(parent, CHILD)
    assert view.guardian_mandate is not None
    ward_id = (await house.acting(parent, view.guardian_mandate)).citizen_id
    await fetch("UPDATE citizen SET state = 'closed' WHERE id = $1 RETURNING id", ward_id)
    with pytest.raises((MandateMissing, AccountClosed)):
        await house.acting(parent, view.guardian_mandate)
