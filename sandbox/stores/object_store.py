"""An S3-compatible object store, pretended from `docs/departments/object-store.md`: it checks every signature."""

import hashlib
import hmac
import re
import sqlite3
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from aiohttp import web

from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret
from sandbox.ground.store import Store

BUCKET = "zhijian"
_PREFIX = "/object-store"
_REGION, _SERVICE = "us-east-1", "s3"
_SKEW_S = 900
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class ObjectStore:
    """One bucket. Objects are kept in the sandbox's memory and outlive a restart."""

    def __init__(self, *, caller: AppSecret, store: Store, clock: Clock) -> None:
        self._caller = caller
        self._store = store
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        path = _PREFIX + "/{bucket}/{key:.+}"
        return [web.put(path, self._put), web.get(path, self._get, allow_head=False), web.delete(path, self._delete)]

    async def _put(self, request: web.Request) -> web.Response:
        content = await request.read()
        if refusal := self._refusal(request, content):
            return refusal

        def keep(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO objects (key, content) VALUES (?, ?)", (_key(request), content))

        await self._store.run(keep)
        return web.Response(headers=_tag(content))

    async def _get(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, b""):
            return refusal

        def find(db: sqlite3.Connection) -> bytes | None:
            row = db.execute("SELECT content FROM objects WHERE key = ?", (_key(request),)).fetchone()
            return None if row is None else bytes(row["content"])

        content = await self._store.run(find)
        if content is None:
            return _error(404, "NoSuchKey")
        return web.Response(body=content, content_type="application/octet-stream", headers=_tag(content))

    async def _delete(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request, b""):
            return refusal

        def forget(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM objects WHERE key = ?", (_key(request),))

        await self._store.run(forget)
        return web.Response(status=204)

    def _refusal(self, request: web.Request, content: bytes) -> web.Response | None:
        told = _HEADER.fullmatch(request.headers.get("Authorization", ""))
        if told is None:
            return _error(403, "AccessDenied")
        stamp = request.headers.get("x-amz-date", "")
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return _error(403, "AccessDenied")
        if abs(at.timestamp() - self._clock.seconds()) > _SKEW_S:
            return _error(403, "RequestTimeTooSkewed")
        if told["key"] != self._caller.app_id or (told["region"], told["service"]) != (_REGION, _SERVICE):
            return _error(403, "InvalidAccessKeyId")
        digest = request.headers.get("x-amz-content-sha256", "")
        if digest != hashlib.sha256(content).hexdigest():
            return _error(400, "XAmzContentSHA256Mismatch")
        names = told["headers"].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names) or told["day"] != stamp[:8]:
            return _error(403, "AccessDenied")
        if not hmac.compare_digest(self._signature(request, names, digest, stamp), told["signature"]):
            return _error(403, "SignatureDoesNotMatch")
        if request.match_info["bucket"] != BUCKET:
            return _error(404, "NoSuchBucket")
        return None

    def _signature(self, request: web.Request, names: list[str], digest: str, stamp: str) -> str:
        path, _, query = request.raw_path.partition("?")
        lines = [request.method, quote(unquote(path), safe="/-_.~"), _sorted_query(query)]
        lines += [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names]
        lines += ["", ";".join(names), digest]
        asked = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        scope = f"{stamp[:8]}/{_REGION}/{_SERVICE}/aws4_request"
        key = ("AWS4" + self._caller.secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{asked}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _sorted_query(query: str) -> str:
    parts = [part if "=" in part else f"{part}=" for part in query.split("&") if part]
    return "&".join(sorted(parts))


def _tag(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'}


def _key(request: web.Request) -> str:
    return request.match_info["key"]


def _error(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return web.Response(text=text, status=status, content_type="application/xml")
