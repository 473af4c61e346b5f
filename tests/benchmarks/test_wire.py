"""Where a message ends, however its bytes arrive."""

import json

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.residents import pretended_number
from benchmarks.wire import answer, end_of_message, request, status_of
from core.pii import IdNumber


@given(body=st.binary(max_size=200), cut=st.integers(min_value=0, max_value=400))
def test_a_message_is_whole_when_all_of_its_body_is_there(body: bytes, cut: int) -> None:
    message = answer(body, status=201)
    part = message[:cut]
    found = end_of_message(part)
    if len(part) < len(message):
        assert found is None
    else:
        assert found == (len(message) - len(body), len(message))
        assert status_of(message) == 201


def test_the_length_is_found_however_its_name_is_written() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nCONTENT-length: 2\r\n\r\n"
    assert end_of_message(head + b"{") is None
    assert end_of_message(head + b"{}") == (len(head), len(head) + 2)


def test_a_message_without_a_length_ends_with_its_head() -> None:
    message = b"HTTP/1.1 204 No Content\r\nX-Content-Length-Of-Old: 7\r\n\r\n"
    assert end_of_message(message) == (len(message), len(message))


def test_what_follows_a_message_is_left_for_the_next_one() -> None:
    first = answer(b"{}")
    found = end_of_message(first + answer(b"{}"))
    assert found == (len(first) - 2, len(first))


def test_a_request_says_how_long_its_json_is_in_bytes() -> None:
    message = request("POST", "/v1/citizen/sessions", headers={"X-Device-Id": "d" * 16}, body={"code": "码"})
    found = end_of_message(message)
    assert found is not None
    assert json.loads(message[found[0] : found[1]]) == {"code": "码"}
    assert message.startswith(b"POST /v1/citizen/sessions HTTP/1.1\r\nHost: ")


def test_reading_requests_have_no_body_and_writing_ones_say_so() -> None:
    assert b"Content-Length" not in request("GET", "/v1/citizen/certificates")
    assert b"Content-Length: 0\r\n" in request("POST", "/v1/citizen/matters/x/checks")


def test_pretended_numbers_are_numbers_and_all_different() -> None:
    numbers = {pretended_number(index) for index in range(0, 300_000, 97)}
    assert len(numbers) == len(range(0, 300_000, 97))
    assert all(IdNumber.parse(number) for number in numbers)
