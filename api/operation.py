"""Declaring routes: one declaration gives the route, who may enter, how the body is read, and the OpenAPI entry.

A handler's parameters tell what it reads: path parameters by name, `body` (a `Body` model from JSON), `query` (a
`Query` model). What is declared is what is served, so the document cannot drift from the code.
"""

import base64
import binascii
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, get_type_hints
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sanic import Request as SanicRequest
from sanic.response import HTTPResponse

from api.access import Access
from api.problems import RequestInvalid
from api.reading import field_error
from core.errors import Problem

Request = SanicRequest[Any, Any]
# A whole HTTP answer is for what has to be committed although it is a problem.
Handler = Callable[..., Awaitable["Answer | HTTPResponse"]]
Prepare = Callable[..., Awaitable[object]]
Gate = Callable[["Request"], None]
Idempotency = Literal["none", "honoured", "required"]
T = TypeVar("T", bound=BaseModel)

_CURSOR_BYTES: Final = 400
_YEARS: Final = range(2000, 2101)


class Body(BaseModel):
    """What a caller sends as JSON: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Query(BaseModel):
    """What a caller sends in the query: no unknown parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """What we answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Query):
    """Where in a list to go on, and how much of it."""

    cursor: Annotated[str, StringConstraints(max_length=_CURSOR_BYTES)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class Page(Out, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(parts: Sequence[str]) -> str:
    """Return the place after an item as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(list(parts), separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *, parts: int) -> list[str] | None:
    """Return what `encode_cursor` was given.

    Raises:
        RequestInvalid: the text is none of ours.
    """
    if cursor is None:
        return None
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, UnicodeError, RecursionError) as error:
        raise bad_cursor() from error
    if not isinstance(value, list) or len(value) != parts or not all(isinstance(part, str) for part in value):
        raise bad_cursor()
    return value


def encode_place(at: datetime, item_id: UUID) -> str:
    """Return the place after an item of a list that is sorted by time, newest first."""
    return encode_cursor([at.isoformat(), str(item_id)])


def decode_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Return what `encode_place` was given.

    Raises:
        RequestInvalid: the text is none of ours.
    """
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    try:
        at, item_id = datetime.fromisoformat(parts[0]), UUID(parts[1])
    except ValueError as error:
        raise bad_cursor() from error
    # A moment that nothing of ours has, and that a database may not be able to hold.
    if at.tzinfo is None or at.year not in _YEARS:
        raise bad_cursor()
    return at.astimezone(UTC), item_id


def bad_cursor() -> RequestInvalid:
    """Return the problem of a cursor that is none of ours."""
    return RequestInvalid(errors=[field_error("/cursor", "value_error")])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives back. `body` is None for 204."""

    body: BaseModel | None = None
    status: int | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)  # Sanic hashes what a route carries: one declaration is one thing.
class Operation:
    """One declared route."""

    method: str
    path: str
    handler: Handler
    access: Access
    tag: str
    summary: str
    status: int
    answers: Mapping[int, type[BaseModel] | None]
    problems: tuple[type[Problem], ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    files: str | None
    texts: tuple[str, ...]
    idempotency: Idempotency
    prepare: Prepare | None
    gate: Gate | None
    media_type: str
    also_media: tuple[str, ...]
    headers_in: tuple[str, ...]
    headers_out: tuple[str, ...]
    raw: tuple[str, ...]

    @property
    def name(self) -> str:
        """The operation's id: unique over all audiences."""
        module = self.handler.__module__.removeprefix("api.").replace(".", "_")
        return f"{module}_{self.handler.__name__}"


class Routes:
    """The routes of one domain for one audience."""

    def __init__(self, *, prefix: str, tag: str) -> None:
        self._prefix = prefix
        self._tag = tag
        self.operations: list[Operation] = []

    def get(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 — see `_declare`
        """Declare a GET route."""
        return self._declare("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 — see `_declare`
        """Declare a POST route."""
        return self._declare("POST", path, **declared)

    def put(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 — see `_declare`
        """Declare a PUT route."""
        return self._declare("PUT", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 — see `_declare`
        """Declare a PATCH route."""
        return self._declare("PATCH", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 — see `_declare`
        """Declare a DELETE route."""
        return self._declare("DELETE", path, **declared)

    def _declare(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        answer: type[BaseModel] | None = None,
        status: int = 200,
        also: Mapping[int, type[BaseModel]] | None = None,
        problems: Sequence[type[Problem]] = (),
        files: str | None = None,
        texts: Sequence[str] = (),
        idempotency: Idempotency | None = None,
        prepare: Prepare | None = None,
        gate: Gate | None = None,
        media_type: str = "application/json",
        also_media: Sequence[str] = (),
        headers_in: Sequence[str] = (),
        headers_out: Sequence[str] = (),
        raw: Sequence[str] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare a route.

        `answer` is the body for `status` (None: no body), `also` further good answers, `problems` the problems beyond
        those that every route may give, `files` the field of a multipart body and `texts` what may stand beside it,
        `idempotency` what an `Idempotency-Key`
        does (unsafe POSTs honour it unless told otherwise; with `required` the handler runs in one transaction with
        the kept answer, and `prepare` runs before that transaction), `gate` refuses before the body is read what could
        not be worked on now, `media_type` and `also_media` what a file may
        come as when it is no answer of ours, `headers_in` further headers the handler
        reads, `headers_out` those that come with every good answer beyond what the edge itself sends, `raw` the media
        types of a body that the handler reads itself (`request.body`).
        """

        def declare(handler: Handler) -> Handler:
            hints = get_type_hints(handler)
            self.operations.append(
                Operation(
                    method=method,
                    path=self._prefix + path,
                    handler=handler,
                    access=access,
                    tag=self._tag,
                    summary=(inspect.getdoc(handler) or handler.__name__).splitlines()[0].rstrip("."),
                    status=status,
                    answers={status: answer, **(also or {})},
                    problems=tuple(problems),
                    body=hints.get("body"),
                    query=hints.get("query"),
                    files=files,
                    texts=tuple(texts),
                    idempotency=idempotency or ("honoured" if method == "POST" else "none"),
                    prepare=prepare,
                    gate=gate,
                    media_type=media_type,
                    also_media=tuple(also_media),
                    headers_in=tuple(headers_in),
                    headers_out=tuple(headers_out),
                    raw=tuple(raw),
                ),
            )
            return handler

        return declare
