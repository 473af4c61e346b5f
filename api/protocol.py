"""How bytes become requests: Sanic's reader, without the cases in which it answers nothing or waits too long.

Tried against raw sockets (`security.md` F6): lines that end in a lone line feed were waited on, an address that cannot
be parsed ended the connection without an answer, and a caller that sends one byte now and then was never sent away.
"""

import asyncio
import re
from typing import Any, ClassVar, Final

from sanic.exceptions import BadRequest, BadURL, RequestTimeout
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.server.protocols.http_protocol import HttpProtocol

_LONE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")


class StrictHttp(Http):
    """One connection: every request on it is read in bounded time, or refused."""

    __slots__ = ("_deadline",)

    # A photograph over a poor mobile network takes its time; a head does not.
    HEAD_SECONDS: ClassVar[float] = 10.0
    BODY_SECONDS: ClassVar[float] = 60.0

    def __init__(self, protocol: HttpProtocol) -> None:
        super().__init__(protocol)  # type: ignore[no-untyped-call]
        self._receive_more = self._receive_in_time
        self._deadline = 0.0

    def init_for_request(self) -> None:
        """Begin a request: its time has not begun to run."""
        super().init_for_request()  # type: ignore[no-untyped-call]
        self._deadline = 0.0

    async def _receive_in_time(self) -> None:
        if self.stage is Stage.IDLE:  # Between requests Sanic's own keep-alive time holds.
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
