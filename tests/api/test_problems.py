"""Problems in the caller's words, and what every answer carries."""

import re

import pytest

from api.problems import STATUS, EdgeProblem, problem_body, status_of
from core.errors import Alternative, Conflict, FieldError, Problem, Stale, Unavailable
from tests.api.edge import Edge, open_edge
from tests.api.service import ALICE
from tests.conftest import Ground

THING = f"/v1/citizen/things/{ALICE}"


async def test_a_problem_speaks_chinese_english_or_plainly(edge: Edge) -> None:
    chinese = await edge.ask("GET", "/nothing")
    english = await edge.ask("GET", "/nothing", Accept_Language="en-GB,zh;q=0.5")
    elder = await edge.ask("GET", "/nothing", X_Client_Mode="elder")
    assert (chinese.json["title"], chinese.headers["content-language"]) == ("没有找到", "zh-CN")
    assert (english.json["title"], english.headers["content-language"]) == ("Not found", "en")
    assert elder.json["plain"] == "没有找到。"
    assert "plain" not in chinese.json
    assert {told.code for told in (chinese, english, elder)} == {"request.not-found"}


async def test_fields_are_explained_in_the_callers_language(edge: Edge) -> None:
    messages = [
        (await edge.ask("POST", "/v1/citizen/things", {}, Accept_Language=language)).json["errors"][0]["message"]
        for language in ("zh-CN", "en")
    ]
    assert messages == ["请填写这一项", "This field is required"]


def test_every_kind_has_its_status() -> None:
    kinds = [kind for kind in Problem.__subclasses__() if kind is not EdgeProblem and kind.__module__ == "core.errors"]
    assert set(kinds) == set(STATUS)
    assert status_of(Problem()) == 500


def test_extras_are_told_and_empty_ones_are_not() -> None:
    class Closed(Conflict):
        code = "x.closed"

    problem = Closed(
        errors=[FieldError("/a", "c", "中", "en")],
        alternatives=[Alternative("phone", "打电话", "Call", "tel:1"), Alternative("hall", "到大厅", "Go")],
        ways=["x"],
    )
    body = problem_body(problem, instance="i", english=True, elder=False)
    assert body["errors"] == [{"pointer": "/a", "code": "c", "message": "en"}]
    assert body["alternatives"] == [
        {"method": "phone", "text": "Call", "start": "tel:1"},
        {"method": "hall", "text": "Go"},
    ]
    assert body["ways"] == ["x"]
    assert set(problem_body(Stale(), instance="i", english=False, elder=False)) == {
        "type", "title", "status", "code", "instance", "retryable",
    }  # fmt: skip


async def test_a_503_without_its_own_time_still_says_when_to_come_back(edge: Edge) -> None:
    edge.shelf.failure = Unavailable()
    told = await edge.ask("POST", "/v1/public/failures")
    assert (told.status, told.headers["retry-after"]) == (503, "5")


async def test_a_good_request_id_is_echoed_and_another_is_replaced(edge: Edge) -> None:
    good = await edge.ask("GET", THING, X_Request_Id="client-made_1.2")
    assert good.headers["x-request-id"] == "client-made_1.2"
    for bad in ("x" * 65, "with space", "霍明哲霍明哲霍明哲"):
        told = await edge.ask("GET", THING, X_Request_Id=bad)
        assert re.fullmatch(r"[0-9a-f]{32}", told.headers["x-request-id"])


async def test_answers_are_not_stored_or_guessed_at(edge: Edge) -> None:
    for told in (await edge.ask("GET", THING), await edge.ask("GET", "/nothing")):
        assert told.headers["cache-control"] == "no-store"
        assert told.headers["x-content-type-options"] == "nosniff"


async def test_nothing_to_say_is_a_204_without_a_body(edge: Edge) -> None:
    told = await edge.ask("DELETE", THING)
    assert (told.status, told.body) == (204, b"")


@pytest.mark.parametrize("device", ["x" * 16, "x" * 64, "{0b6e:1/2+3=4,5}"])
async def test_a_device_is_opaque(edge: Edge, device: str) -> None:
    told = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Device_Id=device)
    assert told.json["name"] == f"127.0.0.1 {device}"


@pytest.mark.parametrize("device", ["short", "x" * 15, "x" * 65, "a b" * 8, "设备" * 10])
async def test_a_device_of_another_length_is_invalid(edge: Edge, device: str) -> None:
    told = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Device_Id=device)
    assert (told.status, told.code, told.pointers) == (422, "request.invalid", ["/headers/X-Device-Id"])


async def test_every_json_answer_says_in_whose_words_it_speaks(edge: Edge) -> None:
    for language, content in (("en", "en"), ("zh-CN", "zh-CN"), ("fr", "zh-CN")):
        for path in (THING, "/nothing"):
            told = await edge.ask("GET", path, Accept_Language=language)
            assert told.headers["content-language"] == content
            assert "Accept-Language" in told.headers["vary"]
    assert "content-language" not in (await edge.ask("DELETE", THING)).headers


async def test_a_forwarded_address_counts_only_behind_our_own_proxies(ground: Ground) -> None:
    forwarded = "198.51.100.7, 203.0.113.9"
    async with open_edge(ground) as edge:
        told = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Forwarded_For=forwarded)
        assert told.json["name"] == "127.0.0.1 "
    for proxies, wanted in ((1, "203.0.113.9"), (2, "198.51.100.7"), (3, "127.0.0.1")):
        async with open_edge(ground, trusted_proxies=proxies) as edge:
            told = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Forwarded_For=forwarded)
            assert told.json["name"] == f"{wanted} "
            # A proxy may add a line of its own to the one that the caller has made up.
            lines = f"10.0.0.5\r\nX-Forwarded-For: {forwarded}"
            told = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Forwarded_For=lines)
            assert told.json["name"] == f"{wanted if proxies < 3 else '10.0.0.5'} "
            garbage = await edge.ask("GET", "/v1/public/surroundings", token=None, X_Forwarded_For="a, b, c, d")
            assert garbage.json["name"] == "unknown "
