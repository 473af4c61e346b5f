"""The floors: the measured operations by hand on bare Sanic, with the product's own SQL and nothing around it.

    python -m benchmarks.floor PORT SETTINGS.json

Same addresses, same tokens, same statements in the same transactions as the product; no layers, no models, no checks of
what comes in, no limits, no sealing, no middleware, no metrics. What the product adds to this is what it costs.
"""

import asyncio
import hashlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import aiohttp
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from auth.login import _ADD_ACCOUNT, _BY_OPENID
from auth.places.recent import CALLER
from auth.records import _ADD_NEWCOMER, _BY_ID
from auth.sessions import _ADD_REFRESH, _ADD_SESSION
from benchmarks.showing import Held, show_by_hand, verify_by_hand
from benchmarks.store import Row, SqliteStore, Statements, Store, open_store
from benchmarks.submitting import Draft, submit_by_hand
from certificates.records import _LIST
from core.audit.record import _INSERT as _ADD_AUDIT_LINE
from core.ids import RandomIds

_ISSUER: Final = "zhijian"
_AUDIENCE: Final = "zhijian-citizen"
_CHECKS: Final = (
    "/education/v1/checks/degree",
    "/human-resources/sharing/queryInsurance",
    "/public-security/v1/checks/household",
    "/real-estate/v1/checks/residence",
)

_ids = RandomIds()


def _now() -> datetime:
    return datetime.now(UTC)


class Floor:
    """The operations, each as short as it can be."""

    def __init__(self, *, store: Store, calls: aiohttp.ClientSession, front: str, key: Any) -> None:  # noqa: ANN401
        self._store = store
        self._calls = calls
        self._front = front
        self._key = key
        self._public = key.public_key()
        self._verified: dict[str, dict[str, Any]] = {}
        self._sessions: dict[str, tuple[UUID, float]] = {}
        self._find_account = _BY_OPENID if isinstance(store, SqliteStore) else f"{_BY_OPENID} FOR SHARE OF w"

    async def log_in(self, request: Request) -> HTTPResponse:
        """WeChat's answer, the account, a session with its refresh token, the audit line, a signed token."""
        query = {
            "appid": "floor",
            "secret": "floor",
            "js_code": request.json["code"],
            "grant_type": "authorization_code",
        }
        async with self._calls.get(f"{self._front}/wechat/sns/jscode2session", params=query) as response:
            openid = json.loads(await response.read())["openid"]
        openid_hash = hashlib.sha256(openid.encode()).hexdigest()[:32]
        refresh_token, now = _ids.token(32), _now()
        session_id, expires_at = _ids.uuid(), now + timedelta(days=90)
        async with self._store.transaction() as statements:
            rows = await statements.fetch(self._find_account, openid_hash, openid_hash, now - timedelta(minutes=1), "")
            account_id, citizen_id = await _welcome(statements, openid_hash, now) if not rows else _account(rows[0])
            await statements.fetch(
                _ADD_SESSION, session_id, citizen_id, account_id, "linked", None, False, "", now, expires_at, None
            )
            token_hash = hashlib.sha256(refresh_token.encode()).hexdigest()
            await statements.fetch(_ADD_REFRESH, _ids.uuid(), session_id, 0, token_hash, now + timedelta(days=30))
            await _note(statements, "auth.session-opened", citizen_id, "session", str(session_id))
        issued = int(now.timestamp())
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(citizen_id),
            "sid": str(session_id),
            "jti": _ids.uuid().hex,
            "iat": issued,
            "exp": issued + 600,
        }
        return json_response(
            {
                "access_token": jwt.encode(claims, self._key, algorithm="ES256"),
                "refresh_token": refresh_token,
                "token_type": "Bearer",
                "expires_in": 600,
                "citizen": {"id": str(citizen_id), "level": "linked", "name": None, "elder": False},
            },
            status=201,
        )

    async def wallet(self, request: Request) -> HTTPResponse:
        """The token's signature, the session's row, the certificates' rows."""
        return await self._list(await self._caller(request))

    async def warm_wallet(self, request: Request) -> HTTPResponse:
        """The same, with the token and the session's row remembered; the row for a second."""
        token = request.headers["authorization"].removeprefix("Bearer ")
        found = self._sessions.get(token)
        if found is None or found[1] < time.monotonic():
            claims = self._verified.get(token) or self._verified.setdefault(token, self._claims(token))
            rows = await self._store.fetch(CALLER, UUID(claims["sid"]), _now())
            found = self._sessions[token] = (_uuid(rows[0]["citizen_id"]), time.monotonic() + 1)
        return await self._list(found[0])

    async def _list(self, citizen_id: UUID) -> HTTPResponse:
        rows = await self._store.fetch(_LIST, citizen_id, UUID(int=0), 21, "")
        items = [
            {
                "id": str(row["id"]),
                "kind": row["kind"],
                "state": row["state"],
                "valid_until": None if row["valid_until"] is None else str(row["valid_until"]),
                "issuer": row["issuer"],
                "stale_since": row["stale_since"],
            }
            for row in rows
        ]
        return json_response({"items": items, "next_cursor": None})

    async def submit(self, request: Request, application_id: UUID) -> HTTPResponse:
        """The token's signature, the session's row, and the one transaction of a submission."""
        citizen_id = await self._caller(request)
        draft = Draft(application_id, citizen_id, request.headers["idempotency-key"])
        return json_response(await submit_by_hand(self._store, draft, _now()), status=202)

    async def show(self, request: Request, certificate_id: UUID) -> HTTPResponse:
        """The token's signature, the session's row, and the one transaction of showing; the picture of the code."""
        claims = self._claims(request.headers["authorization"].removeprefix("Bearer "))
        session_id, now = UUID(claims["sid"]), _now()
        rows = await self._store.fetch(CALLER, session_id, now)
        held = Held(certificate_id, _uuid(rows[0]["citizen_id"]), session_id)
        return json_response(await show_by_hand(self._store, held, now), status=201)

    async def verify(self, request: Request) -> HTTPResponse:
        """The one transaction of a scan by a stranger."""
        return json_response(await verify_by_hand(self._store, request.json["code"], _now()))

    async def check(self, request: Request, code: str) -> HTTPResponse:
        """The token's signature, the session's row, the person's row, four calls at once beside the audit line."""
        citizen_id = await self._caller(request)
        await self._store.fetch(_BY_ID, citizen_id)
        asking = asyncio.gather(*(self._ask(path) for path in _CHECKS))
        answers, _ = await asyncio.gather(asking, self._note_checks(citizen_id, code))
        return json_response({"checks": [answer.get("code", "0000") for answer in answers]})

    async def _caller(self, request: Request) -> UUID:
        token = request.headers["authorization"].removeprefix("Bearer ")
        claims = self._claims(token)
        rows = await self._store.fetch(CALLER, UUID(claims["sid"]), _now())
        return _uuid(rows[0]["citizen_id"])

    def _claims(self, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token, self._public, algorithms=["ES256"], audience=_AUDIENCE, issuer=_ISSUER
        )
        return claims

    async def _ask(self, path: str) -> dict[str, Any]:
        body = b'{"request_id":"floor","id_number":"floor","name":"floor"}'
        async with self._calls.post(self._front + path, data=body) as response:
            told: dict[str, Any] = json.loads(await response.read())
            return told

    async def _note_checks(self, citizen_id: UUID, code: str) -> None:
        async with self._store.transaction() as statements:
            await _note(statements, "matters.checked", citizen_id, "matter", code)


