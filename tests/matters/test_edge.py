"""Matters as callers see them: addresses, fields, statuses and words, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from core.db import fetch
from tests.fakes.evil_pictures import EVIL
from tests.fakes.papers import EVIL_PDFS, PDF
from tests.matters.applications.test_rules import JPEG
from tests.matters.conftest import ENDORSEMENT, PENSION, SETTLEMENT, Desk, count_of
from tests.matters.edge import Portal, opened

START = "/v1/citizen/applications"


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def started(portal: Portal, matter: str = ENDORSEMENT) -> str:
    answer = await portal.post(START, {"matter": matter})
    assert answer.status == 201, answer.json
    return str(answer.json["id"])


async def test_the_catalogue_is_listed_in_pages_and_in_both_languages(portal: Portal) -> None:
    first = await portal.call("GET", "/v1/citizen/matters?limit=100", token="linked")
    assert first.status == 200
    second = await portal.call("GET", f"/v1/citizen/matters?limit=100&cursor={first.json['next_cursor']}")
    items = first.json["items"] + second.json["items"]
    assert len({item["code"] for item in items}) == len(items) == 155
    assert {item["slug"] for item in items} > {ENDORSEMENT, PENSION, SETTLEMENT}
    assert second.json["next_cursor"] is None
    english = await portal.call("GET", "/v1/citizen/matters?query=居住证签注", Accept_Language="en")
    assert [item["title"] for item in english.json["items"]] == ["Residence permit endorsement"]


async def test_a_guide_opens_by_code_and_by_slug_and_says_what_i_need(portal: Portal) -> None:
    by_slug = await portal.call("GET", f"/v1/citizen/matters/{ENDORSEMENT}")
    by_code = await portal.call("GET", f"/v1/citizen/matters/{by_slug.json['code']}")
    assert by_code.json == by_slug.json
    ways = {item["code"]: item["way"] for item in by_slug.json["materials"]}
    assert ways == {"identity": "verified", "residence-permit": "shared", "proof-of-residence": "promise"}
    unknown = await portal.call("GET", "/v1/citizen/matters/nothing")
    assert (unknown.status, unknown.json["code"]) == (404, "request.not-found")
    checked = await portal.call("POST", "/v1/citizen/matters/nothing/checks")
    assert (checked.status, checked.json["code"]) == (404, "request.not-found")


async def test_checks_explain_each_department(portal: Portal) -> None:
    answer = await portal.call("POST", f"/v1/citizen/matters/{SETTLEMENT}/checks")
    assert answer.status == 200
    assert answer.json["outcome"] == "eligible"
    assert answer.json["rule_version"] == "graduate-settlement@1"
    assert [each["outcome"] for each in answer.json["checks"]] == ["passed"] * 4
    low = await portal.call("POST", f"/v1/citizen/matters/{SETTLEMENT}/checks", token="linked")
    assert (low.status, low.json["code"]) == (403, "auth.level-too-low")


async def test_the_whole_way_from_draft_to_approval(portal: Portal, desk: Desk) -> None:
    draft = await portal.post(START, {"matter": ENDORSEMENT, "form": {"residence_kind": "rented"}})
    assert draft.status == 201
    where = draft.headers["Location"]
    assert where == f"{START}/{draft.json['id']}"
    assert draft.json["form"]["residence_address"]["source"] == "certificate:residence-permit"
    assert draft.json["form"]["residence_kind"] == {
        "value": "rented",
        "source": "applicant",
        "editable": True,
        "masked": False,
        "as_of": None,
        "certificate": None,
        "reported": None,
    }
    amended = await portal.call(
        "PATCH", where, {"form": {"remark": "无"}}, token="real_name", If_Match=draft.headers["ETag"]
    )
    assert amended.status == 200
    assert amended.headers["ETag"] != draft.headers["ETag"]
    submitted = await portal.post(f"{where}/submissions")
    assert submitted.status == 202
    assert submitted.headers["Location"] == where
    assert submitted.headers["Retry-After"]
    assert len(submitted.json["number"]) == 43
    assert submitted.json["state"] == "submitted"
    await desk.deliver(UUID(draft.json["id"]))
    for sequence, state in enumerate(["accepted", "in_review", "approved"], 1):
        told = await portal.tell(news(submitted.json["number"], sequence, state))
        assert told.status == 204
    view = await portal.call("GET", where)
    assert view.json["state"] == "approved"
    assert view.json["due_at"].startswith("2026-03-13T15:59:59")
    assert view.json["clock"] == "stopped"
    assert [entry["step"] for entry in view.json["timeline"]] == [
        "created",
        "submitted",
        "handed_over",
        "accepted",
        "in_review",
        "approved",
    ]
    assert view.json["result"]["details"] == {"endorsed_until": "2027-03-20"}
    rated = await portal.post(f"{where}/ratings", {"level": "very_satisfied"})
    assert rated.status == 201
    again = await portal.post(f"{where}/ratings", {"level": "very_satisfied"})
    assert (again.status, again.json["code"]) == (409, "matters.already-rated")
    progress = await portal.call(
        "POST",
        "/v1/public/progress-queries",
        {"number": submitted.json["number"], "query_code": submitted.json["query_code"]},
        token=None,
    )
    assert progress.status == 200
    assert progress.json["state"] == "approved"
    assert "form" not in progress.json
    assert progress.json["result"]["details"] is None


def news(number: str, sequence: int, state: str, **more: object) -> dict[str, object]:
    result = {"endorsed_until": "2027-03-20"} if state == "approved" else None
    return {
        "event_id": f"e-{sequence}",
        "reference": number,
        "sequence": sequence,
        "state": state,
        "at": "2026-03-10T11:00:00+08:00",
        "note": "好的",
        "result": result,
        **more,
    }


async def test_repeating_a_key_repeats_the_answer(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}/submissions"
    first = await portal.post(where, key="the-same-key-0001")
    second = await portal.post(where, key="the-same-key-0001")
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert await count_of("delivery") == 1
    other = await portal.post(where)
    assert (other.status, other.json["code"]) == (409, "matters.state-forbids")


async def test_a_hundred_clicks_at_once_submit_once(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}/submissions"
    answers = await asyncio.gather(*(portal.post(where) for _ in range(100)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(202) == 1
    assert statuses.count(409) == 99
    assert await count_of("delivery") == 1


async def test_keys_are_required_for_starting_and_submitting(portal: Portal) -> None:
    for path, body in ((START, {"matter": ENDORSEMENT}), (f"{START}/{await started(portal)}/submissions", None)):
        answer = await portal.call("POST", path, body)
        assert (answer.status, answer.json["code"]) == (400, "request.idempotency-key-required")


async def test_tags_guard_changes(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}"
    missing = await portal.call("PATCH", where, {"form": {}})
    assert (missing.status, missing.json["code"]) == (428, "request.tag-required")
    for tag in ('"999"', "**", 'W/"1"', "1", '"x"'):
        stale = await portal.call("PATCH", where, {"form": {}}, If_Match=tag)
        assert (stale.status, stale.json["code"]) == (412, "request.stale"), tag
    whatever = await portal.call("PATCH", where, {"form": {"remark": "无"}}, If_Match="*")
    assert whatever.status == 200
    nowhere = await portal.call("PATCH", f"{START}/{uuid4()}", {"form": {}}, If_Match="*")
    assert (nowhere.status, nowhere.json["code"]) == (404, "request.not-found")


async def test_what_is_not_mine_is_not_there(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}"
    nowhere = f"{START}/{uuid4()}"
    for path in (where, nowhere):
        answers = [
            await portal.call("GET", path, token="other"),
            await portal.call("PATCH", path, {"form": {}}, token="other", If_Match='"1"'),
            await portal.post(f"{path}/submissions", token="other"),
            await portal.post(f"{path}/withdrawals", token="other"),
            await portal.post(f"{path}/supplements", {}, token="other"),
            await portal.post(f"{path}/ratings", {"level": "satisfied"}, token="other"),
        ]
        assert [(answer.status, answer.json["code"]) for answer in answers] == [(404, "request.not-found")] * 6


async def test_applications_are_listed_in_pages(portal: Portal) -> None:
    made = [await started(portal) for _ in range(3)]
    first = await portal.call("GET", f"{START}?limit=2")
    second = await portal.call("GET", f"{START}?limit=2&cursor={first.json['next_cursor']}")
    assert [item["id"] for page in (first, second) for item in page.json["items"]] == made[::-1]
    bad = await portal.call("GET", f"{START}?cursor=x")
    assert (bad.status, bad.json["code"]) == (422, "request.invalid")


async def test_files_are_given_for_a_material(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}/attachments"
    good = await portal.upload(f"{where}?material=proof-of-residence", JPEG)
    assert good.status == 201
    assert good.json["media_type"] == "image/jpeg"
    assert good.json["bytes"] == len(JPEG)
    assert len(good.json["sha256"]) == 64
    refused = await portal.upload(f"{where}?material=proof-of-residence", b"GIF89a")
    assert (refused.status, refused.json["code"]) == (422, "matters.file-refused")
    large = await portal.upload(f"{where}?material=proof-of-residence", PDF + b"\0" * (5 * 1024 * 1024))
    assert (large.status, large.json["code"]) == (413, "request.too-large")


async def test_the_material_stands_in_the_body_in_the_query_or_is_clear(portal: Portal) -> None:
    where = f"{START}/{await started(portal)}/attachments"
    for path, texts, material in (
        (where, {}, "proof-of-residence"),
        (where, {"material": "identity"}, "identity"),
        (f"{where}?material=identity", {}, "identity"),
        (f"{where}?material=identity", {"material": "identity"}, "identity"),
    ):
        given = await portal.upload(path, JPEG, texts=texts)
        assert (given.status, given.json["material"]) == (201, material)
    for texts, code in (
        ({"material": "holiday-picture"}, "matters.material-unknown"),
        ({"material": ""}, "matters.material-unknown"),
        ({"material": "a\x00b"}, "request.invalid"),
        ({"material": "x" * 1025}, "request.invalid"),
        ({"surprise": "x"}, "request.invalid"),
    ):
        refused = await portal.upload(where, JPEG, texts=texts)
        assert (refused.status, refused.json["code"]) == (422, code), texts
        [error] = refused.json["errors"]
        assert error["pointer"] == f"/{next(iter(texts))}"
    torn = await portal.upload(f"{where}?material=identity", JPEG, texts={"material": "proof-of-residence"})
    assert (torn.status, torn.json["errors"][0]["pointer"]) == (422, "/material")


async def test_a_form_that_does_not_fit_is_told_field_by_field(portal: Portal) -> None:
    answer = await portal.post(START, {"matter": ENDORSEMENT, "form": {"residence_kind": "castle", "x": 1}})
    assert (answer.status, answer.json["code"]) == (422, "matters.form-invalid")
    assert {error["pointer"] for error in answer.json["errors"]} == {"/form/residence_kind", "/form/x"}
    assert "castle" not in str(answer.json)


async def test_a_matter_that_needs_presence_says_how_to_get_there(portal: Portal) -> None:
    where = f"{START}/{await started(portal, PENSION)}/submissions"
    answer = await portal.post(where)
    assert (answer.status, answer.json["code"]) == (403, "auth.level-too-low")
    assert answer.json["required"] == "present"
    assert answer.json["ways"][0]["method"] == "face"
    assert (await portal.post(where, token="present")).status == 202


async def test_a_withdrawal_that_comes_too_late_names_the_phone(portal: Portal, desk: Desk) -> None:
    identity = await started(portal)
    await portal.post(f"{START}/{identity}/submissions")
    await desk.deliver(UUID(identity))
    answer = await portal.post(f"{START}/{identity}/withdrawals")
    assert (answer.status, answer.json["code"]) == (409, "matters.withdrawal-too-late")
    assert answer.json["alternatives"][0]["method"] == "phone"


async def test_a_wrong_query_code_and_an_unknown_number_are_one_answer(portal: Portal) -> None:
    submitted = await portal.post(f"{START}/{await started(portal)}/submissions")
    number, code = submitted.json["number"], submitted.json["query_code"]
    wrong = "000000" if code != "000000" else "111111"
    answers = [
        await portal.call("POST", "/v1/public/progress-queries", {"number": each, "query_code": wrong}, token=None)
        for each in (number, "9" * 43)
    ]
    kept = await fetch("SELECT outcome, subject_id FROM audit_line WHERE action = 'matters.progress-queried'")
    # Equal work: both leave a line, one of them about nobody.
    assert [line["outcome"] for line in kept] == ["wrong-code", "wrong-code"]
    assert [line["subject_id"] is None for line in kept] == [False, True]
    bodies = [{name: value for name, value in answer.json.items() if name != "instance"} for answer in answers]
    assert bodies[0] == bodies[1]
    assert [answer.status for answer in answers] == [404, 404]


# --- callbacks --------------------------------------------------------------------------------------------------------


async def case(portal: Portal) -> str:
    submitted = await portal.post(f"{START}/{await started(portal)}/submissions")
    return str(submitted.json["number"])


async def test_a_replay_has_no_effect_and_a_spent_nonce_tells_nothing_new(portal: Portal, desk: Desk) -> None:
    number = await case(portal)
    url = f"{portal.base}/v1/departments/public-security/progress"
    nonce = uuid4().hex
    at = desk.ground.clock.now()
    body = json.dumps(news(number, 1, "accepted")).encode()
    headers = portal.public_security.sign(url, body, at=at, nonce=nonce)
    assert (await portal.tell(body, headers=headers)).status == 204
    actions = await count_of("case_action")
    assert (await portal.tell(body, headers=headers)).status == 204
    other = json.dumps(news(number, 2, "in_review")).encode()
    spent = await portal.tell(other, headers=portal.public_security.sign(url, other, at=at, nonce=nonce))
    assert (spent.status, spent.json["code"]) == (401, "departments.signature-invalid")
    assert await count_of("case_action") == actions


async def test_news_that_contradicts_is_refused_kept_and_told_of_once(portal: Portal, desk: Desk) -> None:
    number = await case(portal)
    assert (await portal.tell(news(number, 1, "accepted"))).status == 204
    actions = await count_of("case_action")
    used_sequence = {**news(number, 1, "in_review"), "event_id": "another"}
    other_words = news(number, 1, "accepted", note="不一样")
    for body in (used_sequence, other_words):
        content = json.dumps(body).encode()
        url = f"{portal.base}/v1/departments/public-security/progress"
        signed = portal.public_security.sign(url, content, at=desk.ground.clock.now())
        # The very same message again, and the same news in a new message.
        for headers in (signed, signed, None):
            answer = await portal.tell(content, headers=headers)
            assert (answer.status, answer.json["code"]) == (409, "departments.event-conflict")
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert answer.json["instance"] == answer.headers["X-Request-Id"]
    assert await count_of("case_action") == actions
    assert await count_of("department_event") == 1
    assert await count_of("department_event_clash") == 2
    assert len(await fetch("SELECT id FROM audit_line WHERE action = 'matters.news-clashed'")) == 2
    # What was told first still stands, and repeats without effect.
    assert (await portal.tell(news(number, 1, "accepted"))).status == 204


async def test_a_department_that_floods_us_is_told_to_wait(portal: Portal, desk: Desk) -> None:
    number = await case(portal)
    desk.tracking._settings = desk.tracking._settings.model_copy(update={"callback_limit": "3/hour"})
    answers = [await portal.tell(news(number, 1, "accepted")) for _ in range(4)]
    assert [answer.status for answer in answers] == [204, 204, 204, 429]
    assert answers[-1].headers["Retry-After"]
    # Another department has its own count.
    other = await portal.tell(news(number, 1, "accepted"), department="human-resources", signer=portal.human_resources)
    assert other.status == 403


async def test_nobody_speaks_for_another(portal: Portal) -> None:
    number = await case(portal)
    body = news(number, 1, "accepted")
    answers = [
        await portal.tell(body, department="public-security", signer=portal.human_resources),
        await portal.tell(body, department="human-resources", signer=portal.human_resources),
        await portal.tell(news("9" * 43, 1, "accepted")),
    ]
    assert [(answer.status, answer.json["code"]) for answer in answers] == [(403, "departments.not-your-case")] * 3
    assert await count_of("department_event") == 0


async def test_an_unsigned_or_changed_message_is_refused(portal: Portal, desk: Desk) -> None:
    number = await case(portal)
    body = json.dumps(news(number, 1, "accepted")).encode()
    url = f"{portal.base}/v1/departments/public-security/progress"
    signed = portal.public_security.sign(url, body, at=desk.ground.clock.now())
    answers = [
        await portal.tell(body, headers={"Content-Type": "application/json"}),
        await portal.tell(body.replace(b"accepted", b"approved"), headers=signed),
        await portal.tell(body, headers={**signed, "Content-Type": "application/json; charset=utf-8"}),
        await portal.tell(body, headers={**signed, "Signature": signed["Signature"][:-6] + "AAAA=:"}),
    ]
    assert [(answer.status, answer.json["code"]) for answer in answers] == [(401, "departments.signature-invalid")] * 4
    assert await count_of("department_event") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"state": "draft"},
        {"state": "flying"},
        {"sequence": 0},
        {"sequence": "1"},
        {"sequence": 2**60},
        {"at": "yesterday"},
        {"at": "2026-03-10T11:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "1999-12-31T23:59:59Z"},
        {"at": "2026-03-11T02:00:01Z"},
        {"at": "2099-01-01T00:00:00Z"},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"at": "0001-01-01T00:00:00-00:01"},
        {"note": "x" * 401},
        {"note": "\x00"},
        {"event_id": ""},
        {"reference": ["x"]},
        {"result": {"deep": {"er": 1}}},
        {"result": {str(number): 1 for number in range(30)}},
        {"surprise": True},
    ],
)
async def test_strange_news_changes_nothing(portal: Portal, change: dict[str, object]) -> None:
    number = await case(portal)
    answer = await portal.tell({**news(number, 1, "accepted"), **change})
    assert answer.status in {400, 409, 422}
    assert await count_of("department_event") == 0


async def test_a_file_is_read_by_a_short_address_and_by_nothing_else(portal: Portal) -> None:
    given = await portal.upload(f"{START}/{await started(portal)}/attachments", JPEG)
    where = f"/v1/citizen/attachments/{given.json['id']}/addresses"
    low = await portal.call("POST", where)
    assert (low.status, low.json["code"]) == (403, "auth.level-too-low")
    told = await portal.call("POST", where, token="present")
    assert told.status == 201
    async with portal.session.get(told.json["url"]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]
        assert (await answer.read()).startswith(b"\xff\xd8\xff")
    async with portal.session.get(told.json["url"][:-1] + "?") as answer:
        assert answer.status in {404, 422}
    gone = await portal.call("DELETE", f"/v1/citizen/attachments/{given.json['id']}")
    assert gone.status == 204
    again = await portal.call("POST", where, token="present")
    assert (again.status, again.json["code"]) == (404, "request.not-found")


@pytest.mark.parametrize("name", [*EVIL, *EVIL_PDFS])
async def test_no_evil_file_gets_more_than_a_problem(portal: Portal, name: str) -> None:
    content = EVIL_PDFS[name] if name in EVIL_PDFS else EVIL[name][0]
    answer = await portal.upload(f"{START}/{await started(portal)}/attachments", content)
    assert answer.status in {201, 413, 422}, answer.json
    if answer.status == 422:
        assert answer.json["code"] in {"matters.file-refused", "request.invalid"}
