"""Who stands behind the ways, from outside: what each page promises, and the sandbox's own sides of it."""

import secrets
from datetime import timedelta

import pytest

from tests.sandbox.town import Caller, MovableClock

MOBILE = "19900000001"


def message(**change: object) -> dict[str, object]:
    return {
        "request_id": secrets.token_hex(8),
        "reference": secrets.token_hex(8),
        "mobile": MOBILE,
        "template": "verification-code",
        "parameters": {"code": "135790", "minutes": 5},
        **change,
    }


async def card_of(caller: Caller, slug: str = "huomingzhe", **change: str) -> dict[str, object]:
    person = await caller.person(slug)
    told = {"card_number": person["bank_card"], "mobile": person["mobile"], "reference": secrets.token_hex(8)}
    return {**await caller.named(slug), **told, **change}


async def outbox(caller: Caller, mobile: str = MOBILE) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await caller.call("GET", f"/sandbox/sms/outbox?mobile={mobile}")).json["items"]
    return items


async def test_the_outbox_shows_what_a_mobile_got_newest_first(caller: Caller) -> None:
    for code in ("111111", "222222"):
        heard = await caller.signed("/sms/v1/messages", message(parameters={"code": code, "minutes": 5}))
        assert heard.json["code"] == "0000"
    await caller.signed("/sms/v1/messages", message(mobile="19900000002"))
    items = await outbox(caller)
    assert [item["parameters"] for item in items] == [
        {"code": "222222", "minutes": 5},
        {"code": "111111", "minutes": 5},
    ]
    assert "222222" in str(items[0]["text"])
    assert (await caller.call("GET", "/sandbox/sms/outbox?mobile=110")).status == 422


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mobile": "110"}, "2001"),
        ({"template": "advertisement"}, "4000"),
        ({"parameters": {"code": "12", "minutes": 5}}, "4000"),
        ({"parameters": {"code": "123456"}}, "4000"),
        ({"parameters": None}, "4000"),
        ({"reference": ""}, "4000"),
    ],
)
async def test_what_is_no_message_is_not_sent(caller: Caller, change: dict[str, object], code: str) -> None:
    assert (await caller.signed("/sms/v1/messages", message(**change))).json["code"] == code
    assert await outbox(caller) == []


async def test_a_reference_is_sent_once(caller: Caller) -> None:
    body = message()
    first, again = [(await caller.signed("/sms/v1/messages", body)).json["message_id"] for _ in range(2)]
    assert first == again
    assert len(await outbox(caller)) == 1


async def test_strangers_get_nothing_from_any_of_them(caller: Caller) -> None:
    for path in (
        "/sms/v1/messages",
        "/mobile-register/v1/verifications",
        "/bank-clearing/v1/authentications",
        "/payment/v1/authentications",
        "/network-identity/v1/authentications",
    ):
        heard = await caller.call("POST", path, message())
        assert (heard.status, heard.json["code"]) == (401, "4010")


@pytest.mark.parametrize(
    ("slug", "mobile", "result"),
    [
        ("huomingzhe", MOBILE, "match"),
        ("huomingzhe", "19900000002", "mismatch"),
        ("huomingzhe", "19955550000", "unknown"),
        # The carriers know him; that the population registry does not is another matter.
        ("hefangzhou", "19900000012", "match"),
    ],
)
async def test_everybody_holds_their_own_mobile(caller: Caller, slug: str, mobile: str, result: str) -> None:
    told = await caller.named(slug, mobile=mobile)
    heard = await caller.signed("/mobile-register/v1/verifications", told)
    assert (heard.json["code"], heard.json["result"]) == ("0000", result)


async def confirm(caller: Caller, transaction: object, code: object) -> str:
    told = {"request_id": secrets.token_hex(8), "transaction": transaction, "code": code}
    return str((await caller.signed("/bank-clearing/v1/confirmations", told)).json["result"])


