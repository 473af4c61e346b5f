"""What the edge answers to bad input: one test for each row of the table of `security.md` 4.1."""

import asyncio
import sqlite3
from collections.abc import Callable
from uuid import uuid4

import asyncpg
import pytest
from sanic.exceptions import ServiceUnavailable
from tortoise.exceptions import OperationalError

from auth.errors import CodeInvalid
from auth.staff.errors import StaffLoginInvalid
from certificates.types import Outcome
from core.cache import CacheUnavailable, TooManyRequests
from core.crypto import RecordUnreadable
from core.db import DatabaseUnavailable
from core.outbound import Unreachable
from core.signers.http_signature import SignatureInvalid
from face.errors import CheckExpired, EvidenceReplayed
from tests.api.edge import Edge, open_edge
from tests.api.service import ALICE, BOB, TAG
from tests.conftest import Ground

THINGS = "/v1/citizen/things"
NO_TOKEN = 'Bearer realm="zhijian"'
BAD_TOKEN = 'Bearer realm="zhijian", error="invalid_token"'
MULTIPART = "multipart/form-data; boundary=XX"


def deep(levels: int) -> bytes:
    return b'{"name": ' + b"[" * levels + b"]" * levels + b"}"


def form(*parts: tuple[str, bytes], end: bytes = b"--XX--\r\n") -> bytes:
    return (
        b"".join(
            b'--XX\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n%s\r\n' % (name.encode(), content)
            for name, content in parts
        )
        + end
    )


MALFORMED = {
    "no json": b"{name: 1}",
    "cut off": b'{"name": "a"',
    "more after": b'{"name": "a"} {}',
    "invalid utf-8": b'{"name": "\xff"}',
    "another encoding": '{"name": "霍"}'.encode("gb18030"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "a"}',
    "duplicate keys": b'{"name": "a", "name": "b"}',
    "duplicate keys inside": b'{"name": "a", "parts": [{"colour": "a", "colour": "b"}]}',
    "NaN": b'{"name": "a", "share": NaN}',
    "Infinity": b'{"name": "a", "share": -Infinity}',
    "too deep": deep(40),
    "far too deep": deep(20_000),
}


@pytest.mark.parametrize("what", sorted(MALFORMED))
async def test_a_body_that_cannot_be_read_is_malformed(edge: Edge, what: str) -> None:
    told = await edge.ask("POST", THINGS, raw=MALFORMED[what])
    assert (told.status, told.code) == (400, "request.malformed")
    assert edge.shelf.calls == 0


FORMS = {
    "no parts": b"nothing here",
    "no end": form(("frames", b"abc"), end=b""),
    "cut off": form(("frames", b"abc"))[:40],
    "no disposition": b"--XX\r\n\r\nabc\r\n--XX--\r\n",
}


@pytest.mark.parametrize("what", sorted(FORMS))
async def test_a_form_that_cannot_be_told_apart_is_malformed(edge: Edge, what: str) -> None:
    told = await edge.ask("POST", "/v1/citizen/pictures", raw=FORMS[what], Content_Type=MULTIPART)
    assert (told.status, told.code) == (400, "request.malformed")


async def test_a_good_form_is_read_in_order(edge: Edge) -> None:
    raw = form(("frames", b"abc"), ("frames", b"\x00\xff" * 10))
    told = await edge.ask("POST", "/v1/citizen/pictures", raw=raw, Content_Type=MULTIPART)
    assert (told.status, told.json) == (200, {"sizes": [3, 20]})


@pytest.mark.parametrize(("path", "kind"), [(THINGS, "application/json"), ("/v1/citizen/pictures", MULTIPART)])
async def test_an_empty_body_where_one_is_needed_is_told(edge: Edge, path: str, kind: str) -> None:
    told = await edge.ask("POST", path, raw=b"", Content_Type=kind)
    assert (told.status, told.code) == (400, "request.body-required")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/xml", "application/json; charset=gbk", "application/jsonx", MULTIPART]
)
async def test_another_content_type_or_none_is_refused(edge: Edge, kind: str) -> None:
    told = await edge.ask("POST", THINGS, {"name": "a"}, Content_Type=kind)
    assert (told.status, told.code) == (415, "request.media-type")


