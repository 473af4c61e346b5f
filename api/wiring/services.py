"""All services of a process, and how they are opened and closed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from api.citizen.wallet.ledger_terms import LedgerTerms
from api.health import State
from api.idempotency import Idempotency
from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.domains import MODELS
from api.wiring.face import FaceServices
from api.wiring.ground import Ground
from api.wiring.matters import MatterServices
from api.wiring.notices import NoticeServices
from api.wiring.rekeying import key_work
from api.wiring.rights import RightsServices
from api.wiring.running.handlers import handlers
from api.wiring.running.regular import regular_work
from api.wiring.running.watch import Watch
from api.wiring.settings import Settings
from api.wiring.staff import trusted_keys
from api.wiring.ways import WayServices
from auth.account.deaths import Deaths
from auth.account.takeovers import Takeovers
from auth.accounts import Accounts
from auth.citizens import Citizens
from auth.consent import Consents
from auth.delegation.authority import Authority
from auth.delegation.ending import Ending
from auth.delegation.guardians import Guardians
from auth.delegation.mandates import Mandates
from auth.delegation.organisations import Organisations
from auth.delegation.relatives import Relatives
from auth.login import Login
from auth.places.logout import Logout
from auth.realname import RealName
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.registers.trail import Trail
from auth.rights.closures import Closures
from auth.rights.corrections import Corrections
from auth.rights.exports import Exports
from auth.rights.reports import LedgerReports
from auth.sessions import Sessions
from auth.staff.appointments import Appointments
from auth.staff.approvals import Approvals
from auth.staff.emergencies import Emergencies
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.reviews import Reviews
from auth.staff.sessions import StaffSessions
from auth.tidying import Tidying
from auth.tokens import Tokens
from auth.ways.assistances import Assistances
from auth.ways.counter import Counter
from auth.ways.logins import LoginChecks
from auth.ways.menu import Menu
from auth.ways.stepups import StepUps
from certificates.keys import IssuerKeys
from certificates.living.life import Life
from certificates.living.reminders import Reminders
from certificates.living.reports import Reports as CertificateReports
from certificates.presentation import Presentation
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.cache import Cache
from core.clock import Clock
from core.database import close_database, open_database, orm_config
from core.errors import Problem
from core.ids import Ids
from core.jobs.carrier import Sweeper
from core.jobs.desk import JobDesk
from core.jobs.runner import JobRunner
from core.jobs.timetable import Entry, Timetable
from core.log import get_logger
from core.migrate import require_current
from core.rekeying.work import KeyWork
from core.settings import Switch
from core.signers.http_signature import SignatureChecker
from face.checks import FaceChecks
from face.elder import ElderSessions
from face.takeover import TakeoverChecks
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.progress import Progress
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.value_reports import ValueReports
from matters.applications.withdrawals import Withdrawals
from matters.attachments.attachments import Attachments
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.revisions.editing import Revisions
from matters.catalogue.revisions.publishing import Publishing
from matters.ratings.ratings import Ratings
from notices.choices import Choices
from notices.copies import Copies
from notices.inbox import Inbox
from notices.outcomes.undelivered import UndeliveredNotices
from notices.pushes import Pushes
from notices.reports import Reports

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What the edge calls. One attribute for each class of use cases."""

    settings: Settings
    ground: Ground
    clock: Clock
    ids: Ids
    cache: Cache
    public_url: str
    idempotency: Idempotency
    signatures: SignatureChecker
    tokens: Tokens
    sessions: Sessions
    logout: Logout
    accounts: Accounts
    auth_tidying: Tidying
    login: Login
    citizens: Citizens
    realname: RealName
    staff_sessions: StaffSessions
    consents: Consents
    exports: Exports
    corrections: Corrections
    closures: Closures
    value_reports: ValueReports
    ledger_reports: LedgerReports
    ledger_terms: LedgerTerms
    operators: Operators
    appointments: Appointments
    authority: Authority
    relatives: Relatives
    mandates: Mandates
    guardians: Guardians
    organisations: Organisations
    delegation_ending: Ending
    ways: WayServices
    menu: Menu
    step_ups: StepUps
    login_checks: LoginChecks
    counter: Counter
    assistances: Assistances
    notices: NoticeServices
    inbox: Inbox
    notice_choices: Choices
    notice_copies: Copies
    pushes: Pushes
    message_reports: Reports
    undelivered_notices: UndeliveredNotices
    approvals: Approvals
    emergencies: Emergencies
    emergency_reviews: Reviews
    openings: Openings
    trail: Trail
    parties: Parties
    privacy_records: PrivacyRecords
    face: FaceServices
    face_checks: FaceChecks
    elder_sessions: ElderSessions
    takeovers: Takeovers
    deaths: Deaths
    takeover_checks: TakeoverChecks
    wallet: Wallet
    certificate_life: Life
    certificate_reminders: Reminders
    certificate_reports: CertificateReports
    presentation: Presentation
    verification: Verification
    issuer_keys: IssuerKeys
    certificates: CertificateServices
    matters: MatterServices
    catalogue: Catalogue
    revisions: Revisions
    publishing: Publishing
    guides: Guides
    eligibility: Eligibility
    drafts: Drafts
    attachments: Attachments
    submission: Submission
    progress: Progress
    supplements: Supplements
    withdrawals: Withdrawals
    ratings: Ratings
    tracking: Tracking
    keys: KeyWork
    watch: Watch
    runner: JobRunner
    job_desk: JobDesk
    _timetables: list[Timetable] = field(default_factory=list)
    _background: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: Settings) -> "Services":
        """Build everything; nothing is opened yet.

        Raises:
            UnsafeSettings: a key is missing, or the catalogue is not in order.
        """
        ground = Ground.build(settings)
        auth = AuthServices.build(ground)
        ways = WayServices.build(ground, auth)
        notices = NoticeServices.build(ground, auth)
        face = FaceServices.build(ground, auth, ways.menu)
        certificates = CertificateServices.build(ground, auth)
        matters = MatterServices.build(ground, auth, certificates)
        auth.staff.names.learn(certificates.wallet.kinds, matters.catalogue)
        publishing = matters.publishing
        auth.staff.approvals.take_on({"matters.change-list": publishing.do}, {"matters.change-list": publishing.check})
        rights = RightsServices.build(ground, auth, face, certificates, matters)
        runner = JobRunner(
            handlers=handlers(auth, ways, notices, certificates, matters, rights=rights),
            settings=settings.jobs,
            clock=ground.clock,
            ids=ground.ids,
        )
        ground.carrier.attach(runner)
        return cls(
            settings=settings,
            ground=ground,
            clock=ground.clock,
            ids=ground.ids,
            cache=ground.cache,
            public_url=settings.effective_public_url,
            idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
            signatures=SignatureChecker(
                trusted_keys(settings), clock=ground.clock, register=auth.staff.registered_keys
            ),
            tokens=auth.tokens,
            sessions=auth.sessions,
            logout=auth.logout,
            accounts=auth.accounts,
            auth_tidying=auth.tidying,
            login=auth.login,
            citizens=auth.citizens,
            realname=auth.realname,
            consents=auth.consents,
            exports=rights.exports,
            corrections=rights.corrections,
            closures=rights.closures,
            value_reports=rights.value_reports,
            ledger_reports=rights.ledger_reports,
            ledger_terms=rights.ledger_terms,
            authority=auth.delegation.authority,
            relatives=auth.delegation.relatives,
            mandates=auth.delegation.mandates,
            guardians=auth.delegation.guardians,
            organisations=auth.delegation.organisations,
            delegation_ending=auth.delegation.ending,
            ways=ways,
            menu=ways.menu,
            step_ups=ways.step_ups,
            login_checks=ways.login_checks,
            counter=ways.counter,
            assistances=ways.assistances,
            notices=notices,
            inbox=notices.inbox,
            notice_choices=notices.choices,
            notice_copies=notices.copies,
            pushes=notices.pushes,
            message_reports=notices.reports,
            undelivered_notices=notices.undelivered,
            staff_sessions=auth.staff.sessions,
            operators=auth.staff.operators,
            appointments=auth.staff.appointments,
            approvals=auth.staff.approvals,
            emergencies=auth.staff.emergencies,
            emergency_reviews=auth.staff.reviews,
            openings=auth.staff.openings,
            trail=auth.staff.trail,
            parties=auth.staff.parties,
            privacy_records=auth.staff.privacy_records,
            face=face,
            face_checks=face.checks,
            elder_sessions=face.elder_sessions,
            takeovers=auth.takeovers,
            deaths=auth.deaths,
            takeover_checks=face.takeover_checks,
            wallet=certificates.wallet,
            certificate_life=certificates.life,
            certificate_reminders=certificates.reminders,
            certificate_reports=certificates.reports,
            presentation=certificates.presentation,
            verification=certificates.verification,
            issuer_keys=certificates.issuer_keys,
            certificates=certificates,
            matters=matters,
            catalogue=matters.catalogue,
            revisions=matters.revisions,
            publishing=matters.publishing,
            guides=matters.guides,
            eligibility=matters.eligibility,
            drafts=matters.drafts,
            attachments=matters.attachments,
            submission=matters.submission,
            progress=matters.progress,
            supplements=matters.supplements,
            withdrawals=matters.withdrawals,
            ratings=matters.ratings,
            tracking=matters.tracking,
            keys=key_work(ground, matters.files),
            watch=Watch(clock=ground.clock, calendar=matters.calendar),
            runner=runner,
            job_desk=JobDesk(runner=runner, carrier=ground.carrier, audit=ground.audit),
        )

    async def face_engine_state(self) -> State:
        """Tell whether faces can be checked now, with all that checks them."""
        return "ok" if await self.face.engine.is_whole() else "degraded"

    async def open(self, *, serve: bool, work: bool) -> None:
        """Open the database, the door out and the job transport; with `work` also run jobs and the timetable.

        Raises:
            UnsafeSettings: the database lacks migrations.
            DatabaseUnavailable: the database cannot be reached.
        """
        ground, settings = self.ground, self.settings
        config = orm_config(settings, MODELS)
        await open_database(config)
        await require_current(config)
        await ground.vault.load()
        await self.matters.living.look()
        await ground.outbound.open()
        ground.outbound.attach(self.matters.exchange.watch)
        await ground.carrier.start(listen=work)
        if serve and settings.face.local_engine.warm is Switch.ON:
            self._background.append(asyncio.create_task(self._warm()))
        # Every process: a key is announced for seconds at least, and has to be known everywhere by then.
        entries = [
            Entry("keys", 0.5, self.keys.look),
            Entry("catalogue", 1.0, self.matters.living.look),
            Entry("figures", 15.0, self.watch.look),
            Entry("outside systems", 2.0, self.matters.exchange.health.look),
            Entry("exchange counts", settings.matters.exchange.flush_seconds, self.matters.exchange.counts.flush),
        ]
        if work:
            if settings.is_sqlite:
                await self.runner.free_all()
            entries += regular_work(self, Sweeper(runner=self.runner, carrier=ground.carrier))
        timetable = Timetable(entries)
        timetable.start()
        self._timetables.append(timetable)
        log.info("open", system="sqlite" if settings.is_sqlite else "postgresql")

    async def close(self) -> None:
        """Let what runs come to its end, then close everything."""
        ground = self.ground
        for timetable in self._timetables:
            await timetable.stop()
        for task in self._background:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await ground.carrier.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self.runner.close()
        await self.face.engine.close()
        await self.matters.inspection.close()
        await ground.outbound.close()
        await self.matters.exchange.counts.close()
        await ground.cache.close()
        await ground.limits.close()
        await close_database()

    async def _warm(self) -> None:
        """Start the face engine in the background: readiness does not wait for it."""
        try:
            await self.face.engine.warm_up()
        except Problem as problem:
            log.warning("face engine not warm", code=problem.code)
