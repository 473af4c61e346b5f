"""The services of rights: what each domain stores about a person, in one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.citizen.ledger import action_words, purpose_words
from api.citizen.wallet.ledger_terms import LedgerTerms
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
from auth.rights.reports import LedgerReports
from auth.rights.types import About
from auth.rights.ways_data import WaysData
from auth.types import Caller
from certificates.living.reports import Reports
from certificates.personal_data import WalletData
from face.personal_data import FaceData
from matters.applications.value_reports import ValueReports
from matters.errors import NotPrefilled
from matters.personal_data import MatterData
from notices.rights.personal_data import NoticeData


class ValueDesks:
    """Knows who keeps what: certificates their issuers, the real name the registry, the mobile the account."""

    def __init__(self, *, certificates: Reports, corrections: Corrections) -> None:
        self._certificates = certificates
        self._corrections = corrections

    async def report(self, caller: Caller, *, item: str, text: str, certificate_id: UUID | None) -> str:
        """Report an item of a certificate, or of the real name where none is named; return the ticket's number.

        Raises:
            TooManyRequests: too many reports of certificates within a day.
            CorrectionsTooMany: too many corrections within a day.
            NotPrefilled: the certificate is held no more.
        """
        if certificate_id is None:
            about = About.MOBILE if item == "mobile" else About.IDENTITY
            return (await self._corrections.ask(caller, about, None, text)).line.number
        told = await self._certificates.report(caller, certificate_id, field=item, text=text)
        if told is None:
            raise NotPrefilled
        return told.id.hex


@dataclass(frozen=True, slots=True)
class RightsServices:
    """Having one's data, having it corrected, leaving."""

    exports: Exports
    corrections: Corrections
    closures: Closures
    ledger_reports: LedgerReports
    ledger_terms: LedgerTerms
    matter_data: MatterData
    value_reports: ValueReports

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
        kinds, verifiers = certificates.wallet.kinds, certificates.verifiers
        wallet_data = WalletData(records=certificates.records, kinds=kinds, verifiers=verifiers, vault=ground.vault)
        ledger_terms = LedgerTerms(kinds=kinds, verifiers=verifiers, purposes=purpose_words())
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
            LedgerData(keeping=keeping, words=action_words(), terms=ledger_terms.terms_of),
        ]
        corrections = Corrections(
            realname=auth.realname,
            records=auth.records,
            owns={About.CERTIFICATE: wallet_data.owns, About.APPLICATION: matter_data.owns},
            vault=vault,
            audit=audit,
            jobs=jobs,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        return cls(
            value_reports=ValueReports(
                catalogue=matters.catalogue,
                desk=ValueDesks(certificates=certificates.reports, corrections=corrections),
                vault=vault,
                clock=clock,
            ),
            exports=Exports(
                sources=sources, vault=vault, audit=audit, jobs=jobs, clock=clock, ids=ids, settings=settings
            ),
            corrections=corrections,
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
            ledger_reports=LedgerReports(audit=audit, jobs=jobs, clock=clock, ids=ids),
            ledger_terms=ledger_terms,
            matter_data=matter_data,
        )