@pytest.mark.parametrize("kind", ["application/json", "image/jpeg", "multipart/form-data"])
async def test_pictures_come_in_a_form(edge: Edge, kind: str) -> None:
    told = await edge.ask("POST", "/v1/citizen/pictures", raw=b"abc", Content_Type=kind)
    assert (told.status, told.code) == (415, "request.media-type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; Charset=UTF-8", "application/json;charset=utf-8"]
)
async def test_json_may_say_its_encoding(edge: Edge, kind: str) -> None:
    assert (await edge.ask("POST", THINGS, {"name": "a"}, Content_Type=kind)).status == 201


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml, text/csv", "///", "application/json;q=0"])
async def test_an_answer_that_cannot_be_given_is_refused(edge: Edge, accept: str) -> None:
    told = await edge.ask("GET", THINGS, Accept=accept)
    assert (told.status, told.code) == (406, "request.not-acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, */*;q=0.1"])
async def test_an_answer_that_can_be_given_is(edge: Edge, accept: str) -> None:
    assert (await edge.ask("GET", THINGS, Accept=accept)).status == 200


INVALID: dict[str, tuple[bytes, list[str]]] = {
    "missing": (b"{}", ["/name"]),
    "unknown field": (b'{"name": "a", "admin": true}', ["/admin"]),
    "unknown field inside": (b'{"name": "a", "parts": [{"colour": "a", "x": 1}]}', ["/parts/0/x"]),
    "wrong type": (b'{"name": 1}', ["/name"]),
    "no coercion": (b'{"name": "a", "size": "3", "is_open": 1}', ["/size", "/is_open"]),
    "too long": (b'{"name": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}', ["/name"]),
    "out of range": (b'{"name": "a", "size": 11}', ["/size"]),
    "not an object": (b'["name"]', [""]),
    "null": (b"null", [""]),
    "NUL": (b'{"name": "a\\u0000b"}', ["/name"]),
    "control character": (b'{"name": "a\\u001bb"}', ["/name"]),
    "control character inside": (b'{"name": "a", "parts": [{"colour": "\\u0007"}]}', ["/parts/0/colour"]),
    "control character in a key": (b'{"name": "a", "x\\u0000": 1}', [""]),
    "lone surrogate": (b'{"name": "\\ud800"}', ["/name"]),
    "integer beyond 2^53": (b'{"name": "a", "size": 9007199254740993}', ["/size"]),
    "integer of 5000 digits": (b'{"name": "a", "size": ' + b"9" * 5000 + b"}", ["/size"]),
    "a float that is infinite": (b'{"name": "a", "share": 1e999}', ["/share"]),
}


@pytest.mark.parametrize("what", sorted(INVALID))
async def test_each_field_to_be_mended_is_pointed_at(edge: Edge, what: str) -> None:
    raw, pointers = INVALID[what]
    told = await edge.ask("POST", THINGS, raw=raw)
    assert (told.status, told.code) == (422, "request.invalid")
    assert told.pointers == pointers
    assert all(error["message"] and error["code"] for error in told.json["errors"])
    assert edge.shelf.calls == 0


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("?limit=0", ["/limit"]),
        ("?limit=101", ["/limit"]),
        ("?limit=abc", ["/limit"]),
        ("?limit=", ["/limit"]),
        ("?limit=1&limit=2", ["/limit"]),
        ("?page=2", ["/page"]),
        ("?page=", ["/page"]),
        ("?cursor=%00", [""]),
        ("?cursor=nonsense", ["/cursor"]),
        ("?cursor=WyJhIl0", ["/cursor"]),
        ("?cursor=" + "a" * 401, ["/cursor"]),
    ],
)
async def test_a_query_is_read_as_strictly(edge: Edge, query: str, pointers: list[str]) -> None:
    told = await edge.ask("GET", THINGS + query)
    assert (told.status, told.code, told.pointers) == (422, "request.invalid", pointers)


async def test_where_no_query_is_known_none_is_taken(edge: Edge) -> None:
    for query in ("?debug=1", "?debug=", "?"):
        told = await edge.ask("GET", f"{THINGS}/{ALICE}{query}")
        assert told.status == (200 if query == "?" else 422)


async def test_a_cursor_goes_on_where_the_page_ended(edge: Edge) -> None:
    first = (await edge.ask("GET", f"{THINGS}?limit=2")).json
    second = (await edge.ask("GET", f"{THINGS}?limit=2&cursor={first['next_cursor']}")).json
    assert [item["name"] for item in first["items"] + second["items"]] == ["0", "1", "2", "3"]


