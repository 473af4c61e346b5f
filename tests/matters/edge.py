"""The portal of matters over a real connection: a client that knows tokens, and a department that signs."""

import base64
import hashlib
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from api import app as edge
from api.citizen import applications, matters
from api.departments import progress
from api.idempotency import Idempotency
from api.public import progress_queries
from auth.errors import TokenInvalid
from auth.types import Caller, Level
from core.signers.http_signature import SignatureChecker, TrustedKey
from tests.fakes.ways import usual_menu
from tests.matters.conftest import Desk


class FakeSessions:
    """Knows one person at every level, and another."""

    def __init__(self, me: Caller, other: Caller) -> None:
        self._callers = {level.value: replace(me, level=level) for level in Level} | {"other": other}

    async def caller_of(self, token: str, *, lately: bool = False) -> Caller:
        if token not in self._callers:
            raise TokenInvalid
        return self._callers[token]


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    json: Any


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return self._key

    def resolve_public_key(self, key_id: str) -> Any:
        return self._key.public_key()


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Signer:
    """Signs as the page of public security has it."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.key = Ed25519PrivateKey.generate()

    def sign(self, url: str, body: bytes, *, at: datetime, nonce: str = "") -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        message = _Message(
            "POST", url, {"Content-Type": "application/json", "Content-Digest": f"sha-256=:{digest}:"}, body
        )
        HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(self.key)).sign(
            message,
            key_id=self.key_id,
            created=at,
            nonce=nonce or uuid4().hex,
            label="sig1",
            include_alg=False,
            body=body,
            use_existing_digest=True,
            covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
        )
        return message.headers


@dataclass
class Portal:
    """Calls the portal as a citizen with one of the tokens of `FakeSessions`, or as a department."""

    session: aiohttp.ClientSession
    base: str
    desk: Desk
    public_security: Signer
    human_resources: Signer

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = "real_name", **headers: str
    ) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            own["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            return Answered(answer.status, answer.headers, await answer.json(content_type=None))

    async def post(
        self, path: str, body: object = None, *, key: str | None = None, token: str = "real_name"
    ) -> Answered:
        return await self.call("POST", path, body, token=token, Idempotency_Key=key or uuid4().hex)

    async def upload(
        self, path: str, content: bytes, *, field: str = "file", texts: Mapping[str, str] | None = None
    ) -> Answered:
        form = aiohttp.FormData()
        for name, text in (texts or {}).items():
            form.add_field(name, text)
        form.add_field(field, io.BytesIO(content), filename="x.bin", content_type="application/octet-stream")
        headers = {"Authorization": "Bearer real_name"}
        async with self.session.post(self.base + path, data=form, headers=headers) as answer:
            return Answered(answer.status, answer.headers, await answer.json(content_type=None))

    async def tell(
        self,
        body: object,
        *,
        department: str = "public-security",
        signer: Signer | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        url = f"{self.base}/v1/departments/{department}/progress"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = headers or (signer or self.public_security).sign(url, content, at=self.desk.ground.clock.now())
        async with self.session.post(url, data=content, headers=signed) as answer:
            text = await answer.read()
            return Answered(answer.status, answer.headers, json.loads(text) if text else None)


@asynccontextmanager
async def opened(desk: Desk, also: Mapping[str, TrustedKey] | None = None) -> AsyncIterator[Portal]:
    """Serve the portal of matters on a free port of loopback; `also` are further keys it trusts."""
    ground = desk.ground
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    me, other = desk.citizen(), desk.citizen()
    public_security, human_resources = Signer("ps-1"), Signer("hr-1")
    trusted = {
        signer.key_id: TrustedKey(name, signer.key.public_key())
        for name, signer in (("public-security", public_security), ("human-resources", human_resources))
    }
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        sessions=FakeSessions(me, other),
        signatures=SignatureChecker({**trusted, **(also or {})}, clock=ground.clock),
        public_url=base,
        catalogue=desk.catalogue,
        guides=desk.guides,
        eligibility=desk.eligibility,
        drafts=desk.drafts,
        attachments=desk.attachments,
        submission=desk.submission,
        progress=desk.progress,
        supplements=desk.supplements,
        withdrawals=desk.withdrawals,
        ratings=desk.ratings,
        tracking=desk.tracking,
    )
    routes = [matters.routes, applications.routes, progress.routes, progress_queries.routes]
    app = edge.create_app(
        services, routes, clock=ground.clock, ids=ground.ids, menu=usual_menu(), name=f"test-{uuid4().hex}"
    )
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Portal(session, base, desk, public_security, human_resources)
    await server.close()
