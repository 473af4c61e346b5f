"""The services of auth."""

from dataclasses import dataclass

from api.wiring.ground import Ground
from auth.account.deaths import Deaths
from auth.account.takeovers import Takeovers
from auth.accounts import Accounts
from auth.adapters.population_registry import PopulationRegistryHub
from auth.adapters.wechat import Wechat
from auth.attempts import Attempts
from auth.citizens import Citizens
from auth.consent import Consents
from auth.login import Login
from auth.realname import RealName
from auth.records import Records
from auth.registers.keys import RegisteredKeys
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.sessions import Sessions
from auth.staff.approvals import Approvals, Deed
from auth.staff.emergencies import Emergencies
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.papers import Papers
from auth.staff.passwords import Passwords
from auth.staff.proof import Proof
from auth.staff.sessions import StaffSessions
from auth.tidying import Tidying
from auth.tokens import Tokens
from core.signers.leased_token import LeasedToken


@dataclass(frozen=True, slots=True)
class StaffServices:
    """The people who run it, what takes two of them, and the registers they keep."""

    sessions: StaffSessions
    operators: Operators
    approvals: Approvals
    emergencies: Emergencies
    openings: Openings
    parties: Parties
    registered_keys: RegisteredKeys
    privacy_records: PrivacyRecords

    @classmethod
    def build(cls, ground: Ground, records: Records) -> "StaffServices":
        """Build them over the ground."""
        settings, rates = ground.settings.auth.operators, ground.settings.auth.limits
        clock, ids, vault, audit = ground.clock, ground.ids, ground.vault, ground.audit
        passwords, papers = Passwords(), Papers(vault=vault)
        proof = Proof(
            vault=vault,
            passwords=passwords,
            limits=ground.limits,
            audit=audit,
            clock=clock,
            settings=settings,
            rates=rates,
        )
        operators = Operators(
            vault=vault,
            passwords=passwords,
            limits=ground.limits,
            audit=audit,
            clock=clock,
            ids=ids,
            settings=settings,
            rates=rates,
        )
        parties = Parties(vault=vault, audit=audit, clock=clock, ids=ids)
        # What an approval does at once; the other actions of `auth/staff/rules.py` are done by commands.
        deeds: dict[str, Deed] = {
            "operators.grant-roles": operators.set_roles_approved,
            "verifiers.register": parties.register_verifier,
            "verifiers.change": parties.change_verifier,
            "devices.register": parties.register_device,
            "devices.change": parties.change_device,
            "keys.add": parties.add_key,
        }
        return cls(
            sessions=StaffSessions(
                proof=proof, passwords=passwords, audit=audit, clock=clock, ids=ids, settings=settings
            ),
            operators=operators,
            approvals=Approvals(deeds=deeds, papers=papers, audit=audit, clock=clock, ids=ids, settings=settings),
            emergencies=Emergencies(
                deeds=deeds, papers=papers, audit=audit, jobs=ground.jobs, clock=clock, ids=ids, settings=settings
            ),
            openings=Openings(records=records, audit=audit, clock=clock, ids=ids, settings=settings),
            parties=parties,
            registered_keys=RegisteredKeys(clock=clock),
            privacy_records=PrivacyRecords(audit=audit, clock=clock, ids=ids),
        )


@dataclass(frozen=True, slots=True)
class AuthServices:
    """Who is calling, how sure we are."""

    registry: PopulationRegistryHub
    tokens: Tokens
    sessions: Sessions
    accounts: Accounts
    takeovers: Takeovers
    deaths: Deaths
    tidying: Tidying
    consents: Consents
    realname: RealName
    citizens: Citizens
    login: Login
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
        wechat = Wechat(
            outbound=ground.outbound,
            partner=ground.partner("wechat", settings.wechat),
            lease=LeasedToken("wechat", cache=ground.cache, vault=vault, clock=clock),
            app_id=settings.wechat.app_id,
            app_secret=settings.wechat.app_secret,
        )
        tokens = Tokens(key=ground.ring.token, settings=settings.sessions, clock=clock, ids=ids)
        sessions = Sessions(
            tokens=tokens,
            records=records,
            vault=vault,
            audit=audit,
            clock=clock,
            ids=ids,
            settings=settings.sessions,
            levels=settings.levels,
        )
        consents = Consents(audit=audit, clock=clock, ids=ids)
        deaths = Deaths(vault=vault, audit=audit, clock=clock)
        attempts = Attempts(clock=clock, ids=ids, settings=settings.limits)
        realname = RealName(
            registry=registry,
            records=records,
            consents=consents,
            vault=vault,
            attempts=attempts,
            deaths=deaths,
            audit=audit,
            clock=clock,
            ids=ids,
            levels=settings.levels,
        )
        return cls(
            registry=registry,
            tokens=tokens,
            sessions=sessions,
            accounts=Accounts(audit=audit, clock=clock, ids=ids),
            takeovers=Takeovers(
                vault=vault, audit=audit, jobs=ground.jobs, clock=clock, ids=ids, settings=settings.takeovers
            ),
            deaths=deaths,
            tidying=Tidying(attempts=attempts, clock=clock, settings=settings.sessions),
            consents=consents,
            realname=realname,
            citizens=Citizens(
                mini_program=wechat,
                realname=realname,
                records=records,
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
            staff=StaffServices.build(ground, records),
        )
