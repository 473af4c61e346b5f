"""The one door out: every call to an outside system goes through here.

It gives each call a deadline, retries what may be retried with jitter, holds calls back while a system is down (with
one probe at a time), caps answers, lets signers sign, and knows two failures: `Unreachable` (try later) and whatever
the adapter reads from a complete answer.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import aiohttp
from prometheus_client import Counter, Histogram
from yarl import URL

from core.clock import Clock
from core.db import forbid_inside_transaction
from core.errors import Unavailable
from core.jobs.backoff import pause
from core.log import current_request_id, get_logger
from core.metrics import BREAKER_OPEN, OUTSIDE_CALLS, OUTSIDE_SECONDS
from core.outside.breaker import Breaker, Passage
from core.outside.watching import Watcher
from core.settings import OutboundSettings

log = get_logger(__name__)

_PIECE_BYTES: Final = 1 << 20
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Unreachable(Unavailable):
    """An outside system gave no usable answer. `ambiguous`: the request may have had its effect all the same."""

    code = "core.outside-unavailable"
    title = "对方系统暂时没有响应，请稍后再试"
    title_en = "The other system does not answer now; please try later"
    plain = "对方系统现在没有回应，请过一会儿再试。"

    def __init__(self, partner: str, reason: str, *, ambiguous: bool) -> None:
        super().__init__(retry_after=5)
        self.partner = partner
        self.reason = reason
        self.ambiguous = ambiguous


@contextmanager
def unavailable_as(problem: type[Unavailable]) -> Iterator[None]:
    """Tell a failed call in a domain's own words.

    Raises:
        Unavailable: `problem`, in place of `Unreachable`.
    """
    try:
        yield
    except Unreachable as error:
        raise problem(retry_after=error.extras.retry_after) from error


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request about to leave. `target` is the path with its query as it will stand in the request line."""

    method: str
    base: str
    target: str
    body: bytes
    headers: Mapping[str, str]

    def with_headers(self, **headers: str) -> "Outgoing":
        """Return the same request with more headers; `_` in a name stands for `-`."""
        more = {k.replace("_", "-"): v for k, v in headers.items()}
        return Outgoing(self.method, self.base, self.target, self.body, {**self.headers, **more})


