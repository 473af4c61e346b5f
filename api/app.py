"""The HTTP application: routes from their declarations, one wrapper around every handler, one place for failures."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from http import HTTPStatus
from typing import Any, Final

from sanic import Sanic
from sanic.exceptions import (
    BadRequest,
    PayloadTooLarge,
    RequestCancelled,
    SanicException,
    ServiceUnavailable,
)
from sanic.exceptions import (
    MethodNotAllowed as SanicMethodNotAllowed,
)
from sanic.exceptions import (
    NotFound as SanicNotFound,
)
from sanic.exceptions import (
    RequestTimeout as SanicRequestTimeout,
)
from sanic.handlers import ErrorHandler
from sanic.response import BaseHTTPResponse, HTTPResponse

from api import problems
from api.access import Audience, admit, refuse_mandate
from api.bodies import FORM_BYTES, Bodies, cap_of, check_length
from api.idempotency import Handle, Idempotency
from api.operation import Answer, Operation, Request, Routes
from api.protocol import QuietApp, Reply
from api.reading import check_accept, check_head, check_media_type, read_body, read_query, refuse_query
from api.request import prepare_request, read_device
from auth.errors import LevelTooLow
from auth.types import Caller, Level
from auth.ways.menu import Menu
from auth.ways.settings import WaySettings
from auth.ways.types import Purpose
from core.clock import Clock
from core.db import DatabaseUnavailable, is_outage, transaction
from core.errors import Problem
from core.ids import Ids
from core.log import get_logger
from core.metrics import REQUEST_SECONDS, REQUESTS
from core.signers.http_signature import SignatureInvalid
from face.errors import EngineBusy, EngineUnavailable

log = get_logger(__name__)

# Hears how the request of a known party ended: who, what was asked for, the status, and the seconds it took.
Heard = Callable[[str, str, str, str, float], None]

# More requests than this at once are shed: a short answer now is better than a long wait.
AT_ONCE: Final = 1000


@dataclass(slots=True)
class Lines:
    """Of which requests a line is written, and whether each may be its connection's last.

    `log`: `all`, `failed` (those that were refused, failed or slow), or `none`.
    """

    log: str = "failed"
    slow_seconds: float = 1.0
    last: bool = False

    def wants(self, outcome: str, seconds: float) -> bool:
        """Tell whether a request gets a line."""
        return self.log == "all" or (self.log == "failed" and (outcome != "ok" or seconds >= self.slow_seconds))


class Failures(ErrorHandler):
    """The last handler: every failure leaves as a problem document."""

    def __init__(self, menu: Menu) -> None:
        super().__init__()
        self._menu = menu

    def default(self, request: Any, exception: Exception) -> HTTPResponse:  # noqa: ANN401 — may be half a request
        """Answer any exception."""
        problem = to_problem(exception)
        if type(problem) is Problem:
            log.error("bug", exc_info=exception, path=_route_of(request))
        context = getattr(request, "ctx", None)
        if isinstance(problem, LevelTooLow):
            problem = self._with_ways(problem, getattr(context, "caller", None))
        elif isinstance(problem, EngineBusy | EngineUnavailable):
            problem = self._with_others(problem, context)
        response = problems.answer_problem(
            problem,
            instance=getattr(context, "request_id", ""),
            english=getattr(context, "english", False),
            elder=getattr(context, "elder_words", False),
        )
        if isinstance(exception, SanicMethodNotAllowed):
            response.headers["Allow"] = (exception.headers or {}).get("Allow", "")
        return response

    def _with_ways(self, problem: LevelTooLow, caller: Caller | None) -> LevelTooLow:
        """Return the problem with what leads to the level in this installation: domains do not know its settings."""
        required = Level(str(problem.extras.members["required"]))
        offers = self._menu.leading_to(required, elder=caller is not None and caller.elder)
        return LevelTooLow(required=required.value, ways=[asdict(offer) for offer in offers])

    def _with_others(self, problem: EngineBusy | EngineUnavailable, context: Any) -> Problem:  # noqa: ANN401 — Sanic's
        """Return the problem with what leads to the same end without a face: nobody has to wait for an engine."""
        caller: Caller | None = getattr(context, "caller", None)
        purpose = Purpose.LOGIN if caller is None else Purpose.STEP_UP
        others = self._menu.others(purpose, but="face", elder=caller is None or caller.elder)
        return type(problem)(retry_after=problem.extras.retry_after, alternatives=others)


def to_problem(exception: BaseException) -> Problem:
    """Return the problem that a failure is; an unforeseen one is `internal` and says nothing."""
    if isinstance(exception, Problem):
        return exception
    if isinstance(exception, SanicNotFound):
        return problems.RequestNotFound()
    if isinstance(exception, SanicMethodNotAllowed):
        return problems.MethodNotAllowed()
    if isinstance(exception, PayloadTooLarge):
        return problems.HeadersTooLarge() if "header" in str(exception).lower() else problems.TooLarge()
    if isinstance(exception, SanicRequestTimeout | RequestCancelled):
        return problems.RequestTimeout()
    if isinstance(exception, ServiceUnavailable | TimeoutError | asyncio.CancelledError):
        return problems.Overloaded(retry_after=2)
    if isinstance(exception, BadRequest):
        return problems.Malformed()
    if isinstance(exception, SanicException) and 400 <= exception.status_code < 500:  # noqa: PLR2004 — the caller's
        return problems.Malformed()
    if is_outage(exception):
        return DatabaseUnavailable(retry_after=2)
    return Problem()


def _route_of(request: Any) -> str:  # noqa: ANN401 — may be half a request
    route = getattr(request, "route", None)
    return str(route.path) if route is not None else ""


class Edge:
    """Serves operations: head, access, body, handler, answer."""

    def __init__(self, *, idempotency: Idempotency, clock: Clock, at_once: int) -> None:
        self._idempotency = idempotency
        self._clock = clock
        self._at_once = at_once
        self._in_flight = 0
        self._bodies = Bodies()

    def serve(self, operation: Operation) -> Any:  # noqa: ANN401 — what Sanic takes as a handler
        """Return the Sanic handler of an operation."""
        parameters = frozenset(inspect.signature(operation.handler).parameters)
        cap = cap_of(operation)
        comes_with_token = operation.access.audience.comes_with_token
        # Who is not known yet holds no mandate.
        at_the_door = operation.path.startswith("/v1/citizen/") and operation.access.audience is not Audience.CITIZEN

        async def let_in(request: Request) -> None:
            await admit(request, operation.access)
            if at_the_door:
                refuse_mandate(request)

        async def handler(request: Request, **path: Any) -> HTTPResponse:  # noqa: ANN401 — typed by the route
            size = 0
            stream: Any = request.stream
            try:
                with self._place():
                    check_head(request)
                    check_accept(request, operation.media_type, *operation.also_media, "application/problem+json")
                    check_length(request, cap)
                    request.ctx.device = read_device(request)
                    if comes_with_token:
                        await let_in(request)
                    if operation.gate is not None:
                        operation.gate(request)
                # A body may be long in coming: meanwhile others work. It is not read for somebody who may not enter.
                if stream.request_body:
                    size = await self._bodies.read(request, cap)
                with self._place():
                    if not comes_with_token:
                        await let_in(request)
                    return await self._handle(operation, parameters, request, path)
            finally:
                self._bodies.let_go(size)

        handler.__name__ = operation.name
        return handler

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._in_flight >= self._at_once:
            raise problems.Overloaded(retry_after=1)
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    async def _handle(
        self, operation: Operation, parameters: frozenset[str], request: Request, path: dict[str, Any]
    ) -> HTTPResponse:
        arguments = {name: value for name, value in path.items() if name in parameters}
        if operation.body is not None:
            arguments["body"] = read_body(request, operation.body)
        if operation.raw:
            check_media_type(request, operation.raw)
        if operation.query is not None:
            arguments["query"] = read_query(request, operation.query)
        else:
            refuse_query(request)

        async def handle() -> HTTPResponse:
            return respond(operation, await operation.handler(request, **arguments), english=request.ctx.english)

        async def handle_once() -> HTTPResponse:
            """A nonce is used up together with the effect: what failed may be sent again as it is."""
            request.ctx.is_replay = not await request.app.ctx.services.signatures.use(request.ctx.signed)
            # News of departments has no effect a second time; what answers with somebody's data answers once.
            if request.ctx.is_replay and (operation.method == "GET" or operation.access.audience is Audience.VERIFIER):
                raise SignatureInvalid
            return await handle()

        work: Handle = handle
        if _is_signed(request, operation):
            work = partial(transaction, handle_once)
        if operation.prepare is not None:
            request.ctx.prepared = await operation.prepare(request, **path)
        if operation.idempotency == "none":
            return await work()
        return await self._idempotency.answer(
            request, work, required=operation.idempotency == "required", is_json=operation.body is not None
        )


def _is_signed(request: Request, operation: Operation) -> bool:
    audience = operation.access.audience
    return audience is Audience.DEPARTMENT or (audience is Audience.VERIFIER and request.ctx.verifier is not None)


def respond(operation: Operation, answer: Answer | HTTPResponse, *, english: bool = False) -> HTTPResponse:
    """Return a handler's answer as an HTTP answer."""
    if isinstance(answer, HTTPResponse):
        return answer
    status = answer.status or operation.status
    headers = {"Cache-Control": "no-store", **answer.headers}
    if answer.location:
        headers["Location"] = answer.location
    if answer.body is None:
        return Reply(None, status=HTTPStatus.NO_CONTENT if status == HTTPStatus.OK else status, headers=headers)
    headers |= problems.language_headers(english=english)
    return Reply(
        answer.body.model_dump_json(), status=status, headers=headers, content_type="application/json; charset=utf-8"
    )


