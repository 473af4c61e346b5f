"""How certificates live: what issuers tell by themselves, which moves there are, a wallet held back, its history."""

import asyncio
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from auth.account.groups import Groups
from certificates import rules
from certificates.errors import (
    EventConflict,
    IssuerUnavailable,
    MoveForbidden,
    NoneHeld,
    NotYourKind,
    StateForbids,
    StateUnknown,
)
from certificates.types import Change, News, Outcome, Source, State
from core.db import as_moment, execute, fetch, transaction
from core.pii import IdNumber
from tests.certificates.conftest import LICENCE_KIND, NUMBER, Hall
from tests.fakes.certificates import LICENCE, PERMIT, issued

SERIAL = "DL0000000451"


def news(code: str, version: int = 2, *, event_id: str = "", kind: str = LICENCE_KIND, serial: str = SERIAL) -> News:
    return News(
        event_id=event_id or f"event-{code}-{version}",
        kind=kind,
        holder=IdNumber.parse(NUMBER),
        serial=serial,
        version=version,
        code=code,
        reason="told",
    )


async def state_of(hall: Hall) -> State:
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=10)
    return view.state


async def changes(hall: Hall, certificate_id: UUID) -> list[Change]:
    told = await hall.wallet.history_of(hall.me, certificate_id, after=None, limit=50)
    assert told is not None
    return told


async def jobs(name: str) -> list[dict[str, object]]:
    return list(await fetch("SELECT payload FROM job WHERE name = $1 ORDER BY id", name))


async def test_a_revocation_that_is_told_holds_at_the_next_scan(hall: Hall) -> None:
    view = await hall.held()
    shown = await hall.shown(view.id)
    await hall.life.hear("public-security", news("03"))
    assert (await hall.verification.verify(shown.code)).outcome is Outcome.REVOKED
    with pytest.raises(StateForbids):
        await hall.presentation.show(hall.me, view.id)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("03", State.REVOKED),
        ("04", State.CANCELLED),
        ("05", State.EXPIRED),
        ("06", State.MOVED),
        ("07", State.REVOKED),
        ("08", State.FROZEN),
    ],
)
async def test_every_code_has_its_state_and_its_line_of_history(hall: Hall, code: str, state: State) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news(code))
    assert await state_of(hall) is state
    [made, told] = await changes(hall, view.id)
    assert (made.source, made.state_before, made.state, made.version) == (Source.PULL, None, State.ACTIVE, 1)
    assert (told.source, told.state_before, told.state) == (Source.PUSH, State.ACTIVE, state)
    assert (told.code, told.version, told.reason) == (code, 2, "told")


async def test_a_change_is_a_version_more_in_the_identifier_too(hall: Hall) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news("08", 7))
    opened = await hall.wallet.find_opened(hall.me, view.id)
    assert opened is not None
    assert (opened.held.version, opened.held.identifier.split(".")[-2]) == (7, "007")
    assert rules.identifier_is_right(opened.held.identifier)


async def test_frozen_thaws_and_revoked_is_for_good(hall: Hall) -> None:
    await hall.held()
    await hall.life.hear("public-security", news("08", 2))
    await hall.life.hear("public-security", news("01", 3))
    assert await state_of(hall) is State.ACTIVE
    await hall.life.hear("public-security", news("03", 4))
    for code in ("01", "04", "05", "06", "08"):
        with pytest.raises(MoveForbidden) as caught:
            await hall.life.hear("public-security", news(code, 5))
        assert caught.value.extras.members["before"] == "revoked"
    assert await state_of(hall) is State.REVOKED


def test_the_moves_that_there_are() -> None:
    told = set(rules.STATES_TOLD.values())
    forbidden = {(one, other) for one, other in product(told, told) if not rules.may_move(one, other)}
    assert forbidden == {
        *((State.REVOKED, other) for other in told - {State.REVOKED}),
        *((State.CANCELLED, other) for other in (State.EXPIRED, State.FROZEN, State.MOVED)),
        *((State.MOVED, other) for other in (State.EXPIRED, State.FROZEN)),
    }


def test_every_state_has_a_code() -> None:
    for state in State:
        wanted = {State.EXPIRING: State.ACTIVE, State.FROZEN: None}.get(state, state)
        assert rules.STATES_TOLD.get(rules.code_of(state)) is wanted


