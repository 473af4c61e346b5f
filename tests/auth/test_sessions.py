"""Sessions: renewed by rotation, ended by reuse, raised and ended at once."""

import asyncio
import os
import time
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import (
    AccountClosed,
    RefreshInvalid,
    RefreshReused,
    TokenExpired,
    TokenInvalid,
)
from auth.types import Level
from core.db import OutsideTransaction, execute, fetch, transaction
from tests.fakes.auth import Auth

PHONE, TABLET = "a-phone-0123456789", "a-tablet-0123456789"
NUMBER = "999999198503122179"
ELDER_NUMBER = "999999194910017247"


async def raise_to_present(auth: Auth, session_id: UUID, *, elder: bool = False) -> None:
    async def work() -> None:
        await auth.sessions.raise_level(session_id, Level.PRESENT, until=auth.sessions.fresh_until(elder=elder))

    await transaction(work)


async def test_a_refresh_token_is_exchanged_for_its_successor(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    assert second.refresh_token != first.refresh_token
    assert second.session_id == first.session_id
    assert (await auth.sessions.caller_of(second.access_token)).citizen_id == first.citizen.id
    third = await auth.sessions.renew(second.refresh_token, PHONE)
    assert third.session_id == first.session_id


async def test_fifty_uses_at_once_have_one_successor_round_after_round(auth: Auth) -> None:
    """The suite plays a part of the promised rounds; `ZHIJIAN_RACE_ROUNDS=1000` all of them (benchmarks/README.md)."""
    rounds, begun = int(os.environ.get("ZHIJIAN_RACE_ROUNDS", "100")), time.monotonic()
    grant = await auth.log_in(device=PHONE)
    for number in range(rounds):
        at_once = [auth.sessions.renew(grant.refresh_token, PHONE) for _ in range(50)]
        renewed = await asyncio.gather(*at_once)
        assert len({one.refresh_token for one in renewed}) == 1, number
        grant = renewed[0]
        auth.ground.clock.move(timedelta(minutes=1))
    rows = await fetch("SELECT generation, used_at FROM refresh_token ORDER BY generation")
    assert [row["generation"] for row in rows] == list(range(rounds + 1))
    assert [row["used_at"] is None for row in rows] == [False] * rounds + [True]
    print(f"{rounds} rounds of 50 uses at once: {rounds} successors, in {time.monotonic() - begun:.0f} s")  # noqa: T201


async def test_fifty_uses_at_once_without_a_device_are_a_theft_and_fork_nothing(auth: Auth) -> None:
    grant = await auth.log_in()
    results = await asyncio.gather(
        *(auth.sessions.renew(grant.refresh_token, "") for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert all(isinstance(result, RefreshReused) for result in results if isinstance(result, BaseException))
    rows = await fetch("SELECT generation FROM refresh_token ORDER BY generation")
    assert [row["generation"] for row in rows] == [0, 1]


async def test_a_lost_answer_is_given_again_to_the_same_device(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    auth.ground.clock.move(timedelta(seconds=9))
    again = await auth.sessions.renew(first.refresh_token, PHONE)
    assert again.refresh_token == second.refresh_token
    assert (await auth.sessions.renew(again.refresh_token, PHONE)).session_id == first.session_id


@pytest.mark.parametrize(("device", "seconds"), [(TABLET, 1), ("", 1), (PHONE, 10)])
async def test_a_used_token_ends_the_session_for_another_device_and_after_the_grace(
    auth: Auth, device: str, seconds: int
) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    auth.ground.clock.move(timedelta(seconds=seconds))
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(first.refresh_token, device)
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(second.refresh_token, PHONE)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(second.access_token)


async def test_the_token_before_the_last_ends_the_session_also_within_the_grace(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    third = await auth.sessions.renew(second.refresh_token, PHONE)
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(first.refresh_token, PHONE)
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(third.refresh_token, PHONE)


async def test_a_reuse_is_written_down_once(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    await auth.sessions.renew(first.refresh_token, PHONE)
    auth.ground.clock.move(timedelta(minutes=1))
    for _ in range(2):
        with pytest.raises(RefreshReused):
            await auth.sessions.renew(first.refresh_token, PHONE)
    lines = await fetch("SELECT subject_id, object_id FROM audit_line WHERE action = 'auth.refresh-reused'")
    assert [(UUID(str(line["subject_id"])), line["object_id"]) for line in lines] == [
        (first.citizen.id, str(first.session_id))
    ]


async def test_a_reuse_ends_that_session_and_no_other(auth: Auth) -> None:
    phone, tablet = await auth.log_in(device=PHONE), await auth.log_in(device=TABLET)
    await auth.sessions.renew(phone.refresh_token, PHONE)
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(phone.refresh_token, TABLET)
    assert (await auth.sessions.caller_of(tablet.access_token)).session_id == tablet.session_id


@pytest.mark.parametrize("token", ["", "unknown", "x" * 129, "x" * 10_000, "刷新", "' OR 1=1 --"])
async def test_an_unknown_refresh_token_is_refused(auth: Auth, token: str) -> None:
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(token, PHONE)


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(auth: Auth) -> None:
    grant = await auth.log_in()
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(grant.access_token, "")
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.refresh_token)


async def test_an_unused_session_ends_after_thirty_days_and_a_used_one_after_ninety(auth: Auth) -> None:
    idle, used = await auth.log_in(device=PHONE), await auth.log_in(device=TABLET)
    refresh_token = used.refresh_token
    for _ in range(4):
        auth.ground.clock.move(timedelta(days=20))
        refresh_token = (await auth.sessions.renew(refresh_token, TABLET)).refresh_token
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(idle.refresh_token, PHONE)
    auth.ground.clock.move(timedelta(days=10))
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(refresh_token, TABLET)


async def test_an_access_token_runs_out_and_the_session_goes_on(auth: Auth) -> None:
    grant = await auth.log_in(device=PHONE)
    assert grant.expires_in <= 600
    auth.ground.clock.move(timedelta(seconds=grant.expires_in))
    with pytest.raises(TokenExpired):
        await auth.sessions.caller_of(grant.access_token)
    renewed = await auth.sessions.renew(grant.refresh_token, PHONE)
    assert (await auth.sessions.caller_of(renewed.access_token)).session_id == grant.session_id


async def test_a_session_is_at_present_for_ten_minutes_with_the_same_token(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    await raise_to_present(auth, caller.session_id)
    assert (await auth.sessions.caller_of(token)).level is Level.PRESENT
    auth.ground.clock.move(timedelta(minutes=9, seconds=59))
    assert (await auth.sessions.caller_of(token)).level is Level.PRESENT
    auth.ground.clock.move(timedelta(seconds=1))
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert (await auth.sessions.caller_of(token)).level is Level.REAL_NAME


async def test_a_session_of_an_elder_is_at_present_for_thirty_minutes(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "逄秀英", ELDER_NUMBER)
    assert caller.elder
    await raise_to_present(auth, caller.session_id, elder=caller.elder)
    auth.ground.clock.move(timedelta(minutes=29))
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert (await auth.sessions.caller_of(token)).level is Level.PRESENT


async def test_presence_survives_a_renewal_and_stays_with_its_session(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    here, there = await auth.log_in("openid-1", device=PHONE), await auth.log_in("openid-1", device=TABLET)
    assert here.citizen.level is Level.REAL_NAME
    await raise_to_present(auth, here.session_id)
    assert (await auth.sessions.renew(here.refresh_token, PHONE)).citizen.level is Level.PRESENT
    assert (await auth.sessions.caller_of(there.access_token)).level is Level.REAL_NAME
    assert caller.citizen_id == here.citizen.id


async def test_a_session_without_a_real_name_and_an_ended_one_cannot_be_raised(auth: Auth) -> None:
    nameless = await auth.log_in("openid-2")
    with pytest.raises(TokenInvalid):
        await raise_to_present(auth, nameless.session_id)
    named = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    await auth.logout.of(named, named.session_id)
    with pytest.raises(TokenInvalid):
        await raise_to_present(auth, named.session_id)


async def test_a_level_is_raised_in_the_transaction_of_its_proof(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    with pytest.raises(OutsideTransaction):
        await auth.sessions.raise_level(
            caller.session_id, Level.PRESENT, until=auth.sessions.fresh_until(elder=False)
        )  # fmt: skip


async def test_a_session_opened_at_present_needs_no_wechat(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "逄秀英", ELDER_NUMBER)
    grant = await auth.sessions.open(caller.citizen_id, level=Level.PRESENT, device="")
    assert grant.citizen.level is Level.PRESENT
    assert grant.citizen.name == "逄**"
    auth.ground.clock.move(timedelta(minutes=30))
    token = auth.tokens.issue(grant.citizen.id, grant.session_id)
    assert (await auth.sessions.caller_of(token)).level is Level.REAL_NAME


async def test_a_session_is_opened_no_higher_than_its_citizen_is_known(auth: Auth) -> None:
    nameless = await auth.log_in("openid-2")
    grant = await auth.sessions.open(nameless.citizen.id, level=Level.PRESENT, device="")
    assert grant.citizen.level is Level.LINKED


async def test_nobody_gets_a_session_for_a_closed_account_and_the_open_ones_are_over(auth: Auth) -> None:
    grant = await auth.log_in(device=PHONE)
    await execute("UPDATE citizen SET state = 'closed' WHERE id = $1", grant.citizen.id)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)
    with pytest.raises(AccountClosed):
        await auth.sessions.renew(grant.refresh_token, PHONE)
    with pytest.raises(AccountClosed):
        await auth.log_in(device=PHONE)
    with pytest.raises(AccountClosed):
        await auth.sessions.open(UUID(int=99), level=Level.LINKED, device="")


async def test_logging_out_holds_at_once(auth: Auth) -> None:
    grant = await auth.log_in(device=PHONE)
    caller = await auth.sessions.caller_of(grant.access_token)
    assert await auth.logout.of(caller, grant.session_id)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(grant.refresh_token, PHONE)
    assert not await auth.logout.of(caller, grant.session_id)


async def test_nobody_logs_out_somebody_else(auth: Auth) -> None:
    mine, theirs = await auth.caller("openid-1"), await auth.log_in("openid-2")
    assert not await auth.logout.of(mine, theirs.session_id)
    assert (await auth.sessions.caller_of(theirs.access_token)).session_id == theirs.session_id


async def test_sessions_are_listed_newest_first_page_by_page_with_their_devices(auth: Auth) -> None:
    grants = []
    for device in (PHONE, TABLET, ""):
        grants.append(await auth.log_in("openid-1", device=device))
        auth.ground.clock.move(timedelta(minutes=1))
    await auth.log_in("openid-2")
    caller = await auth.sessions.caller_of(grants[0].access_token)
    views = await auth.sessions.list_sessions(caller)
    assert [view.id for view in views] == [grant.session_id for grant in reversed(grants)]
    assert [view.current for view in views] == [False, False, True]
    assert views[0].device is None
    assert views[1].device is not None
    assert views[1].device != views[2].device
    first = await auth.sessions.list_sessions(caller, limit=2)
    rest = await auth.sessions.list_sessions(caller, before=(first[-1].created_at, first[-1].id), limit=2)
    assert [view.id for view in first + rest] == [view.id for view in views]


async def test_renewing_is_the_last_use(auth: Auth) -> None:
    grant = await auth.log_in(device=PHONE)
    auth.ground.clock.move(timedelta(minutes=5))
    await auth.sessions.renew(grant.refresh_token, PHONE)
    [view] = await auth.sessions.list_sessions(await auth.sessions.caller_of(grant.access_token))
    assert view.last_used_at == auth.ground.clock.now()
    assert view.created_at == auth.ground.clock.now() - timedelta(minutes=5)


async def test_neither_tokens_nor_devices_stand_in_the_database(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    stored = repr([await fetch("SELECT * FROM refresh_token"), await fetch("SELECT * FROM citizen_session")])
    for secret in (first.refresh_token, second.refresh_token, PHONE):
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_tokens_are_not_printed(auth: Auth) -> None:
    grant = await auth.log_in()
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)
