import secrets
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.people import later
from tests.sandbox.conftest import Until
from tests.sandbox.town import MATTER, Caller, Keys, MovableClock, Portal, opened

QUERY, CASES = "/public-security/v1/certificates/query", "/public-security/v1/cases"
HOUSEHOLD = "/public-security/v1/checks/household"


async def permit(caller: Caller, slug: str) -> dict[str, Any]:
    asked = await caller.named(slug, kind="residence-permit", purpose="wallet")
    certificate: dict[str, Any] = (await caller.signed(QUERY, asked)).json["certificate"]
    return certificate


async def test_a_driving_licence_has_the_fields_of_the_page(caller: Caller) -> None:
    asked = await caller.named("huomingzhe", kind="driving-licence", purpose="wallet")
    told = (await caller.signed(QUERY, asked)).json["certificate"]
    assert set(told) == {
        *("number", "state", "issued_on", "valid_from", "valid_until"),
        *("issuer", "issuer_code", "serial", "version", "fields"),
    }
    assert set(told["fields"]) == {
        *("name", "sex", "nationality", "address", "birth_on", "first_issued_on", "vehicle_class"),
        *("valid_from", "valid_until", "points", "status", "file_number", "issuer"),
    }
    assert (told["state"], told["version"], told["fields"]["vehicle_class"]) == ("01", 1, "C1")


async def test_a_residence_permit_has_the_fields_of_the_page(caller: Caller) -> None:
    told = await permit(caller, "qumanlin")
    assert set(told["fields"]) == {
        *("name", "sex", "ethnicity", "id_number", "household_address", "residence_address"),
        *("valid_from", "valid_until", "endorsed_until", "issuer", "issued_on"),
    }
    assert date.fromisoformat(told["valid_until"]) > caller.clock.today() + timedelta(days=365)


async def test_what_is_not_held_is_1404_and_what_is_no_kind_is_not_understood(caller: Caller) -> None:
    for slug, kind, code in (
        ("huomingzhe", "residence-permit", "1404"),
        ("hefangzhou", "driving-licence", "1404"),
        ("huomingzhe", "taiwan-permit", "1404"),
        ("huomingzhe", "housing-fund", "4000"),
    ):
        asked = await caller.named(slug, kind=kind, purpose="wallet")
        assert (await caller.signed(QUERY, asked)).json["code"] == code
    asked = await caller.named("huomingzhe", kind="driving-licence", purpose="wallet", name="霍明")
    assert (await caller.signed(QUERY, asked)).json["code"] == "1404"


async def test_a_household_is_clear_or_in_conflict(caller: Caller) -> None:
    told = (await caller.signed(HOUSEHOLD, await caller.named("chenxinran"))).json
    assert (told["code"], told["result"]) == ("0000", "clear")
    assert told["checked_at"].endswith("+08:00")
    for slug in ("fenggangyi", "hefangzhou"):
        assert (await caller.signed(HOUSEHOLD, await caller.named(slug))).json["result"] == "conflict"


async def test_a_due_endorsement_is_approved_and_stands_on_the_permit(
    caller: Caller, portal: Portal, until: Until
) -> None:
    before = await permit(caller, "qumanlin")
    submission = await caller.submission("qumanlin", portal.url)
    answer = (await caller.signed(CASES, submission)).json
    assert set(answer) == {"code", "message", "receipt_number", "received_at"}
    await until(lambda: len(portal.came) == 3)
    due_on = date.fromisoformat(before["fields"]["endorsed_until"])
    endorsed_until = later(due_on, years=1).isoformat()
    assert portal.came[2]["result"] == {"endorsed_until": endorsed_until}
    after = await permit(caller, "qumanlin")
    assert after["fields"]["endorsed_until"] == endorsed_until
    assert (after["version"], after["number"]) == (before["version"] + 1, before["number"])
    progress = (await caller.signed(f"{CASES}/{submission['reference']}", method="GET")).json
    assert (progress["state"], progress["receipt_number"]) == ("approved", answer["receipt_number"])


async def test_an_endorsement_carries_a_permit_that_would_lapse_before_it(
    caller: Caller, portal: Portal, until: Until
) -> None:
    assert (await permit(caller, "wujinglan"))["valid_until"] == later(caller.clock.today(), days=20).isoformat()
    await caller.signed(CASES, await caller.submission("wujinglan", portal.url))
    await until(lambda: len(portal.came) == 3)
    after = await permit(caller, "wujinglan")
    assert after["valid_until"] == after["fields"]["valid_until"] == after["fields"]["endorsed_until"]


