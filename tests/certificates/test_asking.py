"""Issuers are asked once at a time, not again too soon, and every answer means something else to the holder."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import pytest

from certificates.errors import IssuerUnavailable, NoneHeld, NotConfirmed
from certificates.living.asking import Asking
from certificates.settings import Lifetimes
from certificates.types import CertificateQuery, Issued, State
from core.db import fetch, transaction
from tests.certificates.conftest import LICENCE_KIND, Hall
from tests.fakes.certificates import LICENCE, FakeIssuer, issued

LOOK_AFTER: Final = "certificates.look-after"


class SlowIssuer(FakeIssuer):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        issued = await super().fetch(query)
        await self.go.wait()
        return issued


def another_process(hall: Hall, issuer: FakeIssuer, **lifetimes: float) -> None:
    """Give the wallet what another process has: the same rows, and nothing in common otherwise."""
    settings = hall.settings.model_copy(update={"lifetimes": Lifetimes(**lifetimes)})
    hall.wallet._settings = settings
    hall.wallet._asking = Asking(
        issuers={"public-security": issuer},
        persons=hall.persons,
        clock=hall.ground.clock,
        ids=hall.ground.ids,
        settings=settings,
    )


async def promised() -> int:
    return len(await fetch("SELECT id FROM job WHERE name = $1", LOOK_AFTER))


async def test_the_four_answers_are_different_ones(hall: Hall) -> None:
    hall.issue(issued())
    view, _ = await hall.wallet.fetch(hall.me, LICENCE_KIND)
    fetched_at = hall.ground.clock.now()
    hall.ground.clock.move(timedelta(hours=1))
    hall.issuer.is_unsure = True
    with pytest.raises(NotConfirmed):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    hall.ground.clock.move(timedelta(hours=1))
    hall.issuer.is_away = True
    with pytest.raises(IssuerUnavailable) as away:
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert away.value.extras.members == {"last_data_at": fetched_at.isoformat()}
    [shown] = await hall.wallet.list_held(hall.me, after=None, limit=5)
    assert (shown.id, shown.state, shown.stale_since) == (view.id, State.ACTIVE, fetched_at + timedelta(hours=1))
    outcomes = [line.outcome for line in await hall.ledger() if line.action == "certificates.fetched"]
    assert outcomes == ["issuer-unavailable", "not-confirmed", "ok"]


async def test_without_anything_held_there_is_no_last_data(hall: Hall) -> None:
    hall.issuer.is_away = True
    with pytest.raises(IssuerUnavailable) as away:
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert away.value.extras.members == {"last_data_at": None}


async def test_twenty_at_once_ask_once_over_two_processes(hall: Hall) -> None:
    issuer = SlowIssuer()
    issuer.drawer[LICENCE_KIND, "999999198503122179"] = issued()
    # Whoever comes when the answer is there already is no part of the crowd: for them it lives a second.
    another_process(hall, issuer, asked_ok_seconds=1)
    first = [asyncio.create_task(hall.wallet.fetch(hall.me, LICENCE_KIND)) for _ in range(10)]
    another_process(hall, issuer, asked_ok_seconds=1)
    second = [asyncio.create_task(hall.wallet.fetch(hall.me, LICENCE_KIND)) for _ in range(10)]
    while not issuer.asked:
        await asyncio.sleep(0.01)
    issuer.go.set()
    told = await asyncio.gather(*first, *second)
    assert len(issuer.asked) == 1
    assert sum(is_new for _, is_new in told) == 1
    assert len({view.id for view, _ in told}) == 1


@pytest.mark.parametrize(
    ("prepare", "problem", "lifetime"),
    [
        (lambda hall: hall.issue(None), NoneHeld, 10),
        (lambda hall: setattr(hall.issuer, "is_unsure", True), NotConfirmed, 10),
        (lambda hall: setattr(hall.issuer, "is_away", True), IssuerUnavailable, 1),
    ],
)
async def test_an_answer_lives_as_long_as_its_outcome(
    hall: Hall, prepare: Callable[[Hall], None], problem: type[Exception], lifetime: int
) -> None:
    prepare(hall)
    for asked in (1, 1, 2):
        with pytest.raises(problem):
            await hall.wallet.fetch(hall.me, LICENCE_KIND)
        assert len(hall.issuer.asked) == asked
        hall.ground.clock.move(timedelta(seconds=lifetime / 2))


async def test_a_good_answer_may_live_too(hall: Hall) -> None:
    another_process(hall, hall.issuer, asked_ok_seconds=60)
    hall.issue(issued())
    for is_new in (True, False):
        assert (await hall.wallet.fetch(hall.me, LICENCE_KIND))[1] is is_new
    assert len(hall.issuer.asked) == 1
    hall.ground.clock.move(timedelta(seconds=61))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert len(hall.issuer.asked) == 2


async def test_who_hangs_up_leaves_the_way_free(hall: Hall) -> None:
    issuer = SlowIssuer()
    issuer.drawer[LICENCE_KIND, "999999198503122179"] = issued()
    another_process(hall, issuer)
    gone = asyncio.create_task(hall.wallet.fetch(hall.me, LICENCE_KIND))
    while not issuer.asked:
        await asyncio.sleep(0.01)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    issuer.go.set()
    assert (await hall.wallet.fetch(hall.me, LICENCE_KIND))[1]


async def test_an_asker_that_died_stands_in_nobodys_way_for_long(hall: Hall) -> None:
    hall.issue(issued())
    assert await transaction(lambda: hall.asking._claim(hall.kinds.get(LICENCE_KIND), hall.me.citizen_id, 0))
    hall.ground.clock.move(timedelta(seconds=21))
    assert (await hall.wallet.fetch(hall.me, LICENCE_KIND))[1]


Read = Callable[[Hall], Awaitable[object]]


async def _listed(hall: Hall) -> object:
    return await hall.wallet.list_held(hall.me, after=None, limit=5)


async def _opened(hall: Hall) -> object:
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=5)
    return await hall.wallet.find_opened(hall.me, view.id)


@pytest.mark.parametrize("read", [_listed, _opened])
async def test_what_has_grown_old_is_fetched_anew_once_however_many_read_it(hall: Hall, read: Read) -> None:
    await hall.held()
    await read(hall)
    assert await promised() == 0
    hall.ground.clock.move(timedelta(hours=6, seconds=1))
    await asyncio.gather(*(read(hall) for _ in range(20)))
    assert await promised() == 1
    hall.issue(issued({**LICENCE, "points": 6}, version=2))
    change = await hall.wallet.look_after(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    await read(hall)
    assert await promised() == 1
    held = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    assert held is not None
    assert held.fields["points"] == 6


async def test_a_stale_one_is_looked_after_until_its_issuer_is_back(hall: Hall) -> None:
    await hall.held()
    hall.issuer.is_away = True
    with pytest.raises(IssuerUnavailable):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    for wanted in (1, 1, 2):
        await _listed(hall)
        assert await promised() == wanted
        assert await hall.wallet.look_after(str(hall.me.citizen_id), LICENCE_KIND) is None
        hall.ground.clock.move(timedelta(seconds=31))
    hall.issuer.is_away = False
    change = await hall.wallet.look_after(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=5)
    assert view.stale_since is None


async def test_a_refresh_asks_whatever_was_said_before(hall: Hall) -> None:
    another_process(hall, hall.issuer, asked_ok_seconds=3600)
    await hall.held()
    hall.issue(issued({**LICENCE, "points": 9}, version=2))
    change = await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    assert len(hall.issuer.asked) == 2
