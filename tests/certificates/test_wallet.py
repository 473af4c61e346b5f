"""Fetching, listing and opening certificates, with an issuer that can be away, change its mind, or know nothing."""

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import pytest

from auth.account.groups import Groups
from auth.errors import LevelTooLow
from auth.types import Caller, Level
from certificates.errors import IssuerUnavailable, KindUnknown, NoneHeld
from certificates.types import Issued, State
from core.cache import TooManyRequests
from core.crypto import RecordUnreadable
from core.db import execute, fetch, transaction
from tests.certificates.conftest import LICENCE_KIND, Hall
from tests.fakes.certificates import LICENCE, PERMIT, issued


async def test_a_fetched_certificate_lies_in_the_wallet(hall: Hall) -> None:
    view = await hall.held()
    assert await hall.wallet.list_held(hall.me, after=None, limit=10) == [view]
    assert (view.kind, view.title, view.number) == (LICENCE_KIND, "驾驶证", "9999**********2179")
    assert (view.state, view.valid_until, view.stale_since) == (State.ACTIVE, date(2034, 5, 16), None)


async def test_the_first_fetch_is_new_and_the_second_is_not(hall: Hall) -> None:
    hall.issue(issued())
    assert [(await hall.wallet.fetch(hall.me, LICENCE_KIND))[1] for _ in range(2)] == [True, False]


async def test_fetching_at_once_makes_one_certificate(hall: Hall) -> None:
    hall.issue(issued())
    answers = await asyncio.gather(*(hall.wallet.fetch(hall.me, LICENCE_KIND) for _ in range(20)))
    assert sum(is_new for _, is_new in answers) == 1
    assert len({view.id for view, _ in answers}) == 1


async def test_the_issuer_is_asked_with_name_number_and_purpose(hall: Hall) -> None:
    await hall.held()
    [asked] = hall.issuer.asked
    assert (asked.name.reveal(), asked.id_number.reveal()) == ("霍明哲", "999999198503122179")
    assert asked.purpose
    assert "霍明哲" not in repr(asked)


async def test_an_unknown_kind_is_refused(hall: Hall) -> None:
    with pytest.raises(KindUnknown):
        await hall.wallet.fetch(hall.me, "library-card")


async def test_a_kind_whose_issuer_is_not_connected_is_refused(hall: Hall) -> None:
    with pytest.raises(KindUnknown) as caught:
        await hall.wallet.fetch(hall.me, "social-security-card")
    connected = [kind.slug for kind in hall.kinds if kind.issuer == "public-security"]
    assert caught.value.extras.members == {"kinds": connected}


async def test_who_holds_none_is_told_so_and_can_read_it(hall: Hall) -> None:
    with pytest.raises(NoneHeld):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert await hall.wallet.list_held(hall.me, after=None, limit=10) == []
    assert [line.outcome for line in await hall.ledger()] == ["none-held"]


async def test_without_a_real_name_nothing_is_fetched(hall: Hall) -> None:
    stranger = Caller(uuid4(), uuid4(), Level.LINKED, elder=False, actor_id=uuid4())
    with pytest.raises(LevelTooLow):
        await hall.wallet.fetch(stranger, LICENCE_KIND)


async def test_a_new_certificate_needs_its_issuer(hall: Hall) -> None:
    hall.issuer.is_away = True
    with pytest.raises(IssuerUnavailable):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert [line.outcome for line in await hall.ledger()] == ["issuer-unavailable"]


async def test_a_held_certificate_stays_shown_and_marked_while_its_issuer_is_away(hall: Hall) -> None:
    await hall.held()
    hall.issuer.is_away = True
    away_since = hall.ground.clock.now()
    for _ in range(2):
        with pytest.raises(IssuerUnavailable):
            await hall.wallet.fetch(hall.me, LICENCE_KIND)
        [shown] = await hall.wallet.list_held(hall.me, after=None, limit=10)
        assert shown.stale_since == away_since
        hall.ground.clock.move(timedelta(hours=1))
    hall.issuer.is_away = False
    fresh, _ = await hall.wallet.fetch(hall.me, LICENCE_KIND)
    assert fresh.stale_since is None


async def test_a_change_at_the_issuer_arrives_with_its_version(hall: Hall) -> None:
    view = await hall.held()
    hall.issue(issued({**LICENCE, "points": 12}, version=2))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    held = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    assert held is not None
    assert (held.id, held.version, held.fields["points"]) == (view.id, 2, 12)
    assert held.identifier.split(".")[-2] == "002"


