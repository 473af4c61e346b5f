"""What residents keep: used again for what they said, gone when they say so, when it runs out, and with the account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.rights.keeping import Keeping
from auth.settings import RightsSettings
from auth.types import Caller, Level
from core.audit.ledger import lines_of
from core.crypto import destroy_person_key
from core.db import execute, fetch, transaction
from matters.errors import (
    FileAddressExpired,
    FileStoreUnavailable,
    MaterialInUse,
    NoSuchAttachment,
    NoSuchKeptMaterial,
    TooManyKept,
)
from matters.materials.retention import Retention
from matters.materials.types import Reuse
from matters.personal_data import MatterData
from tests.fakes.papers import PDF, pdf
from tests.matters.conftest import ENDORSEMENT, PENSION, Desk, count_of, jobs_named

PROOF = "proof-of-residence"


async def kept(desk: Desk, caller: Caller, reuse: Reuse = Reuse.ANY_MATTER, content: bytes = PDF) -> Any:
    """Give a file with a draft and keep it."""
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, content)
    return await desk.vault.keep(caller, given.id, reuse)


async def way_of(desk: Desk, caller: Caller) -> tuple[str, str]:
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    [line] = [each for each in draft.materials if each.code == PROOF]
    return line.way, line.source


async def test_what_was_kept_serves_the_next_application_which_gets_its_own_copy(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    mine = await kept(desk, caller)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    assert {line.code: line.source for line in draft.materials}[PROOF] == f"kept:{mine.id}"
    await desk.submit(caller, draft.id)
    with pytest.raises(MaterialInUse):
        await desk.vault.remove(caller, mine.id)
    [job] = await jobs_named("matters.hand-over-kept")
    for _ in range(2):
        change = await desk.reuses.hand_over(job["application_id"], job["kept_id"])
        if change is not None:
            await transaction(change)
    view = await desk.view(caller, draft.id)
    [file] = view.attachments
    assert (file.sha256, file.size, file.material) == (mine.sha256, mine.size, PROOF)
    assert {line.code: (line.way, line.source) for line in view.materials}[PROOF] == (
        "already-given",
        f"attachment:{file.id}",
    )
    address = await desk.file_addresses.give(caller, file.id)
    assert (await desk.file_addresses.open(address.token, address="192.0.2.1")).content == PDF
    [now] = await desk.vault.list_of(caller)
    assert now.uses == 1
    await desk.vault.remove(caller, mine.id)
    assert [each.id for each in (await desk.view(caller, draft.id)).attachments] == [file.id]
    actions = [line.action for line in await lines_of(caller.citizen_id, before=None, limit=20)]
    assert {"matters.material-kept", "matters.material-reused", "matters.material-forgotten"} <= set(actions)


@pytest.mark.parametrize(
    ("reuse", "matter", "department", "serves"),
    [
        (Reuse.SAME_MATTER, ENDORSEMENT, "public-security", True),
        (Reuse.SAME_MATTER, PENSION, "public-security", False),
        (Reuse.SAME_DEPARTMENT, PENSION, "public-security", True),
        (Reuse.SAME_DEPARTMENT, PENSION, "human-resources", False),
        (Reuse.ANY_MATTER, PENSION, "human-resources", True),
    ],
)
async def test_what_is_kept_serves_only_what_its_owner_said(
    desk: Desk, reuse: Reuse, matter: str, department: str, serves: bool
) -> None:
    caller = desk.citizen()
    await kept(desk, caller, reuse)
    # As if it had been given for another matter of a department.
    given_for = desk.catalogue.find(matter).matter.code
    await transaction(
        lambda: execute("UPDATE kept_material SET matter_code = $1, department = $2", given_for, department)
    )
    way, _ = await way_of(desk, caller)
    assert way == ("already-given" if serves else "promise")


async def test_the_same_file_again_only_changes_what_it_may_be_used_for(desk: Desk) -> None:
    caller = desk.citizen()
    first = await kept(desk, caller, Reuse.SAME_MATTER)
    again = await kept(desk, caller, Reuse.ANY_MATTER)
    assert (again.id, again.reuse) == (first.id, Reuse.ANY_MATTER)
    # Two files with drafts and one that is kept: the copy too many is gone.
    assert len(desk.files.files) == 3


async def test_nobody_keeps_sees_or_removes_what_is_anothers(desk: Desk) -> None:
    caller, stranger = desk.citizen(Level.PRESENT), desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, PDF)
    with pytest.raises(NoSuchAttachment):
        await desk.vault.keep(stranger, given.id, Reuse.ANY_MATTER)
    mine = await desk.vault.keep(caller, given.id, Reuse.ANY_MATTER)
    assert await desk.vault.list_of(stranger) == []
    with pytest.raises(NoSuchKeptMaterial):
        await desk.vault.remove(stranger, mine.id)
    with pytest.raises(NoSuchKeptMaterial):
        await desk.file_addresses.give_kept(stranger, mine.id)
    assert (await way_of(desk, stranger))[0] == "promise"


async def test_what_is_kept_is_bounded(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    given = await desk.attachments.add(caller, draft.id, PROOF, PDF)
    await desk.vault.keep(caller, given.id, Reuse.ANY_MATTER)
    await transaction(
        lambda: fetch(
            "INSERT INTO kept_material SELECT $1, citizen_id, 'other', material, matter_code, department, reuse, 'x', "
            "sha256, size, media_type, given_at, expires_at, uses, used_at, created_at FROM kept_material RETURNING id",
            desk.ground.ids.uuid(),
        )
    )
    desk.vault._settings = desk.vault._settings.model_copy(update={"kept_materials": 2})
    other = await desk.attachments.add(caller, draft.id, PROOF, pdf(b"<</A 1>>"))
    files = len(desk.files.files)
    with pytest.raises(TooManyKept):
        await desk.vault.keep(caller, other.id, Reuse.ANY_MATTER)
    assert len(desk.files.files) == files


async def test_it_is_read_by_a_short_address_until_it_is_removed(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    mine = await kept(desk, caller)
    address = await desk.file_addresses.give_kept(caller, mine.id)
    assert (await desk.file_addresses.open(address.token, address="192.0.2.1")).content == PDF
    await desk.vault.remove(caller, mine.id)
    with pytest.raises(FileAddressExpired):
        await desk.file_addresses.open(address.token, address="192.0.2.1")


async def test_what_has_run_out_serves_no_more_and_is_forgotten(desk: Desk) -> None:
    caller = desk.citizen()
    mine = await kept(desk, caller)
    assert mine.expires_at - mine.given_at == timedelta(days=365)
    assert await desk.vault.forget_due() == 0
    desk.ground.clock.move(timedelta(days=366))
    assert (await way_of(desk, caller))[0] == "promise"
    assert await desk.vault.list_of(caller) == []
    assert await desk.vault.forget_due() == 1
    assert await count_of("kept_material") == 0
    assert len(await jobs_named("matters.remove-file")) == 1


def test_how_long_is_data_and_may_be_set() -> None:
    mark = datetime(2026, 1, 1, tzinfo=UTC)
    assert Retention({}).until("photo", mark) - mark == timedelta(days=1825)
    assert Retention({"photo": 3}).until("photo", mark) - mark == timedelta(days=3)
    assert Retention({}).until("something", mark) - mark == timedelta(days=730)


async def test_with_the_persons_key_it_is_gone_and_export_and_erasure_know_it(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    mine = await kept(desk, caller)
    ground = desk.ground
    data = MatterData(
        catalogue=desk.catalogue,
        history=desk.history,
        files=desk.files,
        vault=ground.vault,
        jobs=ground.jobs,
        keeping=Keeping(RightsSettings()),
    )
    [section] = [each for each in await data.export(caller.citizen_id) if each.tables == ("kept_material",)]
    assert [row["sha256"] for row in section.rows] == [mine.sha256]
    address = await desk.file_addresses.give_kept(caller, mine.id)
    await transaction(lambda: destroy_person_key(caller.citizen_id))
    with pytest.raises(FileStoreUnavailable):
        await desk.file_addresses.open(address.token, address="192.0.2.1")
    erased = await transaction(lambda: data.erase(caller.citizen_id, ground.clock.now()))
    assert erased.erased["kept_material"] == 1
    assert await count_of("kept_material") == 0