async def test_the_same_news_again_and_news_overtaken_have_no_effect(hall: Hall) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news("08", 3))
    await hall.life.hear("public-security", news("08", 3))
    await hall.life.hear("public-security", news("04", 2))
    assert await state_of(hall) is State.FROZEN
    assert len(await changes(hall, view.id)) == 2


async def test_news_that_contradict_each_other_are_refused(hall: Hall) -> None:
    await hall.held()
    await hall.life.hear("public-security", news("08", 2, event_id="one"))
    with pytest.raises(EventConflict):
        await hall.life.hear("public-security", news("03", 2, event_id="one"))
    with pytest.raises(EventConflict):
        await hall.life.hear("public-security", news("03", 2, event_id="another"))
    assert await state_of(hall) is State.FROZEN


async def test_only_the_issuer_of_a_kind_is_heard(hall: Hall) -> None:
    await hall.held()
    for department, kind in (("health", LICENCE_KIND), ("public-security", "housing-fund"), ("health", "no-kind")):
        with pytest.raises(NotYourKind):
            await hall.life.hear(department, news("03", kind=kind))
    with pytest.raises(StateUnknown):
        await hall.life.hear("public-security", news("99"))
    assert await state_of(hall) is State.ACTIVE


async def test_news_of_what_nobody_holds_look_the_same_from_outside_and_change_nothing(hall: Hall) -> None:
    await hall.life.hear("public-security", news("03"))
    assert await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND) is None


async def test_news_that_overtake_the_first_fetch_have_it_looked_at_again(hall: Hall) -> None:
    """Somebody fetches a certificate, its issuer answers, revokes it and says so, and only then the answer is kept."""
    await hall.life.hear("public-security", news("03", 2))
    await hall.held()
    assert await state_of(hall) is State.ACTIVE
    [promised] = await fetch("SELECT run_at, created_at FROM job WHERE name = 'certificates.refresh'")
    # Later than an issuer may take to answer.
    assert (as_moment(promised["run_at"]) - as_moment(promised["created_at"])).total_seconds() > 20
    hall.issue(issued(LICENCE, version=2, state=State.REVOKED))
    change = await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    assert await state_of(hall) is State.REVOKED


async def test_news_of_another_certificate_of_the_kind_have_it_fetched_and_change_nothing(hall: Hall) -> None:
    await hall.held()
    await hall.life.hear("public-security", news("01", 1, serial="DL0000000999"))
    assert await state_of(hall) is State.ACTIVE
    assert len(await jobs("certificates.refresh")) == 1


async def test_what_it_holds_is_fetched_after_the_news(hall: Hall) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news("08"))
    assert len(await jobs("certificates.refresh")) == 1
    hall.issue(issued({**LICENCE, "status": "withheld"}, version=2, state=State.FROZEN))
    change = await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    opened = await hall.wallet.find_opened(hall.me, view.id)
    assert opened is not None
    assert (opened.held.state, opened.held.fields["status"]) == (State.FROZEN, "withheld")


async def test_the_holder_is_told_and_can_read_it(hall: Hall) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news("08"))
    [line] = [line for line in await hall.ledger() if line.action == "certificates.moved"]
    assert (line.actor_kind, line.outcome, line.object_id) == ("department", "frozen", str(view.id))
    assert "certificates.state-changed" in repr(await jobs("notices.tell"))


async def test_a_permit_that_is_frozen_takes_its_group_along(hall: Hall) -> None:
    groups = Groups(clock=hall.ground.clock, ids=hall.ground.ids)
    await hall.held(issued({**PERMIT, "endorsed_until": "2027-03-20"}, serial="RP1"), "residence-permit")
    assert await groups.of(hall.me.citizen_id) == ("migrant-workers",)
    await hall.life.hear("public-security", news("08", kind="residence-permit", serial="RP1"))
    assert await groups.of(hall.me.citizen_id) == ()
    await hall.life.hear("public-security", news("01", 3, kind="residence-permit", serial="RP1"))
    assert await groups.of(hall.me.citizen_id) == ("migrant-workers",)


async def test_a_fetch_cannot_do_what_news_cannot(hall: Hall) -> None:
    view = await hall.held(issued(state=State.MOVED))
    hall.issue(issued(state=State.FROZEN, version=2))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert await state_of(hall) is State.MOVED
    assert [change.state for change in await changes(hall, view.id)] == [State.MOVED, State.MOVED]


