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
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from api import app as edge
from api.citizen import applications, matters
from api.citizen.asking import commitments as my_commitments
from api.citizen.asking import copies as submission_copies
from api.citizen.asking import files, value_reports
from api.citizen.asking import materials as kept_materials
from api.citizen.asking import results as my_results
from api.citizen.life import bundles
from api.departments import case_files, incoming_messages, progress
from api.idempotency import Idempotency
from api.public import decision_checks, progress_queries
from api.public import files as public_files
from api.public.catalogue import life, sharing
from api.public.catalogue import matters as public_matters
from api.staff.applications import branches as staff_branches
from api.staff.applications import commitments as staff_commitments
from api.staff.applications import deliveries, elsewhere, handling, held_texts, letters, queues
from api.staff.applications import materials as staff_materials
from api.staff.applications import ratings as staff_ratings
from api.staff.applications import results as staff_results
from api.staff.exchange import counts as exchange_counts
from api.staff.exchange import outages
from api.staff.supervision import extensions
from api.staff.supervision import orders as supervision_orders
from auth.errors import TokenInvalid
from auth.types import Caller, Level, Role, RoleGrant, StaffCaller, StaffScope
from core.signers.http_signature import SignatureChecker, TrustedKey
from matters.materials.spared import SparedMaterials
from matters.ratings.figures import RatingFigures
from matters.routing.elsewhere import Elsewhere
from matters.settings import MatterSettings
from matters.texting.progress import ProgressByText
from tests.fakes.ways import usual_menu
from tests.matters.conftest import Desk
from tests.matters.overseeing import overseen


class FakeSessions:
    """Knows one person at every level, and another."""

    def __init__(self, me: Caller, other: Caller) -> None:
        self._callers = {level.value: replace(me, level=level) for level in Level} | {"other": other}

    async def caller_of(self, token: str, *, lately: bool = False) -> Caller:
        if token not in self._callers:
            raise TokenInvalid
        return self._callers[token]


class FakeStaffSessions:
    """Knows a clerk of everything, one of education alone, an auditor, and two people for every role.

    `acceptor` and `acceptor.2` are the two of a role; each is the same person in every request.
    """

    def __init__(self) -> None:
        education = StaffScope(department="education")
        self._grants = {
            "clerk": (RoleGrant(Role.OPERATOR), RoleGrant(Role.ACCEPTOR)),
            "education": (RoleGrant(Role.ACCEPTOR, education),),
            "taxation": (RoleGrant(Role.DEPARTMENT_OPERATOR, StaffScope(department="taxation")),),
            "inspector": (RoleGrant(Role.DEPARTMENT_OPERATOR), RoleGrant(Role.APPROVER)),
            "auditor": (RoleGrant(Role.AUDITOR),),
            "everything": tuple(RoleGrant(role) for role in (Role.ACCEPTOR, Role.APPROVER, Role.OPERATOR)),
            "elsewhere": (RoleGrant(Role.ACCEPTOR, StaffScope(region="440100")),),
            "town": (RoleGrant(Role.ACCEPTOR, StaffScope(region="9999")),),
            "head": (RoleGrant(Role.APPROVER, StaffScope(department="public-security")),),
        }
        for role in Role:
            self._grants |= {f"{role.value}{which}": (RoleGrant(role),) for which in ("", ".2")}

    async def caller_of(self, token: str, *, address: str) -> StaffCaller:
        if token not in self._grants:
            raise TokenInvalid
        return StaffCaller(uuid5(NAMESPACE_URL, token), uuid4(), token, self._grants[token])


class FakeOpenings:
    """Counts who has opened something."""

    def __init__(self) -> None:
        self.counted: list[UUID] = []

    async def count(self, caller: StaffCaller) -> None:
        self.counted.append(caller.operator_id)


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

    def sign(self, url: str, body: bytes, *, at: datetime, nonce: str = "", method: str = "POST") -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        message = _Message(
            method, url, {"Content-Type": "application/json", "Content-Digest": f"sha-256=:{digest}:"}, body
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
        self, path: str, body: object = None, *, key: str | None = None, token: str = "real_name", **headers: str
    ) -> Answered:
        return await self.call("POST", path, body, token=token, Idempotency_Key=key or uuid4().hex, **headers)

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
        what: str = "progress",
    ) -> Answered:
        url = f"{self.base}/v1/departments/{department}/{what}"
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
        clock=ground.clock,
        matters=SimpleNamespace(
            file_addresses=desk.file_addresses,
            case_files=desk.case_files,
            demands=desk.demands,
            vault=desk.vault,
            life=desk.life,
            bundles=desk.bundles,
            copies=desk.copies,
            held_texts=desk.held_texts,
            spared=SparedMaterials(),
            rating_tickets=desk.rating_tickets,
            rating_figures=RatingFigures(),
            branches=SimpleNamespace(branches=desk.branches, tracking=desk.branch_tracking),
            commitments=desk.commitments,
            results=SimpleNamespace(documents=desk.documents, deliveries=desk.deliveries, archives=desk.archives),
            exchange=desk.exchange,
            elsewhere=Elsewhere(),
            handling=desk.handling,
            progress_by_text=ProgressByText(progress=desk.progress, limits=ground.limits, settings=MatterSettings()),
            supervision=overseen(desk),
        ),
        openings=FakeOpenings(),
        staff_sessions=FakeStaffSessions(),
        value_reports=desk.value_reports,
    )
    routes = [
        files.routes,
        kept_materials.routes,
        value_reports.routes,
        submission_copies.routes,
        my_results.routes,
        staff_results.routes,
        staff_branches.routes,
        my_commitments.routes,
        staff_commitments.routes,
        decision_checks.routes,
        staff_materials.routes,
        staff_ratings.routes,
        held_texts.routes,
        elsewhere.routes,
        exchange_counts.routes,
        outages.routes,
        queues.routes,
        handling.routes,
        deliveries.routes,
        letters.routes,
        extensions.routes,
        supervision_orders.routes,
        public_files.routes,
        matters.routes,
        applications.routes,
        progress.routes,
        case_files.routes,
        incoming_messages.routes,
        progress_queries.routes,
        life.routes,
        bundles.routes,
        public_matters.routes,
        sharing.routes,
    ]
    app = edge.create_app(
        services,
        routes,
        clock=ground.clock,
        ids=ground.ids,
        menu=usual_menu(),
        heard=desk.exchange.watch.heard,
        name=f"test-{uuid4().hex}",
    )
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Portal(session, base, desk, public_security, human_resources)
    await server.close()
