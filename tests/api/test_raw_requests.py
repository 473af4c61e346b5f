"""Bytes that are no proper request: each is answered with a problem or hung up on in time, and the server lives on."""

import asyncio
import random

import pytest
from sanic import Sanic
from sanic.signals import Event

from api.protocol import QuietApp, StrictHttp, StrictProtocol
from tests.api.edge import Edge, open_edge, read_answer
from tests.conftest import Ground

THINGS = "/v1/citizen/things"
TOKEN = "Authorization: Bearer alice-present\r\n"


def get(*headers: str, path: str = THINGS, version: str = "HTTP/1.1", end: str = "\r\n") -> bytes:
    return (f"GET {path} {version}{end}" + "".join(header + end for header in headers) + end).encode("latin-1")


def post(*headers: str, body: bytes = b'{"name": "a"}') -> bytes:
    lines = "".join(
        header + "\r\n" for header in ("Host: a", TOKEN.strip(), "Content-Type: application/json", *headers)
    )
    return f"POST {THINGS} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


# What is sent → the statuses that may be answered; 0 is hanging up without an answer.
RAW: dict[str, tuple[bytes, set[int]]] = {
    "a space before the colon": (get("Host : a", TOKEN.strip()), {400}),
    "no host": (get(TOKEN.strip()), {400}),
    "an empty host": (get("Host:", TOKEN.strip()), {400}),
    "two hosts": (get("Host: a", "Host: b", TOKEN.strip()), {400}),
    "a host with a path": (get("Host: a/b", TOKEN.strip()), {400}),
    "NUL in a header": (get("Host: a", "X-A: b\x00c", TOKEN.strip()), {400}),
    "a control character in a header": (get("Host: a", "X-A: b\x1bc", TOKEN.strip()), {400}),
    "bytes in a header that are no UTF-8": (get("Host: a", "X-A: b\xffc", TOKEN.strip()), {400}),
    "a token of bytes that are no UTF-8": (get("Host: a", "Authorization: Bearer \xff\xfe"), {400}),
    "lines that end in a line feed": (get("Host: a", TOKEN.strip(), end="\n"), {400}),
    "one line that ends in a line feed": (b"GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", {400, 404}),
    "an address that cannot be parsed": (get("Host: a", path="http://[::1"), {400}),
    "an address of another scheme": (get("Host: a", path="gopher://a/b"), {400, 404}),
    "no address": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "spaces in the address": (get("Host: a", path="/v1/ x"), {400}),
    "an address that is no ASCII": (get("Host: a", path="/v1/\xe9"), {400}),
    "an address that is no UTF-8": (get("Host: a", TOKEN.strip(), path=f"{THINGS}?cursor=%ff"), {400}),
    "a path that is no UTF-8": (get("Host: a", TOKEN.strip(), path=f"{THINGS}/%ff"), {400, 404}),
    "another version": (get("Host: a", version="HTTP/3.0"), {400}),
    "no version": (b"GET /\r\n\r\n", {400}),
    "no request": (b"hello\r\n\r\n", {400}),
    "nothing but ends of lines": (b"\r\n\r\n\r\n", {400}),
    "a handshake of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", {400}),
    "length and chunks": (post("Content-Length: 13", "Transfer-Encoding: chunked"), {400}),
    "two lengths": (post("Content-Length: 13", "Content-Length: 14"), {400}),
    "a negative length": (post("Content-Length: -1"), {400}),
    "a length with a plus": (post("Content-Length: +13"), {400}),
    "a length that is no number": (post("Content-Length: abc"), {400}),
    "chunks of a size that is no number": (post("Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"), {400}),
    "chunks of a negative size": (post("Transfer-Encoding: chunked", body=b"-5\r\nabc\r\n0\r\n\r\n"), {400}),
    "chunks with a trailer": (post("Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nX-A: b\r\n\r\n"), {400, 422}),
    "an unknown encoding of the body": (post("Transfer-Encoding: gzip", body=b""), {400}),
    "an expectation nobody can meet": (post("Expect: 200-ok", "Content-Length: 13"), {400, 417}),
    "a header that is no header": (get("Host: a", "no colon here"), {400}),
    "a header of 20 KB": (get("Host: a", "X-A: " + "b" * 20_000), {431}),
    "20 KB without an end": (b"GET / HTTP/1.1\r\nX-A: " + b"b" * 20_000, {431}),
}


