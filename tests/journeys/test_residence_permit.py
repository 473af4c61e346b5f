"""A residence permit from opening the matter to its submission: how much is left to type, through the real product."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.evil_pictures import EVIL
from tests.fakes.papers import EVIL_PDFS, PDF
from tests.journeys.conftest import town_of_its_own
from tests.journeys.resident import Resident
from tests.journeys.test_cast import first, matter_code, reached, until
from tests.journeys.town import Town

pytestmark = [pytest.mark.xdist_group("residence-permit"), pytest.mark.slow]

Phone = Callable[[str], Resident]
# What a resident may be asked to type at the most.
TYPED = 3
PROOF = "proof-of-residence"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of their own: endorsements change the permits that the cast's own stories begin with."""
    with town_of_its_own(tmp_path_factory.mktemp("permits")) as made:
        yield made


async def here(resident: Phone, slug: str) -> tuple[Resident, str]:
    """Come in, hold a residence permit, be present, and find the matter."""
    who = resident(slug)
    await who.log_in()
    assert (await who.identify()).status == 200
    await first(who, "residence-permit")
    assert (await who.show_face()).body["outcome"] == "passed"
    return who, await matter_code(who, "居住证签注")


async def started(who: Resident, code: str, **more: Any) -> dict[str, Any]:
    draft = await who.ask("POST", "/v1/citizen/applications", {"matter": code, **more}, key=uuid.uuid4().hex)
    assert draft.status == 201, draft.text
    body: dict[str, Any] = draft.body
    return body


async def test_at_most_three_fields_are_typed(resident: Phone) -> None:
    who, code = await here(resident, "qumanlin")
    guide = (await who.ask("GET", f"/v1/citizen/matters/{code}")).body
    # Nothing has to be brought: each material has its way, and says why.
    assert {each["way"] for each in guide["materials"]} <= {
        "shared",
        "verified",
        "certificate",
        "promise",
        "already-given",
    }
    assert all(each["text"] for each in guide["materials"])
    draft = await started(who, code)
    asked = [name for name in guide["form"]["properties"] if name not in draft["hidden"]]
    filled = {name for name, value in draft["form"].items() if value["source"] != "applicant"}
    left = [name for name in asked if name not in filled]
    assert len(left) <= TYPED, left
    assert draft["missing"] == []
    answers = {"residence_kind": "rented", "remark": "仍住在登记的地址"}
    assert set(answers) <= set(left)
    where = f"/v1/citizen/applications/{draft['id']}"
    amended = await who.ask("PATCH", where, {"form": answers}, headers={"If-Match": "*"})
    assert amended.status == 200, amended.text
    submitted = await who.ask("POST", f"{where}/submissions", key=uuid.uuid4().hex)
    assert submitted.status == 202, submitted.text
    assert len(submitted.body["number"]) == 43
    assert submitted.body["query_code"]
    ended = await reached(who, draft["id"], "approved")
    assert {each["code"]: each["way"] for each in ended["materials"]}[PROOF] == "promise"
    async with who.session.get(
        f"{who.portal}{where}/copy", headers={"Authorization": f"Bearer {who.access_token}"}
    ) as copy:
        assert (copy.status, copy.content_type) == (200, "application/pdf")
        assert (await copy.read()).startswith(b"%PDF")


async def test_what_was_given_is_kept_and_serves_the_next_application(resident: Phone) -> None:
    who, code = await here(resident, "wujinglan")
    draft = await started(who, code)
    where = f"/v1/citizen/applications/{draft['id']}"
    given = await who.ask("POST", f"{where}/attachments", files=[PDF], field_name="file")
    assert given.status == 201, given.text
    refused = await who.ask("POST", f"{where}/attachments", files=[b"%PDF-1.7 nothing %%EOF"], field_name="file")
    assert (refused.status, refused.body["code"]) == (422, "matters.file-refused")
    kept = await who.ask("POST", "/v1/citizen/materials", {"attachment": given.body["id"], "reuse": "same-department"})
    assert kept.status == 201, kept.text
    told = await who.ask("POST", f"/v1/citizen/materials/{kept.body['id']}/addresses")
    async with who.session.get(told.body["url"]) as file:
        assert (file.status, await file.read()) == (200, PDF)
    again = await started(who, code)
    source = {each["code"]: each["source"] for each in again["materials"]}[PROOF]
    assert source == f"kept:{kept.body['id']}"
    sent = await who.ask("POST", f"/v1/citizen/applications/{again['id']}/submissions", key=uuid.uuid4().hex)
    assert sent.status == 202, sent.text

    async def handed_over() -> list[dict[str, Any]]:
        shown = await who.ask("GET", f"/v1/citizen/applications/{again['id']}")
        files: list[dict[str, Any]] = shown.body["attachments"]
        return files

    [file_of_case] = await until(handed_over)
    assert file_of_case["sha256"] == given.body["sha256"]
    gone = await who.ask("DELETE", f"/v1/citizen/materials/{kept.body['id']}")
    assert gone.status == 204
    assert (await who.ask("GET", "/v1/citizen/materials")).body["items"] == []


async def test_a_risky_text_is_held_and_the_application_is_not_lost(resident: Phone) -> None:
    who, code = await here(resident, "qumanlin")
    draft = await started(who, code, form={"remark": "这句话 [risk]"})
    where = f"/v1/citizen/applications/{draft['id']}"
    submitted = await who.ask("POST", f"{where}/submissions", key=uuid.uuid4().hex)
    assert submitted.status == 202

    async def being_read() -> bool:
        shown = (await who.ask("GET", where)).body
        assert shown["state"] == "submitted"
        return bool(shown["next_action"]["code"] == "being-read")

    assert await until(being_read)
    assert (await who.ask("POST", f"{where}/withdrawals")).status == 201


async def test_a_wrong_value_goes_to_whoever_keeps_it(resident: Phone) -> None:
    who, code = await here(resident, "wanqiushi")
    draft = await started(who, code)
    where = f"/v1/citizen/applications/{draft['id']}"
    for field in ("residence_address", "applicant_name"):
        told = await who.ask("POST", f"{where}/value-reports", {"field": field, "text": "这一项写错了"})
        assert told.status == 201, told.text
        shown = (await who.ask("GET", where)).body
        assert shown["form"][field]["reported"] == told.body["ticket"]
    corrections = (await who.ask("GET", "/v1/citizen/corrections")).body["items"]
    assert any(each["about"] == "identity" for each in corrections)


async def test_evil_files_through_the_front_door_end_in_a_problem_or_harmless(resident: Phone) -> None:
    who, code = await here(resident, "zhuangjiheng")
    evil = {name: content for name, (content, _) in EVIL.items()} | dict(EVIL_PDFS)
    places, statuses = asyncio.Semaphore(4), dict[str, int]()

    async def give(name: str, content: bytes, where: str) -> None:
        async with places:
            answer = await who.ask("POST", where, files=[content], field_name="file")
            statuses[name] = answer.status
            assert answer.status in {201, 409, 413, 422, 429}, (name, answer.text)

    where = f"/v1/citizen/applications/{(await started(who, code))['id']}/attachments"
    await asyncio.gather(*(give(name, content, where) for name, content in evil.items()))
    assert len(statuses) == len(evil) >= 40
    assert all(statuses[name] != 201 for name in EVIL_PDFS)
    # The next one is taken as before.
    fresh = f"/v1/citizen/applications/{(await started(who, code))['id']}/attachments"
    given = await who.ask("POST", fresh, files=[PDF], field_name="file")
    assert given.status == 201, given.text
    assert (await who.ask("GET", "/health/ready")).status == 200
