"""Repeating a request without repeating its effect (Idempotency-Key).

Where a key is required, the whole handler runs in one transaction with the kept answer: whatever happens at commit, the
same key later gives the one true result. Where a key is merely honoured, the handler may call outside systems, so the
key is claimed first and the answer kept after; a crash between leaves a lease that runs out (docs/decisions/0010).
"""

import asyncio
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

from api.problems import InProgress, KeyRequired, KeyReused, RequestInvalid
from api.reading import field_error
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, is_postgres, transaction
from core.ids import Ids

Handle = Callable[[], Awaitable[HTTPResponse]]

_KEY_LENGTH: Final = 255
_LEASE: Final = timedelta(seconds=60)
KEPT_FOR: Final = timedelta(hours=72)
_COLUMN: Final = "kept_answer.answer"

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
_KEEP = "UPDATE kept_answer SET state = 'done', status = $2, answer_sealed = $3, lease_until = NULL WHERE id = $1"
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


class Idempotency:
    """Keeps first answers and gives them again."""

    def __init__(self, *, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._running: dict[str, asyncio.Task[HTTPResponse]] = {}

    async def answer(self, request: Request[Any, Any], handle: Handle, *, required: bool) -> HTTPResponse:
        """Run `handle` once for a key and give every repetition the first answer.

        Raises:
            KeyRequired: the route needs a key and none came.
            KeyReused: the key came with another request before.
            InProgress: the first request is still running.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            if required:
                raise KeyRequired
            return await handle()
        call = _call(request, key)
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
            await self._keep(kept_id, response)
            return response

        return await transaction(work)

    async def _in_steps(self, call: _Call, handle: Handle) -> HTTPResponse:
        async def claim() -> UUID | None:
            return await self._claim(call, turn_back=False)

        kept_id = await transaction(claim) or await self._take_over(call)
        if kept_id is None:
            return await self._repeat(call)
        try:
            response = await handle()
        except BaseException:
            await transaction(lambda: execute(_FORGET, kept_id))
            raise
        await transaction(lambda: self._keep(kept_id, response))
        return response

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
        return HTTPResponse(
            kept["body"],
            status=int(row["status"]),
            headers={**kept["headers"], "Idempotent-Replayed": "true"},
            content_type=kept["content_type"],
        )

    async def _keep(self, kept_id: UUID, response: HTTPResponse) -> None:
        body = response.body or b""
        kept = {
            "body": body.decode() if isinstance(body, bytes) else body,
            "headers": {name: value for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS},
            "content_type": response.content_type,
        }
        sealed = self._vault.seal(_COLUMN, kept_id, json.dumps(kept, ensure_ascii=False))
        await execute(_KEEP, kept_id, response.status, sealed)

    async def purge(self) -> int:
        """Delete what is older than 72 hours and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_PURGE, self._clock.now() - KEPT_FOR))


_KEPT_HEADERS: Final = frozenset({"location", "etag", "retry-after", "cache-control", "content-language"})


def _call(request: Request[Any, Any], key: str) -> _Call:
    if not key or len(key) > _KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise RequestInvalid(errors=[field_error("/headers/Idempotency-Key", "string_pattern_mismatch")])
    scope = hashlib.sha256(f"{_principal(request)}\n{request.method}\n{request.path}\n{key}".encode()).hexdigest()
    return _Call(scope, hashlib.sha256(_canonical(request)).hexdigest())


def _principal(request: Request[Any, Any]) -> str:
    """Whose key it is: two callers that choose the same one have nothing to do with each other."""
    context = request.ctx
    for who, name in (("caller", "citizen_id"), ("operator", "operator_id"), ("signed", "party")):
        if found := getattr(context, who, None):
            return f"{who} {getattr(found, name)}"
    # Many people share one address behind a carrier's network: the device tells them apart.
    return f"{context.address} {context.device}"


def _canonical(request: Request[Any, Any]) -> bytes:
    """The same JSON written differently is the same request."""
    try:
        return json.dumps(json.loads(request.body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return bytes(request.body or b"")