async def test_the_bank_sends_a_code_and_takes_it_once(caller: Caller) -> None:
    begun = (await caller.signed("/bank-clearing/v1/authentications", await card_of(caller))).json
    assert begun["result"] == "sent"
    [item] = await outbox(caller)
    code = str(item["parameters"]["code"])  # type: ignore[index]
    assert await confirm(caller, begun["transaction"], "x") == "wrong_code"
    assert await confirm(caller, begun["transaction"], code) == "passed"
    assert await confirm(caller, begun["transaction"], code) == "ended"
    assert await confirm(caller, "never-was", code) == "ended"


async def test_ten_wrong_codes_or_fifteen_minutes_end_a_transaction(caller: Caller, clock: MovableClock) -> None:
    one = (await caller.signed("/bank-clearing/v1/authentications", await card_of(caller))).json["transaction"]
    seen = [await confirm(caller, one, "x") for _ in range(11)]
    assert seen == [*["wrong_code"] * 10, "ended"]
    other = (await caller.signed("/bank-clearing/v1/authentications", await card_of(caller))).json["transaction"]
    clock.ahead += timedelta(minutes=16)
    assert await confirm(caller, other, "x") == "ended"


@pytest.mark.parametrize(
    "change", [{"mobile": "19900000002"}, {"card_number": "6299990000000000020"}, {"name": "厉云齐"}]
)
async def test_four_elements_are_one_persons_or_nothing_is_sent(caller: Caller, change: dict[str, str]) -> None:
    heard = await caller.signed("/bank-clearing/v1/authentications", await card_of(caller, **change))
    assert heard.json == {"code": "0000", "message": "done", "result": "mismatch"}
    assert await outbox(caller) == []


async def test_a_ticket_is_one_for_a_reference_and_lives_half_an_hour(caller: Caller, clock: MovableClock) -> None:
    told = await caller.named("huomingzhe", reference="one")
    for system, results, late in (
        ("payment", "queries", "failed"),
        ("network-identity", "results", "lapsed"),
    ):
        path = f"/{system}/v1/authentications"
        tickets = {(await caller.signed(path, told)).json["ticket"] for _ in range(2)}
        assert len(tickets) == 1
        asked = {"request_id": "r", "reference": "one"}
        before = (await caller.signed(f"{path}/{results}", asked)).json["result"]
        assert before in {"waiting", "pending"}
        clock.ahead += timedelta(minutes=31)
        assert (await caller.signed(f"{path}/{results}", asked)).json["result"] == late
        assert (await caller.signed(f"{path}/{results}", {**asked, "reference": "none"})).json["code"] == "1404"
        clock.ahead -= timedelta(minutes=31)


async def test_whoever_declines_or_is_another_is_told_so(caller: Caller) -> None:
    path = "/network-identity/v1/authentications"
    cases: list[tuple[dict[str, object], str]] = [
        ({"person": "huomingzhe", "approve": False}, "declined"),
        ({"person": "lieyunqi"}, "different"),
        ({"person": "huomingzhe"}, "same"),
    ]
    for number, (body, result) in enumerate(cases):
        told = await caller.named("huomingzhe", reference=str(number))
        ticket = (await caller.signed(path, told)).json["ticket"]
        opened = await caller.call("POST", "/sandbox/network-identity/approvals", {"ticket": ticket, **body})
        assert (opened.status, opened.json["result"]) == (201, result)
        asked = {"request_id": "r", "reference": str(number)}
        heard = (await caller.signed(f"{path}/results", asked)).json
        assert heard["result"] == result
        assert ("pseudonym" in heard) is (result == "same")
        again = await caller.call("POST", "/sandbox/network-identity/approvals", {"ticket": ticket, **body})
        assert again.status == 404


@pytest.mark.parametrize("path", ["/sandbox/payment/entries", "/sandbox/network-identity/approvals"])
@pytest.mark.parametrize(
    "body", [{}, [], {"ticket": "t"}, {"ticket": "t", "person": "nobody"}, {"ticket": 1, "person": "huomingzhe"}]
)
async def test_the_sandboxs_own_sides_answer_bad_input_with_a_sentence(caller: Caller, path: str, body: object) -> None:
    heard = await caller.call("POST", path, body)
    assert heard.status == 422
    assert heard.json["error"]