async def test_forms_with_other_fields_too_many_files_or_none_are_invalid(edge: Edge) -> None:
    for parts in ([("other", b"a")], [("frames", b"a")] * 4, [("frames", b"a"), ("other", b"b")]):
        told = await edge.ask("POST", "/v1/citizen/pictures", raw=form(*parts), Content_Type=MULTIPART)
        assert (told.status, told.code) == (422, "request.invalid")
        assert told.pointers[0] in {"/other", "/frames"}


@pytest.mark.parametrize("number", ["999999198503122178", "999999198502302179", "99", "", "99999919850312217９"])
async def test_an_id_number_with_a_bad_check_digit_or_date_is_told_as_such(edge: Edge, number: str) -> None:
    told = await edge.ask("PUT", "/v1/citizen/identity", {"id_number": number})
    assert (told.status, told.code) == (422, "auth.id-number-invalid")
    assert set(told.json) == {"type", "title", "status", "code", "instance", "retryable"}


async def test_what_is_too_large_is_told_by_what_it_is(edge: Edge) -> None:
    large_json = await edge.ask("POST", THINGS, {"name": "a" * 66_000})
    large_file = await edge.ask(
        "POST", "/v1/citizen/pictures", raw=form(("frames", bytes(100_001))), Content_Type=MULTIPART
    )
    large_head = await edge.ask("GET", THINGS, X_Long="x" * 9000)
    huge_head = await edge.ask("GET", THINGS, X_Long="x" * 30_000)
    long_address = await edge.ask("GET", f"{THINGS}?cursor=" + "a" * 5000)
    told = [(each.status, each.code) for each in (large_json, large_file, large_head, huge_head, long_address)]
    assert told == [(status, "request.too-large") for status in (413, 413, 431, 431, 414)]


async def test_where_no_body_is_expected_none_is_taken(edge: Edge) -> None:
    nested = b"[" + b"[]," * 20_000 + b"[]]"
    for method, path in (("POST", "/v1/citizen/closures"), ("GET", THINGS), ("DELETE", f"{THINGS}/{ALICE}")):
        for raw in (b"{", b'{"name": "a"}', b"null", nested):
            told = await edge.ask(method, path, raw=raw, Idempotency_Key=f"key-{len(raw)}")
            assert (told.status, told.code) == (415, "request.media-type")
    assert (await edge.ask("DELETE", f"{THINGS}/{ALICE}", {})).status == 204
    assert (await edge.ask("GET", THINGS, raw=b"")).status == 200


