"""Short addresses of files: signed, for a while, for whoever owns the file."""

from datetime import timedelta

import pytest

from auth.types import Level
from core.audit.ledger import lines_of
from core.db import fetch
from matters.errors import (
    FileAddressExpired,
    FileInfected,
    FileStoreUnavailable,
    NoSuchAttachment,
    ScannerUnavailable,
    StateForbids,
)
from tests.fakes.papers import PDF
from tests.matters.applications.test_rules import JPEG
from tests.matters.conftest import EICAR, ENDORSEMENT, Desk, jobs_named

PROOF = "proof-of-residence"


async def test_an_address_opens_the_file_as_it_is_kept_and_the_ledger_tells_of_it(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, PDF)
    address = await desk.file_addresses.give(caller, given.id)
    assert len(address.token) < 70
    for _ in range(2):
        opened = await desk.file_addresses.open(address.token, address="192.0.2.1")
        assert (opened.content, opened.media_type) == (PDF, "application/pdf")
    lines = await lines_of(caller.citizen_id, before=None, limit=10)
    assert lines[0].action == "matters.file-opened"


async def test_an_address_runs_out(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    address = await desk.file_addresses.give(caller, given.id)
    desk.ground.clock.move(timedelta(seconds=299))
    await desk.file_addresses.open(address.token, address="192.0.2.1")
    desk.ground.clock.move(timedelta(seconds=2))
    with pytest.raises(FileAddressExpired):
        await desk.file_addresses.open(address.token, address="192.0.2.1")


@pytest.mark.parametrize("change", ["", ".", "x", "é", "A.b", "\n"])
async def test_a_changed_address_is_none(desk: Desk, change: str) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    token = (await desk.file_addresses.give(caller, given.id)).token
    name, _, mark = token.partition(".")
    for wrong in (change, f"{change}x{token}", token + change + "0", f"{name[:-1]}A.{mark}", f"{name}.{mark[::-1]}"):
        with pytest.raises(FileAddressExpired):
            await desk.file_addresses.open(wrong, address="192.0.2.1")


async def test_only_the_owner_gets_an_address_or_takes_a_file_back(desk: Desk) -> None:
    caller, stranger = desk.citizen(Level.PRESENT), desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    with pytest.raises(NoSuchAttachment):
        await desk.file_addresses.give(stranger, given.id)
    with pytest.raises(NoSuchAttachment):
        await desk.attachments.take_back(stranger, given.id)


async def test_a_file_is_taken_back_with_its_content_as_long_as_nothing_was_submitted(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    address = await desk.file_addresses.give(caller, given.id)
    await desk.attachments.take_back(caller, given.id)
    assert await fetch("SELECT id FROM attachment") == []
    assert [job["file_name"] for job in await jobs_named("matters.remove-file")] == list(desk.files.files)
    with pytest.raises(FileAddressExpired):
        await desk.file_addresses.open(address.token, address="192.0.2.1")
    kept = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    await desk.submit(caller, draft.id)
    with pytest.raises(StateForbids):
        await desk.attachments.take_back(caller, kept.id)


async def test_what_the_store_has_lost_or_spoilt_is_said_so(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    address = await desk.file_addresses.give(caller, given.id)
    [name] = desk.files.files
    desk.files.files[name] = b"what a gateway says"
    with pytest.raises(FileStoreUnavailable):
        await desk.file_addresses.open(address.token, address="192.0.2.1")
    desk.files.files.clear()
    with pytest.raises(FileStoreUnavailable):
        await desk.file_addresses.open(address.token, address="192.0.2.1")


async def test_nothing_is_kept_that_the_scanner_knows_or_could_not_see(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(FileInfected):
        await desk.attachments.add(caller, draft.id, PROOF, JPEG[:-2] + EICAR + b"\xff\xd9")
    desk.scanner.is_away = True
    with pytest.raises(ScannerUnavailable):
        await desk.attachments.add(caller, draft.id, PROOF, JPEG)
    assert desk.scanner.scanned == 2
    assert desk.files.files == {}
