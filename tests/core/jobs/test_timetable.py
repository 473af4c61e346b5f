"""The timetable: each entry in its own loop, and one failing stops no other."""

import asyncio

from core.errors import Unavailable
from core.jobs.timetable import Entry, Timetable


async def test_entries_run_again_and_again_whatever_happens_to_others() -> None:
    runs = {"good": 0, "unavailable": 0, "broken": 0}

    async def good() -> None:
        runs["good"] += 1

    async def unavailable() -> None:
        runs["unavailable"] += 1
        raise Unavailable

    async def broken() -> None:
        runs["broken"] += 1
        raise ZeroDivisionError

    timetable = Timetable([Entry(work.__name__, 0.001, work) for work in (good, unavailable, broken)])
    timetable.start()
    async with asyncio.timeout(2):
        while min(runs.values()) < 3:
            await asyncio.sleep(0.001)
    await timetable.stop()
    after = dict(runs)
    await asyncio.sleep(0.01)
    assert runs == after


async def test_stopping_does_not_wait_for_slow_work() -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    timetable = Timetable([Entry("slow", 1, slow)])
    timetable.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await timetable.stop()
        await timetable.stop()
