"""Files reach who decides: listed with the dossier, fetched by that department's signature, while the case is open."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from auth.types import Caller, Level
from core.audit.actors import ActorKind
from core.audit.ledger import lines_of
from core.db import OutsideTransaction, fetch, transaction
from matters.applications.records import Submitted
from matters.errors import FileAddressExpired, FileStoreUnavailable, NoSuchApplication
from matters.types import DossierFile, State
from tests.fakes.papers import PDF
from tests.matters.branches.test_branches import HOUSE, in_branches
from tests.matters.conftest import ENDORSEMENT, Desk, jobs_named
from tests.matters.edge import Answered, Portal, opened

PROOF = "proof-of-residence"
POLICE = "public-security"


def picture() -> bytes:
    """Return a picture that does not stay as it is."""
    content = BytesIO()
    image = Image.new("RGB", (40, 30), (200, 30, 30))
    image.save(content, "JPEG", quality=97, comment=b"taken at 31.2N 121.5E")
    return content.getvalue()


async def handed_over(desk: Desk, content: bytes) -> tuple[Caller, Submitted]:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.attachments.add(caller, draft.id, PROOF, content)
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    return caller, submitted


def sent(desk: Desk) -> tuple[DossierFile, ...]:
    return desk.public_security.arrived[-1].files


def token_of(file: DossierFile) -> str:
    return file.address.rpartition("/")[2]


@pytest.mark.parametrize(
    ("content", "media_type", "name"),
    [(PDF, "application/pdf", f"{PROOF}-1.pdf"), (picture(), "image/jpeg", f"{PROOF}-1.jpeg")],
)
async def test_a_dossier_lists_its_files_as_they_are_kept(
    desk: Desk, content: bytes, media_type: str, name: str
) -> None:
    caller, submitted = await handed_over(desk, content)
    [file] = sent(desk)
    assert (file.material, file.name, file.media_type) == (PROOF, name, media_type)
    fetched = await desk.case_files.fetch(POLICE, submitted.number, token_of(file))
    assert fetched.media_type == media_type
    assert len(fetched.content) == file.size
    assert hashlib.sha256(fetched.content).hexdigest() == file.sha256
    assert (fetched.content == content) is (content is PDF)
    assert await desk.case_files.read(file.id) == fetched.content
    lines = await lines_of(caller.citizen_id, before=None, limit=20)
    [delivered] = [line for line in lines if line.action == "matters.delivered" and PROOF in line.field_names]
    assert delivered.object_id == str(submitted.application_id)


async def test_the_ledger_tells_of_each_file_that_a_department_gets(desk: Desk) -> None:
    caller, submitted = await handed_over(desk, PDF)
    fetched = await desk.case_files.fetch(POLICE, submitted.number, token_of(sent(desk)[0]))
    with pytest.raises(OutsideTransaction):
        await desk.case_files.tell(POLICE, fetched)
    await transaction(lambda: desk.case_files.tell(POLICE, fetched))
    [line, *_] = await lines_of(caller.citizen_id, before=None, limit=1)
    assert (line.action, line.actor_kind, line.actor_id) == ("matters.file-opened", ActorKind.DEPARTMENT, POLICE)
    assert line.purpose == desk.catalogue.find(ENDORSEMENT).matter.title.zh
    assert line.object_id == str(submitted.application_id)
    assert list(line.field_names) == [PROOF]


async def test_an_address_opens_for_its_department_and_case_alone_and_runs_out(desk: Desk) -> None:
    _, submitted = await handed_over(desk, PDF)
    _, other = await handed_over(desk, PDF)
    token = token_of(desk.public_security.arrived[0].files[0])
    name, _, mark = token.partition(".")
    for department, reference, wrong in (
        ("health", submitted.number, token),
        (POLICE, other.number, token),
        (POLICE, "nobody's", token),
        (POLICE, submitted.number, f"{name}.{mark[::-1]}"),
        (POLICE, submitted.number, f"z{name[1:]}.{mark}"),
        (POLICE, submitted.number, "é"),
    ):
        with pytest.raises(FileAddressExpired):
            await desk.case_files.fetch(department, reference, wrong)
    desk.ground.clock.move(timedelta(seconds=3599))
    await desk.case_files.fetch(POLICE, submitted.number, token)
    desk.ground.clock.move(timedelta(seconds=2))
    with pytest.raises(FileAddressExpired):
        await desk.case_files.fetch(POLICE, submitted.number, token)
    [fresh] = await desk.case_files.listed(POLICE, submitted.number)
    await desk.case_files.fetch(POLICE, submitted.number, token_of(fresh))


async def test_who_asks_too_late_gets_nothing_any_more(desk: Desk) -> None:
    _, submitted = await handed_over(desk, PDF)
    token = token_of(sent(desk)[0])
    with pytest.raises(NoSuchApplication):
        await desk.case_files.listed("health", submitted.number)
    await desk.hear(submitted.number, 1, State.REJECTED)
    with pytest.raises(FileAddressExpired):
        await desk.case_files.fetch(POLICE, submitted.number, token)
    with pytest.raises(NoSuchApplication):
        await desk.case_files.listed(POLICE, submitted.number)


async def test_a_supplements_file_stands_in_the_list_of_the_case(desk: Desk) -> None:
    caller, submitted = await handed_over(desk, PDF)
    await desk.hear(submitted.number, 1, State.SUPPLEMENT_REQUESTED, demands=(PROOF,))
    await desk.attachments.add(caller, submitted.application_id, PROOF, picture())
    listed = await desk.case_files.listed(POLICE, submitted.number)
    assert [file.name for file in listed] == [f"{PROOF}-1.pdf", f"{PROOF}-2.jpeg"]


async def test_a_branch_gets_the_files_until_it_is_settled(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    for payload in await jobs_named("matters.deliver-branch"):
        change = await desk.branch_deliveries.deliver(payload["branch_id"])
        assert change is not None
        await transaction(change)
    came = {dossier.reference: dossier for dossier in desk.common_desk.arrived}
    reference = f"{submitted.number}.tax"
    [file] = came[reference].files
    assert (await desk.case_files.fetch("taxation", reference, token_of(file))).content == PDF
    with pytest.raises(FileAddressExpired):
        await desk.case_files.fetch("civil-affairs", reference, token_of(file))
    await transaction(lambda: fetch("UPDATE case_branch SET state = 'approved' WHERE name = 'tax' RETURNING id"))
    with pytest.raises(FileAddressExpired):
        await desk.case_files.fetch("taxation", reference, token_of(file))
    assert desk.catalogue.find(HOUSE).department.slug == "real-estate"


async def test_a_dossier_waits_for_what_is_still_being_copied(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    submitted = await desk.submit(caller, draft.id)
    await transaction(
        lambda: fetch(
            "UPDATE application_material SET source = 'kept:x' WHERE application_id = $1 RETURNING id",
            submitted.application_id,
        )
    )
    with pytest.raises(FileStoreUnavailable):
        await desk.deliver(submitted.application_id)
    assert desk.public_security.arrived == []


# --- at the edge ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        desk.case_files._public_url = portal.base
        yield portal


async def asked(portal: Portal, url: str, headers: dict[str, str] | None = None) -> tuple[Answered, bytes]:
    signed = headers or portal.public_security.sign(url, b"", at=portal.desk.ground.clock.now(), method="GET")
    async with portal.session.get(url, headers=signed) as answer:
        content = await answer.read()
        is_json = "json" in answer.content_type
        return Answered(answer.status, answer.headers, json.loads(content) if is_json else None), content


async def test_a_department_lists_and_fetches_by_its_signature(portal: Portal, desk: Desk) -> None:
    caller, submitted = await handed_over(desk, PDF)
    url = f"{portal.base}/v1/departments/{POLICE}/cases/{submitted.number}/files"
    listed, _ = await asked(portal, url)
    assert listed.status == 200
    [item] = listed.json["items"]
    assert item.keys() == {"id", "material", "name", "media_type", "size", "sha256", "url", "expires_at"}
    fetched, content = await asked(portal, item["url"])
    assert (fetched.status, content) == (200, PDF)
    assert fetched.headers["Content-Type"] == "application/pdf"
    assert fetched.headers["Cache-Control"] == "private, no-store"
    lines = await lines_of(caller.citizen_id, before=None, limit=1)
    assert (lines[0].action, lines[0].actor_id) == ("matters.file-opened", POLICE)
    assert (await portal.call("GET", item["url"].removeprefix(portal.base), token=None)).status == 401


async def test_what_answers_with_a_file_answers_a_message_once(portal: Portal, desk: Desk) -> None:
    await handed_over(desk, PDF)
    [file] = sent(desk)
    at = desk.ground.clock.now()
    headers = portal.public_security.sign(file.address, b"", at=at, method="GET")
    assert [(await asked(portal, file.address, headers))[0].status for _ in range(2)] == [200, 401]


async def test_other_departments_and_ended_cases_are_not_found(portal: Portal, desk: Desk) -> None:
    _, submitted = await handed_over(desk, PDF)
    [file] = sent(desk)
    at = desk.ground.clock.now()
    foreign = file.address.replace(POLICE, "human-resources")
    for url in (foreign, foreign.rpartition("/")[0]):
        headers = portal.human_resources.sign(url, b"", at=at, method="GET")
        assert (await asked(portal, url, headers))[0].status == 404
    theirs = portal.human_resources.sign(file.address, b"", at=at, method="GET")
    assert (await asked(portal, file.address, theirs))[0].status == 403
    await desk.hear(submitted.number, 1, State.APPROVED)
    assert (await asked(portal, file.address))[0].status == 404
    assert (await asked(portal, file.address.rpartition("/")[0]))[0].status == 404
