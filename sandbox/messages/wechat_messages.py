"""WeChat's subscribe messages and its push, pretended from `docs/departments/wechat-messages.md`."""

import base64
import hashlib
import json
import secrets
import sqlite3
import struct
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from yarl import URL

from sandbox.ground.answers import Json, NotUnderstood, answer, part, read_object, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.settings import PushSecret
from sandbox.ground.store import Store
from sandbox.people import People
from sandbox.wechat import WeChat

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS subscriptions (
    openid TEXT NOT NULL, template TEXT NOT NULL, remaining INTEGER NOT NULL, PRIMARY KEY (openid, template)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cards (
    id INTEGER PRIMARY KEY, openid TEXT NOT NULL, template TEXT NOT NULL, data TEXT NOT NULL, page TEXT NOT NULL,
    at TEXT NOT NULL
);
"""
TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "sandbox-progress": ("thing1", "phrase2", "time3", "thing4"),
    "sandbox-certificate": ("thing1", "time2", "thing3"),
    "sandbox-security": ("thing1", "time2", "thing3"),
}
_LONG_TERM: Final = frozenset({"sandbox-security"})
_LIMITS: Final = {"thing": 20, "phrase": 5, "time": 32}
_STATES: Final = frozenset({"formal", "trial", "developer"})
_FOR_EVER: Final = -1
_BLOCK: Final = 32
_ANSWER_WITHIN_S: Final = 5.0


class WechatMessages:
    """Keeps consents by account, takes messages that rest on one, and pushes what people tap."""

    def __init__(
        self,
        *,
        wechat: WeChat,
        people: People,
        push: PushSecret,
        app_id: str,
        store: Store,
        callbacks: Callbacks,
        clock: Clock,
    ) -> None:
        self._wechat = wechat
        self._people = people
        self._push = push
        self._app_id = app_id
        self._store = store
        self._callbacks = callbacks
        self._clock = clock

    async def load(self) -> None:
        """Make the tables."""
        await self._store.run(_make_tables)

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the sandbox's own among them."""
        return [
            web.post("/wechat/cgi-bin/message/subscribe/send", self._send),
            web.post("/sandbox/wechat/subscriptions", self._subscribe),
            web.get("/sandbox/wechat/messages", self._show),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        if refusal := await self._wechat.refuse_token(request.query.get("access_token", "")):
            return refusal
        body = await request.read()
        if not body:
            return _error(44002, "empty post data")
        try:
            told = read_object(body)
        except NotUnderstood:
            return _error(47001, "data format error")
        try:
            openid, template, page = text(told, "touser"), text(told, "template_id"), text(told, "page", most=500)
            data = {name: text(part(part(told, "data"), name), "value", most=100) for name in part(told, "data")}
        except NotUnderstood:
            return _error(47003, "argument invalid")
        if template not in TEMPLATES:
            return _error(40037, "invalid template_id")
        if not page.startswith("pages/") or told.get("miniprogram_state", "formal") not in _STATES:
            return _error(41030, "invalid page")
        if set(data) != set(TEMPLATES[template]) or any(len(value) > _limit(name) for name, value in data.items()):
            return _error(47003, "argument invalid")
        number = await self._store.run(
            partial(_take, openid=openid, template=template, data=data, page=page, at=self._clock.stamp())
        )
        if number is None:
            return _error(43101, "user refuse to accept the msg")
        return answer({"errcode": 0, "errmsg": "ok", "msgid": number})

    async def _subscribe(self, request: web.Request) -> web.Response:
        try:
            told = read_object(await request.read())
            openid, template = await self._openid(told), text(told, "template")
            status, url = text(told, "status"), text(told, "tell", most=500) if told.get("tell") else ""
            mode, shape = told.get("mode", "safe"), told.get("format", "xml")
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if template not in TEMPLATES or status not in {"accept", "reject", "turn-off"}:
            return answer({"error": "No such template, or status is not accept, reject or turn-off."}, status=422)
        if url and not self._callbacks.may_go_to(url):
            return answer({"error": "tell must be an address on this machine or a listed host."}, status=422)
        await self._store.run(partial(_tap, openid=openid, template=template, status=status))
        answered = None
        if url:
            event = "subscribe_msg_change_event" if status == "turn-off" else "subscribe_msg_popup_event"
            item = {"TemplateId": template, "SubscribeStatusString": "accept" if status == "accept" else "reject"}
            answered = await self._tell(url, event, openid, item, safe=mode != "plain", as_json=shape == "json")
        return answer({"answered": answered}, status=201)

    async def _openid(self, told: Json) -> str:
        person, account = text(told, "person"), told.get("account")
        if person == "stranger":
            return await self._wechat.openid_of(f"stranger:{account}")
        if self._people.find(person) is None:
            message = "There is nobody of that name in the cast: see GET /sandbox/people."
            raise NotUnderstood(message)
        return await self._wechat.openid_of(person)

    async def _show(self, request: web.Request) -> web.Response:
        try:
            openid = await self._openid(dict(request.query))
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        return answer({"items": await self._store.run(partial(_cards_of, openid=openid))})

    async def _tell(
        self, url: str, event: str, openid: str, item: Mapping[str, str], *, safe: bool, as_json: bool
    ) -> int | str:
        now = str(int(self._clock.seconds()))
        fields = {"ToUserName": "gh_sandbox", "FromUserName": openid, "CreateTime": now, "MsgType": "event"}
        body = _json(fields, event, item) if as_json else _xml(fields, event, item)
        nonce = secrets.token_hex(8)
        query = {"timestamp": now, "nonce": nonce, "openid": openid}
        query["signature"] = _digest(self._push.token, now, nonce)
        if safe:
            encrypted = _encrypt(body, key=base64.b64decode(self._push.aes_key + "="), app_id=self._app_id)
            query |= {"encrypt_type": "aes", "msg_signature": _digest(self._push.token, now, nonce, encrypted)}
            body = (
                json.dumps({"ToUserName": "gh_sandbox", "Encrypt": encrypted})
                if as_json
                else f"<xml><ToUserName>gh_sandbox</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            )
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)) as session,
                session.post(
                    URL(url).with_query(query),
                    data=body.encode(),
                    headers={"Content-Type": "application/json" if as_json else "text/xml"},
                ) as heard,
            ):
                return heard.status
        except (aiohttp.ClientError, TimeoutError) as failure:
            return type(failure).__name__


