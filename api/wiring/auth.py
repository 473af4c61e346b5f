"""The services of auth."""

from dataclasses import dataclass

from api.wiring.delegation import DelegationServices
from api.wiring.ground import Ground
from api.wiring.staff import StaffServices
from auth.account.contacts import Contacts
from auth.account.deaths import Deaths
from auth.account.groups import Groups
from auth.account.takeovers import Takeovers
from auth.accounts import Accounts
from auth.adapters.population_registry import PopulationRegistryHub
from auth.adapters.wechat import Wechat
from auth.attempts import Attempts
from auth.citizens import Citizens
from auth.consent import Consents
from auth.login import Login
from auth.places.logout import Logout
from auth.places.recent import RecentSessions
from auth.realname import RealName
from auth.records import Records
from auth.rights.keeping import Keeping
from auth.sessions import Sessions
from auth.tidying import Tidying
from auth.tokens import Tokens
from core.signers.leased_token import LeasedToken


@dataclass(frozen=True, slots=True)
class AuthServices:
    """Who is calling, how sure we are."""

    registry: PopulationRegistryHub
    records: Records
    wechat: Wechat
    wechat_lease: LeasedToken
    keeping: Keeping
    recent: RecentSessions
    tokens: Tokens
    sessions: Sessions
    logout: Logout
    accounts: Accounts
    takeovers: Takeovers
    deaths: Deaths
    groups: Groups
    contacts: Contacts
    tidying: Tidying
    consents: Consents
    realname: RealName
    citizens: Citizens
    login: Login
    delegation: DelegationServices
    staff: StaffServices

    @classmethod
    def build(cls, ground: Ground) -> "AuthServices":
        """Build them over the ground."""
        settings = ground.settings.auth
        clock, ids, vault, audit, limits = ground.clock, ground.ids, ground.vault, ground.audit, ground.limits
        records = Records(vault=vault)
        registry = PopulationRegistryHub(
            outbound=ground.outbound,
            partner=ground.signed_partner("population-registry", settings.population_registry),
            ids=ids,
        )
        wechat_lease = LeasedToken("wechat", cache=ground.cache, vault=vault, clock=clock)
        wechat = Wechat(
            outbound=ground.outbound,
            partner=ground.partner("wechat", settings.wechat),
            lease=wechat_lease,
            app_id=settings.wechat.app_id,
            app_secret=settings.wechat.app_secret,
        )
        tokens = Tokens(keys=lambda: ground.ring.tokens, settings=settings.sessions, clock=clock, ids=ids)
        recent = RecentSessions(clock=clock, settings=settings.sessions)
        sessions = Sessions(
            tokens=tokens,
            recent=recent,
            records=records,
            vault=vault,
            audit=audit,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            settings=settings.sessions,
            levels=settings.levels,
        )
        consents = Consents(audit=audit, clock=clock, ids=ids)
        groups = Groups(clock=clock, ids=ids)
        deaths = Deaths(recent=recent, vault=vault, audit=audit, jobs=ground.jobs, clock=clock)
        attempts = Attempts(clock=clock, ids=ids, settings=settings.limits)
        realname = RealName(
            registry=registry,
            recent=recent,
            records=records,
            consents=consents,
            vault=vault,
            attempts=attempts,
            deaths=deaths,
            audit=audit,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            levels=settings.levels,
        )
        return cls(
            registry=registry,
            records=records,
            wechat=wechat,
            wechat_lease=wechat_lease,
            keeping=Keeping(settings.rights),
            recent=recent,
            tokens=tokens,
            sessions=sessions,
            logout=Logout(recent=recent, audit=audit, clock=clock),
            accounts=Accounts(recent=recent, audit=audit, clock=clock, ids=ids),
            takeovers=Takeovers(
                recent=recent,
                vault=vault,
                audit=audit,
                jobs=ground.jobs,
                clock=clock,
                ids=ids,
                settings=settings.takeovers,
            ),
            deaths=deaths,
            groups=groups,
            contacts=Contacts(records=records, vault=vault, clock=clock, levels=settings.levels),
            tidying=Tidying(attempts=attempts, clock=clock, settings=settings.sessions),
            consents=consents,
            realname=realname,
            citizens=Citizens(
                mini_program=wechat,
                realname=realname,
                recent=recent,
                records=records,
                groups=groups,
                vault=vault,
                audit=audit,
                clock=clock,
                levels=settings.levels,
            ),
            login=Login(
                mini_program=wechat,
                sessions=sessions,
                records=records,
                vault=vault,
                limits=limits,
                clock=clock,
                ids=ids,
                settings=settings.limits,
            ),
            delegation=DelegationServices.build(ground, realname=realname, consents=consents),
            staff=StaffServices.build(ground, records=records, recent=recent),
        )
