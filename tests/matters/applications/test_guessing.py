"""Asking without login: guessing is locked for the number, however many try at once, and for the address."""

import asyncio
from collections import Counter

import pytest

from core.cache import TooManyRequests
from matters.errors import ProgressLocked, ProgressNotFound
from tests.matters.conftest import Desk

PER_NUMBER, PER_ADDRESS = 10, 60


async def outcome(desk: Desk, number: str, code: str, address: str) -> str:
    try:
        await desk.progress.query(number, code, address=address)
    except (ProgressNotFound, ProgressLocked, TooManyRequests) as problem:
        return problem.code
    return "found"


async def test_many_addresses_at_once_get_no_more_tries_for_a_number(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    codes = [f"{guess:06d}" for guess in range(41) if f"{guess:06d}" != submitted.query_code][:40]
    told = Counter(
        await asyncio.gather(
            *(outcome(desk, submitted.number, code, f"198.51.100.{place}") for place, code in enumerate(codes))
        )
    )
    assert told == {ProgressNotFound.code: PER_NUMBER, ProgressLocked.code: 40 - PER_NUMBER}
    # Also the right code waits now: whoever has it is told until when, and what they submitted goes on.
    with pytest.raises(ProgressLocked) as locked:
        await desk.progress.query(submitted.number, submitted.query_code, address="203.0.113.1")
    assert 0 < (locked.value.extras.retry_after or 0) <= 3600
    other = await desk.submitted(desk.citizen())
    assert await outcome(desk, other.number, other.query_code, "203.0.113.1") == "found"


async def test_an_address_that_tries_many_numbers_is_locked_and_no_other(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    told = Counter([await outcome(desk, f"{number:043d}", "000000", "198.51.100.7") for number in range(PER_ADDRESS)])
    assert told == {ProgressNotFound.code: PER_ADDRESS}
    assert await outcome(desk, submitted.number, submitted.query_code, "198.51.100.7") == TooManyRequests.code
    assert await outcome(desk, submitted.number, submitted.query_code, "198.51.100.8") == "found"