async def test_the_version_rises_by_one_where_the_issuer_does_not_count(hall: Hall) -> None:
    await hall.held(issued(version=None))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    hall.issue(issued({**LICENCE, "points": 3}, version=None))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    held = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    assert held is not None
    assert held.version == 2


async def test_an_answer_that_was_overtaken_changes_nothing(hall: Hall) -> None:
    await hall.held(issued({**LICENCE, "points": 6}, version=5))
    hall.issue(issued(version=4))
    await hall.wallet.fetch(hall.me, LICENCE_KIND)
    held = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    assert held is not None
    assert (held.version, held.fields["points"]) == (5, 6)


async def test_a_revoked_certificate_stays_revoked_and_a_new_one_replaces_it(hall: Hall) -> None:
    assert (await hall.held(issued(state=State.REVOKED))).state is State.REVOKED
    assert (await hall.held(issued(version=2))).state is State.REVOKED
    assert (await hall.held(issued(serial="DL0000000999", version=1))).state is State.ACTIVE


async def test_what_its_issuer_no_longer_knows_is_cancelled(hall: Hall) -> None:
    await hall.held()
    hall.issue(None)
    with pytest.raises(NoneHeld):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=10)
    assert view.state is State.CANCELLED


async def test_an_answer_that_does_not_fit_its_kind_is_no_answer(hall: Hall) -> None:
    await hall.held()
    hall.issue(issued({**LICENCE, "points": "many"}, version=2))
    with pytest.raises(IssuerUnavailable):
        await hall.wallet.fetch(hall.me, LICENCE_KIND)
    [shown] = await hall.wallet.list_held(hall.me, after=None, limit=10)
    assert shown.stale_since is not None


async def test_a_certificate_expires_by_the_calendar(hall: Hall) -> None:
    await hall.held(issued(PERMIT, serial="RP1"), "residence-permit")
    states = []
    for days in (0, 12, 1):
        hall.ground.clock.move(timedelta(days=days))
        states += [view.state for view in await hall.wallet.list_held(hall.me, after=None, limit=10)]
    assert states == [State.EXPIRING, State.EXPIRING, State.EXPIRED]


async def test_the_list_goes_on_after_an_item(hall: Hall) -> None:
    first = await hall.held()
    second = await hall.held(issued(PERMIT, serial="RP1"), "residence-permit")
    assert await hall.wallet.list_held(hall.me, after=None, limit=1) == [first]
    assert await hall.wallet.list_held(hall.me, after=first.id, limit=1) == [second]
    assert await hall.wallet.list_held(hall.me, after=second.id, limit=1) == []


async def test_opening_gives_the_fields_and_stands_in_the_ledger(hall: Hall) -> None:
    view = await hall.held()
    opened = await hall.wallet.find_opened(hall.me, view.id)
    assert opened is not None
    assert opened.held.fields == dict(LICENCE)
    assert opened.held.identifier.startswith("1.2.156.3005.2.")
    line = (await hall.ledger())[0]
    assert (line.action, line.object_kind, line.object_id) == ("certificates.opened", LICENCE_KIND, str(view.id))
    assert set(line.field_names) == set(LICENCE)


async def test_somebody_elses_certificate_is_not_there(hall: Hall) -> None:
    view = await hall.held()
    other = Caller(uuid4(), uuid4(), Level.PRESENT, elder=False, actor_id=uuid4())
    assert await hall.wallet.find_opened(other, view.id) is None
    assert await hall.wallet.list_held(other, after=None, limit=10) == []
    assert [line.action for line in await hall.ledger()] == ["certificates.fetched"]


async def test_only_the_fields_asked_for_are_read_and_named(hall: Hall) -> None:
    await hall.held()
    held = await hall.wallet.find_held(
        hall.me.citizen_id, LICENCE_KIND, purpose="预填表单", fields=["name", "vehicle_class"]
    )
    assert held is not None
    assert dict(held.fields) == {"name": "霍明哲", "vehicle_class": "C1"}
    line = (await hall.ledger())[0]
    assert (line.purpose, set(line.field_names)) == ("预填表单", {"name", "vehicle_class"})


async def test_nothing_held_is_none(hall: Hall) -> None:
    assert await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test") is None
    assert await hall.wallet.find_held(hall.me.citizen_id, "passport", purpose="test") is None


