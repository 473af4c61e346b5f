"""The rooms of the staff put together over the ground, with passwords that cost no time, and people to play with."""

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pyotp
from argon2 import PasswordHasher

from auth.places.recent import RecentSessions
from auth.records import Records
from auth.registers.admission import Admission
from auth.registers.keys import RegisteredKeys
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.registers.trail import Trail
from auth.registers.undoing import RegisterUndoing
from auth.settings import AuthSettings
from auth.staff.appointments import Appointments
from auth.staff.approvals import Approvals, Check, Deed
from auth.staff.emergencies import Emergencies
from auth.staff.leaving import Leaving
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.papers import Papers
from auth.staff.passwords import Passwords
from auth.staff.proof import Proof
from auth.staff.reviews import Reviews
from auth.staff.sessions import StaffSessions
from auth.staff.types import StaffGrant
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.signers.strength import PublicKey
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


class FakeKnownNames:
    """A town with a few words of its own."""

    def is_readable(self, word: str) -> bool:
        return word in {"name", "id_number", "number", "age>=18"}

    def is_matter(self, name: str) -> bool:
        return name in {"m-1", "m-2"}

    def is_department(self, slug: str) -> bool:
        return slug in {"taxation", "health", "public-security"}


@dataclass
class Staff:
    """The rooms of the staff, and of the registers they keep."""

    ground: Ground
    settings: AuthSettings
    passwords: Passwords
    proof: Proof
    sessions: StaffSessions
    operators: Operators
    appointments: Appointments
    papers: Papers
    deeds: dict[str, Deed]
    approvals: Approvals
    emergencies: Emergencies
    reviews: Reviews
    openings: Openings
    trail: Trail
    parties: Parties
    registered_keys: RegisteredKeys
    privacy_records: PrivacyRecords
    address: str = field(default_factory=lambda: f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.7")

    async def member(
        self, *grants: Role | RoleGrant, username: str = "", networks: tuple[str, ...] = (), address: str = ""
    ) -> Member:
        """Invite somebody and let them accept."""
        name = username or f"member-{next(_names)}"
        held = tuple(each if isinstance(each, RoleGrant) else RoleGrant(each) for each in grants)
        invitation = await self.operators.invite(name, held, networks=networks)
        activated = await self.operators.activate(invitation.secret, PASSWORD, address=address or self.address)
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


def make_staff(
    ground: Ground,
    settings: AuthSettings | None = None,
    *,
    recent: RecentSessions | None = None,
    given: Mapping[str, PublicKey] | None = None,
) -> Staff:
    """Put the rooms together as the wiring does. `given` are the keys that the settings name."""
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
    names = FakeKnownNames()
    admission = Admission(names=names, given=dict(given or {}))
    appointments = Appointments(names=names, leaving=leaving, audit=audit, ids=ids)
    parties = Parties(admission=admission, vault=vault, audit=audit, clock=clock, ids=ids)
    undoing = RegisterUndoing(parties=parties, vault=vault, audit=audit, clock=clock)
    deeds: dict[str, Deed] = {
        "operators.grant-roles": appointments.set_roles_approved,
        "operators.disable": appointments.disable_approved,
        "operators.set-networks": appointments.set_networks_approved,
        "verifiers.register": parties.register_verifier,
        "verifiers.change": parties.change_verifier,
        "devices.register": parties.register_device,
        "devices.change": parties.change_device,
        "keys.add": parties.add_key,
    }
    checks: dict[str, Check] = {
        action: appointments.check if action.startswith("operators.") else partial(admission.check, action)
        for action in deeds
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
        appointments=appointments,
        papers=papers,
        deeds=deeds,
        approvals=Approvals(deeds=deeds, checks=checks, papers=papers, audit=audit, clock=clock, ids=ids, settings=own),
        emergencies=Emergencies(
            deeds=deeds,
            undoing=undoing,
            papers=papers,
            audit=audit,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            settings=own,
        ),
        reviews=Reviews(undoing=undoing, papers=papers, audit=audit, jobs=ground.jobs, clock=clock),
        trail=Trail(vault=vault, audit=audit, clock=clock, key=ground.ring.audit.public_key),
        openings=Openings(records=Records(vault=vault), audit=audit, clock=clock, ids=ids, settings=own),
        parties=parties,
        registered_keys=RegisteredKeys(clock=clock),
        privacy_records=PrivacyRecords(audit=audit, clock=clock, ids=ids),
    )


def limited(role: Role, **scope: str) -> RoleGrant:
    """A grant that does not reach everywhere."""
    return RoleGrant(role, StaffScope(**scope))