async def test_an_endorsed_permit_is_not_due_for_a_year(
    caller: Caller, portal: Portal, clock: MovableClock, until: Until
) -> None:
    await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    await until(lambda: len(portal.came) == 3)
    again = (await caller.signed(CASES, await caller.submission("qumanlin", portal.url))).json
    assert (again["code"], again["reason"]) == ("2422", "not-due")
    clock.ahead = timedelta(days=365)
    assert (await caller.signed(CASES, await caller.submission("qumanlin", portal.url))).json["code"] == "0000"


async def test_two_cases_about_one_due_date_come_to_the_same_end(caller: Caller, portal: Portal, until: Until) -> None:
    for _ in range(2):
        await caller.signed(CASES, await caller.submission("qumanlin", portal.url))
    await until(lambda: len(portal.came) == 6)
    results = [event["result"]["endorsed_until"] for event in portal.came if event["state"] == "approved"]
    assert results == [(await permit(caller, "qumanlin"))["fields"]["endorsed_until"]] * 2


async def test_a_reference_opens_one_case_however_often_it_comes(caller: Caller, portal: Portal, until: Until) -> None:
    submission = await caller.submission("qumanlin", portal.url)
    answers = [(await caller.signed(CASES, submission)).json for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    await until(lambda: len(portal.came) == 3)
    assert (await caller.signed(CASES, submission)).json == answers[0]
    [received] = await caller.received("public-security")
    assert received == {
        "reference": submission["reference"],
        "matter": MATTER,
        "at": answers[0]["received_at"],
        "count": 1,
        "deliveries": 4,
        "files": [],
        "outcome": "accepted",
    }
    assert len(portal.came) == 3


@pytest.mark.parametrize(("slug", "reason"), [("wanqiushi", "not-eligible"), ("huomingzhe", "not-eligible")])
async def test_a_refusal_is_final_and_calls_nobody_back(caller: Caller, portal: Portal, slug: str, reason: str) -> None:
    submission = await caller.submission(slug, portal.url)
    answers = [(await caller.signed(CASES, submission)).json for _ in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0]["code"], answers[0]["reason"]) == ("2422", reason)
    assert answers[0]["message"]
    assert (await caller.signed(f"{CASES}/{submission['reference']}", method="GET")).json["code"] == "1404"
    [received] = await caller.received("public-security")
    assert (received["outcome"], received["count"], received["deliveries"]) == ("refused", 1, 2)
    assert portal.came == []


async def test_a_case_without_its_parts_is_incomplete_or_not_understood(caller: Caller, portal: Portal) -> None:
    good = await caller.submission("qumanlin", portal.url)
    for wrong, code in (
        ({"form": None}, "2422"),
        ({"applicant": {"name": "瞿漫林"}}, "2422"),
        ({"applicant": "瞿漫林"}, "4000"),
        ({"reference": ""}, "4000"),
        ({"matter": None}, "4000"),
        ({"callback_url": "http://example.org/"}, "4000"),
    ):
        told = (await caller.signed(CASES, {**good, "reference": secrets.token_hex(8), **wrong})).json
        assert told["code"] == code
        assert told.get("reason", "incomplete") == "incomplete"


async def test_an_unknown_reference_is_1404(caller: Caller) -> None:
    assert (await caller.signed(f"{CASES}/nothing", method="GET")).json["code"] == "1404"


async def test_the_record_outlives_a_restart(
    data: Path, keys: Keys, clock: MovableClock, portal: Portal, until: Until
) -> None:
    async with opened(data, keys, clock) as caller:
        submission = await caller.submission("qumanlin", portal.url)
        answer = (await caller.signed(CASES, submission)).json
        await until(lambda: len(portal.came) == 3)
        endorsed = await permit(caller, "qumanlin")
    async with opened(data, keys, clock) as caller:
        assert (await caller.signed(CASES, submission)).json == answer
        assert await permit(caller, "qumanlin") == endorsed
        [received] = await caller.received("public-security")
        assert (received["count"], received["deliveries"]) == (1, 2)
