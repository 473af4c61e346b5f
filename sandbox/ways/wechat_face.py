"""WeChat's face check, pretended from `docs/departments/wechat-face.md`."""

import base64
import hashlib
import re
import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, part, read_object, text, whole_number
from sandbox.ground.clock import Clock
from sandbox.ground.store import Store
from sandbox.people import People, Person
from sandbox.wechat import WeChat

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS facial_verifications (
    verify_id TEXT PRIMARY KEY, out_seq_no TEXT NOT NULL UNIQUE, openid TEXT NOT NULL, name TEXT NOT NULL,
    number TEXT NOT NULL, at REAL NOT NULL, verify_ret INTEGER
) WITHOUT ROWID
"""
_LIFE_S: Final = 3600
_SEQUENCE: Final = re.compile(r"[A-Za-z0-9_-]{5,32}")
_PASSED, _NO_MATCH, _DISAGREE, _NO_SOURCE = 10000, 10004, 10003, 10009
_STYLES: Final = ("genuine", "other_person")


class WechatFace:
    """Gives names to checks, opens its window to whoever is at the phone, tells the end to whoever knows all of it."""

    def __init__(self, *, wechat: WeChat, people: People, store: Store, clock: Clock) -> None:
        self._wechat = wechat
        self._people = people
        self._store = store
        self._clock = clock

    async def load(self) -> None:
        """Make the table."""
        await self._store.run(lambda db: db.execute(_TABLE))

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the window of the mini program among them."""
        return [
            web.post("/wechat/cityservice/face/identify/getverifyid", self._begin),
            web.post("/wechat/cityservice/face/identify/queryverifyinfo", self._tell),
            web.post("/sandbox/wechat/facial-verifications", self._show),
        ]

    async def _begin(self, request: web.Request) -> web.Response:
        told = await self._told(request)
        if isinstance(told, web.Response):
            return told
        try:
            sequence, openid, info = text(told, "out_seq_no"), text(told, "openid"), part(told, "cert_info")
            kind, name, number = text(info, "cert_type"), text(info, "cert_name"), text(info, "cert_no")
        except NotUnderstood:
            return _error(47003, "argument invalid")
        if not _SEQUENCE.fullmatch(sequence) or kind != "IDENTITY_CARD":
            return _error(47003, "argument invalid")
        if not openid.startswith("o"):
            return _error(40003, "invalid openid")
        row = (secrets.token_urlsafe(96), sequence, openid, name, number, self._clock.seconds())
        if not await self._store.run(partial(_keep, row=row)):
            return _error(47003, "out_seq_no was used")
        return answer({"errcode": 0, "errmsg": "ok", "verify_id": row[0], "expires_in": _LIFE_S})

    async def _tell(self, request: web.Request) -> web.Response:
        told = await self._told(request)
        if isinstance(told, web.Response):
            return told
        try:
            asked = {name: text(told, name, most=256) for name in ("verify_id", "out_seq_no", "cert_hash", "openid")}
        except NotUnderstood:
            return _error(47003, "argument invalid")
        row = await self._store.run(partial(_find, verify_id=asked["verify_id"]))
        if row is None or asked != {
            "verify_id": row["verify_id"],
            "out_seq_no": row["out_seq_no"],
            "cert_hash": _digest(row),
            "openid": row["openid"],
        }:
            return _error(84001, "invalid verify id")
        ended = {} if row["verify_ret"] is None else {"verify_ret": row["verify_ret"]}
        return answer({"errcode": 0, "errmsg": "ok", **ended})

    async def _show(self, request: web.Request) -> web.Response:
        try:
            told = read_object(await request.read())
            verify_id, person = text(told, "verify_id", most=256), self._people.find(text(told, "person"))
            style, forced = told.get("as", "genuine"), whole_number(told, "verify_ret", least=10000, most=99999)
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if person is None or style not in _STYLES:
            return answer({"error": f"person must be one of the cast, as one of {', '.join(_STYLES)}."}, status=422)
        row = await self._store.run(partial(_find, verify_id=verify_id))
        if row is None:
            return answer({"error": "There is no such verify_id."}, status=404)
        if row["at"] < self._clock.seconds() - _LIFE_S:
            return answer({"error": "It has run out."}, status=410)
        if row["openid"] != await self._wechat.openid_of(person.slug):
            return answer({"error": "It was begun for another account."}, status=409)
        end = forced or self._end(row, person, style)
        if not await self._store.run(partial(_end, verify_id=verify_id, verify_ret=end)):
            return answer({"error": "It was gone through before."}, status=409)
        return answer({"verify_ret": end}, status=201)

    async def _told(self, request: web.Request) -> Json | web.Response:
        if refusal := await self._wechat.refuse_token(request.query.get("access_token", "")):
            return refusal
        try:
            return read_object(await request.read())
        except NotUnderstood:
            return _error(47001, "data format error")

    def _end(self, row: sqlite3.Row, person: Person, style: str) -> int:
        known = self._people.find_by_number(row["number"])
        if known is None:
            return _NO_SOURCE
        if known.name != row["name"]:
            return _DISAGREE
        shown = {"a": "b", "b": "a"}[person.face] if style == "other_person" else person.face
        return _PASSED if shown == known.portrait else _NO_MATCH


def _keep(db: sqlite3.Connection, *, row: tuple[str | float, ...]) -> bool:
    kept = db.execute(
        "INSERT OR IGNORE INTO facial_verifications (verify_id, out_seq_no, openid, name, number, at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    return kept.rowcount == 1


def _find(db: sqlite3.Connection, *, verify_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM facial_verifications WHERE verify_id = ?", (verify_id,)
    ).fetchone()
    return row


def _end(db: sqlite3.Connection, *, verify_id: str, verify_ret: int) -> bool:
    ended = db.execute(
        "UPDATE facial_verifications SET verify_ret = ? WHERE verify_id = ? AND verify_ret IS NULL",
        (verify_ret, verify_id),
    )
    return ended.rowcount == 1


def _digest(row: sqlite3.Row) -> str:
    values: Mapping[str, str] = {
        "cert_type": "IDENTITY_CARD",
        "cert_name": row["name"],
        "cert_no": row["number"],
    }
    joined = "&".join(f"{name}={base64.standard_b64encode(value.encode()).decode()}" for name, value in values.items())
    return hashlib.sha256(joined.encode()).hexdigest()


def _error(errcode: int, errmsg: str) -> web.Response:
    return answer({"errcode": errcode, "errmsg": errmsg})
