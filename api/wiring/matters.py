"""The services of matters: the catalogue, asking, handling, and the departments behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.ground import Ground
from api.wiring.handling.branches import BranchServices
from api.wiring.handling.exchange import ExchangeServices
from api.wiring.handling.files import addresses_of, case_files_of
from api.wiring.handling.results import ResultServices
from api.wiring.handling.staff import HandlingServices
from api.wiring.handling.supervision import SupervisionServices
from api.wiring.outside.departments import departments_of, partners_at_the_desk, poll_pauses
from api.wiring.outside.stores import files_of, scanner_of, texts_of
from auth.staff.grants import OfficerRegions
from core.calendar_store import CalendarStore
from matters.applications.claims import Claims
from matters.applications.draft_life import DraftLife
from matters.applications.drafts import Drafts
from matters.applications.eligibility import Eligibility
from matters.applications.held_texts import HeldTexts
from matters.applications.numbers import Numbers
from matters.applications.progress import Progress
from matters.applications.submission import Submission
from matters.applications.supplements import Supplements
from matters.applications.withdrawals import Withdrawals
from matters.attachments.attachments import Attachments
from matters.attachments.file_addresses import FileAddresses
from matters.attachments.reuses import Reuses
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.knowing import Knowing
from matters.catalogue.life.bundles import Bundles
from matters.catalogue.life.views import LifeViews
from matters.catalogue.lint.checking import Lint
from matters.catalogue.loading import load_catalogue, load_lists, load_surroundings
from matters.catalogue.revisions.editing import Revisions
from matters.catalogue.revisions.living import LivingCatalogue
from matters.catalogue.revisions.publishing import Publishing
from matters.files.inspection import Inspection
from matters.handover.case_files import CaseFiles
from matters.handover.letters import Letters
from matters.handover.polling import Polling
from matters.letters.deliveries import LetterDeliveries
from matters.materials.commitments import Commitments
from matters.materials.demands import Demands
from matters.materials.resolving import Materials
from matters.materials.retention import Retention
from matters.materials.spared import SparedMaterials
from matters.materials.types import CommitmentKind
from matters.materials.vault import MaterialVault
from matters.papers.submission_copies import SubmissionCopies
from matters.ports import FileStore
from matters.ratings.defaults import DefaultRatings
from matters.ratings.figures import RatingFigures
from matters.ratings.ratings import Ratings
from matters.ratings.tickets import RatingTickets
from matters.routing.elsewhere import Elsewhere
from matters.routing.loading import load_table
from matters.routing.pulling import Pulls
from matters.routing.routing import Routing
from matters.texting.progress import ProgressByText
from matters.texts.remarks import Remarks


@dataclass(frozen=True, slots=True)
class MatterServices:
    """What residents ask for. `behind` are the partners at the door out of a desk that serves several departments."""

    calendar: CalendarStore
    deadlines: Deadlines
    history: History
    catalogue: Catalogue
    guides: Guides
    life: LifeViews
    bundles: Bundles
    materials: Materials
    vault: MaterialVault
    reuses: Reuses
    demands: Demands
    spared: SparedMaterials
    eligibility: Eligibility
    drafts: Drafts
    draft_life: DraftLife
    attachments: Attachments
    submission: Submission
    progress: Progress
    progress_by_text: ProgressByText
    supplements: Supplements
    withdrawals: Withdrawals
    ratings: Ratings
    default_ratings: DefaultRatings
    rating_tickets: RatingTickets
    rating_figures: RatingFigures
    copies: SubmissionCopies
    held_texts: HeldTexts
    remarks: Remarks
    tracking: Tracking
    polling: Polling
    letters: LetterDeliveries
    files: FileStore
    living: LivingCatalogue
    revisions: Revisions
    publishing: Publishing
    behind: Mapping[str, tuple[str, ...]]
    inspection: Inspection
    file_addresses: FileAddresses
    case_files: CaseFiles
    results: ResultServices
    commitments: Commitments
    branches: BranchServices
    exchange: ExchangeServices
    elsewhere: Elsewhere
    handling: HandlingServices
    supervision: SupervisionServices

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices, certificates: CertificateServices) -> "MatterServices":
        """Build them over the ground, auth and the wallet.

        Raises:
            UnsafeSettings: the published catalogue is not in order.
        """
        settings, clock, ids = ground.settings.matters, ground.clock, ground.ids
        files = files_of(ground)
        inspection = Inspection()
        audit, vault, limits = ground.audit, ground.vault, ground.limits
        shipped = load_catalogue()
        catalogue = Catalogue(shipped)
        living = LivingCatalogue(catalogue=catalogue, shipped=shipped, clock=clock)
        calendar = CalendarStore(clock=clock)
        deadlines = Deadlines(calendar=calendar, pre_review_hours=settings.pre_review_hours)
        history = History(clock=clock, ids=ids, vault=vault, deadlines=deadlines, gate=catalogue.is_decided_together)
        table = load_table(shipped)
        returned = frozenset(each.matter for each in table.returns)
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
            returned=returned,
        )
        letters = Letters(jobs=ground.jobs, clock=clock, ids=ids)
        kept = MaterialVault(
            catalogue=catalogue,
            files=files,
            retention=Retention(settings.keep_material_days),
            audit=audit,
            jobs=ground.jobs,
            vault=vault,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        knowing = Knowing(holdings=certificates.wallet, people=auth.realname, clock=clock)
        materials = Materials(
            catalogue=catalogue,
            knowing=knowing,
            vault=kept,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            days={CommitmentKind.PROMISE: settings.promise_days, CommitmentKind.DEFERRED: settings.defer_days},
        )
        guides = Guides(catalogue=catalogue, knowing=knowing, materials=materials)
        life = LifeViews(catalogue=catalogue, lists=load_lists(shipped))
        case_files = case_files_of(ground, catalogue, files)
        departments, records, registries = departments_of(ground, case_files)
        demands = Demands(
            catalogue=catalogue,
            materials=materials,
            history=history,
            audit=audit,
            jobs=ground.jobs,
            spend=auth.staff.approvals.spend,
        )
        polling = Polling(
            departments=departments,
            pauses=poll_pauses(ground),
            catalogue=catalogue,
            tracking=tracking,
            demands=demands,
            jobs=ground.jobs,
            clock=clock,
        )
        exchange = ExchangeServices.build(ground, catalogue)
        routing = Routing(table=table, officers=OfficerRegions())
        eligibility = Eligibility(
            catalogue=catalogue,
            people=auth.realname,
            records=records,
            audit=audit,
            limits=limits,
            clock=clock,
            settings=settings,
        )
        progress = Progress(
            catalogue=catalogue,
            history=history,
            materials=materials,
            health=exchange.health,
            routing=routing,
            vault=vault,
            audit=audit,
            limits=limits,
            clock=clock,
            settings=settings,
        )
        drafts = Drafts(
            catalogue=catalogue,
            people=auth.realname,
            holdings=certificates.wallet,
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
        texts = texts_of(ground, auth, catalogue)
        remarks = Remarks(checks=texts, catalogue=catalogue, vault=vault, jobs=ground.jobs, clock=clock, ids=ids)
        tickets = RatingTickets(deadlines=deadlines, audit=audit, vault=vault, clock=clock, ids=ids, settings=settings)
        return cls(
            calendar=calendar,
            deadlines=deadlines,
            history=history,
            catalogue=catalogue,
            guides=guides,
            life=life,
            bundles=Bundles(views=life, guides=guides, drafts=drafts),
            materials=materials,
            vault=kept,
            reuses=Reuses(catalogue=catalogue, kept=kept, files=files, audit=audit, vault=vault, clock=clock, ids=ids),
            demands=demands,
            spared=SparedMaterials(),
            eligibility=eligibility,
            draft_life=DraftLife(catalogue=catalogue, audit=audit, jobs=ground.jobs, clock=clock, settings=settings),
            drafts=drafts,
            attachments=Attachments(
                catalogue=catalogue,
                materials=materials,
                files=files,
                inspector=inspection,
                scanner=scanner_of(ground),
                jobs=ground.jobs,
                audit=audit,
                vault=vault,
                limits=limits,
                clock=clock,
                ids=ids,
                settings=settings,
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
                polling=polling,
                case_files=case_files,
                claims=Claims(routing=routing, clock=clock),
                pulls=Pulls(table=table, records=records, audit=audit),
                numbers=Numbers(clock=clock),
                texts=texts,
                audit=audit,
                jobs=ground.jobs,
                vault=vault,
                clock=clock,
                ids=ids,
                public_url=ground.settings.effective_public_url,
                settings=settings,
            ),
            progress=progress,
            progress_by_text=ProgressByText(progress=progress, limits=limits, settings=settings),
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
            ratings=Ratings(tickets=tickets, remarks=remarks, audit=audit, vault=vault, clock=clock, ids=ids),
            default_ratings=DefaultRatings(clock=clock, ids=ids, settings=settings),
            rating_tickets=tickets,
            rating_figures=RatingFigures(),
            copies=SubmissionCopies(
                catalogue=catalogue,
                materials=materials,
                kinds={kind.slug: kind.title for kind in certificates.wallet.kinds},
                vault=vault,
                audit=audit,
                limits=limits,
                settings=settings,
            ),
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
            tracking=tracking,
            polling=polling,
            letters=LetterDeliveries(
                catalogue=catalogue,
                history=history,
                people=auth.realname,
                departments=departments,
                registries=registries,
                table=table,
                letters=letters,
                case_files=case_files,
                audit=audit,
                vault=vault,
                clock=clock,
            ),
            files=files,
            living=living,
            revisions=Revisions(
                catalogue=catalogue, living=living, lint=Lint(load_surroundings()), audit=audit, clock=clock, ids=ids
            ),
            publishing=Publishing(catalogue=catalogue, living=living, audit=audit, clock=clock, ids=ids),
            behind={"department-desk": partners_at_the_desk(catalogue)},
            inspection=inspection,
            exchange=exchange,
            elsewhere=Elsewhere(),
            case_files=case_files,
            file_addresses=addresses_of(ground, catalogue, files, kept),
            commitments=Commitments(catalogue=catalogue, remarks=remarks, audit=audit, vault=vault, clock=clock),
            results=ResultServices.build(ground, auth, certificates, catalogue=catalogue, history=history, files=files),
            branches=BranchServices.build(
                ground,
                auth,
                catalogue=catalogue,
                history=history,
                tracking=tracking,
                deadlines=deadlines,
                departments=departments,
                letters=letters,
                returned=returned,
                case_files=case_files,
            ),
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
            supervision=SupervisionServices.build(ground, catalogue=catalogue, history=history, deadlines=deadlines),
        )
