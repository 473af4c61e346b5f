"""The key of the blind indexes changes while ties, offers, checks and contacts of before are still open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.wiring.rekeying import INDEXED
from auth.ways.errors import WayLocked
from auth.ways.types import Method, Outcome
from core.cache import TooManyRequests
from core.db import fetch, transaction
from core.keyring.folder import KeyFolder
from core.pii import Secret
from core.rekeying.passes import IndexPass
from core.rekeying.work import KeyWork
from core.settings import KeySettings
from tests.auth.ways.people import CARD, MOBILE, NAME, NUMBER
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.delegation import Household, make_household
from tests.fakes.ways import OFFICER, Ways, employ, make_ways

NOTICE, SECOND = timedelta(seconds=3), timedelta(seconds=1)
NUMBERS = "SELECT id, number_hash FROM relative WHERE id_number_sealed IS NOT NULL ORDER BY id"


@pytest.fixture
def house(ground: Ground) -> Household:
    return make_household(make_auth(ground))


@pytest.fixture
def ways(ground: Ground) -> Ways:
    made = make_ways(ground)
    made.know(NAME, NUMBER, MOBILE)
    return made


def change(ground: Ground) -> None:
    """Make another key current: from now on rows stand under either."""
    KeyFolder(ground.settings.key_folder, clock=ground.clock).rotate("index", notice=NOTICE)
    assert ground.ring.refresh()
    ground.clock.move(NOTICE)
    pair = ground.vault.indexes("citizen.id_number", NUMBER)
    assert pair[0] != pair[1]


async def finish(ground: Ground) -> None:
    """Bring everything along and destroy the earlier key."""
    work = KeyWork(
        ring=ground.ring,
        vault=ground.vault,
        audit=ground.audit,
        clock=ground.clock,
        settings=KeySettings(settle_seconds=1, batch=2),
        seals=[],
        indexes=[IndexPass(column, ground.vault) for column in INDEXED],
    )
    name = f"index:{ground.ring.indexes.current(ground.clock.now()).kid}"
    for _ in range(20):
        await work.go_on()
        ground.clock.move(SECOND)
        if await work.is_settled(name):
            break
    else:
        raise AssertionError("not brought along")
    KeyFolder(ground.settings.key_folder, clock=ground.clock).retire("index", at_once=True)
    assert ground.ring.refresh()


@pytest.mark.parametrize("is_finished", [False, True])
async def test_ties_and_offers_of_before_are_found(ground: Ground, house: Household, *, is_finished: bool) -> None:
    (me, _), (agent, agent_named), (named_one, named) = [await house.somebody() for _ in range(3)]
    offer = await house.offered(me, await house.tied(me, agent))
    waiting = await house.ask(me, named)
    before = await fetch(NUMBERS)
    change(ground)
    if is_finished:
        await finish(ground)
        after = await fetch(NUMBERS)
        assert [row["id"] for row in before] == [row["id"] for row in after]
        assert not {row["number_hash"] for row in before} & {row["number_hash"] for row in after}
    assert [each.id for each in await house.relatives.list_relatives(named_one)] == [waiting.id]
    assert offer.id in {each.id for each in await house.mandates.list_mandates(agent, as_agent=True)}
    accepted = await house.mandates.accept(agent, offer.id)
    assert accepted is not None
    # The same tie is not asked for twice under two keys.
    assert (await house.ask(me, named)).id == waiting.id
    assert (await house.ask(me, agent_named)).id != waiting.id


@pytest.mark.parametrize("is_finished", [False, True])
async def test_a_tie_that_waits_for_somebody_who_goes_ends(
    ground: Ground, house: Household, *, is_finished: bool
) -> None:
    (me, _), (gone, named) = [await house.somebody() for _ in range(2)]
    # By the number alone: whoever asked has spelled the name in another way.
    other = replace((await house.somebody())[1], id_number=named.id_number)
    await house.ask(me, other)
    change(ground)
    if is_finished:
        await finish(ground)
    assert await transaction(lambda: house.ending.end_all_of(gone.citizen_id, "death")) == 1
    assert await house.relatives.list_relatives(me) == []


async def test_attempts_at_a_relative_go_on_counting(ground: Ground) -> None:
    settings = make_household(make_auth(ground)).settings.model_copy(update={"relative_number": "1/day"})
    house = make_household(make_auth(ground), settings)
    (me, _), (other, named) = [await house.somebody() for _ in range(2)]
    await house.ask(me, named)
    change(ground)
    third, _ = await house.somebody()
    with pytest.raises(TooManyRequests):
        await house.ask(third, named)
    assert other.citizen_id != third.citizen_id


@pytest.mark.parametrize("is_finished", [False, True])
async def test_a_login_by_message_that_began_before_ends_after(
    ground: Ground, ways: Ways, *, is_finished: bool
) -> None:
    mine = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    check = await ways.login_checks.start(
        Method.SMS, name=NAME, id_number=NUMBER, consent="real-name@1", mobile=MOBILE, card_number=CARD,
        address=ways.auth.address,
    )  # fmt: skip
    change(ground)
    if is_finished:
        await finish(ground)
    code = ways.sender.last_to(MOBILE)
    result, grant = await ways.login_checks.submit_evidence(check.id, code, device="", address=ways.auth.address)
    assert result.outcome is Outcome.PASSED
    assert grant is not None
    assert grant.citizen.id == mine.citizen_id
    told = await fetch("SELECT subject_id FROM audit_line WHERE action = 'auth.way-passed'")
    assert [str(row["subject_id"]).replace("-", "") for row in told] == [mine.citizen_id.hex]


async def test_messages_to_one_mobile_go_on_counting(ground: Ground, ways: Ways) -> None:
    async def ask(times: int) -> None:
        for _ in range(times):
            await ways.login_checks.start(
                Method.SMS, name=NAME, id_number=NUMBER, consent="real-name@1", mobile=MOBILE, card_number=CARD,
                address=ways.auth.address,
            )  # fmt: skip

    await ask(3)
    change(ground)
    with pytest.raises(WayLocked):
        await ask(3)


async def test_a_slip_of_the_counter_is_confirmed_after_the_change(ground: Ground, ways: Ways) -> None:
    check = await ways.login_checks.start(
        Method.COUNTER, name=NAME, id_number=NUMBER, consent="real-name@1", mobile=None, card_number=CARD,
        address=ways.auth.address,
    )  # fmt: skip
    change(ground)
    await finish(ground)
    await employ(ground)
    await ways.counter.confirm(OFFICER, str(check.prompt.code), name=NAME, id_number=NUMBER)
    result, _ = await ways.login_checks.submit_evidence(check.id, None, device="", address=ways.auth.address)
    assert result.outcome is Outcome.PASSED


@pytest.mark.parametrize("is_finished", [False, True])
async def test_an_account_is_found_by_its_openid(ground: Ground, *, is_finished: bool) -> None:
    auth = make_auth(ground)
    me = await auth.caller_named("openid-1", NAME, NUMBER)
    before = await auth.contacts.find_account(Secret("openid-1"))
    assert before is not None
    change(ground)
    if is_finished:
        await finish(ground)
    assert await auth.contacts.find_account(Secret("openid-1")) == before
    assert (await auth.log_in("openid-1")).citizen.id == me.citizen_id
