"""Repeating a request without repeating its effect (Idempotency-Key).

Where a key is required, the whole handler runs in one transaction with the kept answer: whatever happens at commit, the
same key later gives the one true result. Where a key is merely honoured, the handler may call outside systems, so the
key is claimed first and the answer kept after; a crash between leaves a lease that runs out (docs/decisions/0010).

An answer is for those to whom it was given: it is kept for one session, acting for one person under one mandate, and
not given again to that session while it is less sure of who is there.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sanic import Request
from sanic.response import HTTPResponse

from api.problems import InProgress, KeyRequired, KeyReused, RequestInvalid, answer_problem
from api.reading import field_error, media_of
from auth.errors import LevelTooLow
from auth.types import Level
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, is_postgres, later, transaction
from core.errors import Conflict, Gone, Invalid, NotFound, Problem, Refused
from core.ids import Ids

Handle = Callable[[], Awaitable[HTTPResponse]]

_KEY_LENGTH: Final = 255
_LEASE: Final = timedelta(seconds=60)
KEPT_FOR: Final = timedelta(hours=72)
_COLUMN: Final = "kept_answer.answer"
# What these say stays so for the same request; a token, a limit or a system that is away may be otherwise next time.
_FINAL: Final = (Invalid, NotFound, Conflict, Gone, Refused)
# Larger bodies are hashed beside the loop.
_LARGE: Final = 256 * 1024

_CLAIM = """
INSERT INTO kept_answer (id, scope, body_hash, state, lease_until, created_at) VALUES ($1, $2, $3, 'running', $4, $5)
ON CONFLICT (scope) DO NOTHING RETURNING id
"""
# On PostgreSQL a second transaction would wait for the first one's end; the lock makes it turn back at once.
_CLAIM_OR_TURN_BACK = """
INSERT INTO kept_answer (id, scope, body_hash, state, lease_until, created_at)
SELECT $1, $2, $3, 'running', $4::timestamptz, $5::timestamptz WHERE pg_try_advisory_xact_lock($6)
ON CONFLICT (scope) DO NOTHING RETURNING id
"""
_FIND = "SELECT id, body_hash, state, lease_until, status, answer_sealed FROM kept_answer WHERE scope = $1"
_KEEP = """
UPDATE kept_answer SET state = 'done', status = $2, answer_sealed = $3, lease_until = NULL WHERE id = $1 RETURNING id
"""
_FORGET = "DELETE FROM kept_answer WHERE id = $1 AND state = 'running'"
_TAKE_OVER = """
UPDATE kept_answer SET lease_until = $3 WHERE id = $1 AND state = 'running' AND lease_until = $2
"""
_PURGE = "DELETE FROM kept_answer WHERE created_at < $1"


@dataclass(frozen=True, slots=True)
class _Call:
    """One request with a key."""

    scope: str
    body_hash: str
    level: Level | None
    told: Callable[[Problem], HTTPResponse]


class Idempotency:
    """Keeps first answers and gives them again."""

    def __init__(self, *, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._running: dict[str, asyncio.Task[HTTPResponse]] = {}

    async def answer(
        self, request: Request[Any, Any], handle: Handle, *, required: bool, is_json: bool = False
    ) -> HTTPResponse:
        """Run `handle` once for a key and give every repetition the first answer, also when it is a final problem.

        `is_json` says that the body was read as JSON: written differently it is the same.

        Raises:
            KeyRequired: the route needs a key and none came.
            KeyReused: the key came with another request before.
            InProgress: the first request is still running.
            LevelTooLow: the session was surer of who is there when it got the answer.
            Problem: what `handle` raises and may be otherwise next time.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            if required:
                raise KeyRequired
            return await handle()
        call = await _call(request, key, is_json=is_json)
        if call.scope in self._running:
            raise InProgress(retry_after=1)
        # In a task of its own: a caller that hangs up must not part the effect from its kept answer.
        task = asyncio.create_task(self._in_one_transaction(call, handle) if required else self._in_steps(call, handle))
        self._running[call.scope] = task
        task.add_done_callback(partial(self._ended, call.scope))
        return await asyncio.shield(task)

    def _ended(self, scope: str, task: asyncio.Task[HTTPResponse]) -> None:
        self._running.pop(scope, None)
        if not task.cancelled():
            task.exception()  # Mark it as seen: the caller may be gone.

    async def _in_one_transaction(self, call: _Call, handle: Handle) -> HTTPResponse:
        async def work() -> HTTPResponse:
            kept_id = await self._claim(call, turn_back=True)
            if kept_id is None:
                return await self._repeat(call)
            response = await handle()
            await self._keep(call, kept_id, response)
            return response

        try:
            return await transaction(work)
        except Problem as problem:
            if not _is_final(problem):
                raise
            response = call.told(problem)
        # What it had done is undone, and so was its claim: the answer is kept on its own, unless somebody was quicker.
        await transaction(lambda: self._keep_alone(call, response))
        return response

    async def _keep_alone(self, call: _Call, response: HTTPResponse) -> None:
        kept_id = await self._claim(call, turn_back=True)
        if kept_id is not None:
            await self._keep(call, kept_id, response)

    async def _in_steps(self, call: _Call, handle: Handle) -> HTTPResponse:
        async def claim() -> UUID | None:
            return await self._claim(call, turn_back=False)

        kept_id = await transaction(claim) or await self._take_over(call)
        if kept_id is None:
            return await self._repeat(call)
        try:
            response = await self._handled(call, handle)
        except BaseException:
            await transaction(lambda: execute(_FORGET, kept_id))
            raise
        await transaction(lambda: self._keep(call, kept_id, response))
        return response

    async def _handled(self, call: _Call, handle: Handle) -> HTTPResponse:
        try:
            return await handle()
        except Problem as problem:
            if not _is_final(problem):
                raise
            return call.told(problem)

    async def _claim(self, call: _Call, *, turn_back: bool) -> UUID | None:
        kept_id, now = self._ids.uuid(), self._clock.now()
        values = (kept_id, call.scope, call.body_hash, now + _LEASE, now)
        if turn_back and is_postgres():
            lock = int.from_bytes(bytes.fromhex(call.scope[:16]), "big", signed=True)
            rows = await fetch(_CLAIM_OR_TURN_BACK, *values, lock)
        else:
            rows = await fetch(_CLAIM, *values)
        return kept_id if rows else None

    async def _take_over(self, call: _Call) -> UUID | None:
        """A server died in the middle: once its lease has run out the work may begin anew."""
        row = await fetch_one(_FIND, call.scope)
        if row is None or row["state"] != "running" or row["body_hash"] != call.body_hash:
            return None
        if as_moment(row["lease_until"]) > self._clock.now():
            return None
        kept_id, lease = as_uuid(row["id"]), as_moment(row["lease_until"])
        taken = await transaction(lambda: execute(_TAKE_OVER, kept_id, lease, self._clock.now() + _LEASE))
        return kept_id if taken else None

    async def _repeat(self, call: _Call) -> HTTPResponse:
        row = await fetch_one(_FIND, call.scope)
        if row is not None and row["body_hash"] != call.body_hash:
            raise KeyReused
        if row is None or row["state"] == "running":
            raise InProgress(retry_after=1)
        kept = json.loads(self._vault.open(_COLUMN, as_uuid(row["id"]), row["answer_sealed"]))
        level = Level(kept["level"]) if kept.get("level") else None
        if level is not None and call.level is not None and call.level.rank < level.rank:
            raise LevelTooLow.needing(level)
        return HTTPResponse(
            kept["body"] if "body" in kept else base64.b64decode(kept["octets"]),
            status=int(row["status"]),
            headers={**kept["headers"], "Idempotent-Replayed": "true"},
            content_type=kept["content_type"],
        )

    async def _keep(self, call: _Call, kept_id: UUID, response: HTTPResponse) -> None:
        kept = {
            **_body_of(response),
            "headers": {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS},
            "content_type": response.content_type,
            "level": call.level,
        }
        sealed = self._vault.seal(_COLUMN, kept_id, json.dumps(kept, ensure_ascii=False))
        await later(_KEEP, kept_id, response.status, sealed, read_from="kept_answer")

    async def purge(self) -> int:
        """Delete what is older than 72 hours and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_PURGE, self._clock.now() - KEPT_FOR))


_KEPT_HEADERS: Final = frozenset(
    {"location", "etag", "retry-after", "cache-control", "content-disposition", "content-language", "vary"}
)


def _body_of(response: HTTPResponse) -> dict[str, str]:
    """Return a body as JSON has it: text as it is, a file (a paper that was made for the request) in base64."""
    octets = response.body or b""
    try:
        return {"body": octets.decode()}
    except UnicodeDecodeError:
        return {"octets": base64.b64encode(octets).decode()}


def _is_final(problem: Problem) -> bool:
    # The last two are this module's own, about the key and not about the request.
    return isinstance(problem, _FINAL) and not problem.retryable and not isinstance(problem, KeyReused | InProgress)


async def _call(request: Request[Any, Any], key: str, *, is_json: bool) -> _Call:
    if not key or len(key) > _KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise RequestInvalid(errors=[field_error("/headers/Idempotency-Key", "string_pattern_mismatch")])
    scope = _hash(f"{_principal(request)}\n{request.method}\n{request.path}\n{key}".encode())
    body = _canonical(request) if is_json else _without_boundary(request)
    content = request.query_string.encode() + b"\n" + body
    context = request.ctx
    caller = getattr(context, "caller", None)
    return _Call(
        scope,
        await asyncio.to_thread(_hash, content) if len(content) > _LARGE else _hash(content),
        None if caller is None else caller.level,
        partial(answer_problem, instance=context.request_id, english=context.english, elder=context.elder_words),
    )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _principal(request: Request[Any, Any]) -> str:
    """Whose key it is: two callers that choose the same one have nothing to do with each other."""
    context = request.ctx
    if caller := getattr(context, "caller", None):
        # Under another mandate of the same principal the scope may be another.
        mandate = "" if caller.mandate is None else caller.mandate.id
        return f"caller {caller.citizen_id} {caller.session_id} {mandate}"
    if operator := getattr(context, "operator", None):
        return f"operator {operator.operator_id} {operator.session_id}"
    if signed := getattr(context, "signed", None):
        return f"signed {signed.party}"
    # Many people share one address behind a carrier's network: the device tells them apart.
    return f"{context.address} {context.device}"


def _canonical(request: Request[Any, Any]) -> bytes:
    """The same JSON written differently is the same request. It was read before, so it is small and in order."""
    return json.dumps(json.loads(request.body), sort_keys=True, separators=(",", ":")).encode()


def _without_boundary(request: Request[Any, Any]) -> bytes:
    """A form sent again has another boundary, drawn by the client's library, around the same files."""
    body = bytes(request.body or b"")
    _, options = media_of(request)
    boundary = str(options.get("boundary", "")).encode("utf-8", "replace")
    return body.replace(b"--" + boundary, b"--") if boundary else body