class Signer(Protocol):
    """Proves to an outside system that a request is ours."""

    async def sign(self, request: Outgoing) -> Outgoing:
        """Return the request with its proof.

        Raises:
            Unavailable: what the proof needs (a leased token) cannot be had now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Partner:
    """An outside system as the door sees it. `timeout` is the whole call's bound in seconds, retries included.

    `is_answer` is for systems that say no with a 5xx: of an answer that it takes for one the door says nothing bad,
    neither to the caller nor to the breaker. `tls`: with certificates of ours. `largest`: the bytes of an answer.
    """

    name: str
    address: str
    timeout: float = 3.0
    attempts: int = 2
    signer: Signer | None = None
    is_answer: "Callable[[Incoming], bool] | None" = None
    tls: ssl.SSLContext | None = None
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A complete answer of an outside system."""

    partner: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:  # noqa: ANN401 — the adapter checks what it reads
        """Return the body as JSON.

        Raises:
            Unreachable: it is not JSON in UTF-8, whatever the status says.
        """
        try:
            return _decoder.decode(self.body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Unreachable(self.partner, "answer-not-json", ambiguous=True) from error

    def mapping(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            Unreachable: it is something else.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise Unreachable(self.partner, "answer-not-an-object", ambiguous=True)
        return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_no_constant)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Outbound:
    """Calls outside systems. One instance and one connection pool for a process."""

    def __init__(self, settings: OutboundSettings, *, clock: Clock, production: bool) -> None:
        self._settings = settings
        self._clock = clock
        self._production = production
        # Looking a label up costs as much as counting; the partners are few.
        self._seconds: dict[str, Histogram] = {}
        self._answered: dict[str, Counter] = {}
        self._session: aiohttp.ClientSession | None = None
        self._breakers: dict[str, Breaker] = {}
        self._watcher: Watcher | None = None

    def attach(self, watcher: Watcher) -> None:
        """Tell who hears how calls ended, and of systems that are held back or let through again."""
        self._watcher = watcher

    async def open(self) -> None:
        """Make the connection pool; call it inside the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._settings.connections,
                limit_per_host=self._settings.connections_per_host,
                keepalive_timeout=30,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Nobody may send us a small answer that unpacks into a large one: nothing packed is asked for or unpacked.
            headers={"User-Agent": "zhijian", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def is_held_back(self, partner: str) -> bool:
        """Tell whether calls to a system are held back because it fails."""
        breaker = self._breakers.get(partner)
        return breaker is not None and breaker.is_open

    async def call(
        self,
        partner: Partner,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json_body: object | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        idempotency_key: str = "",
        repeatable: bool = True,
    ) -> Incoming:
        """Send one request and return the complete answer, whatever its status below 500 (see `Partner.is_answer`).

        `repeatable` says that the system may get it twice without harm (reads, and writes it de-duplicates); then a
        failed try is repeated while the deadline lasts. `idempotency_key` is our reference, sent as `Idempotency-Key`.

        Raises:
            Unreachable: no connection, no answer in time, a 5xx, an answer over the cap, or calls are held back.
            InsideTransaction: a transaction is running, which is a mistake in our code.
        """
        forbid_inside_transaction()
        content = body if body is not None else b"" if json_body is None else _encoder.encode(json_body).encode()
        all_headers = dict(headers)
        if request_id := current_request_id():
            all_headers["X-Request-Id"] = request_id
        if json_body is not None:
            all_headers["Content-Type"] = "application/json; charset=utf-8"
        if idempotency_key:
            all_headers["Idempotency-Key"] = idempotency_key
        target = f"{path}?{urlencode(query)}" if query else path
        request = Outgoing(method, partner.address, target, content, all_headers)
        started, outcome = self._clock.monotonic(), "cut-off"
        try:
            answer = await self._with_retries(partner, request, repeatable=repeatable)
            outcome = str(answer.status)
            return answer
        except Unreachable as error:
            outcome = error.reason
            raise
        finally:
            seconds = self._seconds.get(partner.name)
            if seconds is None:
                seconds = self._seconds[partner.name] = OUTSIDE_SECONDS.labels(partner.name)
            took = self._clock.monotonic() - started
            seconds.observe(took)
            if self._watcher is not None:
                self._watcher.passed(partner.name, method, path, outcome, took)

    async def _with_retries(self, partner: Partner, request: Outgoing, *, repeatable: bool) -> Incoming:
        deadline = self._clock.monotonic() + partner.timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._guarded(partner, request, deadline)
            except Unreachable as error:
                OUTSIDE_CALLS.labels(partner.name, error.reason).inc()
                wait = pause(attempt, first=0.1, longest=1.0)
                may_repeat = repeatable or not error.ambiguous
                late = self._clock.monotonic() + wait >= deadline
                if error.reason == "held-back" or not may_repeat or attempt >= partner.attempts or late:
                    raise
                await asyncio.sleep(wait)

    async def _guarded(self, partner: Partner, request: Outgoing, deadline: float) -> Incoming:
        breaker = self._breakers.get(partner.name)
        if breaker is None:
            breaker = self._breakers[partner.name] = Breaker(self._settings, self._clock)
            BREAKER_OPEN.labels(partner.name).set(0)
        passage = breaker.enter()
        if passage is None:
            raise Unreachable(partner.name, "held-back", ambiguous=False)
        try:
            answer = await self._once(partner, request, deadline)
        except Unreachable:
            self._report(partner, breaker, passage, good=False)
            raise
        except BaseException:  # Cancelled, or the signer could not get its token: that says nothing about this system.
            breaker.abandon(passage)
            raise
        self._report(partner, breaker, passage, good=True)
        answered = self._answered.get(partner.name)
        if answered is None:
            answered = self._answered[partner.name] = OUTSIDE_CALLS.labels(partner.name, "answered")
        answered.inc()
        return answer

    def _report(self, partner: Partner, breaker: Breaker, passage: Passage, *, good: bool) -> None:
        was_open = breaker.is_open
        breaker.report(passage, good=good)
        if breaker.is_open is not was_open:
            BREAKER_OPEN.labels(partner.name).set(breaker.is_open)
            if self._watcher is not None:
                self._watcher.turned(partner.name, held_back=breaker.is_open)

    async def _once(self, partner: Partner, request: Outgoing, deadline: float) -> Incoming:
        if self._session is None:
            raise Unreachable(partner.name, "door-closed", ambiguous=False)
        signed = request if partner.signer is None else await partner.signer.sign(request)
        left = deadline - self._clock.monotonic()
        if left <= 0:
            raise Unreachable(partner.name, "timeout", ambiguous=False)
        sent = False
        try:
            async with self._session.request(
                signed.method,
                _url(signed),
                # A long body goes out in pieces: others get their turn in between.
                data=BytesIO(signed.body) if len(signed.body) > _PIECE_BYTES else signed.body or None,
                headers=signed.headers,
                allow_redirects=False,
                ssl=partner.tls or True,
                timeout=aiohttp.ClientTimeout(total=left, sock_connect=self._settings.connect_seconds),
            ) as response:
                sent = True
                return await self._read(partner, response)
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(partner.name, "no-connection", ambiguous=False) from error
        except TimeoutError as error:
            raise Unreachable(partner.name, "timeout", ambiguous=True) from error
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(partner.name, "no-connection", ambiguous=False) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(partner.name, "broken-answer" if sent else "broken-connection", ambiguous=True) from error

    async def _read(self, partner: Partner, response: aiohttp.ClientResponse) -> Incoming:
        if self._production and "X-Sandbox" in response.headers:
            raise Unreachable(partner.name, "sandbox-in-production", ambiguous=False)
        answer = Incoming(partner.name, response.status, await self._body(partner, response), response.headers)
        is_failure = response.status >= 500  # noqa: PLR2004 — the server's own failures
        if is_failure and (partner.is_answer is None or not partner.is_answer(answer)):
            raise Unreachable(partner.name, f"status-{response.status}", ambiguous=True)
        return answer

    async def _body(self, partner: Partner, response: aiohttp.ClientResponse) -> bytes:
        most, told = partner.largest or self._settings.response_bytes, response.content_length
        if told is not None and told <= most:  # aiohttp reads no more than was told.
            return await response.read()
        chunks = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            chunks += chunk
            if len(chunks) > most:
                raise Unreachable(partner.name, "answer-too-large", ambiguous=True)
        return bytes(chunks)


def _url(request: Outgoing) -> URL:
    """The target is signed as it stands: it must not be encoded again."""
    return URL(request.base + request.target, encoded=True)