@pytest.mark.parametrize("what", sorted(RAW))
async def test_it_is_answered_or_hung_up_on_within_two_seconds(edge: Edge, what: str) -> None:
    raw, statuses = RAW[what]
    told = await edge.send(raw, within=2)
    assert (told.status if told else 0) in statuses
    if told is not None:
        assert told.code.startswith("request.")
        assert b"Traceback" not in told.body
    assert edge.shelf.calls == 0
    assert await edge.is_well()


async def test_a_second_request_does_not_hide_in_the_first(edge: Edge) -> None:
    hidden = post("Content-Length: 13").decode()
    raw = post("Transfer-Encoding: chunked", "Content-Length: 4", body=f"0\r\n\r\n{hidden}".encode())
    told = await edge.send(raw, within=2)
    assert told is None or told.status == 400
    await asyncio.sleep(0.05)
    assert edge.shelf.calls == 0


async def test_a_chunked_body_in_good_order_is_read(edge: Edge) -> None:
    body = b'7\r\n{"name"\r\n6\r\n: "a"}\r\n0\r\n\r\n'
    told = await edge.send(post("Transfer-Encoding: chunked", "Connection: close", body=body), within=2)
    assert told is not None
    assert told.status == 201


async def test_two_requests_on_one_connection_are_both_answered(edge: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("Host: a", TOKEN.strip()) * 2)
    async with asyncio.timeout(2):
        first, second = await read_answer(reader), await read_answer(reader)
    writer.close()
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (200, 200)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_caller_that_sends_nothing_or_half_costs_no_other_anything(edge: Edge) -> None:
    connections = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(100)]
    for number, (_, writer) in enumerate(connections):
        writer.write((b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n", post("Content-Length: 100"))[number % 4])
    assert await edge.is_well()
    for _, writer in connections:
        writer.close()


async def test_nobody_listens_to_requests_and_the_servers_life_is_heard_of() -> None:
    app = QuietApp("quiet-app", configure_logging=False)
    heard = []

    async def listen(**_told: object) -> None:
        heard.append("server")

    for event in ("http.lifecycle.request", Event.HTTP_ROUTING_AFTER):
        with pytest.raises(ValueError, match="not sent"):
            app.signal(event)
    app.signal("zhijian.server.began")(listen)
    app.signal_router.finalize()
    assert await app.dispatch("http.lifecycle.request", inline=True, context={}) is None
    await app.dispatch("zhijian.server.began", inline=True)
    assert heard == ["server"]
    Sanic.unregister_app(app)


class HastyHttp(StrictHttp):
    """Has no patience."""

    HEAD_SECONDS = 0.2
    BODY_SECONDS = 0.2


class HastyProtocol(StrictProtocol):
    """Reads with no patience."""

    HTTP_CLASS = HastyHttp


@pytest.mark.parametrize("start", [b"GET / HTT", b"GET / HTTP/1.1\r\nHost: a\r\n", post("Content-Length: 1000")])
async def test_a_caller_that_drips_is_sent_away(ground: Ground, start: bytes) -> None:
    async with open_edge(ground, protocol=HastyProtocol) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(start)
        told = None
        answer = asyncio.create_task(read_answer(reader))
        async with asyncio.timeout(3):
            while not answer.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
            told = await answer
        writer.close()
        assert told is not None
        assert (told.status, told.code) == (408, "request.timeout")
        assert edge.shelf.calls == 0


@pytest.mark.parametrize("seed", range(3))
async def test_noise_never_gets_a_server_error(edge: Edge, seed: int) -> None:
    chance = random.Random(seed)
    good = [post("Content-Length: 13"), get("Host: a", TOKEN.strip()), RAW["chunks with a trailer"][0]]

    async def one(raw: bytes) -> None:
        try:
            told = await edge.send(raw, within=0.3)
        except TimeoutError:
            return  # It waits for more, as it should; Sanic's own time limits are tested apart.
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        assert told is None or told.status < 500, raw

    for _ in range(8):
        noisy = []
        for _ in range(25):
            raw = bytearray(chance.choice(good))
            for _ in range(chance.randint(1, 6)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            noisy.append(bytes(raw) + b"\r\n\r\n")
        await asyncio.gather(*(one(raw) for raw in noisy))
    assert await edge.is_well()