async def test_a_refresh_writes_with_the_jobs_completion(hall: Hall) -> None:
    await hall.held()
    hall.issue(issued({**LICENCE, "points": 9}, version=2))
    change = await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    before = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    await transaction(change)
    after = await hall.wallet.find_held(hall.me.citizen_id, LICENCE_KIND, purpose="test")
    assert before is not None
    assert after is not None
    assert (before.fields["points"], after.fields["points"]) == (0, 9)


async def test_a_refresh_of_nothing_does_nothing(hall: Hall) -> None:
    assert await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND) is None
    assert hall.issuer.asked == []


async def test_a_refresh_comes_again_while_the_issuer_is_away(hall: Hall) -> None:
    await hall.held()
    hall.issuer.is_away = True
    with pytest.raises(IssuerUnavailable):
        await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=10)
    assert view.stale_since is not None


async def test_a_refresh_that_finds_none_cancels(hall: Hall) -> None:
    await hall.held()
    hall.issue(None)
    change = await hall.wallet.refresh(str(hall.me.citizen_id), LICENCE_KIND)
    assert change is not None
    await transaction(change)
    [view] = await hall.wallet.list_held(hall.me, after=None, limit=10)
    assert view.state is State.CANCELLED


async def test_issuers_are_spared_from_those_who_fetch_without_end(hall: Hall) -> None:
    hall.issue(issued())
    wallet = hall.wallet
    wallet._settings = hall.settings.model_copy(update={"fetch_limit": "3/hour"})
    for _ in range(3):
        await wallet.fetch(hall.me, LICENCE_KIND)
    with pytest.raises(TooManyRequests):
        await wallet.fetch(hall.me, LICENCE_KIND)
    assert len(hall.issuer.asked) == 3


async def test_nothing_personal_stands_in_the_clear_in_the_tables(hall: Hall) -> None:
    view = await hall.held()
    await hall.wallet.find_opened(hall.me, view.id)
    dump = repr([await fetch("SELECT * FROM certificate"), await fetch("SELECT * FROM audit_line")])
    for value in ("霍明哲", "999999198503122179", "云帆路", "1985-03-12", "霍明哲".encode().hex(), "DL0000000451"):
        assert value not in dump


async def test_a_sealed_value_does_not_open_in_another_row(hall: Hall) -> None:
    one = await hall.held()
    two = await hall.held(issued(PERMIT, serial="RP1"), "residence-permit")

    async def swap() -> None:
        await execute(
            "UPDATE certificate SET fields_sealed = (SELECT fields_sealed FROM certificate WHERE id = $1) "
            "WHERE id = $2",
            one.id,
            two.id,
        )

    await transaction(swap)
    with pytest.raises(RecordUnreadable):
        await hall.wallet.find_opened(hall.me, two.id)


async def test_a_permit_that_holds_makes_its_holder_a_member_of_its_group_until_its_last_day(hall: Hall) -> None:
    groups = Groups(clock=hall.ground.clock, ids=hall.ground.ids)
    hall.issue(permit(until="2026-03-20"), "residence-permit")
    await hall.wallet.fetch(hall.me, "residence-permit")
    assert await groups.of(hall.me.citizen_id) == ("migrant-workers",)
    hall.ground.clock.move(timedelta(days=11))
    assert await groups.of(hall.me.citizen_id) == ()
    hall.issue(permit(until="2027-03-20", version=2), "residence-permit")
    await hall.wallet.fetch(hall.me, "residence-permit")
    assert await groups.of(hall.me.citizen_id) == ("migrant-workers",)
    hall.issue(permit(until="2027-03-20", version=3, state=State.REVOKED), "residence-permit")
    await hall.wallet.fetch(hall.me, "residence-permit")
    assert await groups.of(hall.me.citizen_id) == ()


async def test_a_permit_that_is_gone_takes_its_group_along_and_a_licence_gives_none(hall: Hall) -> None:
    groups = Groups(clock=hall.ground.clock, ids=hall.ground.ids)
    await hall.held()
    assert await groups.of(hall.me.citizen_id) == ()
    hall.issue(permit(until="2027-03-20"), "residence-permit")
    await hall.wallet.fetch(hall.me, "residence-permit")
    hall.issue(None, "residence-permit")
    with pytest.raises(NoneHeld):
        await hall.wallet.fetch(hall.me, "residence-permit")
    assert await groups.of(hall.me.citizen_id) == ()


def permit(*, until: str, version: int = 1, state: State = State.ACTIVE) -> Issued:
    return issued({**PERMIT, "endorsed_until": until}, version=version, state=state, serial="RP0000000452")