async def test_a_body_over_the_cap_is_refused_before_it_is_read(edge: Edge) -> None:
    head = f"POST {THINGS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    told = await edge.send(head.encode() + b"{", within=2)
    assert told is not None
    assert (told.status, told.code) == (413, "request.too-large")


async def test_what_is_not_there_not_mine_or_no_id_looks_the_same(edge: Edge) -> None:
    ids = ["no-uuid", "1", "%00", str(uuid4()), str(BOB), f"{ALICE}x", "%F0%9F%98%80"]
    answers = [await edge.ask("GET", f"{THINGS}/{thing}") for thing in ids]
    answers.append(await edge.ask("GET", "/v1/nothing/here"))
    assert {(told.status, told.code) for told in answers} == {(404, "request.not-found")}
    bodies = {tuple((key, value) for key, value in told.json.items() if key != "instance") for told in answers}
    assert len(bodies) == 1
    assert (await edge.ask("GET", f"{THINGS}/{ALICE}")).status == 200


async def test_another_method_is_told_with_those_there_are(edge: Edge) -> None:
    told = await edge.ask("PUT", THINGS, {"name": "a"})
    assert (told.status, told.code) == (405, "request.method")
    assert set(told.headers["allow"].replace(" ", "").split(",")) == {"GET", "POST"}


@pytest.mark.parametrize(
    ("token", "code", "asked"),
    [
        (None, "auth.token-missing", NO_TOKEN),
        ("", "auth.token-missing", NO_TOKEN),
        ("expired", "auth.token-expired", BAD_TOKEN),
        ("forged", "auth.token-invalid", BAD_TOKEN),
        ("alice-", "auth.token-invalid", BAD_TOKEN),
    ],
)
async def test_without_a_good_token_nobody_enters(edge: Edge, token: str | None, code: str, asked: str) -> None:
    told = await edge.ask("GET", THINGS, token=token)
    assert (told.status, told.code) == (401, code)
    assert told.headers["www-authenticate"] == asked


@pytest.mark.parametrize(
    ("failure", "asked"),
    [(StaffLoginInvalid(), NO_TOKEN), (CodeInvalid(), NO_TOKEN), (SignatureInvalid(), 'Signature realm="zhijian"')],
)
async def test_a_failed_login_or_signature_says_nothing_of_a_token(edge: Edge, failure: Exception, asked: str) -> None:
    edge.shelf.failure = failure
    told = await edge.ask("POST", "/v1/public/failures", token=None)
    assert (told.status, told.headers["www-authenticate"]) == (401, asked)


@pytest.mark.parametrize("value", ["Basic YTpi", "alice-present", "Bearer", "bearer\talice-present"])
async def test_another_kind_of_token_is_none(edge: Edge, value: str) -> None:
    told = await edge.ask("GET", THINGS, token=None, Authorization=value)
    assert (told.status, told.code) == (401, "auth.token-missing")


async def test_a_caller_is_known_before_its_body_is_looked_at(edge: Edge) -> None:
    told = await edge.ask("POST", THINGS, raw=b"{", token="forged")
    assert told.code == "auth.token-invalid"


async def test_a_level_too_low_is_told_with_the_ways_that_raise_it(edge: Edge) -> None:
    told = await edge.ask("GET", "/v1/citizen/portrait", token="alice-real_name")
    assert (told.status, told.code) == (403, "auth.level-too-low")
    assert told.json["required"] == "present"
    assert told.json["ways"][0] | {"method": "face", "start": "/v1/citizen/face-checks"} == told.json["ways"][0]
    assert (await edge.ask("GET", "/v1/citizen/portrait", token="alice-present")).status == 200
    assert (await edge.ask("GET", THINGS, token="alice-linked")).status == 200


async def test_acting_for_somebody_without_a_mandate_is_refused(edge: Edge) -> None:
    # A route that does not say how far a mandate goes is one's own, and who is at the door holds none yet.
    for method, path, body, code in (
        ("GET", THINGS, None, "auth.not-delegable"),
        ("POST", "/v1/citizen/doors", {"name": "a"}, "auth.mandate-missing"),
    ):
        told = await edge.ask(method, path, body, X_On_Behalf_Of=str(uuid4()))
        assert (told.status, told.code) == (403, code)
        assert edge.shelf.calls == 0
    unknown = await edge.ask("GET", THINGS, token=None, X_On_Behalf_Of=str(uuid4()))
    assert unknown.code == "auth.token-missing"
    elsewhere = await edge.ask("GET", "/v1/public/surroundings", token=None, X_On_Behalf_Of=str(uuid4()))
    assert elsewhere.status == 200


async def test_an_operator_of_another_role_is_refused(edge: Edge) -> None:
    told = await edge.ask("GET", "/v1/staff/keys", token="operator")
    assert (told.status, told.code) == (403, "auth.forbidden")
    assert (await edge.ask("GET", "/v1/staff/books", token="operator")).status == 200


async def test_a_grant_with_limits_opens_only_what_says_so_and_what_it_covers(edge: Edge) -> None:
    told = await edge.ask("GET", "/v1/staff/books", token="clerk")
    assert (told.status, told.code) == (403, "auth.forbidden")
    for token in ("clerk", "operator"):
        assert (await edge.ask("GET", "/v1/staff/rows", token=token)).status == 200
    assert (await edge.ask("GET", "/v1/staff/books", token="alice-present")).status == 401


async def test_without_consent_nothing_is_done(edge: Edge) -> None:
    told = await edge.ask("POST", "/v1/citizen/agreements")
    assert (told.status, told.code) == (403, "auth.consent-required")


async def test_a_change_needs_the_tag_of_what_it_changes(edge: Edge) -> None:
    path = f"{THINGS}/{ALICE}"
    missing = await edge.ask("PATCH", path, {"name": "b"})
    stale = await edge.ask("PATCH", path, {"name": "b"}, If_Match='"v0"')
    fresh = await edge.ask("PATCH", path, {"name": "b"}, If_Match=TAG)
    assert (missing.status, missing.code) == (428, "request.tag-required")
    assert (stale.status, stale.code) == (412, "request.stale")
    assert fresh.status == 200


async def test_what_the_state_forbids_is_a_conflict_under_the_domains_own_code(edge: Edge) -> None:
    told = await edge.ask("POST", "/v1/citizen/closures")
    assert (told.status, told.code) == (409, "things.state")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (CheckExpired(), 410, "face.check-expired"),
        (EvidenceReplayed(), 409, "face.evidence-replayed"),
        (TooManyRequests(retry_after=17), 429, "request.too-many"),
    ],
)
async def test_late_or_repeated_evidence_and_too_many_attempts(
    edge: Edge, failure: Exception, status: int, code: str
) -> None:
    edge.shelf.failure = failure
    told = await edge.ask("POST", "/v1/public/failures")
    assert (told.status, told.code) == (status, code)
    assert told.headers.get("retry-after") == ("17" if status == 429 else None)