def create_app(
    services: Any,  # noqa: ANN401 — the wiring's dataclass; the edge only passes it on
    routes: Sequence[Routes],
    *,
    clock: Clock,
    ids: Ids,
    trusted_proxies: int = 0,
    at_once: int = AT_ONCE,
    menu: Menu | None = None,
    lines: Lines | None = None,
    heard: Heard | None = None,
    name: str = "zhijian",
) -> Sanic[Any, Any]:
    """Return the application with all declared operations; without a `menu` faces count for nothing in it.

    `heard` hears of what departments and verifiers ask.
    """
    failures = Failures(menu or Menu(WaySettings(), faces=None))
    app = QuietApp(name, configure_logging=False, error_handler=failures)
    app.config.update(
        {
            "REQUEST_MAX_SIZE": FORM_BYTES,
            "REQUEST_MAX_HEADER_SIZE": 16 * 1024,
            "REQUEST_TIMEOUT": 10,
            "RESPONSE_TIMEOUT": 10,
            "KEEP_ALIVE_TIMEOUT": 30,
            "GRACEFUL_SHUTDOWN_TIMEOUT": 15.0,
            "ACCESS_LOG": False,
            "FALLBACK_ERROR_FORMAT": "json",
            "TOUCHUP": False,
            "MOTD": False,
        },
    )
    app.ctx.services = services
    lines = lines or Lines()
    edge = Edge(idempotency=services.idempotency, clock=clock, at_once=at_once)
    for group in routes:
        for operation in group.operations:
            app.add_route(
                edge.serve(operation),
                operation.path,
                methods=[operation.method],
                name=operation.name,
                ctx_access=operation.access,
                ctx_operation=operation,
                # Not read by Sanic, which would do so before anybody knows who sends it (`api/bodies.py`).
                stream=True,
                # Else Sanic reads the source of every handler to guess it, a tenth of the start.
                error_format="json",
            )

    async def begin(request: Request) -> None:
        request.ctx.started = clock.monotonic()
        prepare_request(request, ids, trusted_proxies=trusted_proxies)

    async def end(request: Any, response: BaseHTTPResponse) -> None:  # noqa: ANN401 — may be half a request
        seconds = _finish(request, response, clock, lines)
        party = getattr(request.ctx, "department", None) or getattr(request.ctx, "verifier", None)
        if heard is not None and party:
            heard(party, request.method, _route_of(request), str(response.status), seconds)

    app.register_middleware(begin, "request")
    app.register_middleware(end, "response")
    return app


