"""What the tests of the sandbox stand on: callers written from the pages alone, a portal that is called back."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from gmssl_pyx import sm2_decrypt, sm2_key_generate, sm3_hash, sm3_hmac, sm4_gcm_decrypt
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from sandbox.ground.clock import Clock
from sandbox.ground.settings import Credentials, Settings
from sandbox.server import create_app

PROVIDERS = ("sms", "mobile_register", "bank_clearing", "payment", "network_identity")
WITH_SM3 = frozenset({"health", "real_estate", "bank_clearing", "network_identity"})
MATTER = "11999999MB0000019T3442199806003"


class MovableClock(Clock):
    """The real time, moved by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class FakeStudio:
    """Pictures that say what was asked for."""

    def __init__(self) -> None:
        self.taken = 0

    def portrait(self, face: Literal["a", "b"]) -> bytes:
        return b"\xff\xd8 portrait of face " + face.encode()

    def make_frames(self, person: str, actions: list[str], as_: str, count: int) -> list[bytes]:
        if "open_mouth" in actions:
            raise ValueError("this camera has no model of a mouth")
        self.taken += 1
        return [f"{person} {as_} {self.taken} {number}".encode() for number in range(count)]


class Keys:
    """Credentials as the product's set-up makes them, with the halves that the product keeps."""

    def __init__(self) -> None:
        callback = Ed25519PrivateKey.generate()
        self.callback_public: Ed25519PublicKey = callback.public_key()
        sm2_public, self.sm2_private = sm2_key_generate()
        fund_public, self.fund_private = sm2_key_generate()
        our_public, self.health_private = sm2_key_generate()
        health_public, health_private = sm2_key_generate()
        self.health_public = "04" + health_public.hex()
        federation_caller, caller_private = sm2_key_generate()
        federation_public, federation_private = sm2_key_generate()
        self.federation_ours = base64.b64encode(caller_private + federation_caller).decode()
        self.federation_public = "04" + federation_public.hex()
        pem = callback.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        report = Ed25519PrivateKey.generate()
        self.report_public: Ed25519PublicKey = report.public_key()
        report_pem = report.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        secret = secrets.token_urlsafe
        self.told: dict[str, dict[str, Any]] = {
            "wechat": {"app_id": "wx" + secrets.token_hex(8), "app_secret": secret()},
            "population_registry": {"app_id": secret(6), "secret": secret()},
            "public_security": {
                "app_id": secret(6),
                "secret": secret(),
                "callback_key_id": secret(6),
                "callback_private_key": pem,
            },
            "human_resources": {
                "access_id": secret(6),
                "secret": secret(),
                "sm2_public_key": "04" + sm2_public.hex(),
                "soap_app_id": secret(6),
                "soap_secret": secret(),
            },
            "housing_fund": {
                "access_id": secret(6),
                "secret": secret(),
                "sm2_public_key": "04" + fund_public.hex(),
            },
            "issuer_callbacks": {
                department: {"key_id": secret(6), "private_key": pem}
                for department in ("human-resources", "housing-fund", "disabled-persons", "health")
            },
            "department_desk": {
                "app_id": secret(6),
                "secret": secret(),
                "callbacks": {
                    name: {"key_id": secret(6), "private_key": pem}
                    for name in (
                        "notary",
                        "civil-affairs",
                        "health",
                        "real-estate",
                        "taxation",
                        "disabled-persons",
                        "housing-fund",
                        "education",
                    )
                },
            },
            "disabled_persons": {"app_id": secret(6), "secret": secret()},
            "data_quality": {"app_id": secret(6), "secret": secret()},
            "object_store": {"app_id": secret(6), "secret": secret()},
            "health": {"app_id": secret(6), "secret": secret()},
            "education": {"app_id": secret(6), "secret": secret()},
            "sms": {"app_id": secret(6), "secret": secret()},
            "sms_reports": {"key_id": secret(6), "private_key": report_pem},
            "wechat_push": {
                "token": secrets.token_hex(16),
                "aes_key": base64.b64encode(secrets.token_bytes(32)).decode()[:43],
            },
            "real_estate": {"app_id": secret(6), "secret": secret()},
            "civil_affairs": {"app_id": secret(6), "secret": secret()},
            "civil_affairs_cases": {"app_id": secret(6), "secret": secret()},
            "taxation": {"app_id": secret(6), "secret": secret()},
            "notary": {"app_id": secret(6), "secret": secret()},
            "health_cases": {
                "app_id": secret(6),
                "secret": secret(),
                "private_key": health_private.hex(),
                "caller_public_key": "04" + our_public.hex(),
            },
            "disabled_persons_cases": {
                "app_id": secret(6),
                "public_key": "04" + federation_caller.hex(),
                "private_key": base64.b64encode(federation_private + federation_public).decode(),
            },
            "market_regulation": {"app_id": secret(6), "secret": secret()},
            **{name: {"app_id": secret(6), "secret": secret()} for name in PROVIDERS},
        }

    def open(self, cert_data: Mapping[str, str]) -> dict[str, Any]:
        """Open what the sharing interface sealed to us."""
        key, iv, cipher = (base64.b64decode(cert_data[name]) for name in ("key", "iv", "cipher"))
        clear = sm4_gcm_decrypt(sm2_decrypt(self.sm2_private, key), iv, b"", cipher[:-16], cipher[-16:])
        told: dict[str, Any] = json.loads(clear)
        return told


