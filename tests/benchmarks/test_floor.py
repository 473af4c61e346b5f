"""The floors of the benchmark: each of them answers on a database of the newest schema."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import aiohttp
import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from sanic import HTTPResponse

from benchmarks.floor import _CHECKS, Floor
from benchmarks.showing import Held, codes_for
from benchmarks.store import PostgresStore, SqliteStore, open_store
from certificates.records import _ADD as _ADD_CERTIFICATE
from core.db import as_uuid
from matters.applications.drafts import _INSERT as _ADD_DRAFT

MATTER = "fresh-graduate-settlement"


@pytest.fixture
async def front() -> AsyncIterator[str]:
    """What stands for WeChat and the departments: it answers at once."""
    app = web.Application()

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response({"openid": "o-floor", "code": "0000"})

    app.router.add_get("/wechat/sns/jscode2session", tell)
    for path in _CHECKS:
        app.router.add_post(path, tell)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def floor(database_url: str, front: str) -> AsyncIterator[Floor]:
    store = await open_store(database_url)
    async with aiohttp.ClientSession() as calls:
        yield Floor(store=store, calls=calls, front=front, key=ec.generate_private_key(ec.SECP256R1()))
    if isinstance(store, SqliteStore):
        await store._connection.close()
    elif isinstance(store, PostgresStore):
        await store._pool.close()


def asking(body: object = None, **headers: str) -> Any:
    return SimpleNamespace(json=body, headers=headers)


def said(answer: HTTPResponse) -> Any:
    return json.loads(answer.body or b"")


def on_sqlite(floor: Floor) -> bool:
    return isinstance(floor._store, SqliteStore)


async def test_every_floor_does_its_operation_on_the_newest_schema(floor: Floor) -> None:
    await floor.log_in(asking({"code": "first"}))
    answer = await floor.log_in(asking({"code": "again"}))
    told = said(answer)
    assert answer.status == 201
    token = f"Bearer {told['access_token']}"
    citizen_id = as_uuid(told["citizen"]["id"])

    for read in (floor.wallet, floor.warm_wallet, floor.warm_wallet):
        assert said(await read(asking(authorization=token))) == {"items": [], "next_cursor": None}

    draft, now = uuid.uuid4(), datetime.now(UTC)
    await floor._store.fetch(
        _ADD_DRAFT, draft, citizen_id, MATTER, 1, "human-resources", b"", "{}", 5, now, now, 0, 5, 0
    )
    submitted = await floor.submit(asking(**{"authorization": token, "idempotency-key": "k"}), draft)
    assert submitted.status == 202
    assert said(submitted)["state"] == "submitted"

    checked = await floor.check(asking(authorization=token), MATTER)
    assert said(checked) == {"checks": ["0000"] * len(_CHECKS)}
    certificate, today = uuid.uuid4(), now.date()
    values = ("driving-licence", "active", 1, today.isoformat() if on_sqlite(floor) else today, "x", b"", b"", b"", now)
    await floor._store.fetch(_ADD_CERTIFICATE, certificate, citizen_id, *values, None)
    shown = await floor.show(asking(authorization=token), certificate)
    assert shown.status == 201
    assert said(shown)["qr_svg"].startswith("<?xml")
    verified = await floor.verify(asking({"code": said(shown)["code"]}))
    assert said(verified)["outcome"] == "ok"
    session_id = UUID(jwt.decode(told["access_token"], options={"verify_signature": False})["sid"])
    [code] = await codes_for(floor._store, [Held(certificate, citizen_id, session_id)], 1)
    assert said(await floor.verify(asking({"code": code})))["kind"] == "driving-licence"
    actions = [row["action"] for row in await floor._store.fetch("SELECT action FROM audit_line")]
    assert sorted(actions) == [
        "auth.session-opened", "auth.session-opened", "certificates.shown", "certificates.verified",
        "certificates.verified", "matters.checked", "matters.submitted",
    ]  # fmt: skip
