"""Relatives: asked for, confirmed by the register or the other one, and ended; asking tells nothing about anybody."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.delegation.errors import KinshipUnavailable, LinkStateForbids, NoSelfDelegation, TooYoung
from auth.delegation.types import Basis, Guardianship, Kinship, LinkState, MandateState, Named, Relation
from auth.errors import ConsentRequired, LevelTooLow, MandateMissing
from auth.rules import parse_person
from auth.settings import DelegationSettings
from core.audit.ledger import lines_of
from core.cache import TooManyRequests
from core.db import fetch
from core.pii import PersonName
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import CONSENT, Household, make_household, number_of


async def test_a_tie_waits_until_the_other_one_confirms(house: Household) -> None:
    (me, _), (other, person) = await house.somebody("甄一一"), await house.somebody("贾二二")
    asked = await house.ask(me, person, Relation.PARENT)
    assert (asked.state, asked.basis, asked.name, asked.asked_by_me) == (LinkState.WAITING, None, "贾**", True)
    [seen] = await house.relatives.list_relatives(other)
    assert (seen.id, seen.relation, seen.name, seen.asked_by_me) == (asked.id, Relation.CHILD, "甄**", False)
    confirmed = await house.relatives.confirm(other, asked.id, CONSENT)
    assert confirmed is not None
    assert (confirmed.state, confirmed.basis) == (LinkState.CONFIRMED, Basis.BOTH)
    [mine] = await house.relatives.list_relatives(me)
    assert (mine.state, mine.relation) == (LinkState.CONFIRMED, Relation.PARENT)


async def test_the_register_confirms_at_once(house: Household) -> None:
    (me, myself), (other, person) = await house.somebody(), await house.somebody()
    house.kinship.know(myself, person, Kinship(Relation.SPOUSE, Guardianship.NONE))
    view = await house.ask(me, person, Relation.OTHER)
    assert (view.state, view.basis, view.relation) == (LinkState.CONFIRMED, Basis.REGISTER, Relation.SPOUSE)
    assert [each.id for each in await house.relatives.list_relatives(other)] == [view.id]


async def test_known_unknown_and_misnamed_people_are_asked_for_alike(house: Household) -> None:
    (me, _), (other, person) = await house.somebody(), await house.somebody("贾二二")
    nobody = Named(*parse_person("贾三三", number_of(900)))
    misnamed = replace(person, name=PersonName("贾四四"))
    before = house.kinship.questions
    views = [await house.ask(me, each) for each in (person, nobody, misnamed)]
    assert house.kinship.questions - before == 3
    assert len({(view.state, view.basis, view.relation, view.guardian_mandate) for view in views}) == 1
    # The same writes for each of them: two lines in the audit, a tie, an attempt.
    lines = await fetch("SELECT object_id FROM audit_line WHERE action = 'auth.relative-asked'")
    assert sorted(sum(row["object_id"] == str(view.id) for row in lines) for view in views) == [2, 2, 2]
    # Who is called otherwise was not meant.
    assert [each.id for each in await house.relatives.list_relatives(other)] == [views[0].id]
    told = {line.object_id for line in await lines_of(other.citizen_id, before=None, limit=50)}
    assert str(views[0].id) in told
    assert str(views[2].id) not in told


async def test_somebody_who_comes_later_finds_what_was_asked(house: Household) -> None:
    me, _ = await house.somebody()
    view = await house.ask(me, Named(*parse_person("甄三三", number_of(77))))
    late = await house.auth.caller_named("openid-late", "甄三三", number_of(77))
    assert [each.id for each in await house.relatives.list_relatives(late)] == [view.id]


async def test_asking_again_gives_the_same_tie_and_asks_the_register_again(house: Household) -> None:
    (me, myself), (_, person) = await house.somebody(), await house.somebody()
    house.kinship.trouble = KinshipUnavailable()
    first = await house.ask(me, person)
    assert first.state is LinkState.WAITING
    house.kinship.trouble = None
    house.kinship.know(myself, person, Kinship(Relation.PARENT, Guardianship.NONE))
    again, is_new = await house.relatives.add(
        me,
        relation=Relation.OTHER,
        name=person.name.reveal(),
        id_number=person.id_number.reveal(),
        consent=CONSENT,
    )
    assert (again.id, again.state, is_new) == (first.id, LinkState.CONFIRMED, False)


async def test_twenty_taps_make_one_tie(house: Household) -> None:
    (me, _), (_, person) = await house.somebody(), await house.somebody()
    views = await asyncio.gather(*(house.ask(me, person) for _ in range(20)))
    assert len({view.id for view in views}) == 1
    assert len(await fetch("SELECT id FROM relative")) == 1


async def test_only_the_one_who_was_asked_confirms_and_only_once(house: Household) -> None:
    (me, _), (other, person), (stranger, _) = [await house.somebody() for _ in range(3)]
    view = await house.ask(me, person)
    with pytest.raises(LinkStateForbids):
        await house.relatives.confirm(me, view.id, CONSENT)
    assert await house.relatives.confirm(stranger, view.id, CONSENT) is None
    assert await house.relatives.find(stranger, view.id) is None
    with pytest.raises(ConsentRequired):
        await house.relatives.confirm(other, view.id, "face@1")
    results = await asyncio.gather(
        *(house.relatives.confirm(other, view.id, CONSENT) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, LinkStateForbids) for result in results) == 4
    assert await house.relatives.confirm(other, uuid4(), CONSENT) is None


async def test_a_child_does_not_confirm_alone(house: Household) -> None:
    (me, _), (child, person) = await house.somebody(), await house.somebody(born="20150101")
    view = await house.ask(me, person)
    with pytest.raises(TooYoung):
        await house.relatives.confirm(child, view.id, CONSENT)


async def test_either_side_ends_a_tie_and_everything_on_it(house: Household) -> None:
    for ends in (0, 1):
        pair = [(await house.somebody())[0] for _ in range(2)]
        link_id = await house.tied(*pair)
        mandate = await house.offered(pair[0], link_id)
        await house.mandates.accept(pair[1], mandate.id)
        waiting = await house.offered(pair[1], link_id)
        assert await house.relatives.remove(pair[ends], link_id)
        assert not await house.relatives.remove(pair[ends], link_id)
        assert [await house.relatives.list_relatives(each) for each in pair] == [[], []]
        with pytest.raises(MandateMissing):
            await house.acting(pair[1], mandate.id)
        seen = await house.mandates.find(pair[1], waiting.id)
        assert seen is not None
        assert seen.state is MandateState.REVOKED
        kept = await fetch("SELECT name_sealed FROM relative WHERE id = $1", link_id)
        assert [row["name_sealed"] for row in kept] == [None]


async def test_a_stranger_ends_nothing(house: Household) -> None:
    (one, _), (other, _), (stranger, _) = [await house.somebody() for _ in range(3)]
    link_id = await house.tied(one, other)
    assert not await house.relatives.remove(stranger, link_id)
    assert len(await house.relatives.list_relatives(one)) == 1


async def test_nobody_is_their_own_relative(house: Household) -> None:
    me, myself = await house.somebody()
    with pytest.raises(NoSelfDelegation):
        await house.ask(me, myself)


async def test_without_a_real_name_nobody_is_asked_for(house: Household) -> None:
    nameless = await house.auth.caller("openid-nameless")
    with pytest.raises(LevelTooLow):
        await house.ask(nameless, Named(*parse_person("甄三三", number_of(77))))


async def test_without_the_consent_nothing_is_kept(house: Household) -> None:
    (me, _), (_, person) = await house.somebody(), await house.somebody()
    with pytest.raises(ConsentRequired):
        await house.relatives.add(
            me,
            relation=Relation.OTHER,
            name=person.name.reveal(),
            id_number=person.id_number.reveal(),
            consent="real-name@1",
        )
    assert await fetch("SELECT id FROM relative") == []
    assert await fetch("SELECT id FROM delegation_attempt") == []


async def test_attempts_are_counted_in_the_database_on_both_sides(ground: Ground) -> None:
    house = make_household(make_auth(ground), DelegationSettings(relative_account="3/day", relative_number="4/day"))
    (me, _), (other, _), (_, person) = [await house.somebody() for _ in range(3)]
    for serial in range(3):
        await house.ask(me, Named(*parse_person("甄三三", number_of(800 + serial))))
    with pytest.raises(TooManyRequests) as refused:
        await house.ask(me, person)
    assert refused.value.extras.retry_after == 86400
    ground.clock.move(timedelta(hours=24))
    results = await asyncio.gather(*(house.ask(other, person) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, TooManyRequests) for result in results) == 5
    assert await house.ask(me, person)
    with pytest.raises(TooManyRequests):  # Four in all have tried this number.
        await house.ask(me, person)


async def test_what_nobody_answers_is_forgotten_and_may_be_asked_anew(house: Household) -> None:
    (me, _), (_, person) = await house.somebody(), await house.somebody()
    view = await house.ask(me, person)
    house.auth.ground.clock.move(timedelta(days=30))
    assert await house.ending.tidy() == 1
    assert await house.relatives.list_relatives(me) == []
    assert await fetch("SELECT id FROM delegation_attempt") == []
    assert (await house.ask(me, person)).id != view.id


async def test_ties_come_in_pages(house: Household) -> None:
    me, _ = await house.somebody()
    ids = [(await house.ask(me, Named(*parse_person("甄三三", number_of(800 + n))))).id for n in range(5)]
    first = await house.relatives.list_relatives(me, limit=2)
    rest = await house.relatives.list_relatives(me, after=first[-1].id, limit=10)
    assert [view.id for view in first + rest] == sorted(ids)


async def test_names_and_numbers_rest_sealed(house: Household) -> None:
    me, _ = await house.somebody()
    await house.ask(me, Named(*parse_person("甄三三", number_of(800))))
    row = repr(await fetch("SELECT * FROM relative"))
    assert number_of(800) not in row
    assert "甄三三" not in row
