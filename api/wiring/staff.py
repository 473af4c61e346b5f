"""The services of the staff, and of the registers they keep."""

from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from api.wiring.ground import Ground
from api.wiring.settings import Settings
from auth.places.recent import RecentSessions
from auth.records import Records
from auth.registers.keys import RegisteredKeys
from auth.registers.parties import Parties
from auth.registers.privacy import PrivacyRecords
from auth.staff.approvals import Approvals, Deed
from auth.staff.emergencies import Emergencies
from auth.staff.leaving import Leaving
from auth.staff.openings import Openings
from auth.staff.operators import Operators
from auth.staff.papers import Papers
from auth.staff.passwords import Passwords
from auth.staff.proof import Proof
from auth.staff.sessions import StaffSessions
from core.settings import UnsafeSettings
from core.signers.http_signature import TrustedKey


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
                proof=proof, passwords=passwords, leaving=leaving, audit=audit, clock=clock, ids=ids, settings=settings
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


def trusted_keys(settings: Settings) -> dict[str, TrustedKey]:
    """Return whose signatures are known, by key id."""
    public_security, sms = settings.departments.public_security, settings.notices.sms
    given = [
        ("public-security", public_security.callback_key_id, public_security.callback_public_key),
        ("sms", sms.report_key_id, sms.report_public_key),
    ]
    trusted = {}
    for party, key_id, pem in given:
        if pem:
            key = serialization.load_pem_public_key(pem.encode())
            if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
                raise UnsafeSettings(f"The key by which {party} signs is neither Ed25519 nor P-256.")
            trusted[key_id] = TrustedKey(party, key)
    return trusted
