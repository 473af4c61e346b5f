"""The services of matters: the catalogue, asking, handling, and the departments behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.ground import Ground
from core.calendar_store import CalendarStore
from core.signers.sharing import SharingEnvelope
from matters.adapters.education import Degrees
from matters.adapters.folder import Folder
from matters.adapters.human_resources import Insurance, PensionDesk
from matters.adapters.public_security import Households, PublicSecurity
from matters.adapters.real_estate import Residences
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
from matters.ports import Department, FileStore, Records


@dataclass(frozen=True, slots=True)
class MatterServices:
    """What residents ask for."""

    calendar: CalendarStore
    deadlines: Deadlines
    history: History
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
    files: FileStore

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices, certificates: CertificateServices) -> "MatterServices":
        """Build them over the ground, auth and the wallet.

        Raises:
            UnsafeSettings: the published catalogue is not in order.
        """
        settings, clock, ids = ground.settings.matters, ground.clock, ground.ids
        files = Folder(ground.settings.files_folder)
        audit, vault, limits = ground.audit, ground.vault, ground.limits
        catalogue = Catalogue(load_catalogue())
        calendar = CalendarStore(clock=clock)
        deadlines = Deadlines(calendar=calendar)
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
        guides = Guides(catalogue=catalogue, holdings=certificates.wallet)
        departments, records = _departments(ground)
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
            catalogue=catalogue, history=history, vault=vault, audit=audit, limits=limits, settings=settings
        )
        return cls(
            calendar=calendar,
            deadlines=deadlines,
            history=history,
            catalogue=catalogue,
            guides=guides,
            eligibility=eligibility,
            drafts=Drafts(
                catalogue=catalogue,
                people=auth.realname,
                holdings=certificates.wallet,
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
            submission=Submission(
                catalogue=catalogue,
                guides=guides,
                people=auth.realname,
                departments=departments,
                eligibility=eligibility,
                history=history,
                tracking=tracking,
                numbers=Numbers(clock=clock),
                audit=audit,
                jobs=ground.jobs,
                vault=vault,
                clock=clock,
                ids=ids,
                public_url=ground.settings.effective_public_url,
                settings=settings,
            ),
            progress=progress,
            supplements=Supplements(
                catalogue=catalogue, history=history, progress=progress, audit=audit, vault=vault, clock=clock
            ),
            withdrawals=Withdrawals(
                catalogue=catalogue, history=history, progress=progress, audit=audit, vault=vault, clock=clock
            ),
            ratings=Ratings(audit=audit, vault=vault, clock=clock, ids=ids),
            tracking=tracking,
            files=files,
        )


def _departments(ground: Ground) -> tuple[Mapping[str, Department], Mapping[str, Records]]:
    """Return who takes dossiers, by department, and who answers questions, by the names the catalogue uses."""
    settings, outbound, ids = ground.settings.departments, ground.outbound, ground.ids
    public_security = ground.signed_partner("public-security", settings.public_security)
    sharing = settings.human_resources
    departments: dict[str, Department] = {
        "public-security": PublicSecurity(outbound=outbound, partner=public_security),
        "human-resources": PensionDesk(
            outbound=outbound,
            partner=ground.partner("human-resources", settings.pension),
            app_id=settings.pension.app_id,
            secret=settings.pension.secret,
            clock=ground.clock,
        ),
    }
    records: dict[str, Records] = {
        "public-security": Households(outbound=outbound, partner=public_security, ids=ids),
        "human-resources": Insurance(
            outbound=outbound,
            partner=ground.partner("human-resources", sharing),
            envelope=SharingEnvelope(
                access_id=sharing.access_id,
                secret=sharing.secret,
                private_key=sharing.private_key,
                clock=ground.clock,
            ),
        ),
        "education": Degrees(
            outbound=outbound, partner=ground.signed_partner("education", settings.education), ids=ids
        ),
        "real-estate": Residences(
            outbound=outbound,
            partner=ground.signed_partner("real-estate", settings.real_estate, digest="sm3"),
            ids=ids,
        ),
    }
    return departments, records
