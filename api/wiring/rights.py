"""The services of rights: what each domain stores about a person, in one list."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.citizen.ledger import action_words
from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.face import FaceServices
from api.wiring.ground import Ground
from api.wiring.matters import MatterServices
from auth.delegation.records import Rows
from auth.delegation.trail import Trail
from auth.ports import PersonalData
from auth.rights.account_data import AccountData
from auth.rights.closures import Closures
from auth.rights.corrections import Corrections
from auth.rights.delegation_data import DelegationData
from auth.rights.exports import Exports
from auth.rights.own_data import AuthData, LedgerData
from auth.rights.types import About
from auth.rights.ways_data import WaysData
from certificates.personal_data import WalletData
from face.personal_data import FaceData
from matters.personal_data import MatterData
from notices.rights.personal_data import NoticeData


@dataclass(frozen=True, slots=True)
class RightsServices:
    """Having one's data, having it corrected, leaving."""

    exports: Exports
    corrections: Corrections
    closures: Closures
    matter_data: MatterData

    @classmethod
    def build(
        cls,
        ground: Ground,
        auth: AuthServices,
        face: FaceServices,
        certificates: CertificateServices,
        matters: MatterServices,
    ) -> "RightsServices":
        """Build them over all domains."""
        settings, keeping = ground.settings.auth.rights, auth.keeping
        vault, audit, jobs, clock, ids = ground.vault, ground.audit, ground.jobs, ground.clock, ground.ids
        wallet_data = WalletData(records=certificates.records)
        matter_data = MatterData(
            catalogue=matters.catalogue,
            history=matters.history,
            files=matters.files,
            vault=vault,
            jobs=jobs,
            keeping=keeping,
        )
        # Auth comes after those that have to know whose data they erase, and the ledger last.
        sources: Sequence[PersonalData] = [
            matter_data,
            wallet_data,
            FaceData(records=face.records, realname=auth.realname, keeping=keeping),
            NoticeData(contacts=auth.contacts),
            DelegationData(
                rows=Rows(vault=vault),
                trail=Trail(audit=audit, realname=auth.realname),
                ending=auth.delegation.ending,
                records=auth.records,
            ),
            WaysData(records=auth.records, vault=vault),
            AccountData(),
            AuthData(recent=auth.recent, records=auth.records, vault=vault, keeping=keeping),
            LedgerData(keeping=keeping, words=action_words()),
        ]
        return cls(
            exports=Exports(
                sources=sources, vault=vault, audit=audit, jobs=jobs, clock=clock, ids=ids, settings=settings
            ),
            corrections=Corrections(
                realname=auth.realname,
                records=auth.records,
                owns={About.CERTIFICATE: wallet_data.owns, About.APPLICATION: matter_data.owns},
                vault=vault,
                audit=audit,
                clock=clock,
                ids=ids,
                settings=settings,
            ),
            closures=Closures(
                recent=auth.recent,
                sources=sources,
                vault=vault,
                audit=audit,
                jobs=jobs,
                clock=clock,
                ids=ids,
                settings=settings,
            ),
            matter_data=matter_data,
        )
