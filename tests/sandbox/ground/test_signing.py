import asyncio
import json
from datetime import timedelta

import pytest

from tests.sandbox.town import Caller, MovableClock

VERIFY = "/population-registry/v1/verifications"


async def ask(caller: Caller, headers: dict[str, str], body: bytes, path: str = VERIFY) -> tuple[int, str]:
    heard = await caller.call("POST", path, body, headers=headers)
    return heard.status, heard.json["code"]


async def body_of(caller: Caller) -> bytes:
    return json.dumps(await caller.named("huomingzhe")).encode()


async def test_a_signed_request_is_answered(caller: Caller) -> None:
    body = await body_of(caller)
    assert await ask(caller, caller.signature("population_registry", "POST", VERIFY, body), body) == (200, "0000")


@pytest.mark.parametrize("header", ["X-App-Id", "X-Timestamp", "X-Nonce", "X-Signature"])
async def test_a_missing_or_changed_header_is_refused(caller: Caller, header: str) -> None:
    body = await body_of(caller)
    good = caller.signature("population_registry", "POST", VERIFY, body)
    without = {name: value for name, value in good.items() if name != header}
    changed = {**good, header: good[header][:-1] + ("1" if good[header][-1] != "1" else "2")}
    assert await ask(caller, without, body) == (401, "4010")
    assert await ask(caller, changed, body) == (401, "4010")


async def test_the_signature_covers_method_path_query_and_body(caller: Caller) -> None:
    body = await body_of(caller)
    for method, path, signed_body in (
        ("GET", VERIFY, body),
        ("POST", "/population-registry/v1/portraits", body),
        ("POST", VERIFY + "?page=1", body),
        ("POST", VERIFY, body + b" "),
    ):
        headers = caller.signature("population_registry", method, path, signed_body)
        assert await ask(caller, headers, body) == (401, "4010")
    queried = VERIFY + "?a=%20b&c"
    headers = caller.signature("population_registry", "POST", queried, body)
    assert await ask(caller, headers, body, queried) == (200, "0000")


async def test_the_secret_of_one_system_opens_no_other(caller: Caller) -> None:
    body = await body_of(caller)
    assert await ask(caller, caller.signature("education", "POST", VERIFY, body), body) == (401, "4010")


async def test_a_nonce_works_once(caller: Caller) -> None:
    body = await body_of(caller)
    headers = caller.signature("population_registry", "POST", VERIFY, body)
    answers = await asyncio.gather(*(ask(caller, headers, body) for _ in range(20)))
    assert sorted(answers) == [(200, "0000")] + [(401, "4010")] * 19


async def test_a_wrong_signature_does_not_use_a_nonce_up(caller: Caller) -> None:
    body = await body_of(caller)
    headers = caller.signature("population_registry", "POST", VERIFY, body)
    assert await ask(caller, {**headers, "X-Signature": "0" * 64}, body) == (401, "4010")
    assert await ask(caller, headers, body) == (200, "0000")


async def test_a_nonce_is_forgotten_after_ten_minutes(caller: Caller, clock: MovableClock) -> None:
    body, nonce = await body_of(caller), "0123456789abcdef" * 2
    for minutes, wanted in ((0, 200), (9, 401), (11, 200)):
        clock.ahead = timedelta(minutes=minutes)
        headers = caller.signature("population_registry", "POST", VERIFY, body, nonce=nonce)
        assert (await ask(caller, headers, body))[0] == wanted


@pytest.mark.parametrize("nonce", ["0123456789ABCDEF" * 2, "0" * 31, "0" * 33, "g" * 32])
async def test_a_nonce_of_another_shape_is_refused(caller: Caller, nonce: str) -> None:
    body = await body_of(caller)
    headers = caller.signature("population_registry", "POST", VERIFY, body, nonce=nonce)
    assert await ask(caller, headers, body) == (401, "4010")


@pytest.mark.parametrize(("off_s", "wanted"), [(-295, 200), (295, 200), (-302, 401), (302, 401)])
async def test_a_timestamp_may_be_five_minutes_off(caller: Caller, off_s: int, wanted: int) -> None:
    body = await body_of(caller)
    at = int(caller.clock.seconds()) + off_s
    headers = caller.signature("population_registry", "POST", VERIFY, body, at=at)
    assert (await ask(caller, headers, body))[0] == wanted


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"name": "\\ud800"}', b'{"n": NaN}', b"\xff", b"[" * 99_999]
)
async def test_what_is_no_json_object_is_not_understood(caller: Caller, body: bytes) -> None:
    headers = caller.signature("population_registry", "POST", VERIFY, body)
    assert await ask(caller, headers, body) == (200, "4000")


async def test_real_estate_is_signed_with_sm3(caller: Caller) -> None:
    path = "/real-estate/v1/checks/residence"
    body = json.dumps(await caller.named("chenxinran")).encode()
    assert (await caller.signed(path, await caller.named("chenxinran"))).json["result"] == "rented"
    with_sha = caller.signature("education", "POST", path, body)
    with_sha["X-App-Id"] = caller.keys.told["real_estate"]["app_id"]
    assert await ask(caller, with_sha, body, path) == (401, "4010")


async def test_every_answer_says_that_it_is_pretended(caller: Caller) -> None:
    for method, path in (("POST", VERIFY), ("GET", VERIFY), ("GET", "/nowhere"), ("GET", "/sandbox/people")):
        heard = await caller.call(method, path)
        assert heard.headers["X-Sandbox"] == "1"
        assert heard.json
