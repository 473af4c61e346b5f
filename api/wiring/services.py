"""All services of a process, and how they are opened and closed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

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
from auth.rights.closures import Closures
from auth.rights.corrections import Corrections
from auth.rights.exports import Exports
from auth.sessions import Sessions
from auth.staff.approvals import Approvals
from auth.staff.emergencies import Emergencies
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.sessions import StaffSessions
from auth.tidying import Tidying
from auth.tokens import Tokens
from auth.ways.assistances import Assistances
from auth.ways.counter import Counter
from auth.ways.logins import LoginChecks
from auth.ways.menu import Menu
from auth.ways.stepups import StepUps
from certificates.keys import IssuerKeys
from certificates.presentation import Presentation
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.cache import Cache
from core.clock import Clock
from core.database import close_database, open_database, orm_config
from core.db import execute, transaction
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
from face.watch import look_at_subjects
from matters.applications.attachments import Attachments
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.progress import Progress
from matters.applications.ratings import Ratings
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.withdrawals import Withdrawals
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from notices.choices import Choices
from notices.copies import Copies
from notices.inbox import Inbox
from notices.pushes import Pushes
from notices.reports import Reports
from notices.undelivered import UndeliveredNotices

log = get_logger(__name__)

_NONCES_KEPT = timedelta(minutes=20)
_HOUR = 3600.0


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
    operators: Operators
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
    openings: Openings
    parties: Parties
    privacy_records: PrivacyRecords
    face: FaceServices
    face_checks: FaceChecks
    elder_sessions: ElderSessions
    takeovers: Takeovers
    deaths: Deaths
    takeover_checks: TakeoverChecks
    wallet: Wallet
    presentation: Presentation
    verification: Verification
    issuer_keys: IssuerKeys
    matters: MatterServices
    catalogue: Catalogue
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
            approvals=auth.staff.approvals,
            emergencies=auth.staff.emergencies,
            openings=auth.staff.openings,
            parties=auth.staff.parties,
            privacy_records=auth.staff.privacy_records,
            face=face,
            face_checks=face.checks,
            elder_sessions=face.elder_sessions,
            takeovers=auth.takeovers,
            deaths=auth.deaths,
            takeover_checks=face.takeover_checks,
            wallet=certificates.wallet,
            presentation=certificates.presentation,
            verification=certificates.verification,
            issuer_keys=certificates.issuer_keys,
            matters=matters,
            catalogue=matters.catalogue,
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

    def face_engine_state(self) -> State:
        """Tell whether faces can be checked now."""
        return "ok" if self.face.engine.is_ready else "degraded"

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
        await ground.outbound.open()
        await ground.carrier.start(listen=work)
        if serve and settings.face.local_engine.warm is Switch.ON:
            self._background.append(asyncio.create_task(self._warm()))
        # Every process: a key is announced for seconds at least, and has to be known everywhere by then.
        entries = [Entry("keys", 0.5, self.keys.look), Entry("figures", 15.0, self.watch.look)]
        if work:
            if settings.is_sqlite:
                await self.runner.free_all()
            entries += _entries(self, Sweeper(runner=self.runner, carrier=ground.carrier))
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
        await ground.outbound.close()
        await ground.cache.close()
        await ground.limits.close()
        await close_database()

    async def _warm(self) -> None:
        """Start the face engine in the background: readiness does not wait for it."""
        try:
            await self.face.engine.warm_up()
        except Problem as problem:
            log.warning("face engine not warm", code=problem.code)


def _entries(services: Services, sweeper: Sweeper) -> list[Entry]:
    ground, settings = services.ground, services.settings

    async def forget_nonces() -> None:
        before = ground.clock.now() - _NONCES_KEPT
        await transaction(lambda: execute("DELETE FROM seen_nonce WHERE created_at < $1", before))

    async def forget_jobs() -> None:
        await services.runner.forget_done(ground.clock.now() - timedelta(days=settings.jobs.keep_done_days))

    async def forget_codes() -> None:
        days = settings.certificates.keep_codes_days
        await services.presentation.forget(ground.clock.now() - timedelta(days=days))

    async def forget_notices() -> None:
        await services.notices.inbox.forget(settings.notices.keep_days)
        await services.notices.subscriptions.forget(settings.notices.keep_days)
        await services.pushes.forget()

    return [
        Entry("sweep", settings.jobs.sweep_seconds, sweeper.sweep),
        Entry("key work", 1.0, services.keys.go_on),
        Entry("face figures", _HOUR, look_at_subjects),
        Entry("seal", 1.0, ground.sealer.seal_all),
        Entry("deadlines", 60.0, services.matters.deadlines.catch_up),
        Entry("sessions and attempts", _HOUR, services.auth_tidying.tidy),
        Entry("mandates", _HOUR, services.delegation_ending.tidy),
        Entry("checks by other ways", 60.0, services.ways.tidying.tidy),
        Entry("emergencies", 60.0, services.emergencies.count_open),
        Entry("exports", _HOUR, services.exports.tidy),
        Entry("closed accounts", 300.0, services.closures.look_again),
        Entry("face checks", 60.0, services.face_checks.tidy),
        Entry("kept answers", _HOUR, services.idempotency.purge),
        Entry("nonces", 300.0, forget_nonces),
        Entry("shown codes", _HOUR, forget_codes),
        Entry("done jobs", _HOUR, forget_jobs),
        Entry("silent messages", 600.0, services.message_reports.close_silent),
        Entry("undelivered notices", 60.0, services.undelivered_notices.show),
        Entry("notices", _HOUR, forget_notices),
    ]