def _finish(request: Request, response: BaseHTTPResponse, clock: Clock, lines: Lines) -> float:
    """Write down how a request ended, and return the seconds it took."""
    context = request.ctx
    response.headers["X-Request-Id"] = getattr(context, "request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    access = getattr(request.route.ctx, "access", None) if request.route else None
    audience = access.audience.value if access else "other"
    outcome = outcome_of(response.status)
    _counter(audience, request.method if access else "-", response.status, outcome).inc()
    started = getattr(context, "started", None)
    seconds = 0.0 if started is None else clock.monotonic() - started
    if started is not None:
        _stopwatch(audience, outcome).observe(seconds)
    if lines.wants(outcome, seconds):
        log.log(
            logging.WARNING if outcome == "failed" else logging.INFO,
            "request",
            audience=audience,
            outcome=outcome,
            method=request.method if access else "-",
            route=_route_of(request),
            status=response.status,
            duration_ms=round(seconds * 1000, 1),
        )
    if lines.last and request.stream is not None:
        # About to stop: the caller is told not to send the next one here.
        stream: Any = request.stream
        stream.keep_alive = False
    return seconds


def outcome_of(status: int) -> str:
    """Return how a request ended: `ok`, `refused` (the caller's part), or `failed` (ours)."""
    if status < HTTPStatus.BAD_REQUEST:
        return "ok"
    return "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"


# Finding a figure by its labels costs more than counting; all labels come from closed sets.
_counter = cache(REQUESTS.labels)
_stopwatch = cache(REQUEST_SECONDS.labels)
