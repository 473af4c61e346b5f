"""The services of what several departments decide together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from matters.branches.branches import Branches
from matters.branches.deliveries import BranchDeliveries, BranchTracking
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.handover.case_files import CaseFiles
from matters.handover.letters import Letters
from matters.ports import Department


@dataclass(frozen=True, slots=True)
class BranchServices:
    """Branches, their way to the departments, and what those say."""

    branches: Branches
    deliveries: BranchDeliveries
    tracking: BranchTracking

    @classmethod
    def build(
        cls,
        ground: Ground,
        auth: AuthServices,
        *,
        catalogue: Catalogue,
        history: History,
        tracking: Tracking,
        deadlines: Deadlines,
        departments: Mapping[str, Department],
        letters: Letters,
        returned: Collection[str],
        case_files: CaseFiles,
    ) -> "BranchServices":
        """Build them over the services of cases."""
        branches = Branches(
            catalogue=catalogue,
            history=history,
            tracking=tracking,
            deadlines=deadlines,
            audit=ground.audit,
            jobs=ground.jobs,
            letters=letters,
            vault=ground.vault,
            clock=ground.clock,
            ids=ground.ids,
        )
        deliveries = BranchDeliveries(
            catalogue=catalogue,
            people=auth.realname,
            departments=departments,
            case_files=case_files,
            audit=ground.audit,
            vault=ground.vault,
            public_url=ground.settings.effective_public_url,
        )
        heard = BranchTracking(
            branches,
            history=history,
            catalogue=catalogue,
            audit=ground.audit,
            jobs=ground.jobs,
            vault=ground.vault,
            limits=ground.limits,
            clock=ground.clock,
            ids=ground.ids,
            settings=ground.settings.matters,
            returned=returned,
        )
        return cls(branches, deliveries, heard)
