"""The services of certificates."""

from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from certificates.adapters.human_resources import HumanResources
from certificates.adapters.public_security import PublicSecurity
from certificates.definitions import Kinds
from certificates.keys import IssuerKeys
from certificates.ports import Issuer
from certificates.presentation import Presentation
from certificates.records import Records
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.signers.sharing import SharingEnvelope


@dataclass(frozen=True, slots=True)
class CertificateServices:
    """The wallet, showing and checking."""

    records: Records
    wallet: Wallet
    presentation: Presentation
    verification: Verification
    issuer_keys: IssuerKeys

    @classmethod
    def build(cls, ground: Ground, auth: AuthServices) -> "CertificateServices":
        """Build them over the ground and auth."""
        settings = ground.settings.certificates
        kinds = Kinds.load(authority=settings.authority, type_codes=settings.type_codes)
        records = Records(vault=ground.vault, clock=ground.clock, ids=ground.ids)
        sharing = settings.human_resources
        issuers: dict[str, Issuer] = {
            "public-security": PublicSecurity(
                outbound=ground.outbound,
                partner=ground.signed_partner("public-security", settings.public_security),
                ids=ground.ids,
            ),
            "human-resources": HumanResources(
                outbound=ground.outbound,
                partner=ground.partner("human-resources", sharing),
                envelope=SharingEnvelope(
                    access_id=sharing.access_id,
                    secret=sharing.secret,
                    private_key=sharing.private_key,
                    clock=ground.clock,
                ),
            ),
        }
        return cls(
            records=records,
            wallet=Wallet(
                kinds=kinds,
                issuers=issuers,
                persons=auth.realname,
                groups=auth.groups,
                records=records,
                audit=ground.audit,
                limits=ground.limits,
                clock=ground.clock,
                settings=settings,
            ),
            presentation=Presentation(
                kinds=kinds,
                records=records,
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
                audit=ground.audit,
                jobs=ground.jobs,
                limits=ground.limits,
                clock=ground.clock,
                settings=settings,
            ),
            issuer_keys=IssuerKeys(lambda: ground.ring.issuers, clock=ground.clock),
        )
