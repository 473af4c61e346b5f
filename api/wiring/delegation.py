"""The services of delegation."""

from dataclasses import dataclass

from api.wiring.ground import Ground
from auth.adapters.civil_affairs import CivilAffairs
from auth.adapters.market_regulation import MarketRegulation
from auth.consent import Consents
from auth.delegation.attempts import Attempts
from auth.delegation.authority import Authority
from auth.delegation.ending import Ending
from auth.delegation.guardians import Guardians
from auth.delegation.mandates import Mandates
from auth.delegation.organisations import Organisations
from auth.delegation.ports import BusinessRegister, KinshipRegister
from auth.delegation.records import Rows
from auth.delegation.relatives import Relatives
from auth.delegation.trail import Trail
from auth.realname import RealName
from auth.settings import DelegationSettings
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.ids import Ids


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What delegation stands on."""

    realname: RealName
    consents: Consents
    vault: Vault
    audit: Audit
    limits: Limits
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class DelegationServices:
    """On whose behalf."""

    relatives: Relatives
    mandates: Mandates
    guardians: Guardians
    organisations: Organisations
    authority: Authority
    ending: Ending

    @classmethod
    def build(cls, ground: Ground, *, realname: RealName, consents: Consents) -> "DelegationServices":
        """Build them over the ground and the rooms of auth beside them, with the registers outside."""
        settings = ground.settings.auth
        return cls.over(
            Surroundings(realname, consents, ground.vault, ground.audit, ground.limits, ground.clock, ground.ids),
            settings.delegation,
            kinship=CivilAffairs(
                outbound=ground.outbound,
                partner=ground.signed_partner("civil-affairs", settings.civil_affairs),
                ids=ground.ids,
            ),
            business=MarketRegulation(
                outbound=ground.outbound,
                partner=ground.signed_partner("market-regulation", settings.market_regulation),
                ids=ground.ids,
            ),
        )

    @classmethod
    def over(
        cls, on: Surroundings, settings: DelegationSettings, *, kinship: KinshipRegister, business: BusinessRegister
    ) -> "DelegationServices":
        """Put the rooms together over two registers."""
        clock, ids, realname = on.clock, on.ids, on.realname
        rows, trail = Rows(vault=on.vault), Trail(audit=on.audit, realname=realname)
        by_relatives = Attempts(
            "relative",
            clock=clock,
            ids=ids,
            by_account=settings.relative_account,
            on_key=settings.relative_number,
        )
        by_organisations = Attempts(
            "organisation",
            clock=clock,
            ids=ids,
            by_account=settings.organisation_account,
            on_key=settings.organisation_code,
        )
        attempts = (by_relatives, by_organisations)
        ending = Ending(rows=rows, trail=trail, clock=clock, settings=settings, attempts=attempts)
        guardians = Guardians(
            register=kinship,
            realname=realname,
            consents=on.consents,
            ending=ending,
            rows=rows,
            trail=trail,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        organisations = Organisations(
            register=business,
            realname=realname,
            attempts=by_organisations,
            ending=ending,
            rows=rows,
            trail=trail,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        return cls(
            relatives=Relatives(
                register=kinship,
                guardians=guardians,
                ending=ending,
                realname=realname,
                consents=on.consents,
                attempts=by_relatives,
                rows=rows,
                trail=trail,
                clock=clock,
                ids=ids,
            ),
            mandates=Mandates(
                organisations=organisations,
                realname=realname,
                ending=ending,
                rows=rows,
                trail=trail,
                limits=on.limits,
                clock=clock,
                ids=ids,
                settings=settings,
            ),
            guardians=guardians,
            organisations=organisations,
            authority=Authority(guardians=guardians, organisations=organisations, rows=rows, clock=clock),
            ending=ending,
        )
