"""WeChat's server side, pretended from `docs/departments/wechat.md`."""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial

from aiohttp import web
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.ground.answers import NotUnderstood, answer, read_object
from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import same
from sandbox.ground.store import Store, remembered
from sandbox.people import People

CODE_LIFE_S = 300
_TOKEN_LIFE_S = 7200
# WeChat hands out the next token five minutes before the end, and the old one stays good for as long.
_OVERLAP_S = 300
_LOGIN, _PHONE = "login", "phone"
_TOKENS = "wechat tokens"


class WeChat:
    """Login codes, phone codes and the access token. An account is a slug of the cast, or `stranger:` and a name."""

    def __init__(self, *, people: People, caller: AppSecret, store: Store, clock: Clock) -> None:
        self._people = people
        self._caller = caller
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.get("/wechat/sns/jscode2session", self._session),
            web.post("/wechat/cgi-bin/stable_token", self._token),
            web.post("/wechat/wxa/business/getuserphonenumber", self._phone_number),
        ]

    async def issue_login_code(self, account: str) -> str:
        """Give a code as `wx.login` would: good once, for five minutes."""
        return await self._store.run(partial(self._issue, kind=_LOGIN, account=account))

    async def issue_phone_code(self, account: str) -> str:
        """Give a code as the phone number button would: good once, for five minutes."""
        return await self._store.run(partial(self._issue, kind=_PHONE, account=account))

    async def seal_phone(self, account: str, *, app_id: str = "") -> dict[str, str]:
        """Give what the old phone number button would: a login code, and the number encrypted under its session key.

        `app_id` is another mini program's, to see it refused.
        """
        code = await self.issue_login_code(account)
        salt = await self._store.run(lambda db: remembered(db, "wechat salt", partial(secrets.token_hex, 32)))
        info = self._phone_info(salt, account, app_id=app_id or self._caller.app_id)
        iv, padder = secrets.token_bytes(16), padding.PKCS7(128).padder()
        padded = padder.update(json.dumps(info).encode()) + padder.finalize()
        encryptor = Cipher(algorithms.AES128(_session_key(salt, code)), modes.CBC(iv)).encryptor()
        encrypted = encryptor.update(padded) + encryptor.finalize()
        return {
            "code": code,
            "encrypted_data": base64.b64encode(encrypted).decode(),
            "iv": base64.b64encode(iv).decode(),
        }

    async def openid_of(self, account: str) -> str:
        """Name an account as every call does."""
        salt = await self._store.run(lambda db: remembered(db, "wechat salt", partial(secrets.token_hex, 32)))
        return _name(salt, "o", account)

    async def refuse_token(self, token: str) -> web.Response | None:
        """Refuse an access token that is not good."""
        good = await self._store.run(partial(self._good_token, token=token))
        if good == "good":
            return None
        return _error(42001, "access_token expired") if good == "expired" else _error(40001, "invalid credential")

    def _phone_info(self, salt: str, account: str, *, app_id: str) -> dict[str, object]:
        person = self._people.find(account)
        mobile = person.mobile if person is not None else _mobile(salt, account)
        watermark = {"timestamp": int(self._clock.seconds()), "appid": app_id}
        return {"phoneNumber": mobile, "purePhoneNumber": mobile, "countryCode": "86", "watermark": watermark}

    def _issue(self, db: sqlite3.Connection, *, kind: str, account: str) -> str:
        now, code = self._clock.seconds(), secrets.token_urlsafe(24)
        # Codes are kept for a while after their end, to tell a used one from one that never was.
        db.execute("DELETE FROM codes WHERE issued_at < ?", (now - 10 * CODE_LIFE_S,))
        db.execute("INSERT INTO codes (code, kind, account, issued_at) VALUES (?, ?, ?, ?)", (code, kind, account, now))
        return code

    async def _session(self, request: web.Request) -> web.Response:
        told = request.query
        if told.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        if refusal := self._stranger(told):
            return refusal
        taken = await self._store.run(partial(self._use, kind=_LOGIN, code=told.get("js_code", "")))
        if isinstance(taken, web.Response):
            return taken
        account, salt = taken
        return answer(
            {
                "openid": _name(salt, "o", account),
                "session_key": base64.b64encode(_session_key(salt, told["js_code"])).decode(),
                "unionid": _name(salt, "u", account),
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        try:
            told = read_object(await request.read())
        except NotUnderstood:
            return _error(47001, "data format error")
        if told.get("grant_type") != "client_credential":
            return _error(40002, "invalid grant_type")
        if refusal := self._stranger(told):
            return refusal
        token, expires_in = await self._store.run(partial(self._lease, renew=told.get("force_refresh") is True))
        return answer({"access_token": token, "expires_in": expires_in})

    async def _phone_number(self, request: web.Request) -> web.Response:
        if refusal := await self.refuse_token(request.query.get("access_token", "")):
            return refusal
        try:
            code = read_object(await request.read()).get("code")
        except NotUnderstood:
            return _error(47001, "data format error")
        taken = await self._store.run(partial(self._use, kind=_PHONE, code=code if isinstance(code, str) else ""))
        if isinstance(taken, web.Response):
            return taken
        account, salt = taken
        info = self._phone_info(salt, account, app_id=self._caller.app_id)
        return answer({"errcode": 0, "errmsg": "ok", "phone_info": info})

    def _stranger(self, told: Mapping[str, object]) -> web.Response | None:
        if not same(self._caller.app_id, str(told.get("appid", ""))):
            return _error(40013, "invalid appid")
        if not same(self._caller.secret, str(told.get("secret", ""))):
            return _error(40125, "invalid appsecret")
        return None

    def _use(self, db: sqlite3.Connection, *, kind: str, code: str) -> tuple[str, str] | web.Response:
        """Use a code up: the account it stands for and the salt of the names, or WeChat's refusal."""
        row = db.execute("SELECT * FROM codes WHERE code = ? AND kind = ?", (code, kind)).fetchone()
        if row is None or row["issued_at"] < self._clock.seconds() - CODE_LIFE_S:
            return _error(40029, "invalid code")
        if row["used"]:
            # The page gives the "used" code for logins only.
            return _error(40163, "code been used") if kind == _LOGIN else _error(40029, "invalid code")
        db.execute("UPDATE codes SET used = 1 WHERE code = ?", (code,))
        return str(row["account"]), remembered(db, "wechat salt", partial(secrets.token_hex, 32))

    def _lease(self, db: sqlite3.Connection, *, renew: bool) -> tuple[str, int]:
        now = self._clock.seconds()
        leases: dict[str, float] = json.loads(remembered(db, _TOKENS, lambda: "{}"))
        newest = max(leases, key=lambda token: leases[token], default=None)
        if newest is None or renew or leases[newest] - now < _OVERLAP_S:
            # Old tokens end early; they are kept for a day to tell "expired" from "never was".
            leases = {token: min(end, now + _OVERLAP_S) for token, end in leases.items() if end > now - 86_400}
            newest = secrets.token_urlsafe(96)
            leases[newest] = now + _TOKEN_LIFE_S
            db.execute("UPDATE facts SET value = ? WHERE name = ?", (json.dumps(leases), _TOKENS))
        return newest, int(leases[newest] - now)

    def _good_token(self, db: sqlite3.Connection, *, token: str) -> str:
        leases: dict[str, float] = json.loads(remembered(db, _TOKENS, lambda: "{}"))
        if token not in leases:
            return "unknown"
        return "good" if leases[token] > self._clock.seconds() else "expired"


def _name(salt: str, kind: str, account: str) -> str:
    """Name an account to this installation, always the same: 28 characters, as WeChat's are."""
    digest = hmac.new(salt.encode(), f"{kind}:{account}".encode(), hashlib.sha256).digest()
    return kind + base64.urlsafe_b64encode(digest).decode()[:27]


def _session_key(salt: str, code: str) -> bytes:
    """Return the key of the login that a code stands for."""
    return hmac.new(salt.encode(), f"session:{code}".encode(), hashlib.sha256).digest()[:16]


def _mobile(salt: str, account: str) -> str:
    """Invent the number of a stranger, beyond those of the cast."""
    digest = hmac.new(salt.encode(), f"mobile:{account}".encode(), hashlib.sha256).digest()
    return f"1990000{1000 + int.from_bytes(digest[:4], 'big') % 9000}"


def _error(errcode: int, errmsg: str) -> web.Response:
    return answer({"errcode": errcode, "errmsg": errmsg})
