"""Short messages, pretended from `docs/departments/sms-notices.md`: notices, reports of them, what people send."""

import asyncio
import hmac
import json
import re
import secrets
import sqlite3
import uuid
from functools import partial
from typing import Any, Final

import aiohttp
from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, read_object, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.news import ask
from sandbox.ground.signing import CallbackSigner, SignedDesk
from sandbox.ground.store import Store

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS notices (
        id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, mobile TEXT NOT NULL, text TEXT NOT NULL,
        at TEXT NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS mobiles (mobile TEXT PRIMARY KEY, answers TEXT NOT NULL) WITHOUT ROWID",
)
_DELIVERED, _FAILED, _NOTHING, _TAKES_NONE = "delivered", "failed", "nothing", "takes-none"
_ANSWERS: Final = frozenset({_DELIVERED, _FAILED, _NOTHING, _TAKES_NONE})
_TEXT_LIMIT: Final = 64
_INCOMING_LIMIT: Final = 500
_TRIES: Final = 5
_PAUSE_S: Final = 0.3
_WANTED: Final = 204


class SmsNotices:
    """Takes notices, once for a reference, shows what each mobile got, and reports on it."""

    def __init__(
        self, *, desk: SignedDesk, signer: CallbackSigner, store: Store, callbacks: Callbacks, clock: Clock
    ) -> None:
        self._desk = desk
        self._signer = signer
        self._store = store
        self._callbacks = callbacks
        self._clock = clock
        self._reports: set[asyncio.Task[None]] = set()
        # What marks a sender says the same about a mobile as long as this system runs, and the mobile to nobody.
        self._mark_key = secrets.token_bytes(32)

    async def load(self) -> None:
        """Make the tables."""
        await self._store.run(_make_tables)

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the sandbox's own among them."""
        return [
            web.post("/sms/v1/notices", self._desk.takes(self._take)),
            web.get("/sandbox/sms/notices", self._show),
            web.put("/sandbox/sms/mobiles/{mobile}", self._set),
            web.post("/sandbox/sms/incoming-messages", self._hand_on),
        ]

    async def close(self) -> None:
        """Stop reporting."""
        for task in self._reports:
            task.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)

    async def _take(self, told: Json) -> Json:
        text(told, "request_id")
        reference, mobile = text(told, "reference"), text(told, "mobile")
        said, url = text(told, "text", most=_TEXT_LIMIT), text(told, "report_url", most=500)
        if not self._callbacks.may_go_to(url):
            message = "report_url must be an address on this machine or a listed host."
            raise NotUnderstood(message)
        if not _MOBILE.fullmatch(mobile):
            return {"code": "2001", "message": "no such number"}
        answers = await self._store.run(partial(_answers_of, mobile=mobile))
        if answers == _TAKES_NONE:
            return {"code": "2002", "message": "takes no notices"}
        row = (reference, mobile, f"【指尖办事】{said}", self._clock.stamp())
        number, new = await self._store.run(partial(_keep, row=row))
        if new and answers != _NOTHING:
            report = {
                "message_id": str(number),
                "reference": reference,
                "status": answers,
                "reason": "switched-off" if answers == _FAILED else "",
                "at": self._clock.stamp(),
            }
            task = asyncio.create_task(self._report(url, report))
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)
        return {"code": "0000", "message": "taken", "message_id": str(number)}

    async def _report(self, url: str, report: dict[str, str]) -> None:
        body = json.dumps(report).encode()
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for nth in range(1, _TRIES + 1):
                await asyncio.sleep(_PAUSE_S * nth)
                try:
                    async with session.post(url, data=body, headers=self._signer.headers(url=url, body=body)) as heard:
                        if heard.status == _WANTED:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    continue

    async def _hand_on(self, request: web.Request) -> web.Response:
        """Let a mobile send a message: it is handed on, and what is answered goes back to the mobile."""
        try:
            told = read_object(await request.read())
            mobile, said, url = (
                text(told, "mobile"),
                text(told, "text", most=_INCOMING_LIMIT),
                text(told, "tell", most=500),
            )
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if not _MOBILE.fullmatch(mobile) or not self._callbacks.may_go_to(url):
            return answer(
                {"error": "No such mobile, or tell is no address on this machine or a listed host."}, status=422
            )
        message_id = uuid.uuid4().hex
        sender = hmac.digest(self._mark_key, mobile.encode(), "sha256").hex()
        news = {"message_id": message_id, "sender": sender, "text": said, "at": self._clock.stamp()}
        status, body = await ask(self._signer, url, news)
        reply = str(body.get("reply", ""))[:_TEXT_LIMIT]
        if reply:
            row = (f"reply-{message_id}", mobile, f"【指尖办事】{reply}", self._clock.stamp())
            await self._store.run(partial(_keep, row=row))
        return answer({"message_id": message_id, "answered": status, "reply": reply})

    async def _show(self, request: web.Request) -> web.Response:
        mobile = request.query.get("mobile", "")
        if not _MOBILE.fullmatch(mobile):
            return answer({"error": "mobile must be a mobile number of 11 digits."}, status=422)
        return answer({"items": await self._store.run(partial(_sent_to, mobile=mobile))})

    async def _set(self, request: web.Request) -> web.Response:
        mobile = request.match_info["mobile"]
        try:
            answers = text(read_object(await request.read()), "answers")
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if not _MOBILE.fullmatch(mobile) or answers not in _ANSWERS:
            known = ", ".join(sorted(_ANSWERS))
            return answer({"error": f"No such mobile, or answers is none of {known}."}, status=422)
        await self._store.run(partial(_set_answers, mobile=mobile, answers=answers))
        return answer({"mobile": mobile, "answers": answers})


def _make_tables(db: sqlite3.Connection) -> None:
    for statement in _TABLES:
        db.execute(statement)


def _answers_of(db: sqlite3.Connection, *, mobile: str) -> str:
    row = db.execute("SELECT answers FROM mobiles WHERE mobile = ?", (mobile,)).fetchone()
    return _DELIVERED if row is None else str(row["answers"])


def _set_answers(db: sqlite3.Connection, *, mobile: str, answers: str) -> None:
    db.execute("INSERT OR REPLACE INTO mobiles VALUES (?, ?)", (mobile, answers))


def _keep(db: sqlite3.Connection, *, row: tuple[str, ...]) -> tuple[int, bool]:
    """Keep a message unless its reference is known; its number, and whether it is new."""
    kept = db.execute("INSERT OR IGNORE INTO notices (reference, mobile, text, at) VALUES (?, ?, ?, ?)", row)
    found = db.execute("SELECT id FROM notices WHERE reference = ?", row[:1]).fetchone()
    return int(found["id"]), bool(kept.rowcount)


def _sent_to(db: sqlite3.Connection, *, mobile: str) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT mobile, text, reference, at FROM notices WHERE mobile = ? ORDER BY id DESC LIMIT 100", (mobile,)
    )
    return [dict(row) for row in rows]
