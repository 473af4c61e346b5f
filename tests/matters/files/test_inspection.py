"""Hostile files in the real process: each is refused or made harmless, and the next file is looked at as before."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from matters.applications.rules import media_type_of
from matters.errors import FileRefused
from matters.files.inspection import Inspection
from tests.fakes.evil_pictures import EVIL
from tests.fakes.papers import EVIL_PDFS, PDF
from tests.matters.applications.test_rules import JPEG, PNG, picture

# What gets past the first look at its beginning and end.
HOSTILE = [
    (name, content, media_type)
    for name, content in [*((name, content) for name, (content, _) in EVIL.items()), *EVIL_PDFS.items()]
    if (media_type := media_type_of(content)) is not None
]
# Large or odd, and sound all the same: a bare picture is left of them.
HARMLESS = {
    "more than 1080p (jpeg)", "cmyk", "16 bit grey", "16 bit colour", "a million texts", "one great text",
    "rows that unpack to 64 MB", "polyglot zip", "polyglot html", "too many bytes", "more than 1080p (png)",
    "text that unpacks to 64 MB", "a profile that unpacks to 64 MB",
}  # fmt: skip


@pytest.fixture
async def inspection() -> AsyncIterator[Inspection]:
    inspection = Inspection(processes=2)
    yield inspection
    await inspection.close()


async def test_sound_files_come_back_as_they_are_kept(inspection: Inspection) -> None:
    assert await inspection.clean(PDF, "application/pdf") == PDF
    for content, media_type in ((JPEG, "image/jpeg"), (PNG, "image/png")):
        assert media_type_of(await inspection.clean(content, media_type)) == media_type


async def test_no_hostile_file_does_any_harm(inspection: Inspection) -> None:
    assert len(HOSTILE) >= 20

    async def look(content: bytes, media_type: str) -> bytes | None:
        try:
            return await inspection.clean(content, media_type)
        except FileRefused:
            return None

    kept = await asyncio.gather(*(look(content, media_type) for _, content, media_type in HOSTILE))
    passed = {name for (name, _, _), each in zip(HOSTILE, kept, strict=True) if each is not None}
    assert passed <= HARMLESS
    for each in kept:
        assert each is None or (b"evil" not in each and b"script" not in each)
    assert await inspection.clean(PDF, "application/pdf") == PDF


async def test_a_large_picture_does_not_hold_the_loop(inspection: Inspection) -> None:
    content = picture("JPEG", size=(7000, 7000))
    longest, loop = 0.0, asyncio.get_running_loop()
    looking = asyncio.ensure_future(inspection.clean(content, "image/jpeg"))
    while not looking.done():
        before = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - before)
    assert await looking
    assert longest < 0.2


async def test_a_caller_who_hangs_up_gets_nobody_elses_answer(inspection: Inspection) -> None:
    content = picture("JPEG", size=(4000, 4000))
    for _ in range(4):
        looking = asyncio.ensure_future(inspection.clean(content, "image/jpeg"))
        await asyncio.sleep(0.05)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert await inspection.clean(PDF, "application/pdf") == PDF
