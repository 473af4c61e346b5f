"""How bytes become requests: Sanic's reader, without the cases in which it answers nothing or waits too long.

Tried against raw sockets (`security.md` F6): lines that end in a lone line feed were waited on, an address that cannot
be parsed ended the connection without an answer, a caller that sends one byte now and then was never sent away, and
connections were taken without end.
"""

import asyncio
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar, Final

from sanic import Sanic
from sanic.exceptions import BadRequest, BadURL, RequestTimeout
from sanic.helpers import has_message_body
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.response import HTTPResponse
from sanic.server.protocols.http_protocol import HttpProtocol

from api.reading import JSON_BYTES

_LONE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")


class _Nothing:
    """Can be awaited and is over at once."""

    def __await__(self) -> Iterator[None]:
        return iter(())


_NOTHING: Final = _Nothing()
# Headers with a handful of values.
_USUAL: Final = frozenset(
    {"cache-control", "content-language", "content-type", "vary", "x-content-type-options", "connection", "alt-svc"}
)


class QuietApp(Sanic[Any, Any]):
    """Sanic's application, without the signals that it sends for every step of a request.

    Nobody here listens to them, and looking for listeners a dozen times was measured to be a third of the cost of a
    small request. Sanic's own remedy, rewriting its methods at the start, allows one server in a process.
    """

    def dispatch(self, event: str, **told: Any) -> Any:  # noqa: ANN401 — what Sanic awaits
        """Send the signals of the server's life; those of requests go nowhere."""
        if event.startswith("http."):
            return _NOTHING
        return super().dispatch(event, **told)

    def signal(self, event: Any, *arguments: Any, **told: Any) -> Any:  # noqa: ANN401 — what Sanic takes
        """Register a listener to the server's life.

        Raises:
            ValueError: it would listen to requests, and never hear of one.
        """
        if str(getattr(event, "value", event)).startswith("http."):
            raise ValueError("signals of requests are not sent here")
        return super().signal(event, *arguments, **told)


class Reply(HTTPResponse):
    """An answer whose headers are mostly those of every answer: they are put into bytes once."""

    __slots__ = ()

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The headers as they are sent, freed of line ends as Sanic's own are."""
        # What has no body is of no type, also where the status would allow one (201, 202).
        if self.content_type is not None and has_message_body(self.status):  # type: ignore[no-untyped-call]
            self.headers.setdefault("content-type", self.content_type)
        return (
            _usual(name, value) if name.lower() in _USUAL else self._pair(name, f"{value}")
            for name, value in self.headers.items()
        )

    @classmethod
    def _pair(cls, name: str, value: str) -> tuple[bytes, bytes]:
        clean = cls._sanitize_header_value
        return clean(name).encode("ascii"), clean(value).encode(errors="surrogateescape")


@lru_cache(maxsize=256)
def _usual(name: str, value: str) -> tuple[bytes, bytes]:
    return Reply._pair(name, value)  # noqa: SLF001 — its other half


class StrictHttp(Http):
    """One connection: every request on it is read in bounded time, or refused."""

    __slots__ = ("_chunks", "_deadline")

    # A photograph over a poor mobile network takes its time; a head does not.
    HEAD_SECONDS: ClassVar[float] = 10.0
    BODY_SECONDS: ClassVar[float] = 60.0
    # Taking a chunk apart costs the same for one byte as for many thousands.
    CHUNKS: ClassVar[int] = 8192

    def __init__(self, protocol: HttpProtocol) -> None:
        super().__init__(protocol)  # type: ignore[no-untyped-call]
        self._receive_more = self._receive_in_time
        self._deadline = 0.0
        self._chunks = 0

    def init_for_request(self) -> None:
        """Begin a request: its time has not begun to run."""
        super().init_for_request()  # type: ignore[no-untyped-call]
        self._deadline = 0.0
        self._chunks = 0
        # What Sanic reads by itself, for addresses that are no operation; an operation's cap is its own (`api/bodies`).
        self.request_max_size = JSON_BYTES

    async def read(self) -> bytes | None:
        """Read some more of the body; None at its end."""
        framing: Any = self.request_body
        if framing == "chunked" and not self.request_bytes_left:
            self._chunks += 1
            if self._chunks > self.CHUNKS:
                self.keep_alive = False
                raise BadRequest("The body comes in too many chunks")
        data: bytes | None = await super().read()
        return data

    async def _receive_in_time(self) -> None:
        is_answered = self.stage is Stage.IDLE
        if is_answered and not self.request_body:  # Between requests Sanic's own keep-alive time holds.
            await self.protocol.receive_more()  # type: ignore[no-untyped-call]
            return
        is_head = self.stage is Stage.REQUEST
        if is_head and _LONE_LINE_FEED.search(self.recv_buffer):
            raise BadRequest("Lines end in carriage return and line feed")
        now = asyncio.get_running_loop().time()
        if not self._deadline:
            self._deadline = now + self.HEAD_SECONDS
        try:
            async with asyncio.timeout_at(self._deadline + (0.0 if is_head else self.BODY_SECONDS)):
                await self.protocol.receive_more()  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            self.keep_alive = False
            if is_answered:  # The rest of a body that nobody wanted: Sanic hangs up on this one.
                raise BadRequest("The rest of the body did not arrive in time") from error
            raise RequestTimeout("The request did not arrive in time") from error

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:  # noqa: FBT001 — Sanic calls it so
        """Send the head of an answer. Once the server is ending, the connection ends with its answer.

        Sanic itself would wait for a connection that has become idle until its whole grace has run out.
        """
        if self.protocol.signal.stopped:
            self.keep_alive = False
        await super().http1_response_header(data, end_stream)

    def create_empty_request(self) -> None:
        """Make the stand-in that an error is answered to, also when the address itself cannot be parsed."""
        try:
            super().create_empty_request()
        except BadURL:
            self.url = None
            super().create_empty_request()


class StrictProtocol(HttpProtocol):
    """What `Sanic.run` and `Sanic.create_server` are given as `protocol`."""

    HTTP_CLASS: Any = StrictHttp
    # Each may hold a buffer of 64 KB before anybody knows who it is; one more is hung up on.
    CONNECTIONS: ClassVar[int] = 2000

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 — asyncio's or uvloop's
        """Take a connection, unless there are as many as can be served."""
        if len(self.connections) >= self.CONNECTIONS:
            transport.abort()
            return
        super().connection_made(transport)  # type: ignore[no-untyped-call]

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection that was taken."""
        if self.conn_info is not None:
            super().connection_lost(exc)  # type: ignore[no-untyped-call]
