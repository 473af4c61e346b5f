"""Mandates: offered, accepted, used and revoked; races have one winner, and nobody else gets near."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from auth.delegation.effects import hold_mandate, mandate_stands, require_unused, use_mandate
from auth.delegation.errors import LinkStateForbids, MandateInvalid, MandateStateForbids, TooYoung
from auth.delegation.types import Guardianship, Kinship, MandateState, MandateView, Relation
from auth.errors import MandateMissing
from auth.settings import DelegationSettings
from auth.types import Caller, MandateKind, ReadPurpose, Scope
from core.audit.ledger import lines_of
from core.cache import TooManyRequests
from core.db import fetch, transaction
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import Household, make_household


async def seen(house: Household, caller: Caller, mandate_id: UUID) -> MandateView:
    view = await house.mandates.find(caller, mandate_id)
    assert view is not None
    return view


async def use(house: Household, acting: Caller) -> None:
    """One effect under a mandate, as a use case has it."""
    await transaction(lambda: use_mandate(acting, house.auth.ground.clock.now()))


async def test_a_mandate_counts_once_it_is_accepted(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody("甄一一"), await house.somebody("贾二二")
    scope = Scope(frozenset({"driving-licence"}), frozenset({"119999"}))
    link_id = await house.tied(me, agent)
    offered = await house.offered(me, link_id, house.terms(scope))
    assert (offered.state, offered.is_agent, offered.agent_name) == (MandateState.OFFERED, False, "贾**")
    with pytest.raises(MandateMissing):
        await house.acting(agent, offered.id)
    accepted = await house.mandates.accept(agent, offered.id)
    assert accepted is not None
    assert (accepted.state, accepted.is_agent, accepted.principal_name) == (MandateState.ACTIVE, True, "甄**")
    acting = await house.acting(agent, offered.id)
    assert (acting.citizen_id, acting.actor_id, acting.level) == (me.citizen_id, agent.citizen_id, agent.level)
    assert acting.actor.on_behalf_of == me.citizen_id
    assert (acting.certificates, acting.matters) == (scope.certificates, scope.matters)
    assert not acting.sees_the_person


async def test_either_of_two_relatives_may_be_the_principal(house: Household) -> None:
    (one, _), (other, _) = await house.somebody(), await house.somebody()
    link_id = await house.tied(one, other)
    view = await house.offered(other, link_id)
    assert await house.mandates.accept(one, view.id) is not None
    assert (await house.acting(one, view.id)).citizen_id == other.citizen_id


async def test_without_a_confirmed_tie_nothing_is_offered(house: Household) -> None:
    (me, _), (other, person), (stranger, _) = [await house.somebody() for _ in range(3)]
    waiting = await house.ask(me, person)
    with pytest.raises(LinkStateForbids):
        await house.mandates.offer_to_relative(me, waiting.id, house.terms())
    link_id = await house.tied(me, other)
    assert await house.mandates.offer_to_relative(stranger, link_id, house.terms()) is None
    assert await house.mandates.offer_to_relative(me, uuid4(), house.terms()) is None


async def test_under_eighteen_nobody_gives_or_takes(house: Household) -> None:
    (me, myself), (young, person) = await house.somebody(), await house.somebody(born="20100101")
    house.kinship.know(myself, person, Kinship(Relation.CHILD, Guardianship.MINOR))
    house.kinship.know(person, myself, Kinship(Relation.PARENT, Guardianship.NONE))
    link = await house.ask(me, person)
    assert link.guardian_mandate is None  # Sixteen.
    for caller in (me, young):
        with pytest.raises(TooYoung):
            await house.mandates.offer_to_relative(caller, link.id, house.terms())


async def test_a_mandate_lasts_a_year_at_most(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    link_id = await house.tied(me, agent)
    with pytest.raises(MandateInvalid):
        await house.mandates.offer_to_relative(me, link_id, house.terms(days=365.1))
    assert await house.mandates.offer_to_relative(me, link_id, house.terms(days=365)) is not None


async def test_only_the_agent_accepts_and_only_while_it_is_offered(house: Household) -> None:
    (me, _), (agent, _), (stranger, _) = [await house.somebody() for _ in range(3)]
    view = await house.offered(me, await house.tied(me, agent), house.terms(days=2))
    assert await house.mandates.accept(stranger, view.id) is None
    assert await house.mandates.find(stranger, view.id) is None
    with pytest.raises(MandateStateForbids):
        await house.mandates.accept(me, view.id)
    house.auth.ground.clock.move(timedelta(days=2))
    with pytest.raises(MandateStateForbids):
        await house.mandates.accept(agent, view.id)
    assert (await seen(house, me, view.id)).state is MandateState.ENDED


async def test_of_two_acceptances_at_once_one_counts(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    view = await house.offered(me, await house.tied(me, agent))
    results = await asyncio.gather(*(house.mandates.accept(agent, view.id) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, MandateStateForbids) for result in results) == 9
    lines = await fetch("SELECT id FROM audit_line WHERE action = 'auth.mandate-accepted'")
    assert len(lines) == 2  # One for each side.


async def test_an_offer_is_refused_by_the_agent_and_taken_back_by_the_principal(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    link_id = await house.tied(me, agent)
    refused, taken_back = await house.offered(me, link_id), await house.offered(me, link_id)
    assert await house.mandates.revoke(agent, refused.id)
    assert await house.mandates.revoke(me, taken_back.id)
    assert (await seen(house, agent, refused.id)).state is MandateState.REFUSED
    assert (await seen(house, me, taken_back.id)).state is MandateState.REVOKED
    for view in (refused, taken_back):
        with pytest.raises(MandateMissing):
            await house.acting(agent, view.id)
        with pytest.raises(MandateStateForbids):
            await house.mandates.revoke(me, view.id)
    with pytest.raises(MandateStateForbids):
        await house.mandates.accept(agent, refused.id)
    assert await house.mandates.accept(agent, taken_back.id) is None  # What is no offer any more is nothing to them.


@pytest.mark.parametrize("by_agent", [True, False])
async def test_either_side_revokes_and_it_holds_at_once(house: Household, by_agent: bool) -> None:
    (me, _), (agent, _), (stranger, _) = [await house.somebody() for _ in range(3)]
    mandate_id = await house.given(me, agent)
    acting = await house.acting(agent, mandate_id)
    assert await mandate_stands(mandate_id, house.auth.ground.clock.now())
    assert not await house.mandates.revoke(stranger, mandate_id)
    assert await house.mandates.revoke(agent if by_agent else me, mandate_id)
    with pytest.raises(MandateMissing):
        await house.acting(agent, mandate_id)
    # A request that was let in before has no effect after.
    with pytest.raises(MandateMissing):
        await use(house, acting)
    with pytest.raises(MandateMissing):
        await transaction(lambda: hold_mandate(acting, house.auth.ground.clock.now()))
    assert not await mandate_stands(mandate_id, house.auth.ground.clock.now())
    assert (await seen(house, me, mandate_id)).end_reason == ("by-agent" if by_agent else "by-principal")


async def test_a_mandate_is_over_at_its_end_whoever_writes_it_down(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    mandate_id = await house.given(me, agent, house.terms(days=1))
    acting = await house.acting(agent, mandate_id)
    house.auth.ground.clock.move(timedelta(days=1))
    with pytest.raises(MandateMissing):
        await house.acting(agent, mandate_id)
    with pytest.raises(MandateMissing):
        await use(house, acting)
    assert (await seen(house, me, mandate_id)).state is MandateState.ENDED
    assert await house.ending.tidy() == 1
    [row] = await fetch("SELECT state, end_reason FROM mandate")
    assert (row["state"], row["end_reason"]) == ("ended", "over")


async def test_unknown_anothers_revoked_and_ended_mandates_are_one(house: Household) -> None:
    (me, _), (agent, _), (stranger, _) = [await house.somebody() for _ in range(3)]
    mine, revoked = await house.given(me, agent), await house.given(me, agent)
    await house.mandates.revoke(me, revoked)
    for caller, told in (
        (stranger, str(mine)),
        (me, str(mine)),
        (agent, str(revoked)),
        (agent, str(uuid4())),
        (agent, "no id"),
        (agent, ""),
    ):
        with pytest.raises(MandateMissing) as refused:
            await house.authority.act(caller, told)
        assert refused.value.extras.members == {}


async def test_once_is_once_and_then_only_reading(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    mandate_id = await house.given(me, agent, house.terms(one_time=True))
    acting = await house.acting(agent, mandate_id)
    now = house.auth.ground.clock.now()
    await transaction(lambda: hold_mandate(acting, now))  # What prepares does not use it up.
    require_unused(acting)
    await use(house, acting)
    with pytest.raises(MandateMissing):
        await use(house, acting)
    later = await house.acting(agent, mandate_id)
    with pytest.raises(MandateMissing):
        require_unused(later)
    with pytest.raises(MandateMissing):
        await transaction(lambda: hold_mandate(later, now))
    assert (await seen(house, me, mandate_id)).state is MandateState.USED
    assert await house.mandates.revoke(me, mandate_id)
    with pytest.raises(MandateMissing):
        await house.acting(agent, mandate_id)


async def test_of_twenty_first_uses_at_once_one_has_its_effect(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    acting = await house.acting(agent, await house.given(me, agent, house.terms(one_time=True)))
    done: list[int] = []

    async def effect(number: int) -> None:
        await use_mandate(acting, house.auth.ground.clock.now())
        await fetch("INSERT INTO counter (name, value) VALUES ($1, 1) RETURNING name", f"effect-{number}")
        done.append(number)

    results = await asyncio.gather(
        *(transaction(partial(effect, number)) for number in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, MandateMissing) for result in results) == 19
    assert [row["name"] for row in await fetch("SELECT name FROM counter")] == [f"effect-{done[0]}"]


async def test_an_effect_that_fails_does_not_use_the_mandate_up(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    acting = await house.acting(agent, await house.given(me, agent, house.terms(one_time=True)))

    async def failing() -> None:
        await use_mandate(acting, house.auth.ground.clock.now())
        raise MandateInvalid

    with pytest.raises(MandateInvalid):
        await transaction(failing)
    await use(house, acting)


async def test_a_revocation_and_a_use_at_once_have_an_order(house: Household) -> None:
    """Whoever comes first: an effect that is there was there before the revocation was answered."""
    for _ in range(10):
        (me, _), (agent, _) = await house.somebody(), await house.somebody()
        mandate_id = await house.given(me, agent)
        acting = await house.acting(agent, mandate_id)
        effects: list[str] = []

        async def effect(acting: Caller = acting, effects: list[str] = effects) -> None:
            await use_mandate(acting, house.auth.ground.clock.now())
            await asyncio.sleep(0)
            effects.append("effect")

        async def revoke(me: Caller = me, mandate_id: UUID = mandate_id, effects: list[str] = effects) -> None:
            assert await house.mandates.revoke(me, mandate_id)
            effects.append("revoked")

        results = await asyncio.gather(transaction(effect), revoke(), transaction(effect), return_exceptions=True)
        assert all(result is None or isinstance(result, MandateMissing) for result in results)
        assert effects[-1] == "revoked" or "effect" not in effects[effects.index("revoked") :]
        with pytest.raises(MandateMissing):
            await transaction(effect)


async def test_an_acceptance_and_the_end_of_the_tie_at_once_leave_nothing_usable(house: Household) -> None:
    for _ in range(10):
        (me, _), (agent, _) = await house.somebody(), await house.somebody()
        link_id = await house.tied(me, agent)
        view = await house.offered(me, link_id)
        await asyncio.gather(
            house.mandates.accept(agent, view.id),
            house.relatives.remove(me, link_id),
            house.mandates.offer_to_relative(me, link_id, house.terms()),
            return_exceptions=True,
        )
        given = await house.mandates.list_mandates(me, as_agent=False)
        assert [view.state for view in given if view.state in {MandateState.OFFERED, MandateState.ACTIVE}] == []


async def test_both_sides_read_of_it_and_know_who_acted(house: Household) -> None:
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    mandate_id = await house.given(me, agent)
    await house.mandates.revoke(agent, mandate_id)
    for caller in (me, agent):
        lines = [line for line in await lines_of(caller.citizen_id, before=None, limit=50) if "mandate" in line.action]
        assert {line.action for line in lines} == {
            "auth.mandate-offered",
            "auth.mandate-accepted",
            "auth.mandate-revoked",
        }
        who = {line.action: line.actor_id for line in lines}
        assert who["auth.mandate-offered"] == str(me.citizen_id)
        assert who["auth.mandate-revoked"] == str(agent.citizen_id)


async def test_lists_hold_ones_own_by_role_in_pages(house: Household) -> None:
    (me, _), (agent, _), (stranger, _) = [await house.somebody() for _ in range(3)]
    link_id = await house.tied(me, agent)
    ids = [(await house.offered(me, link_id)).id for _ in range(5)]
    back = await house.offered(agent, link_id)
    given = await house.mandates.list_mandates(me, as_agent=False, limit=3)
    given += await house.mandates.list_mandates(me, as_agent=False, after=given[-1].id, limit=3)
    assert [view.id for view in given] == sorted(ids)
    assert [view.id for view in await house.mandates.list_mandates(me, as_agent=True)] == [back.id]
    assert [view.id for view in await house.mandates.list_mandates(agent, as_agent=True)] == sorted(ids)
    for as_agent in (True, False):
        assert await house.mandates.list_mandates(stranger, as_agent=as_agent) == []


async def test_offers_have_a_daily_limit(ground: Ground) -> None:
    house = make_household(make_auth(ground), DelegationSettings(mandate_account="2/day"))
    (me, _), (agent, _) = await house.somebody(), await house.somebody()
    link_id = await house.tied(me, agent)
    for _ in range(2):
        await house.offered(me, link_id)
    with pytest.raises(TooManyRequests):
        await house.offered(me, link_id)


async def test_when_somebody_goes_everything_of_theirs_ends(house: Household) -> None:
    people = [(await house.somebody())[0] for _ in range(4)]
    gone, one, two, three = people
    as_principal, as_agent = await house.given(gone, one), await house.given(two, gone)
    untouched = await house.given(two, three)
    person = await house.auth.realname.person_of(gone.citizen_id, ReadPurpose.DELEGATION)
    await house.ask(three, replace((await house.somebody())[1], name=person.name, id_number=person.id_number))
    count = await transaction(lambda: house.ending.end_all_of(gone.citizen_id, "death"))
    assert count == 5  # Two ties and their mandates, and one that still waited.
    for agent, mandate_id in ((one, as_principal), (gone, as_agent)):
        with pytest.raises(MandateMissing):
            await house.acting(agent, mandate_id)
    assert (await seen(house, one, as_principal)).end_reason == "death"
    await house.acting(three, untouched)
    assert await house.relatives.list_relatives(gone) == []
    told = [line.outcome for line in await lines_of(two.citizen_id, before=None, limit=50)]
    assert told.count("death") == 2
    assert await transaction(lambda: house.ending.end_all_of(gone.citizen_id, "death")) == 0


async def test_a_representative_who_goes_takes_the_agents_along(house: Household) -> None:
    (boss, myself), (agent, person) = await house.somebody(), await house.somebody()
    code, name = "91999999MA0000170G", "示例云帆软件有限公司"
    house.business.representatives[code, name] = (myself.id_number.reveal(), myself.name.reveal())
    organisation, _ = await house.organisations.add(boss, uscc=code, name=name)
    view = await house.mandates.offer_for_organisation(
        boss, organisation.id, house.terms(), name=person.name.reveal(), id_number=person.id_number.reveal()
    )
    assert view is not None
    assert view.kind is MandateKind.AGENT
    await house.mandates.accept(agent, view.id)
    await house.acting(agent, view.id)
    await transaction(lambda: house.ending.end_all_of(boss.citizen_id, "account-closed"))
    with pytest.raises(MandateMissing):
        await house.acting(agent, view.id)
