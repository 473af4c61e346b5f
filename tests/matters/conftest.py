"""The rooms of matters built over a real database and fakes of everything outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from auth.types import Caller, Level
from core.calendar_store import CalendarStore, fill_calendar
from core.db import as_json, fetch, fetch_one, transaction
from matters.applications.attachments import Attachments
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.numbers import Numbers
from matters.applications.progress import Progress
from matters.applications.ratings import Ratings
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.withdrawals import Withdrawals
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.loading import load_catalogue
from matters.settings import MatterSettings
from matters.types import ApplicationView, ProgressEvent, State, Submitted
from tests.conftest import Ground
from tests.fakes.matters import FakeDepartment, FakeFileStore, FakeHoldings, FakePeople, FakeRecords

ENDORSEMENT = "residence-permit-endorsement"
PENSION = "pension-eligibility"
SETTLEMENT = "graduate-settlement"


@dataclass(frozen=True, slots=True)
class Desk:
    """All use cases of matters, the fakes behind them, and a few sentences that tests say often."""

    ground: Ground
    public_security: FakeDepartment
    pension_desk: FakeDepartment
    records: dict[str, FakeRecords]
    people: FakePeople
    holdings: FakeHoldings
    files: FakeFileStore
    catalogue: Catalogue
    guides: Guides
    history: History
    deadlines: Deadlines
    tracking: Tracking
    progress: Progress
    drafts: Drafts
    attachments: Attachments
    eligibility: Eligibility
    submission: Submission
    withdrawals: Withdrawals
    supplements: Supplements
    ratings: Ratings

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
    public_security, pension_desk = FakeDepartment(), FakeDepartment(approves={"next_due_on": "2027-03-10"})
    catalogue = Catalogue(load_catalogue())
    deadlines = Deadlines(calendar=CalendarStore(clock=clock))
    history = History(clock=clock, ids=ids, vault=vault, deadlines=deadlines)
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
    )
    guides = Guides(catalogue=catalogue, holdings=holdings)
    eligibility = Eligibility(
        catalogue=catalogue,
        people=people,
        records=records,
        audit=audit,
        limits=limits,
        clock=clock,
        settings=settings,
    )
    progress = Progress(
        catalogue=catalogue, history=history, vault=vault, audit=audit, limits=limits, settings=settings
    )
    return Desk(
        ground=ground,
        public_security=public_security,
        pension_desk=pension_desk,
        records=records,
        people=people,
        holdings=holdings,
        files=files,
        catalogue=catalogue,
        guides=guides,
        history=history,
        deadlines=deadlines,
        tracking=tracking,
        progress=progress,
        drafts=Drafts(
            catalogue=catalogue,
            people=people,
            holdings=holdings,
            history=history,
            progress=progress,
            audit=audit,
            vault=vault,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        attachments=Attachments(
            catalogue=catalogue,
            files=files,
            audit=audit,
            vault=vault,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=settings,
        ),
        eligibility=eligibility,
        submission=Submission(
            catalogue=catalogue,
            guides=guides,
            people=people,
            departments={"public-security": public_security, "human-resources": pension_desk},
            eligibility=eligibility,
            history=history,
            tracking=tracking,
            numbers=Numbers(clock=clock),
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            clock=clock,
            ids=ids,
            public_url="http://127.0.0.1:8000",
            settings=settings,
        ),
        withdrawals=Withdrawals(
            catalogue=catalogue, history=history, progress=progress, audit=audit, vault=vault, clock=clock
        ),
        supplements=Supplements(
            catalogue=catalogue, history=history, progress=progress, audit=audit, vault=vault, clock=clock
        ),
        ratings=Ratings(audit=audit, vault=vault, clock=clock, ids=ids),
    )
