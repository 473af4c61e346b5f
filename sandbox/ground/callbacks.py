"""The calls back: what a department owes about a case, sent in order, repeated, remembered over a restart."""

import asyncio
import ipaddress
import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from http_message_signatures import HTTPMessageSignaturesException
from yarl import URL

from sandbox.ground.clock import Clock
from sandbox.ground.faults import Mode
from sandbox.ground.signing import CallbackSigner
from sandbox.ground.store import Store

ATTEMPTS = 10
_WANTED = 204
_LONGEST_PAUSE_S = 60.0
_SHORTEST_PAUSE_S = 0.1
_ANSWER_WITHIN_S = 10.0
_AT_ONCE = 32
_log = logging.getLogger("sandbox.callbacks")

Decide = Callable[[sqlite3.Connection, str, str], None]
"""Moves a case, by its reference, to the state that the next call tells of."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to tell about a case; `pause` counts pauses from the submission on."""

    state: str
    note: str
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Owed:
    """A call that is due now."""

    id: int
    reference: str
    state: str
    url: str
    body: bytes
    attempts: int


class Callbacks:
    """The queue of calls back and the one task that empties it, signed by the department that the address names.

    Invariant: of one case at most one call is on its way, and the next waits for the end of it; cases do not wait for
    each other. A call ends when it was answered 204 or was tried ten times.
    """

    def __init__(
        self,
        *,
        store: Store,
        signer: CallbackSigner,
        signers: Mapping[str, CallbackSigner],
        clock: Clock,
        decide: Decide,
        pause_ms: int,
        hosts: frozenset[str],
    ) -> None:
        self._store = store
        self._signer = signer
        self._signers = signers
        self._clock = clock
        self._decide = decide
        self._pause_s = pause_ms / 1000
        self._hosts = hosts
        self._woken = asyncio.Event()
        self._on_their_way: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None

    def may_go_to(self, url: str) -> bool:
        """Tell whether a callback address is loopback or a listed host: the sandbox calls nobody else."""
        try:
            parsed = URL(url)
            host = (parsed.host or "").lower()
        except ValueError:
            return False
        if parsed.scheme not in {"http", "https"} or parsed.user is not None:
            return False
        if host in self._hosts or host == "localhost":
            return True
        with suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return False

    def owe(
        self, db: sqlite3.Connection, *, reference: str, url: str, steps: Sequence[Step], mode: Mode = Mode.OK
    ) -> None:
        """Promise the calls about a case, in the transaction that opens it; `wake` sends them on."""
        calls = [self._event(reference, number, step) for number, step in enumerate(steps, 1)]
        if mode is Mode.REORDERED_CALLBACK:
            calls.reverse()
        if mode is Mode.DUPLICATE_CALLBACK:
            calls = [call for call in calls for _ in range(2)]
        now = self._clock.seconds()
        db.executemany(
            "INSERT INTO callbacks (reference, state, url, body, due_at) VALUES (?, ?, ?, ?, ?)",
            [
                (reference, event["state"], str(URL(url)), json.dumps(event, ensure_ascii=False).encode(), due_at)
                for event, due_at in zip(
                    calls, (now + self._pause_s * nth for nth in range(1, len(calls) + 1)), strict=True
                )
            ],
        )

    def _event(self, reference: str, sequence: int, step: Step) -> dict[str, Any]:
        event: dict[str, Any] = {
            "event_id": secrets.token_hex(16),
            "reference": reference,
            "sequence": sequence,
            "state": step.state,
            "at": self._clock.stamp(),
            "note": step.note,
        }
        return event if step.result is None else {**event, "result": step.result}

    def wake(self) -> None:
        """Look at the queue at once."""
        self._woken.set()

    def start(self) -> None:
        """Begin to send, with what a former run of the sandbox still owed."""
        self._loop = asyncio.get_running_loop().create_task(self._send_what_is_due())

    async def stop(self) -> None:
        """Stop sending; what is still owed stays in the store."""
        tasks = [task for task in (self._loop, *self._on_their_way.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_what_is_due(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                self._woken.clear()
                now = self._clock.seconds()
                owed, next_due = await self._store.run(partial(_due, now=now, busy=frozenset(self._on_their_way)))
                for call in owed:
                    task = asyncio.get_running_loop().create_task(self._send(session, call))
                    self._on_their_way[call.reference] = task
                wait = None if next_due is None else max(0.0, next_due - self._clock.seconds())
                # A timeout is the usual way on: the next call has become due. (`wait_for` would forget that it was
                # cancelled, were it woken in the same moment, and nobody could stop this.)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._woken.wait()

    async def _send(self, session: aiohttp.ClientSession, call: _Owed) -> None:
        try:
            # The department has decided whether or not anybody hears of it.
            await self._store.run(lambda db: self._decide(db, call.reference, call.state))
            heard = await self._post(session, call)
            await self._store.run(lambda db: self._note(db, call, heard=heard))
        finally:
            self._on_their_way.pop(call.reference, None)
            self._woken.set()

    async def _post(self, session: aiohttp.ClientSession, call: _Owed) -> bool:
        try:
            signer = self._signers.get(_department_of(call.url), self._signer)
            headers = signer.headers(url=call.url, body=call.body)
            async with session.post(
                URL(call.url, encoded=True), data=call.body, headers=headers, allow_redirects=False
            ) as heard:
                return heard.status == _WANTED
        except (aiohttp.ClientError, HTTPMessageSignaturesException, TimeoutError, OSError, ValueError):
            return False

    def _note(self, db: sqlite3.Connection, call: _Owed, *, heard: bool) -> None:
        attempts, now = call.attempts + 1, self._clock.seconds()
        if not heard and attempts < ATTEMPTS:
            pause = max(self._pause_s, _SHORTEST_PAUSE_S) * 2.0**attempts
            due_at = now + min(pause, _LONGEST_PAUSE_S)
            db.execute("UPDATE callbacks SET attempts = ?, due_at = ? WHERE id = ?", (attempts, due_at, call.id))
            return
        if not heard:
            _log.warning("gave up a callback after %d attempts", attempts)
        ending = "heard" if heard else "given up"
        db.execute("UPDATE callbacks SET attempts = ?, ending = ? WHERE id = ?", (attempts, ending, call.id))
        db.execute(
            "UPDATE callbacks SET due_at = max(due_at, ?) WHERE id ="
            " (SELECT min(id) FROM callbacks WHERE reference = ? AND ending IS NULL)",
            (now + self._pause_s, call.reference),
        )


def _department_of(url: str) -> str:
    """Read whose address it is: `…/v1/departments/{department}/progress`."""
    parts = URL(url).parts
    return parts[-2] if len(parts) > 1 else ""


def _due(db: sqlite3.Connection, *, now: float, busy: AbstractSet[str]) -> tuple[list[_Owed], float | None]:
    """Find the first open call of each case that is not busy: those due, and when the next one will be."""
    heads = db.execute(
        "SELECT * FROM callbacks WHERE id IN (SELECT min(id) FROM callbacks WHERE ending IS NULL GROUP BY reference)"
        " ORDER BY due_at"
    ).fetchall()
    idle = [row for row in heads if row["reference"] not in busy]
    due = [
        _Owed(row["id"], row["reference"], row["state"], row["url"], row["body"], row["attempts"])
        for row in idle
        if row["due_at"] <= now
    ]
    # Without room for all, the end of a call on its way wakes the loop again.
    later = [row["due_at"] for row in idle if row["due_at"] > now]
    return due[: max(0, _AT_ONCE - len(busy))], min(later, default=None)
