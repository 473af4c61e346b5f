"""Bodies are read within their caps, for callers who may enter, and in bounded memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from api.bodies import FORM_BYTES, Bodies
from api.problems import MediaType, Overloaded, TooLarge
from api.protocol import StrictProtocol
from tests.api.edge import Edge, open_edge, read_answer
from tests.api.test_raw_requests import THINGS, TOKEN, HastyProtocol
from tests.conftest import Ground

PICTURES = "/v1/citizen/pictures"


class Stream:
    """A body that comes in parts, as Sanic gives it."""

    def __init__(self, *parts: bytes, announced: int = 0) -> None:
        self.request_bytes = announced
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


@dataclass
class Asked:
    """What the reader looks at of a request."""

    stream: Stream
    body: bytes = b""


def asked(*parts: bytes, announced: int = 0) -> Any:
    return Asked(Stream(*parts, announced=announced))


async def test_all_bodies_together_are_bounded_and_what_was_let_go_of_makes_room() -> None:
    bodies = Bodies(at_once_bytes=100)
    first = await bodies.read(asked(b"a" * 30, b"a" * 30), 64)
    with pytest.raises(Overloaded):
        await bodies.read(asked(b"b" * 30, b"b" * 30), 64)
    assert await bodies.read(asked(b"c" * 40), 64) == 40
    bodies.let_go(first)
    request = asked(b"d" * 30, b"d" * 30)
    assert await bodies.read(request, 64) == 60
    assert request.body == b"d" * 60


@pytest.mark.parametrize("parts", [(b"a" * 65,), (b"a" * 40, b"a" * 40)])
async def test_a_refused_body_is_not_held(parts: tuple[bytes, ...]) -> None:
    bodies = Bodies(at_once_bytes=100)
    for _ in range(5):
        with pytest.raises(TooLarge):
            await bodies.read(asked(*parts), 64)
    assert await bodies.read(asked(b"b" * 64), 64) == 64


@pytest.mark.parametrize("content", [b"{}", b" {}\r\n", b""])
async def test_an_empty_object_where_nothing_is_expected_is_nothing(content: bytes) -> None:
    request = asked(content)
    await Bodies().read(request, 0)
    assert request.body == b""


@pytest.mark.parametrize(("content", "announced"), [(b"[]", 2), (b"x" * 17, 0), (b"", 10_000_000)])
async def test_anything_else_where_nothing_is_expected_is_refused(content: bytes, announced: int) -> None:
    with pytest.raises(MediaType):
        await Bodies().read(asked(content, announced=announced), 0)


def head(path: str, *headers: str) -> bytes:
    return ("\r\n".join((f"POST {path} HTTP/1.1", "Host: a", *headers)) + "\r\n\r\n").encode()


async def test_what_nobody_would_look_at_is_refused_before_it_is_sent(edge: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    form = "Content-Type: multipart/form-data; boundary=x"
    writer.write(head("/v1/citizen/full-house", TOKEN.strip(), form, "Content-Length: 5000000"))
    async with asyncio.timeout(2):
        told = await read_answer(reader)
    writer.close()
    assert told is not None
    assert told.status == 503
    assert told.headers["retry-after"] == "7"
    assert told.json["code"] == "face.engine-busy"
    # Nobody has to wait for an engine: what else leads there is said with it.
    assert "phone" in {way["method"] for way in told.json["alternatives"]}


async def test_a_chunked_body_is_refused_as_soon_as_it_has_grown_over_its_cap(edge: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head(THINGS, TOKEN.strip(), "Content-Type: application/json", "Transfer-Encoding: chunked"))
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    writer.write(chunk * 3)  # It has not ended, and needs not.
    async with asyncio.timeout(2):
        told = await read_answer(reader)
    writer.close()
    assert told is not None
    assert (told.status, told.code) == (413, "request.too-large")


async def test_a_body_in_crumbs_is_refused(edge: Edge) -> None:
    start = head(PICTURES, TOKEN.strip(), "Content-Type: multipart/form-data; boundary=x", "Transfer-Encoding: chunked")
    told = await edge.send(start + b"1\r\nx\r\n" * 10_000, within=2)
    assert told is not None
    assert (told.status, told.code) == (400, "request.malformed")


@pytest.mark.parametrize("path", [THINGS, PICTURES])
async def test_nothing_is_read_for_a_stranger_and_the_connection_goes_on(edge: Edge, path: str) -> None:
    """The answer comes before the body; what still comes is thrown away, so that the caller gets to see it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    size = 60_000 if path == THINGS else 3_000_000
    writer.write(head(path, "Content-Type: application/json", f"Content-Length: {size}"))
    async with asyncio.timeout(5):
        first = await read_answer(reader)
        writer.write(b"x" * size)
        writer.write(edge.request("GET", THINGS))
        second = await read_answer(reader)
    writer.close()
    assert first is not None
    assert second is not None
    assert (first.code, second.status) == ("auth.token-missing", 200)


async def test_a_body_larger_than_any_form_ends_the_connection(edge: Edge) -> None:
    for path in (PICTURES, "/nothing"):
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(head(path, TOKEN.strip(), f"Content-Length: {FORM_BYTES + 1}"))
        async with asyncio.timeout(2):
            told = await read_answer(reader)
            assert told is not None
            assert told.status == (413 if path == PICTURES else 404)
            assert await reader.read() == b""
        writer.close()


async def test_the_rest_of_an_unwanted_body_is_not_waited_for_without_end(ground: Ground) -> None:
    async with open_edge(ground, protocol=HastyProtocol) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(head(PICTURES, "Content-Length: 1000"))
        async with asyncio.timeout(3):
            told = await read_answer(reader)
            assert told is not None
            assert told.status == 401
            ended = asyncio.create_task(reader.read())
            while not ended.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
            # A byte that was on its way when it was hung up on turns the end into a reset.
            with contextlib.suppress(ConnectionResetError):
                assert await ended == b""
        writer.close()
        assert await edge.is_well()


class NarrowProtocol(StrictProtocol):
    """Takes few connections."""

    CONNECTIONS = 3


async def test_connections_beyond_the_bound_are_hung_up_on_and_the_others_served(ground: Ground) -> None:
    async with open_edge(ground, protocol=NarrowProtocol) as edge:
        opened = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        async with asyncio.timeout(2):
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                assert writer.transport.is_closing()
        opened[0][1].write(edge.request("GET", THINGS))
        async with asyncio.timeout(2):
            told = await read_answer(opened[0][0])
        assert told is not None
        assert told.status == 200
        opened[1][1].close()
        await asyncio.sleep(0.1)
        assert await edge.is_well()
        for _, each in (*opened, (reader, writer)):
            each.close()
