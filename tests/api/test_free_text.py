"""What nobody could read is no text: every field of the document that takes one refuses it, new fields as well."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from api.openapi import document
from api.reading import seen
from api.routes import ROUTES
from auth.types import Role, RoleGrant, StaffCaller
from tests.api.edge import Edge, open_edge
from tests.conftest import Ground

UNREADABLE = {
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "directions": "\u202e\u2066\u2069\u200f",
    "marks alone": "\u0301\u0336\u20dd\u034f\ufe0f",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "braille of no dots": "\u2800\u2800\u2800\u2800",
    "tags": "\U000e0041\U000e0042\U000e007f\U000e0001",
    "blanks": "   ",
    "wide blanks": "\u3000\u3000",
    "mixed with gaps": "\u3000\u200b \u00a0\u3164\u2028",
}
READABLE = ("好", "?", "…", "👍", "à", "a\u0301", "한", "\U00031350", "\ue000", "١", "क\u093f", "\u200b字\u200b")
# Departments sign what they send; the same reading serves them.
TOKENS = {"citizen": "alice-present", "staff": "everybody", "public": None, "verifiers": None}
DOCUMENT = document(ROUTES, version="0")

Place = tuple[str | int, ...]


class EverySession:
    """Knows an operator who may enter everywhere."""

    async def caller_of(self, access_token: str, *, address: str) -> StaffCaller:
        del address
        assert access_token == "everybody"
        return StaffCaller(UUID(int=3), UUID(int=4), "op", tuple(RoleGrant(role) for role in Role))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = DOCUMENT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def texts_in(schema: dict[str, Any], place: Place = ()) -> Iterator[Place]:
    """Where in a body texts of the sender's own may stand; in place of a name of a map stands a name that it takes."""
    schema = resolved(schema)
    for name, inner in schema.get("properties", {}).items():
        yield from texts_in(inner, (*place, name))
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from texts_in(inner, place)
    if "items" in schema:
        yield from texts_in(schema["items"], (*place, 0))
    if isinstance(values := schema.get("additionalProperties"), dict):
        yield from texts_in(values, (*place, "a"))
    if isinstance(patterns := schema.get("patternProperties"), dict):
        for inner in patterns.values():
            yield from texts_in(inner, (*place, "a"))
    is_own = schema.get("type") == "string" and not schema.keys() & {"enum", "const", "format"}
    if is_own or not schema:
        yield place


def body_with(place: Place, text: str) -> Any:
    body: Any = text
    for part in reversed(place):
        body = [body] if part == 0 else {part: body}
    return body


FIELDS = sorted(
    {
        (method.upper(), path, place)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if path.split("/")[2:3] and path.split("/")[2] in TOKENS
        and "application/json" in (content := operation.get("requestBody", {}).get("content", {}))
        for place in texts_in(content["application/json"]["schema"])
    },
    key=str,
)  # fmt: skip
QUERIES = sorted(
    (path, parameter["name"])
    for path, operations in DOCUMENT["paths"].items()
    if path.split("/")[2:3] and path.split("/")[2] in TOKENS
    for parameter in map(resolved, operations.get("get", {}).get("parameters", ()))
    if parameter["in"] == "query" and any(True for _ in texts_in(parameter["schema"]))
)


@pytest.fixture
async def everything(ground: Ground) -> AsyncIterator[Edge]:
    async with open_edge(ground, ROUTES) as edge:
        edge.services.staff_sessions = EverySession()  # type: ignore[assignment]
        yield edge


def address(path: str) -> str:
    return re.sub(r"\{[^}]+\}", str(UUID(int=5)), path)


async def test_every_text_that_nobody_could_read_is_refused_wherever_the_document_has_a_text(everything: Edge) -> None:
    named = {place[-1] for _, _, place in FIELDS}
    assert {"text", "reason", "title", "name", "purpose", "case", "contact", "reasons", "a"} & named >= {
        "text", "reason", "title", "name", "purpose"
    }  # fmt: skip
    assert len(FIELDS) > 60
    taken = []
    for method, path, place in FIELDS:
        token = TOKENS[path.split("/")[2]]
        pointer = "".join(f"/{part}" for part in place)
        for what, text in UNREADABLE.items():
            told = await everything.ask(method, address(path), body_with(place, text), token=token)
            codes = {error["pointer"]: error["code"] for error in told.json.get("errors", ())}
            if told.status != 422 or codes.get(pointer) != "unseen":
                taken.append((method, path, pointer, what, told.status, codes))
    assert taken == []


async def test_so_is_a_query_of_nothing(everything: Edge) -> None:
    assert QUERIES
    for path, name in QUERIES:
        for text in UNREADABLE.values():
            token = TOKENS[path.split("/")[2]]
            told = await everything.ask("GET", f"{address(path)}?{name}={quote(text)}", token=token)
            assert (told.status, told.pointers) == (422, [f"/{name}"])


@pytest.mark.parametrize("mark", [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))])
async def test_what_reads_otherwise_than_it_is_written_is_refused(edge: Edge, mark: str) -> None:
    told = await edge.ask("POST", "/v1/citizen/things", {"name": f"{mark}abc"})
    [error] = told.json["errors"]
    assert (told.status, error["pointer"], error["code"]) == (422, "/name", "character")


async def test_who_is_refused_reads_what_to_do(edge: Edge) -> None:
    for language, message in (
        ("zh-CN", "这里没有看得见的文字，请重新填写"),
        ("en", "There is nothing to see in it; please write it again"),
    ):
        told = await edge.ask("POST", "/v1/citizen/things", {"name": "\u200b"}, Accept_Language=language)
        [error] = told.json["errors"]
        assert error == {"pointer": "/name", "code": "unseen", "message": message}


@pytest.mark.parametrize("text", READABLE)
async def test_what_can_be_read_is_taken_even_where_it_is_one_rare_letter(edge: Edge, text: str) -> None:
    assert seen(text)
    assert (await edge.ask("POST", "/v1/citizen/things", raw=json.dumps({"name": text}).encode())).status == 201


@pytest.mark.parametrize("what", sorted(UNREADABLE))
def test_nothing_is_seen_of_it(what: str) -> None:
    assert seen(UNREADABLE[what]) == ""
