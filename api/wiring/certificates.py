"""The services of certificates."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from auth.account.holders import Holders
from auth.registers.verifiers import RegisteredVerifiers
from certificates.adapters.data_quality import DataQuality
from certificates.adapters.disabled_persons import DisabledPersons
from certificates.adapters.health import Health
from certificates.adapters.housing_fund import HousingFund
from certificates.adapters.human_resources import HumanResources
from certificates.adapters.public_security import PublicSecurity
from certificates.copies.seals import Seals
from certificates.copies.stamping import StampedCopies
from certificates.definitions import Kinds
from certificates.keys import IssuerKeys
from certificates.living.asking import Asking
from certificates.living.history import History
from certificates.living.keeping import Keeping
from certificates.living.life import Life
from certificates.living.reminders import Reminders
from certificates.living.reports import Reports
from certificates.offline.status_lists import StatusLists
from certificates.offline.tokens import OfflineTokens
from certificates.ports import Issuer
from certificates.presentation import Presentation
from certificates.records import Records
from certificates.settings import Profile, SharingSettings
from certificates.sharing.disclosures import Disclosures
from certificates.sharing.queries import CertificateQueries
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.signers.sharing import SharingEnvelope


@dataclass(frozen=True, slots=True)
class CertificateServices:
    """The wallet, showing and checking."""

    records: Records
    wallet: Wallet
    life: Life
    reports: Reports
    reminders: Reminders
    presentation: Presentation
    verification: Verification
    issuer_keys: IssuerKeys
    status_lists: StatusLists
    offline_tokens: OfflineTokens
    verifiers: RegisteredVerifiers
    disclosures: Disclosures
    copies: StampedCopies
    seals: Seals
    queries: CertificateQueries

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices) -> "CertificateServices":
        """Build them over the ground and auth."""
        settings = ground.settings.certificates
        kinds = Kinds.load(authority=settings.authority, type_codes=settings.type_codes)
        records = Records(vault=ground.vault, clock=ground.clock, ids=ground.ids)
        history = History(jobs=ground.jobs, clock=ground.clock, ids=ground.ids)
        keeping = Keeping(records=records, history=history, groups=auth.groups, audit=ground.audit, clock=ground.clock)
        asking = Asking(
            issuers=_issuers(ground), persons=auth.realname, clock=ground.clock, ids=ground.ids, settings=settings
        )
        dual = settings.crypto_profile is Profile.DUAL
        keys = IssuerKeys(
            lambda: ground.ring.issuers, clock=ground.clock, sm2=(lambda: ground.ring.sm2) if dual else None
        )
        public_url = ground.settings.effective_public_url
        lists = StatusLists(keys=keys, public_url=public_url, clock=ground.clock, ids=ground.ids, settings=settings)
        return cls(
            records=records,
            wallet=Wallet(
                kinds=kinds,
                asking=asking,
                keeping=keeping,
                history=history,
                records=records,
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                settings=settings,
            ),
            life=Life(
                kinds=kinds,
                asking=asking,
                keeping=keeping,
                accounts=auth.realname,
                jobs=ground.jobs,
                limits=ground.limits,
                settings=settings,
            ),
            reports=Reports(
                kinds=kinds,
                records=records,
                desk=DataQuality(
                    outbound=ground.outbound, partner=ground.signed_partner("data-quality", settings.data_quality)
                ),
                persons=auth.realname,
                vault=ground.vault,
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                ids=ground.ids,
                settings=settings,
            ),
            reminders=Reminders(kinds=kinds, jobs=ground.jobs, clock=ground.clock),
            presentation=Presentation(
                kinds=kinds,
                records=records,
                verifiers=auth.staff.verifiers,
                audit=ground.audit,
                limits=ground.limits,
                clock=ground.clock,
                ids=ground.ids,
                settings=settings,
            ),
            verification=Verification(
                kinds=kinds,
                records=records,
                sessions=auth.sessions,
                verifiers=auth.staff.verifiers,
                keys=keys,
                lists=lists,
                vault=ground.vault,
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                settings=settings,
            ),
            issuer_keys=keys,
            status_lists=lists,
            verifiers=auth.staff.verifiers,
            disclosures=Disclosures(
                kinds=kinds, verifiers=auth.staff.verifiers, audit=ground.audit, clock=ground.clock, ids=ground.ids
            ),
            copies=StampedCopies(
                kinds=kinds,
                records=records,
                keys=keys,
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                ids=ground.ids,
                settings=settings,
            ),
            seals=Seals(keys=keys, settings=settings),
            queries=CertificateQueries(
                kinds=kinds,
                records=records,
                holders=Holders(vault=ground.vault),
                verifiers=auth.staff.verifiers,
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                settings=settings,
            ),
            offline_tokens=OfflineTokens(
                kinds=kinds,
                records=records,
                keys=keys,
                lists=lists,
                public_url=public_url,
                audit=ground.audit,
                limits=ground.limits,
                clock=ground.clock,
                ids=ground.ids,
                settings=settings,
            ),
        )


def _issuers(ground: Ground) -> Mapping[str, Issuer]:
    """Return who issues certificates, by the names that the kinds use."""
    settings, outbound, clock, ids = ground.settings.certificates, ground.outbound, ground.clock, ground.ids
    federation = settings.disabled_persons

    def envelope(sharing: SharingSettings) -> SharingEnvelope:
        return SharingEnvelope(
            access_id=sharing.access_id, secret=sharing.secret, private_key=sharing.private_key, clock=clock
        )

    return {
        "public-security": PublicSecurity(
            outbound=outbound, partner=ground.signed_partner("public-security", settings.public_security), ids=ids
        ),
        "human-resources": HumanResources(
            outbound=outbound,
            partner=ground.partner("human-resources", settings.human_resources),
            envelope=envelope(settings.human_resources),
        ),
        "housing-fund": HousingFund(
            outbound=outbound,
            partner=ground.partner("housing-fund", settings.housing_fund),
            envelope=envelope(settings.housing_fund),
        ),
        "disabled-persons": DisabledPersons(
            outbound=outbound,
            partner=ground.partner("disabled-persons", federation),
            app_id=federation.app_id,
            secret=federation.secret,
            clock=clock,
            ids=ids,
        ),
        "health": Health(
            outbound=outbound, partner=ground.signed_partner("health", settings.health, digest="sm3"), ids=ids
        ),
    }
