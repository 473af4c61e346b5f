"""What has served its time is forgotten, and nothing else."""

from datetime import timedelta

from core.db import fetch, fetch_one
from tests.fakes.auth import Auth

PHONE = "a-phone-0123456789"


async def test_what_is_kept_for_lost_answers_is_wiped_and_old_sessions_are_forgotten(auth: Auth) -> None:
    first = await auth.log_in(device=PHONE)
    second = await auth.sessions.renew(first.refresh_token, PHONE)
    kept = "SELECT count(*) AS n FROM refresh_token WHERE successor_sealed IS NOT NULL"
    row = await fetch_one(kept)
    assert row is not None
    assert row["n"] == 1
    await auth.sessions.renew(second.refresh_token, PHONE)
    row = await fetch_one(kept)
    assert row is not None
    assert row["n"] == 1
    auth.ground.clock.move(timedelta(seconds=10))
    assert await auth.tidying.tidy() == 0
    row = await fetch_one(kept)
    assert row is not None
    assert row["n"] == 0
    auth.ground.clock.move(timedelta(days=181))
    assert await auth.tidying.tidy() == 1
    assert await fetch("SELECT id FROM refresh_token") == []


async def test_attempts_are_kept_for_as_long_as_they_count(auth: Auth) -> None:
    citizen_id = (await auth.log_in()).citizen.id
    await auth.attempts.start(citizen_id, "a-number")
    auth.ground.clock.move(timedelta(hours=5, minutes=59))
    await auth.tidying.tidy()
    assert len(await fetch("SELECT id FROM real_name_attempt")) == 1
    assert len(await fetch("SELECT key FROM real_name_subject")) == 2
    auth.ground.clock.move(timedelta(minutes=1))
    await auth.tidying.tidy()
    assert await fetch("SELECT id FROM real_name_attempt") == []
    assert await fetch("SELECT key FROM real_name_subject") == []