def _account(row: Row) -> tuple[UUID, UUID]:
    return _uuid(row["account_id"]), _uuid(row["id"])


async def _welcome(statements: Statements, openid_hash: str, now: datetime) -> tuple[UUID, UUID]:
    account_id, citizen_id = _ids.uuid(), _ids.uuid()
    await statements.fetch(_ADD_NEWCOMER, citizen_id, False, now)
    await statements.fetch(_ADD_ACCOUNT, account_id, citizen_id, b"floor", openid_hash, now)
    return account_id, citizen_id


async def _note(statements: Statements, action: str, citizen_id: UUID, kind: str, object_id: str) -> None:
    await statements.fetch(
        _ADD_AUDIT_LINE, _ids.uuid(), _now(), "citizen", str(citizen_id), citizen_id, None, action, "", kind, object_id,
        "[]", "ok", _ids.uuid().hex,
    )  # fmt: skip


def _uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def main(port: int, settings: dict[str, str]) -> None:
    """Serve until the process is ended."""
    key = load_pem_private_key(Path(settings["token_key"]).read_bytes(), password=None)
    app: Sanic[Any, Any] = Sanic("floor", configure_logging=False)
    app.config.update({"ACCESS_LOG": False, "MOTD": False, "KEEP_ALIVE_TIMEOUT": 300})

    @app.before_server_start
    async def open_all(_app: Sanic[Any, Any]) -> None:
        floor = Floor(
            store=await open_store(settings["database"]),
            calls=aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256, limit_per_host=0)),
            front=settings["front"],
            key=key,
        )
        app.ctx.floor = floor

    def routed(method: str, path: str, name: str) -> None:
        async def handler(request: Request, **parts: Any) -> HTTPResponse:  # noqa: ANN401 — typed by the route
            answer: HTTPResponse = await getattr(app.ctx.floor, name)(request, **parts)
            return answer

        app.add_route(handler, path, methods=[method], name=name)

    async def live(_request: Request) -> HTTPResponse:
        return json_response({"status": "alive"})

    app.add_route(live, "/health/live", name="live")
    routed("POST", "/v1/citizen/sessions", "log_in")
    routed("GET", "/v1/citizen/certificates", "wallet")
    routed("GET", "/warm/v1/citizen/certificates", "warm_wallet")
    routed("POST", "/v1/citizen/applications/<application_id:uuid>/submissions", "submit")
    routed("POST", "/v1/citizen/certificates/<certificate_id:uuid>/presentations", "show")
    routed("POST", "/v1/verifiers/verifications", "verify")
    routed("POST", "/v1/citizen/matters/<code:str>/checks", "check")
    app.run(host="127.0.0.1", port=port, single_process=True, motd=False, access_log=False, debug=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
