"""The services of the staff, and of the registers they keep."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from api.wiring.ground import Ground
from api.wiring.names import RoomNames
from api.wiring.settings import Settings
from auth.places.recent import RecentSessions
from auth.records import Records
from auth.registers.admission import Admission
from auth.registers.keys import RegisteredKeys
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.registers.trail import Trail
from auth.registers.undoing import RegisterUndoing
from auth.registers.verifiers import RegisteredVerifiers
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
from core.settings import UnsafeSettings
from core.signers.http_signature import TrustedKey
from core.signers.strength import is_sound
from matters.settings import DisabledPersonsSettings, PublicSecuritySettings

# Who tells us news without having a matter or issuing a certificate: of deaths, and of messages.
_SIGNING: Final = frozenset({"public-security", "sms"})


@dataclass(frozen=True, slots=True)
class StaffServices:
    """The people who run it, what takes two of them, and the registers they keep."""

    sessions: StaffSessions
    operators: Operators
    appointments: Appointments
    approvals: Approvals
    emergencies: Emergencies
    reviews: Reviews
    openings: Openings
    trail: Trail
    parties: Parties
    registered_keys: RegisteredKeys
    names: RoomNames
    verifiers: RegisteredVerifiers
    privacy_records: PrivacyRecords

    @classmethod
    def build(cls, ground: Ground, *, records: Records, recent: RecentSessions) -> "StaffServices":
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
        leaving = Leaving(recent=recent, audit=audit, clock=clock)
        operators = Operators(
            vault=vault,
            passwords=passwords,
            leaving=leaving,
            limits=ground.limits,
            audit=audit,
            clock=clock,
            ids=ids,
            settings=settings,
            rates=rates,
        )
        names = RoomNames(signing=_SIGNING)
        given = {key_id: trusted.key for key_id, trusted in trusted_keys(ground.settings).items()}
        admission = Admission(names=names, given=given)
        appointments = Appointments(names=names, leaving=leaving, audit=audit, ids=ids)
        parties = Parties(admission=admission, vault=vault, audit=audit, clock=clock, ids=ids)
        undoing = RegisterUndoing(parties=parties, vault=vault, audit=audit, clock=clock)
        # What an approval does at once; the other actions of `auth/staff/rules.py` are done by commands.
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
        return cls(
            sessions=StaffSessions(
                proof=proof, passwords=passwords, leaving=leaving, audit=audit, clock=clock, ids=ids, settings=settings
            ),
            operators=operators,
            appointments=appointments,
            approvals=Approvals(
                deeds=deeds, checks=checks, papers=papers, audit=audit, clock=clock, ids=ids, settings=settings
            ),
            emergencies=Emergencies(
                deeds=deeds,
                undoing=undoing,
                papers=papers,
                audit=audit,
                jobs=ground.jobs,
                clock=clock,
                ids=ids,
                settings=settings,
            ),
            reviews=Reviews(undoing=undoing, papers=papers, audit=audit, jobs=ground.jobs, clock=clock),
            trail=Trail(vault=vault, audit=audit, clock=clock, key=ground.ring.audit.public_key),
            openings=Openings(records=records, audit=audit, clock=clock, ids=ids, settings=settings),
            parties=parties,
            registered_keys=RegisteredKeys(clock=clock),
            names=names,
            verifiers=RegisteredVerifiers(clock=clock, ids=ids),
            privacy_records=PrivacyRecords(audit=audit, clock=clock, ids=ids),
        )


def trusted_keys(settings: Settings) -> dict[str, TrustedKey]:
    """Return whose signatures are known, by key id."""
    public_security, sms = settings.departments.public_security, settings.notices.sms
    issuers = settings.certificates
    desk = settings.departments.desk
    departments = settings.departments
    own: dict[str, PublicSecuritySettings | DisabledPersonsSettings] = {
        "civil-affairs": departments.civil_affairs,
        "disabled-persons": departments.disabled_persons,
        "education": departments.education,
        "health": departments.health,
        "real-estate": departments.real_estate,
    }
    given = [
        *((name, each.callback_key_id, each.callback_public_key) for name, each in own.items()),
        ("public-security", public_security.callback_key_id, public_security.callback_public_key),
        ("sms", sms.report_key_id, sms.report_public_key),
        *((name, desk.callback_key_ids.get(name, ""), pem) for name, pem in desk.callback_public_keys.items()),
        *((name, issuers.callback_key_ids.get(name, ""), pem) for name, pem in issuers.callback_public_keys.items()),
    ]
    trusted = {}
    for party, key_id, pem in given:
        if pem:
            key = serialization.load_pem_public_key(pem.encode())
            if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
                raise UnsafeSettings(f"The key by which {party} signs is neither Ed25519 nor P-256.")
            if not is_sound(key):
                raise UnsafeSettings(f"The key by which {party} signs is one by which anybody could.")
            trusted[key_id] = TrustedKey(party, key)
    return trusted