@pytest.mark.parametrize("outcome", sorted(Outcome))
async def test_whatever_a_scanned_code_is_worth_is_an_outcome_and_no_failure(edge: Edge, outcome: Outcome) -> None:
    told = await edge.ask("POST", "/v1/verifiers/verifications", {"code": outcome.value}, token=None)
    assert (told.status, told.json["outcome"]) == (200, outcome.value)


AWAY: list[tuple[Callable[[], BaseException], str]] = [
    (lambda: Unreachable("bureau", "timeout", ambiguous=True), "core.outside-unavailable"),
    (lambda: Unreachable("bureau", "held-back", ambiguous=False), "core.outside-unavailable"),
    (lambda: DatabaseUnavailable(retry_after=2), "core.database-unavailable"),
    (lambda: CacheUnavailable(retry_after=2), "core.cache-unavailable"),
    (asyncpg.TooManyConnectionsError, "core.database-unavailable"),
    (asyncpg.QueryCanceledError, "core.database-unavailable"),
    (lambda: OperationalError(sqlite3.OperationalError("database or disk is full")), "core.database-unavailable"),
    (lambda: OSError(28, "No space left on device"), "core.database-unavailable"),
    (TimeoutError, "request.overloaded"),
    (ServiceUnavailable, "request.overloaded"),
]


@pytest.mark.parametrize("place", range(len(AWAY)))
async def test_what_is_away_or_full_is_a_503_that_says_when_to_come_back(edge: Edge, place: int) -> None:
    failure, code = AWAY[place]
    edge.shelf.failure = failure()
    told = await edge.ask("POST", "/v1/public/failures")
    assert (told.status, told.code) == (503, code)
    assert int(told.headers["retry-after"]) >= 1


async def test_a_record_that_cannot_be_read_is_a_503_that_repeating_does_not_help(edge: Edge) -> None:
    edge.shelf.failure = RecordUnreadable()
    told = await edge.ask("POST", "/v1/public/failures")
    assert (told.status, told.json["code"], told.json["retryable"]) == (503, "core.record-unreadable", False)


async def test_a_handler_that_does_not_end_is_a_503_in_time(ground: Ground) -> None:
    async with open_edge(ground, RESPONSE_TIMEOUT=0.2) as edge:
        told = await edge.send(edge.request("POST", "/v1/public/failures", token=None), within=3)
        assert told is not None
        assert (told.status, told.code) == (503, "request.overloaded")
        assert await edge.is_well()


async def test_more_than_can_be_taken_is_shed(ground: Ground) -> None:
    async with open_edge(ground, at_once=3) as edge:
        waiting = [asyncio.create_task(edge.ask("POST", "/v1/public/failures")) for _ in range(3)]
        await asyncio.sleep(0.1)
        told = await edge.ask("POST", "/v1/public/failures")
        assert (told.status, told.code, told.headers["retry-after"]) == (503, "request.overloaded", "1")
        edge.shelf.go_on.set()
        assert [each.status for each in await asyncio.gather(*waiting)] == [200] * 3
        assert (await edge.ask("POST", "/v1/public/failures")).status == 200


async def test_a_bug_says_nothing_but_where_to_ask(edge: Edge) -> None:
    edge.shelf.failure = ValueError("霍明哲 999999198503122179 SELECT secret")
    told = await edge.ask("POST", "/v1/public/failures")
    assert (told.status, told.code) == (500, "internal")
    assert set(told.json) == {"type", "title", "status", "code", "instance", "retryable"}
    for word in ("霍", "999999", "SELECT", "ValueError", "edge.py"):
        assert word not in told.body.decode()
