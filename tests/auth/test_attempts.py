"""Attempts at a real name are counted in the database, on the account and on the number."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from auth.settings import AuthLimits, AuthSettings
from core.cache import TooManyRequests
from core.db import fetch
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth


async def test_a_number_is_tried_five_times_in_six_hours_whoever_tries_it(auth: Auth) -> None:
    for _ in range(5):
        await auth.attempts.start(uuid4(), "a-number")
        auth.ground.clock.move(timedelta(minutes=10))
    with pytest.raises(TooManyRequests) as caught:
        await auth.attempts.start(uuid4(), "a-number")
    # The first of them stops counting six hours after it was made, fifty minutes of which are over.
    assert caught.value.extras.retry_after == (5 * 60 + 10) * 60
    auth.ground.clock.move(timedelta(hours=5, minutes=10))
    await auth.attempts.start(uuid4(), "a-number")
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(uuid4(), "a-number")


async def test_an_account_tries_five_times_in_six_hours_whatever_it_tries(auth: Auth) -> None:
    citizen_id = uuid4()
    for number in range(5):
        await auth.attempts.start(citizen_id, f"number-{number}")
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(citizen_id, "number-6")
    await auth.attempts.start(uuid4(), "number-6")


async def test_a_refused_attempt_does_not_lengthen_the_wait(auth: Auth) -> None:
    for _ in range(5):
        await auth.attempts.start(uuid4(), "a-number")
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(uuid4(), "a-number")
    assert len(await fetch("SELECT id FROM real_name_attempt")) == 5


async def test_of_twenty_attempts_at_once_five_are_let_through(auth: Auth) -> None:
    results = await asyncio.gather(
        *(auth.attempts.start(uuid4(), "a-number") for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, TooManyRequests) for result in results) == 15
    assert len(await fetch("SELECT id FROM real_name_attempt")) == 5


async def test_one_given_back_may_be_made_again_and_never_more_than_was_taken(auth: Auth) -> None:
    attempt_id = await auth.attempts.start(uuid4(), "a-number")
    for _ in range(10):
        await auth.attempts.give_back(attempt_id)
    for _ in range(5):
        await auth.attempts.start(uuid4(), "a-number")
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(uuid4(), "a-number")


async def test_the_limits_are_settings(ground: Ground) -> None:
    auth = make_auth(ground, AuthSettings(limits=AuthLimits(identity_number="1/minute", identity_account="100/hour")))
    citizen_id = uuid4()
    await auth.attempts.start(citizen_id, "a-number")
    with pytest.raises(TooManyRequests):
        await auth.attempts.start(citizen_id, "a-number")
    await auth.attempts.start(citizen_id, "another")
    auth.ground.clock.move(timedelta(minutes=1))
    await auth.attempts.start(citizen_id, "a-number")