@dataclass
class Heard:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


class Caller:
    """The product, as far as the pages describe it."""

    def __init__(self, session: aiohttp.ClientSession, base: str, keys: Keys, clock: Clock) -> None:
        self.session = session
        self.base = base
        self.keys = keys
        self.clock = clock

    async def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Heard:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        async with self.session.request(method, self.base + path, data=data, headers=headers) as answer:
            return Heard(answer.status, dict(answer.headers), await answer.read())

    def signature(  # the four headers of docs/departments/README.md, "Signed JSON"
        self, system: str, method: str, path: str, body: bytes, *, nonce: str | None = None, at: int | None = None
    ) -> dict[str, str]:
        told = self.keys.told[system]
        timestamp, nonce = str(at or int(self.clock.seconds())), nonce or secrets.token_hex(16)
        if system in WITH_SM3:
            text = "\n".join((method, path, timestamp, nonce, sm3_hash(body).hex())).encode()
            code = sm3_hmac(told["secret"].encode(), text).hex()
        else:
            text = "\n".join((method, path, timestamp, nonce, hashlib.sha256(body).hexdigest())).encode()
            code = hmac.new(told["secret"].encode(), text, hashlib.sha256).hexdigest()
        return {"X-App-Id": told["app_id"], "X-Timestamp": timestamp, "X-Nonce": nonce, "X-Signature": code}

    async def signed(self, path: str, body: object = None, *, method: str = "POST") -> Heard:
        """Call with signed JSON; the system stands in the path."""
        system = path.split("/")[1].replace("-", "_")
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        return await self.call(method, path, data, headers=self.signature(system, method, path, data))

    async def person(self, slug: str) -> dict[str, str]:
        """Find one of the cast, as anybody can."""
        items = (await self.call("GET", "/sandbox/people")).json["items"]
        return next(item for item in items if item["slug"] == slug)

    async def named(self, slug: str, **more: object) -> dict[str, object]:
        """The body of a question about a person."""
        person = await self.person(slug)
        asked = {"request_id": secrets.token_hex(8), "name": person["name"], "id_number": person["id_number"]}
        return {**asked, **more}

    async def fault(self, system: str, mode: str, **more: object) -> Heard:
        return await self.call("PUT", f"/sandbox/faults/{system}", {"mode": mode, **more})

    async def submission(self, slug: str, callback_url: str, *, reference: str | None = None) -> dict[str, object]:
        person = await self.person(slug)
        return {
            "reference": reference or secrets.token_hex(8),
            "matter": MATTER,
            "applicant": {name: person[name] for name in ("name", "id_number", "mobile")},
            "form": {"reason": "work"},
            "callback_url": callback_url,
        }

    async def received(self, department: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call("GET", f"/sandbox/{department}/received")).json["items"]
        return items


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str]


@dataclass
class Portal:
    """Who is called back: keeps what came, answers what a test says (204 by default)."""

    keys: Keys
    url: str = ""
    came: list[dict[str, Any]] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def progress(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {
            name: request.headers[name] for name in ("Content-Type", "Content-Digest", "Signature-Input", "Signature")
        }
        try:
            self.nonces.append(self.verify(body, headers))
        except InvalidSignature as refusal:
            self.bad.append(str(refusal))
        self.came.append(json.loads(body))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    def verify(self, body: bytes, headers: dict[str, str]) -> str:
        """Verify as the page of public security has it; the nonce."""
        told = self.keys.told["public_security"]
        keys = MappingKeyResolver(public_keys={told["callback_key_id"]: self.keys.callback_public}, private_keys={})
        verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=keys)
        [result] = verifier.verify(
            _Message("POST", self.url, headers),
            max_age=timedelta(seconds=300),
            require_components=("@method", "@target-uri", "content-digest", "content-type"),
            body=body,
        )
        assert result.label == "sig1"
        assert result.nonce is not None
        return result.nonce

    @property
    def states(self) -> list[str]:
        return [event["state"] for event in self.came]


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve an app on a free port of loopback; its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def called_back(keys: Keys) -> AsyncIterator[Portal]:
    """Serve a portal that waits for callbacks."""
    portal = Portal(keys)
    app = web.Application()
    app.router.add_post("/v1/departments/public-security/progress", portal.progress)
    async with served(app) as base:
        portal.url = f"{base}/v1/departments/public-security/progress"
        yield portal


@asynccontextmanager
async def opened(data: Path, keys: Keys, clock: Clock, *, pause_ms: int = 20) -> AsyncIterator[Caller]:
    """Open a sandbox on a data file, and a caller of it."""
    settings = Settings(
        host="127.0.0.1", port=0, data=data, credentials=data, pause_ms=pause_ms, callback_hosts=frozenset()
    )
    credentials = Credentials.parse(json.dumps(keys.told))
    app = await create_app(settings, credentials, studio=FakeStudio(), clock=clock)
    # A caller that hangs up must be seen to hang up: no connection is kept for later.
    connector = aiohttp.TCPConnector(force_close=True)
    async with served(app) as base, aiohttp.ClientSession(connector=connector) as session:
        yield Caller(session, base, keys, clock)