def _make_tables(db: sqlite3.Connection) -> None:
    for statement in _TABLES.strip().split(";\n"):
        db.execute(statement)


def _tap(db: sqlite3.Connection, *, openid: str, template: str, status: str) -> None:
    row = db.execute("SELECT remaining FROM subscriptions WHERE openid = ? AND template = ?", (openid, template))
    found = row.fetchone()
    remaining = 0 if found is None else int(found["remaining"])
    if status == "accept":
        remaining = _FOR_EVER if template in _LONG_TERM else remaining + 1
    elif status == "turn-off":
        remaining = 0
    db.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (openid, template, remaining))


def _take(
    db: sqlite3.Connection, *, openid: str, template: str, data: dict[str, str], page: str, at: str
) -> int | None:
    """Use a consent up and keep the message; None when there is none."""
    used = db.execute(
        "UPDATE subscriptions SET remaining = CASE WHEN remaining > 0 THEN remaining - 1 ELSE remaining END"
        " WHERE openid = ? AND template = ? AND remaining <> 0",
        (openid, template),
    )
    if not used.rowcount:
        return None
    kept = db.execute(
        "INSERT INTO cards (openid, template, data, page, at) VALUES (?, ?, ?, ?, ?)",
        (openid, template, json.dumps(data, ensure_ascii=False), page, at),
    )
    return kept.lastrowid


def _cards_of(db: sqlite3.Connection, *, openid: str) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT template, data, page, at FROM cards WHERE openid = ? ORDER BY id DESC LIMIT 100", (openid,)
    )
    return [{**dict(row), "data": json.loads(row["data"])} for row in rows]


def _limit(field: str) -> int:
    return _LIMITS[field.rstrip("0123456789")]


def _xml(fields: Mapping[str, str], event: str, item: Mapping[str, str]) -> str:
    part_name = "".join(word.capitalize() for word in event.split("_"))
    told = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in {**fields, "Event": event}.items())
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in {**item, "PopupScene": "0"}.items())
    return f"<xml>{told}<{part_name}><List>{inner}</List></{part_name}></xml>"


def _json(fields: Mapping[str, str], event: str, item: Mapping[str, str]) -> str:
    return json.dumps({**fields, "Event": event, "List": {**item, "PopupScene": "0"}})


def _digest(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 — what the page says


def _encrypt(message: str, *, key: bytes, app_id: str) -> str:
    content = message.encode()
    plain = secrets.token_bytes(16) + struct.pack("!I", len(content)) + content + app_id.encode()
    fill = _BLOCK - len(plain) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()


def _error(errcode: int, errmsg: str) -> web.Response:
    return answer({"errcode": errcode, "errmsg": errmsg})