async def test_twenty_tell_the_same_at_once_and_it_happens_once(hall: Hall) -> None:
    view = await hall.held()
    told = await asyncio.gather(
        *(hall.life.hear("public-security", news("08")) for _ in range(20)), return_exceptions=True
    )
    assert all(each is None or isinstance(each, IssuerUnavailable) for each in told)
    assert len(await changes(hall, view.id)) == 2


async def follow(hall: Hall, *, dead: bool, times: int = 1) -> None:
    """Run the jobs that follow from what is said of a person, as often as it was said."""
    hall.persons.dead = {hall.me.citizen_id} if dead else set()
    for _ in range(times):
        await transaction(await hall.life.follow_death(str(hall.me.citizen_id), "death"))


async def test_what_was_said_last_of_a_person_holds_whichever_job_comes_first(hall: Hall) -> None:
    await hall.held()
    # Told dead and taken back, or the other way round, before either job has run.
    await follow(hall, dead=False, times=2)
    assert await state_of(hall) is State.ACTIVE
    await follow(hall, dead=True, times=3)
    assert await state_of(hall) is State.FROZEN


async def test_a_death_freezes_the_whole_wallet_and_a_mistake_thaws_it(hall: Hall) -> None:
    licence = await hall.held()
    permit = await hall.held(issued({**PERMIT, "endorsed_until": "2027-03-20"}, serial="RP1"), "residence-permit")
    await hall.life.hear("public-security", news("03", kind="residence-permit", serial="RP1"))
    shown = await hall.shown(licence.id)
    await follow(hall, dead=True)
    states = {view.id: view.state for view in await hall.wallet.list_held(hall.me, after=None, limit=10)}
    assert states == {licence.id: State.FROZEN, permit.id: State.REVOKED}
    assert (await hall.verification.verify(shown.code)).outcome is Outcome.FROZEN
    # The issuer says that it is valid, and later that it is not: neither thaws it, and the second comes out.
    hall.issue(issued(version=2))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert (await hall.wallet.list_held(hall.me, after=None, limit=1))[0].state is State.FROZEN
    await follow(hall, dead=False)
    states = {view.id: view.state for view in await hall.wallet.list_held(hall.me, after=None, limit=10)}
    assert states == {licence.id: State.ACTIVE, permit.id: State.REVOKED}
    assert [change.reason for change in await changes(hall, licence.id)][-2:] != ["death", "death"]
    assert [change.source for change in await changes(hall, licence.id)].count(Source.SYSTEM) == 2


async def test_what_is_held_back_and_revoked_meanwhile_stays_revoked(hall: Hall) -> None:
    await hall.held()
    await follow(hall, dead=True)
    await hall.life.hear("public-security", news("03"))
    assert await state_of(hall) is State.REVOKED
    await follow(hall, dead=False)
    assert await state_of(hall) is State.REVOKED


async def test_history_is_the_holders_alone_and_goes_on_after_a_line(hall: Hall) -> None:
    view = await hall.held()
    await hall.life.hear("public-security", news("08"))
    first, second = await changes(hall, view.id)
    assert await hall.wallet.history_of(hall.me, view.id, after=first.id, limit=5) == [second]
    assert await hall.wallet.history_of(hall.me, hall.ground.ids.uuid(), after=None, limit=5) is None


async def test_what_is_known_not_to_be_there_is_asked_for_again_after_news(hall: Hall) -> None:
    for _ in range(2):
        with pytest.raises(NoneHeld):
            await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert len(hall.issuer.asked) == 1
    await hall.life.hear("public-security", news("01", 1))
    hall.issue(issued())
    assert (await hall.wallet.fetch(hall.me, LICENCE_KIND))[1]
    hall.ground.clock.move(timedelta(days=1))


async def test_news_beside_a_refresh_read_again_what_that_has_written(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await hall.held()
    move, others = hall.records.move, 2

    async def beside_others(record: Any, *arguments: Any, **more: Any) -> bool:
        nonlocal others
        if others:
            others -= 1
            await execute("UPDATE certificate SET revision = revision + 1 WHERE id = $1", view.id)
        return await move(record, *arguments, **more)

    monkeypatch.setattr(hall.life._keeping._records, "move", beside_others)
    await hall.life.hear("public-security", news("08"))
    assert await state_of(hall) is State.FROZEN
    others = 3
    with pytest.raises(IssuerUnavailable):
        await hall.life.hear("public-security", news("01", 3))
