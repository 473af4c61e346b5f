"""Files: known by content, sealed, bounded."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from core.db import drain, execute, fetch, transaction
from matters.adapters.folder import Folder
from matters.errors import (
    FileRefused,
    FileStoreUnavailable,
    MaterialUnknown,
    NoSuchApplication,
    StateForbids,
    TooManyFiles,
)
from tests.fakes.matters import FakeFileStore
from tests.fakes.papers import PDF
from tests.matters.applications.test_rules import JPEG, PNG
from tests.matters.conftest import ENDORSEMENT, Desk, count_of

MATERIAL = "proof-of-residence"


async def test_a_file_is_kept_sealed_under_a_random_name(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    view = await desk.attachments.add(caller, draft.id, MATERIAL, JPEG)
    assert view.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert (view.size, view.media_type) == (len(JPEG), "image/jpeg")
    [(name, content)] = desk.files.files.items()
    assert name != view.id.hex
    assert JPEG not in content
    after = await desk.view(caller, draft.id)
    assert [each.id for each in after.attachments] == [view.id]
    assert after.version > draft.version


POLYGLOT = PNG[:8] + b"<script>alert(1)</script>" + b"IEND\xaeB`\x82"


@pytest.mark.parametrize("content", [b"", b"GIF89a....", JPEG[:-2], b"<html>", POLYGLOT])
async def test_what_is_no_picture_and_no_pdf_is_refused(desk: Desk, content: bytes) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(FileRefused):
        await desk.attachments.add(caller, draft.id, MATERIAL, content)
    assert desk.files.files == {}


async def test_a_file_belongs_to_a_material_of_the_matter(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(MaterialUnknown) as unknown:
        await desk.attachments.add(caller, draft.id, "holiday-picture", PDF)
    assert [error.pointer for error in unknown.value.extras.errors] == ["/material"]
    unnamed = await desk.attachments.add(caller, draft.id, None, PDF)
    assert unnamed.material == MATERIAL


async def test_files_are_counted_and_the_one_too_many_is_not_kept(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    for _ in range(10):
        await desk.attachments.add(caller, draft.id, MATERIAL, PDF)
    with pytest.raises(TooManyFiles):
        await desk.attachments.add(caller, draft.id, MATERIAL, PDF)
    assert len(desk.files.files) == await count_of("attachment") == 10


async def test_a_full_store_leaves_no_row(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    desk.files.is_full = True
    with pytest.raises(FileStoreUnavailable):
        await desk.attachments.add(caller, draft.id, MATERIAL, PDF)
    assert await fetch("SELECT id FROM attachment") == []


async def test_a_caller_who_hangs_up_leaves_no_row_without_its_file(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    for yields in range(12):
        task = asyncio.ensure_future(desk.attachments.add(caller, draft.id, MATERIAL, PDF))
        while not desk.files.files:
            await asyncio.sleep(0)
        for _ in range(yields):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await drain()
        rows = await fetch("SELECT file_name FROM attachment")
        assert {row["file_name"] for row in rows} <= set(desk.files.files)
        await transaction(lambda: execute("DELETE FROM attachment"))
        desk.files.files.clear()


async def test_only_drafts_of_ones_own_take_files(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    with pytest.raises(StateForbids):
        await desk.attachments.add(caller, submitted.application_id, MATERIAL, PDF)
    with pytest.raises(NoSuchApplication):
        await desk.attachments.add(desk.citizen(), submitted.application_id, MATERIAL, PDF)


async def test_what_was_given_once_need_not_be_given_again(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.attachments.add(caller, draft.id, MATERIAL, PDF)
    await desk.submit(caller, draft.id)
    guide = await desk.guides.open(caller, ENDORSEMENT)
    chosen = {each.material.code: each.chosen.way.value for each in guide.materials}
    assert chosen[MATERIAL] == "already-given"


@pytest.mark.parametrize("kind", ["folder", "fake"])
async def test_every_store_keeps_and_forgets(kind: str, tmp_path: Path) -> None:
    store = Folder(tmp_path) if kind == "folder" else FakeFileStore()
    name = "ab" * 16
    await store.put(name, b"content")
    assert await store.get(name) == b"content"
    await store.remove(name)
    await store.remove(name)
    with pytest.raises(FileStoreUnavailable):
        await store.get(name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 16, "a" * 31, "ab/" + "c" * 29])
async def test_a_folder_takes_no_name_that_is_not_ours(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileStoreUnavailable):
        await Folder(tmp_path).put(name, b"x")
