"""The rooms of matters built over a real database and fakes of everything outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.wiring.handling.exchange import ExchangeServices
from api.wiring.handling.staff import HandlingServices
from api.wiring.outside.departments import partners_of
from auth.staff.errors import NotApproved
from auth.types import Caller, Level, ReadPurpose
from certificates.copies.seals import Seals
from certificates.keys import IssuerKeys
from certificates.settings import CertificateSettings
from core.calendar_store import CalendarStore, fill_calendar
from core.db import as_json, fetch, fetch_one, transaction
from matters.applications.claims import Claims
from matters.applications.draft_life import DraftLife
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.held_texts import HeldTexts
from matters.applications.numbers import Numbers
from matters.applications.progress import Progress
from matters.applications.records import Submitted, read_record
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.value_reports import ValueReports
from matters.applications.withdrawals import Withdrawals
from matters.attachments.attachments import Attachments
from matters.attachments.file_addresses import FileAddresses
from matters.attachments.reuses import Reuses
from matters.branches.branches import Branches
from matters.branches.deliveries import BranchDeliveries, BranchTracking
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.knowing import Knowing
from matters.catalogue.life.bundles import Bundles
from matters.catalogue.life.views import LifeViews
from matters.exchange.counting import ExchangeCounts
from matters.exchange.health import ServiceHealth
from matters.exchange.reading import ExchangeFigures, counted_as, load_resources
from matters.exchange.watching import ExchangeWatch
from matters.handover.case_files import CaseFiles
from matters.handover.letters import Letters
from matters.handover.polling import Polling
from matters.letters.deliveries import LetterDeliveries
from matters.materials.commitments import Commitments
from matters.materials.demands import Demands
from matters.materials.resolving import Materials
from matters.materials.retention import Retention
from matters.materials.vault import MaterialVault
from matters.papers.submission_copies import SubmissionCopies
from matters.ratings.defaults import DefaultRatings
from matters.ratings.ratings import Ratings
from matters.ratings.tickets import RatingTickets
from matters.results.archives import ArchivePackages
from matters.results.deliveries import ResultDeliveries
from matters.results.documents import DecisionDocuments
from matters.routing.pulling import Pulls
from matters.routing.routing import Routing
from matters.settings import MatterSettings
from matters.texts.checking import TextChecks
from matters.texts.remarks import Remarks
from matters.types import Capability, Dedupe, ProgressEvent, State
from matters.views.types import ApplicationView
from tests.conftest import Ground
from tests.fakes.matters import (
    FakeDepartment,
    FakeFileStore,
    FakeHoldings,
    FakeHomeRegistry,
    FakeInspector,
    FakeOfficers,
    FakeOpenids,
    FakePeople,
    FakeRecords,
    FakeScanner,
    FakeTextCheck,
    FakeValueDesk,
)
from tests.fakes.papers import FakeLayOut
from tests.fakes.shipped import shipped_lists, shipped_matters, shipped_routing

ENDORSEMENT = "residence-permit-endorsement"
PENSION = "pension-eligibility"
SETTLEMENT = "graduate-settlement"
RETURNED = frozenset({"household-move"})
# The test file that every scanner knows, cut in two so that none of them takes this file for it.
EICAR = b"X5O!P%@AP[4" + b"\\PZX54(P^)7CC)7}$EICAR"


@dataclass(frozen=True, slots=True)
class Desk:
    """All use cases of matters, the fakes behind them, and a few sentences that tests say often."""

    ground: Ground
    public_security: FakeDepartment
    pension_desk: FakeDepartment
    common_desk: FakeDepartment
    departments: dict[str, FakeDepartment]
    records: dict[str, FakeRecords]
    people: FakePeople
    holdings: FakeHoldings
    files: FakeFileStore
    scanner: FakeScanner
    platform: FakeTextCheck
    openids: FakeOpenids
    held_texts: HeldTexts
    remarks: Remarks
    copies: SubmissionCopies
    file_addresses: FileAddresses
    case_files: CaseFiles
    catalogue: Catalogue
    guides: Guides
    life: LifeViews
    bundles: Bundles
    materials: Materials
    vault: MaterialVault
    reuses: Reuses
    demands: Demands
    history: History
    deadlines: Deadlines
    tracking: Tracking
    polling: Polling
    letters: LetterDeliveries
    registry: FakeHomeRegistry
    progress: Progress
    exchange: ExchangeServices
    claims: Claims
    officers: FakeOfficers
    routing: Routing
    drafts: Drafts
    draft_life: DraftLife
    value_desk: FakeValueDesk
    value_reports: ValueReports
    attachments: Attachments
    eligibility: Eligibility
    submission: Submission
    withdrawals: Withdrawals
    supplements: Supplements
    ratings: Ratings
    default_ratings: DefaultRatings
    rating_tickets: RatingTickets
    commitments: Commitments
    branches: Branches
    branch_deliveries: BranchDeliveries
    branch_tracking: BranchTracking
    lay_out: FakeLayOut
    documents: DecisionDocuments
    deliveries: ResultDeliveries
    archives: ArchivePackages
    handling: HandlingServices
    approved: dict[UUID, tuple[UUID, UUID]]

    def citizen(self, level: Level = Level.REAL_NAME, *, permit: bool = True) -> Caller:
        """Return a new caller under a real name."""
        citizen_id = self.ground.ids.uuid()
        self.people.add(citizen_id)
        if permit:
            self.holdings.give(citizen_id)
        return Caller(citizen_id, self.ground.ids.uuid(), level, False, citizen_id)

    async def submitted(self, caller: Caller, matter: str = ENDORSEMENT) -> Submitted:
        """Start and submit an application."""
        draft = await self.drafts.start(caller, matter, {})
        return await self.submit(caller, draft.id)

    async def submit(self, caller: Caller, application_id: UUID) -> Submitted:
        """Submit a draft as the edge does: the number first, then one transaction."""
        number = await self.submission.reserve(caller, application_id)
        return await transaction(lambda: self.submission.submit(caller, application_id, number))

    async def deliver(self, application_id: UUID) -> None:
        """Run the job as the runner does."""
        change = await self.submission.deliver(str(application_id))
        if change is not None:
            await transaction(change)

    async def look_at_remarks(self) -> None:
        """Run all jobs that look at what was written beside an application, as the runner does."""
        for job in await jobs_named("matters.look-at-text"):
            change = await self.remarks.look(job["subject_id"])
            if change is not None:
                await transaction(change)

    async def send_letters(self) -> None:
        """Run the jobs that send letters, each once, as the runner does."""
        for payload in await jobs_named("matters.send-letter"):
            change = await self.letters.send(payload["letter_id"])
            if change is not None:
                await transaction(change)

    async def put_on_paper(self, application_id: UUID) -> int:
        """Run the job that follows a decision, and what the timetable does of it."""
        change = await self.documents.promise(str(application_id))
        if change is not None:
            await transaction(change)
        return await self.documents.make_next()

    async def claim(self, application_id: UUID) -> None:
        """Begin to send a dossier, as a worker does that dies before it has an answer."""
        record = await read_record(self.ground.vault, application_id)
        published = self.catalogue.of_case(record.matter_code, record.matter_version)
        number = (await self.people.person_of(record.citizen_id, ReadPurpose.APPLICATION)).id_number
        assert await self.claims.take(record, published, number=number) is not None

    async def hear(self, reference: str, sequence: int, state: State, **more: Any) -> None:
        """Let public security tell of a case."""
        event = ProgressEvent(
            event_id=f"{reference[-6:]}-{sequence}",
            reference=reference,
            sequence=sequence,
            state=state,
            at=datetime(2026, 3, 10, 3, sequence, tzinfo=UTC),
            **more,
        )
        await self.tracking.hear("public-security", event)

    async def view(self, caller: Caller, application_id: UUID) -> ApplicationView:
        """Read an application."""
        return await self.progress.get(caller, application_id)


async def jobs_named(name: str) -> list[Mapping[str, Any]]:
    """Return the payloads of all jobs of a name."""
    rows = await fetch("SELECT payload FROM job WHERE name = $1 ORDER BY created_at", name)
    return [as_json(row["payload"]) for row in rows]


async def count_of(table: str) -> int:
    """Return how many rows a table has."""
    row = await fetch_one(f"SELECT count(*) AS n FROM {table}")  # noqa: S608 — names of our own tables
    return int(row["n"]) if row else 0


def good_records() -> dict[str, FakeRecords]:
    """Return departments that all answer well."""
    return {
        "education": FakeRecords({"result": "confirmed", "degree": "bachelor", "graduated_on": date(2025, 6, 30)}),
        "human-resources": FakeRecords({"insured": True}),
        "public-security": FakeRecords({"result": "clear"}),
        "real-estate": FakeRecords({"result": "rented"}),
    }


@pytest.fixture
async def desk(ground: Ground) -> Desk:
    """Everything of matters, with the calendar of 2026 published and that of 2027 not."""
    await fill_calendar(first_year=2026)
    settings = MatterSettings(submissions_per_hour=1000, check_limit="10000/minute", callback_limit="10000/second")
    clock, ids, vault, audit, limits = ground.clock, ground.ids, ground.vault, ground.audit, ground.limits
    people, holdings, files, records = FakePeople(), FakeHoldings(), FakeFileStore(), good_records()
    scanner, value_desk = FakeScanner(EICAR), FakeValueDesk()
    platform, openids = FakeTextCheck(), FakeOpenids()
    public_security, pension_desk = FakeDepartment(), FakeDepartment(approves={"next_due_on": "2027-03-10"})
    common_desk = FakeDepartment()
    departments = {
        "public-security": public_security,
        "human-resources": pension_desk,
        "department-desk": common_desk,
        **{
            slug: FakeDepartment()
            for slug in (
                "taxation",
                "notary",
                "civil-affairs",
                "health",
                "real-estate",
                "disabled-persons",
                "housing-fund",
                "education",
            )
        },
    }
    for slug in ("taxation", "notary"):
        departments[slug].dedupe = Dedupe.QUERY
        departments[slug].capabilities = frozenset(
            {Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.WITHDRAW}
        )
    catalogue = Catalogue(shipped_matters())
    deadlines = Deadlines(calendar=CalendarStore(clock=clock))
    history = History(clock=clock, ids=ids, vault=vault, deadlines=deadlines, gate=catalogue.is_decided_together)
    tracking = Tracking(
        history=history,
        catalogue=catalogue,
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        limits=limits,
        clock=clock,
        ids=ids,
        settings=settings,
        returned=RETURNED,
    )
    letters, registry = Letters(jobs=ground.jobs, clock=clock, ids=ids), FakeHomeRegistry()
    kept = MaterialVault(
        catalogue=catalogue,
        files=files,
        retention=Retention({}),
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        clock=clock,
        ids=ids,
        settings=settings,
    )
    knowing = Knowing(holdings=holdings, people=people, clock=clock)
    materials = Materials(catalogue=catalogue, knowing=knowing, vault=kept, jobs=ground.jobs, clock=clock, ids=ids)
    guides = Guides(catalogue=catalogue, knowing=knowing, materials=materials)
    life = LifeViews(catalogue=catalogue, lists=shipped_lists())
    eligibility = Eligibility(
        catalogue=catalogue,
        people=people,
        records=records,
        audit=audit,
        limits=limits,
        clock=clock,
        settings=settings,
    )
    officers = FakeOfficers()
    resources, routing = load_resources(), Routing(table=shipped_routing(), officers=officers)
    claims = Claims(routing=routing, clock=clock)
    counts = ExchangeCounts(resources=counted_as(resources), clock=clock, ids=ids, settings=settings.exchange)
    figures = ExchangeFigures(
        systems=lambda: {"public-security", "education"}, resources=resources, clock=clock, settings=settings.exchange
    )
    health = ServiceHealth(
        partners=lambda: {"public-security", "human-resources", "education"},
        partners_of=partners_of,
        audit=audit,
        clock=clock,
        settings=settings.exchange,
        within=timedelta(minutes=15),
    )
    progress = Progress(
        catalogue=catalogue,
        history=history,
        materials=materials,
        health=health,
        routing=routing,
        vault=vault,
        audit=audit,
        limits=limits,
        clock=clock,
        settings=settings,
    )
    approved: dict[UUID, tuple[UUID, UUID]] = {}

    async def spend(approval: UUID, action: str, payload: Mapping[str, object]) -> tuple[UUID, UUID | None]:
        del action, payload
        if approval not in approved:
            raise NotApproved
        return approved.pop(approval)

    demands = Demands(
        catalogue=catalogue, materials=materials, history=history, audit=audit, jobs=ground.jobs, spend=spend
    )
    polling = Polling(
        departments=departments,
        pauses={"taxation": timedelta(seconds=60), "notary": timedelta(seconds=60)},
        catalogue=catalogue,
        tracking=tracking,
        demands=demands,
        jobs=ground.jobs,
        clock=clock,
    )
    texts = TextChecks(catalogue=catalogue, platform=platform, openids=openids, words=(), clock=clock, ids=ids)
    remarks = Remarks(checks=texts, catalogue=catalogue, vault=vault, jobs=ground.jobs, clock=clock, ids=ids)
    tickets = RatingTickets(deadlines=deadlines, audit=audit, vault=vault, clock=clock, ids=ids, settings=settings)
    branches = Branches(
        catalogue=catalogue,
        history=history,
        tracking=tracking,
        deadlines=deadlines,
        audit=audit,
        jobs=ground.jobs,
        letters=letters,
        vault=vault,
        clock=clock,
        ids=ids,
    )
    case_files = CaseFiles(
        catalogue=catalogue,
        files=files,
        audit=audit,
        vault=vault,
        limits=limits,
        clock=clock,
        public_url="http://127.0.0.1:8000",
        settings=settings,
    )
    branch_deliveries = BranchDeliveries(
        catalogue=catalogue,
        people=people,
        departments=departments,
        case_files=case_files,
        audit=audit,
        vault=vault,
        public_url="http://127.0.0.1:8000",
    )
    branch_tracking = BranchTracking(
        branches,
        history=history,
        catalogue=catalogue,
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        limits=limits,
        clock=clock,
        ids=ids,
        settings=settings,
        returned=RETURNED,
    )
    deliveries = ResultDeliveries(
        catalogue=catalogue,
        history=history,
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        clock=clock,
        ids=ids,
        settings=settings,
    )
    issuer = Seals(keys=IssuerKeys(lambda: ground.ring.issuers, clock=clock), settings=CertificateSettings())
    lay_out = FakeLayOut()
    documents = DecisionDocuments(
        catalogue=catalogue,
        people=people,
        history=history,
        deliveries=deliveries,
        files=files,
        sealer=issuer,
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        limits=limits,
        clock=clock,
        ids=ids,
        settings=settings,
        lay_out=lay_out,
    )
    archives = ArchivePackages(
        history=history,
        documents=documents,
        files=files,
        sealer=issuer,
        audit=audit,
        jobs=ground.jobs,
        vault=vault,
        clock=clock,
        ids=ids,
    )
    drafts = Drafts(
        catalogue=catalogue,
        people=people,
        holdings=holdings,
        knowing=knowing,
        history=history,
        progress=progress,
        audit=audit,
        vault=vault,
        limits=limits,
        clock=clock,
        ids=ids,
        settings=settings,
    )
    return Desk(
        ground=ground,
        public_security=public_security,
        pension_desk=pension_desk,
        common_desk=common_desk,
        departments=departments,
        records=records,
        people=people,
        holdings=holdings,
        files=files,
        scanner=scanner,
        platform=platform,
        openids=openids,
        remarks=remarks,
        held_texts=HeldTexts(
            catalogue=catalogue,
            history=history,
            tracking=tracking,
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            clock=clock,
        ),
        copies=SubmissionCopies(
            catalogue=catalogue,
            materials=materials,
            kinds={"residence-permit": "居住证"},
            vault=vault,
            audit=audit,
            limits=limits,
            settings=settings,
        ),
        case_files=case_files,
        file_addresses=FileAddresses(
            catalogue=catalogue,
            files=files,
            kept=kept,
            audit=audit,
            vault=vault,
            limits=limits,
            clock=clock,
            settings=settings,
        ),
        catalogue=catalogue,
        guides=guides,
        life=life,
        bundles=Bundles(views=life, guides=guides, drafts=drafts),
        materials=materials,
        vault=kept,
        reuses=Reuses(catalogue=catalogue, kept=kept, files=files, audit=audit, vault=vault, clock=clock, ids=ids),
        demands=demands,
        history=history,
        deadlines=deadlines,
        tracking=tracking,
        polling=polling,
        letters=LetterDeliveries(
            catalogue=catalogue,
            history=history,
            people=people,
            departments=departments,
            registries={"public-security": registry},
            table=shipped_routing(),
            letters=letters,
            case_files=case_files,
            audit=audit,
            vault=vault,
            clock=clock,
        ),
        registry=registry,
        progress=progress,
        claims=claims,
        officers=officers,
        routing=routing,
        exchange=ExchangeServices(counts, health, figures, ExchangeWatch(counts=counts, health=health)),
        draft_life=DraftLife(catalogue=catalogue, audit=audit, jobs=ground.jobs, clock=clock, settings=settings),
        value_desk=value_desk,
        value_reports=ValueReports(catalogue=catalogue, desk=value_desk, vault=vault, clock=clock),
        drafts=drafts,
        attachments=Attachments(
            catalogue=catalogue,
            materials=materials,
            files=files,
            inspector=FakeInspector(),
            scanner=scanner,
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        eligibility=eligibility,
        submission=Submission(
            catalogue=catalogue,
            knowing=knowing,
            materials=materials,
            people=people,
            departments=departments,
            eligibility=eligibility,
            history=history,
            tracking=tracking,
            polling=polling,
            case_files=case_files,
            claims=claims,
            pulls=Pulls(table=shipped_routing(), records=records, audit=audit),
            numbers=Numbers(clock=clock),
            texts=texts,
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            clock=clock,
            ids=ids,
            public_url="http://127.0.0.1:8000",
            settings=settings,
        ),
        withdrawals=Withdrawals(
            catalogue=catalogue,
            departments=departments,
            history=history,
            progress=progress,
            audit=audit,
            jobs=ground.jobs,
            letters=letters,
            vault=vault,
            clock=clock,
        ),
        supplements=Supplements(
            catalogue=catalogue,
            history=history,
            progress=progress,
            remarks=remarks,
            letters=letters,
            audit=audit,
            vault=vault,
            clock=clock,
        ),
        ratings=Ratings(tickets=tickets, remarks=remarks, audit=audit, vault=vault, clock=clock, ids=ids),
        default_ratings=DefaultRatings(clock=clock, ids=ids, settings=settings),
        rating_tickets=tickets,
        commitments=Commitments(catalogue=catalogue, remarks=remarks, audit=audit, vault=vault, clock=clock),
        branches=branches,
        branch_deliveries=branch_deliveries,
        branch_tracking=branch_tracking,
        lay_out=lay_out,
        documents=documents,
        deliveries=deliveries,
        archives=archives,
        handling=HandlingServices.build(
            catalogue=catalogue,
            history=history,
            tracking=tracking,
            deadlines=deadlines,
            polling=polling,
            audit=audit,
            vault=vault,
            jobs=ground.jobs,
            letters=letters,
            clock=clock,
        ),
        approved=approved,
    )
