"""The portal as far as mandates reach: people, wallet and matters together, over a real connection."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from api import app as edge
from api.citizen import applications, certificates, face_checks, ledger, matters, me, sessions
from api.citizen.delegation import mandates, organisations, relatives
from api.citizen.wallet import showing
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.idempotency import Idempotency
from api.wiring.outside.departments import partners_of
from auth.registers.verifiers import RegisteredVerifiers
from auth.staff.errors import NotApproved
from auth.types import Caller, Level
from certificates.keys import IssuerKeys
from certificates.living.asking import Asking
from certificates.living.history import History as CertificateHistory
from certificates.living.keeping import Keeping
from certificates.offline.status_lists import StatusLists
from certificates.presentation import Presentation
from certificates.records import Records as CertificateRecords
from certificates.settings import CertificateSettings
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.calendar_store import CalendarStore, fill_calendar
from core.db import transaction
from matters.applications.claims import Claims
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.numbers import Numbers
from matters.applications.progress import Progress
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.withdrawals import Withdrawals
from matters.attachments.attachments import Attachments
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.knowing import Knowing
from matters.exchange.health import ServiceHealth
from matters.handover.case_files import CaseFiles
from matters.handover.letters import Letters
from matters.handover.polling import Polling
from matters.materials.demands import Demands
from matters.materials.resolving import Materials
from matters.materials.retention import Retention
from matters.materials.vault import MaterialVault
from matters.ratings.ratings import Ratings
from matters.ratings.tickets import RatingTickets
from matters.routing.pulling import Pulls
from matters.routing.routing import Routing
from matters.settings import MatterSettings
from matters.texts.checking import TextChecks
from matters.texts.remarks import Remarks
from tests.fakes.certificates import LICENCE, PERMIT, FakeIssuer, FakeVerifiers, issued
from tests.fakes.delegation import Household
from tests.fakes.matters import FakeDepartment, FakeFileStore, FakeInspector, FakeOfficers, FakeOpenids
from tests.fakes.shipped import shipped_kinds, shipped_matters, shipped_routing
from tests.matters.conftest import good_records

ROUTES = [
    sessions.routes,
    me.routes,
    face_checks.routes,
    relatives.routes,
    mandates.routes,
    organisations.routes,
    ledger.routes,
    certificates.routes,
    showing.routes,
    matters.routes,
    applications.routes,
]


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    json: Any
    text: str

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass
class Phone:
    """Somebody with a phone: logged in under a real name, present."""

    office: "Office"
    caller: Caller
    token: str
    name: str
    number: str

    @property
    def id(self) -> UUID:
        return self.caller.citizen_id

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        under: object = None,
        key: str | None = None,
        file: bytes | None = None,
        **headers: str,
    ) -> Answered:
        """Send a request, under a mandate when one is named."""
        own = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if under is not None:
            own["X-On-Behalf-Of"] = str(under)
        if key is not None:
            own["Idempotency-Key"] = key
        form = None
        if file is not None:
            form = aiohttp.FormData()
            form.add_field("file", file, filename="a.pdf", content_type="application/pdf")
        async with self.office.session.request(
            method, self.office.base + path, json=None if form else body, data=form, headers=own
        ) as got:
            return Answered(got.status, got.headers, await got.json(content_type=None), await got.text())

    async def hold(self, kind: str) -> str:
        """Fetch a certificate that the issuers have, and return its id."""
        self.office.issue(self, kind)
        got = await self.ask("POST", "/v1/citizen/certificates", {"kind": kind})
        assert got.status in {200, 201}, got.text
        return str(got.json["id"])


@dataclass
class Office:
    """The portal and what lies behind it."""

    house: Household
    session: aiohttp.ClientSession
    base: str
    issuer: FakeIssuer
    verification: Verification
    services: SimpleNamespace
    catalogue: Catalogue

    async def phone(self, name: str, born: str = "19850312") -> Phone:
        """Let somebody in."""
        caller, person = await self.house.somebody(name, born)
        grant = await self.house.auth.log_in(f"openid-{self.house.serials[0]}")
        logged_in = await self.house.auth.sessions.caller_of(grant.access_token)
        await self.raise_level(logged_in)
        assert logged_in.citizen_id == caller.citizen_id
        return Phone(self, logged_in, grant.access_token, person.name.reveal(), person.id_number.reveal())

    async def raise_level(self, caller: Caller) -> None:
        """As a passed face check does."""
        sessions_, until = self.house.auth.sessions, self.house.auth.sessions.fresh_until(elder=False)
        await transaction(lambda: sessions_.raise_level(caller.session_id, Level.PRESENT, until=until))

    def issue(self, who: Phone, kind: str) -> None:
        """Let an issuer have a certificate for somebody."""
        own = {"name": who.name}
        if kind == "driving-licence":
            certificate = issued({**LICENCE, **own, "number": who.number}, serial=f"DL{who.number[-6:]}")
        else:
            certificate = issued({**PERMIT, **own, "id_number": who.number}, serial=f"RP{who.number[-6:]}")
        self.issuer.drawer[kind, who.number] = certificate

    def code_of(self, slug: str) -> str:
        return self.catalogue.find(slug).matter.code

    async def mandate(self, principal: Phone, agent: Phone, scope: Mapping[str, object], **more: object) -> str:
        """Offer and accept a mandate over the connection, and return its id."""
        ends_at = self.house.terms().ends_at.isoformat()
        relative = await self.house.tied(principal.caller, agent.caller)
        offered = await principal.ask(
            "POST",
            "/v1/citizen/mandates",
            {"relative": str(relative), "scope": scope, "ends_at": ends_at, **more},
        )
        assert offered.status == 201, offered.text
        accepted = await agent.ask("POST", f"/v1/citizen/mandates/{offered.json['id']}/acceptances")
        assert accepted.status == 201, accepted.text
        return str(offered.json["id"])


async def nobody_approves(approval: UUID, action: str, payload: Mapping[str, object]) -> tuple[UUID, UUID | None]:
    """No second person sits here."""
    del approval, action, payload
    raise NotApproved


@asynccontextmanager
async def opened(house: Household) -> AsyncIterator[Office]:
    """Serve the portal on a free port of loopback."""
    ground, auth = house.auth.ground, house.auth
    await fill_calendar(first_year=2026)
    clock, ids, vault, audit, limits = ground.clock, ground.ids, ground.vault, ground.audit, ground.limits
    settings = CertificateSettings(verify_limit="1000/minute", fetch_limit="1000/minute", show_limit="1000/minute")
    kinds, issuer = shipped_kinds(), FakeIssuer()
    records = CertificateRecords(vault=vault, clock=clock, ids=ids)
    past = CertificateHistory(jobs=ground.jobs, clock=clock, ids=ids)
    wallet = Wallet(
        kinds=kinds,
        asking=Asking(
            issuers={"public-security": issuer, "human-resources": issuer},
            persons=auth.realname,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        keeping=Keeping(records=records, history=past, groups=auth.groups, audit=audit, clock=clock),
        history=past,
        records=records,
        audit=audit,
        jobs=ground.jobs,
        limits=limits,
        clock=clock,
        settings=settings,
    )
    shared = {"kinds": kinds, "records": records, "audit": audit, "limits": limits, "clock": clock}
    keys, verifiers = IssuerKeys(lambda: ground.ring.issuers, clock=clock), RegisteredVerifiers(clock=clock, ids=ids)
    lists = StatusLists(keys=keys, public_url="http://127.0.0.1:8000", clock=clock, ids=ids, settings=settings)
    verification = Verification(
        **shared,  # type: ignore[arg-type]
        sessions=auth.sessions,
        verifiers=verifiers,
        keys=keys,
        lists=lists,
        vault=vault,
        jobs=ground.jobs,
        settings=settings,
    )
    catalogue, matter_settings = Catalogue(shipped_matters()), MatterSettings(submissions_per_hour=1000)
    history = History(clock=clock, ids=ids, vault=vault, deadlines=Deadlines(calendar=CalendarStore(clock=clock)))
    base = {"audit": audit, "vault": vault}
    files, letters = FakeFileStore(), Letters(jobs=ground.jobs, clock=clock, ids=ids)
    kept = MaterialVault(
        catalogue=catalogue,
        files=files,
        retention=Retention({}),
        jobs=ground.jobs,
        clock=clock,
        ids=ids,
        settings=matter_settings,
        **base,  # type: ignore[arg-type]
    )
    knowing = Knowing(holdings=wallet, people=auth.realname, clock=clock)
    materials = Materials(catalogue=catalogue, knowing=knowing, vault=kept, jobs=ground.jobs, clock=clock, ids=ids)
    guides = Guides(catalogue=catalogue, knowing=knowing, materials=materials)
    tables = shipped_routing()
    routing = Routing(table=tables, officers=FakeOfficers())
    health = ServiceHealth(
        partners=frozenset,
        partners_of=partners_of,
        clock=clock,
        settings=matter_settings.exchange,
        within=timedelta(minutes=15),
        audit=audit,
    )
    departments = {each.desk: FakeDepartment() for each in catalogue.all}
    tracking = Tracking(
        history=history,
        catalogue=catalogue,
        jobs=ground.jobs,
        limits=limits,
        clock=clock,
        ids=ids,
        settings=matter_settings,
        **base,  # type: ignore[arg-type]
    )
    progress = Progress(
        catalogue=catalogue,
        history=history,
        materials=materials,
        health=health,
        routing=routing,
        limits=limits,
        clock=clock,
        settings=matter_settings,
        **base,  # type: ignore[arg-type]
    )
    eligibility = Eligibility(
        catalogue=catalogue,
        people=auth.realname,
        records=good_records(),
        audit=audit,
        limits=limits,
        clock=clock,
        settings=matter_settings,
    )
    texts = TextChecks(catalogue=catalogue, platform=None, openids=FakeOpenids(), words=(), clock=clock, ids=ids)
    remarks = Remarks(checks=texts, catalogue=catalogue, vault=vault, jobs=ground.jobs, clock=clock, ids=ids)
    services = SimpleNamespace(
        idempotency=Idempotency(vault=vault, clock=clock, ids=ids),
        matters=SimpleNamespace(exchange=SimpleNamespace(health=health)),
        sessions=auth.sessions,
        logout=auth.logout,
        login=auth.login,
        accounts=auth.accounts,
        citizens=auth.citizens,
        realname=auth.realname,
        authority=house.authority,
        relatives=house.relatives,
        mandates=house.mandates,
        guardians=house.guardians,
        organisations=house.organisations,
        wallet=wallet,
        ledger_terms=LedgerTerms(kinds=kinds, verifiers=FakeVerifiers(), purposes=ledger.purpose_words()),
        presentation=Presentation(**shared, verifiers=verifiers, ids=ids, settings=settings),  # type: ignore[arg-type]
        verification=verification,
        catalogue=catalogue,
        guides=guides,
        eligibility=eligibility,
        progress=progress,
        drafts=Drafts(
            catalogue=catalogue,
            people=auth.realname,
            holdings=wallet,
            knowing=knowing,
            history=history,
            progress=progress,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=matter_settings,
            **base,  # type: ignore[arg-type]
        ),
        attachments=Attachments(
            catalogue=catalogue,
            materials=materials,
            files=files,
            inspector=FakeInspector(),
            scanner=None,
            jobs=ground.jobs,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=matter_settings,
            **base,  # type: ignore[arg-type]
        ),
        submission=Submission(
            catalogue=catalogue,
            knowing=knowing,
            materials=materials,
            people=auth.realname,
            departments=departments,
            eligibility=eligibility,
            history=history,
            tracking=tracking,
            polling=Polling(
                departments=departments,
                pauses={},
                catalogue=catalogue,
                tracking=tracking,
                demands=Demands(
                    catalogue=catalogue,
                    materials=materials,
                    history=history,
                    audit=audit,
                    jobs=ground.jobs,
                    spend=nobody_approves,
                ),
                jobs=ground.jobs,
                clock=clock,
            ),
            case_files=CaseFiles(
                catalogue=catalogue,
                files=files,
                limits=limits,
                clock=clock,
                public_url="http://127.0.0.1:8000",
                settings=matter_settings,
                **base,  # type: ignore[arg-type]
            ),
            claims=Claims(routing=routing, clock=clock),
            pulls=Pulls(table=tables, records=good_records(), audit=audit),
            numbers=Numbers(clock=clock),
            texts=texts,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            public_url="http://127.0.0.1:8000",
            settings=matter_settings,
            **base,  # type: ignore[arg-type]
        ),
        supplements=Supplements(
            catalogue=catalogue,
            history=history,
            progress=progress,
            remarks=remarks,
            letters=letters,
            clock=clock,
            **base,  # type: ignore[arg-type]
        ),
        withdrawals=Withdrawals(
            catalogue=catalogue,
            departments=departments,
            history=history,
            progress=progress,
            letters=letters,
            jobs=ground.jobs,
            clock=clock,
            **base,  # type: ignore[arg-type]
        ),
        ratings=Ratings(
            tickets=RatingTickets(
                deadlines=Deadlines(calendar=CalendarStore(clock=clock)),
                clock=clock,
                ids=ids,
                settings=matter_settings,
                **base,  # type: ignore[arg-type]
            ),
            remarks=remarks,
            clock=clock,
            ids=ids,
            **base,  # type: ignore[arg-type]
        ),
    )
    app = edge.create_app(services, ROUTES, clock=clock, ids=ids, name=f"test-{uuid4().hex}")
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Office(
            house=house,
            session=session,
            base=f"http://127.0.0.1:{listener.getsockname()[1]}",
            issuer=issuer,
            verification=verification,
            services=services,
            catalogue=catalogue,
        )
    await server.close()
