"""The rooms of the staff put together over the ground, with passwords that cost no time, and people to play with."""

import itertools
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

import pyotp
from argon2 import PasswordHasher

from auth.places.recent import RecentSessions
from auth.records import Records
from auth.registers.keys import RegisteredKeys
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.settings import AuthSettings
from auth.staff.approvals import Approvals, Deed
from auth.staff.emergencies import Emergencies
from auth.staff.leaving import Leaving
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.papers import Papers
from auth.staff.passwords import Passwords
from auth.staff.proof import Proof
from auth.staff.sessions import StaffSessions
from auth.staff.types import StaffGrant
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from tests.conftest import Ground

PASSWORD = "a-long-winter-in-the-hall"
ADDRESS = "10.1.2.3"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_names = itertools.count(1)


@dataclass
class Member:
    """An activated operator and what they carry in their head and pocket."""

    caller: StaffCaller
    username: str
    totp: pyotp.TOTP
    recovery_codes: tuple[str, ...]
    password: str = PASSWORD


@dataclass
class Staff:
    """The rooms of the staff, and of the registers they keep."""

    ground: Ground
    settings: AuthSettings
    passwords: Passwords
    proof: Proof
    sessions: StaffSessions
    operators: Operators
    papers: Papers
    deeds: dict[str, Deed]
    approvals: Approvals
    emergencies: Emergencies
    openings: Openings
    parties: Parties
    registered_keys: RegisteredKeys
    privacy_records: PrivacyRecords
    address: str = field(default_factory=lambda: f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.7")

    async def member(self, *grants: Role | RoleGrant, username: str = "", networks: tuple[str, ...] = ()) -> Member:
        """Invite somebody and let them accept."""
        name = username or f"member-{next(_names)}"
        held = tuple(each if isinstance(each, RoleGrant) else RoleGrant(each) for each in grants)
        invitation = await self.operators.invite(name, held, networks=networks)
        activated = await self.operators.activate(invitation.secret, PASSWORD, address=self.address)
        totp = pyotp.parse_uri(activated.otpauth_uri)
        assert isinstance(totp, pyotp.TOTP)
        caller = StaffCaller(invitation.operator_id, self.ground.ids.uuid(), name, held)
        return Member(caller, name, totp, activated.recovery_codes)

    async def log_in(self, member: Member, *, otp: str = "", steps: int = 0, address: str = "") -> StaffGrant:
        """Log somebody in with the code of the moment, or of one some steps away."""
        code = otp or member.totp.at(self.ground.clock.now() + timedelta(seconds=30 * steps))
        return await self.sessions.log_in(member.username, member.password, code, address=address or self.address)

    async def caller(self, grant: StaffGrant) -> StaffCaller:
        """Say who a session belongs to now."""
        return await self.sessions.caller_of(grant.access_token, address=self.address)


def make_staff(ground: Ground, settings: AuthSettings | None = None, *, recent: RecentSessions | None = None) -> Staff:
    """Put the rooms together as the wiring does."""
    settings = settings or AuthSettings()
    recent = recent or RecentSessions(clock=ground.clock, settings=settings.sessions)
    own, rates = settings.operators, settings.limits
    clock, ids, vault, audit = ground.clock, ground.ids, ground.vault, ground.audit
    passwords, papers = Passwords(hasher=CHEAP), Papers(vault=vault)
    proof = Proof(
        vault=vault, passwords=passwords, limits=ground.limits, audit=audit, clock=clock, settings=own, rates=rates
    )
    leaving = Leaving(recent=recent, audit=audit, clock=clock)
    operators = Operators(
        vault=vault,
        passwords=passwords,
        leaving=leaving,
        limits=ground.limits,
        audit=audit,
        clock=clock,
        ids=ids,
        settings=own,
        rates=rates,
    )
    parties = Parties(vault=vault, audit=audit, clock=clock, ids=ids)
    deeds: dict[str, Deed] = {
        "operators.grant-roles": operators.set_roles_approved,
        "verifiers.register": parties.register_verifier,
        "verifiers.change": parties.change_verifier,
        "devices.register": parties.register_device,
        "devices.change": parties.change_device,
        "keys.add": parties.add_key,
    }
    return Staff(
        ground=ground,
        settings=settings,
        passwords=passwords,
        proof=proof,
        sessions=StaffSessions(
            proof=proof, passwords=passwords, leaving=leaving, audit=audit, clock=clock, ids=ids, settings=own
        ),
        operators=operators,
        papers=papers,
        deeds=deeds,
        approvals=Approvals(deeds=deeds, papers=papers, audit=audit, clock=clock, ids=ids, settings=own),
        emergencies=Emergencies(
            deeds=deeds, papers=papers, audit=audit, jobs=ground.jobs, clock=clock, ids=ids, settings=own
        ),
        openings=Openings(records=Records(vault=vault), audit=audit, clock=clock, ids=ids, settings=own),
        parties=parties,
        registered_keys=RegisteredKeys(clock=clock),
        privacy_records=PrivacyRecords(audit=audit, clock=clock, ids=ids),
    )


def limited(role: Role, **scope: str) -> RoleGrant:
    """A grant that does not reach everywhere."""
    return RoleGrant(role, StaffScope(**scope))
