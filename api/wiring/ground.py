"""The ground's objects, built once for a process."""

from dataclasses import dataclass, field

from api.wiring.settings import Settings
from core.audit.record import Audit
from core.audit.seal import Sealer
from core.cache import Cache, Limits
from core.clock import Clock, SystemClock
from core.crypto import KeyRing, Vault
from core.ids import Ids, RandomIds
from core.jobs.carrier import TaskiqCarrier
from core.jobs.queue import Jobs
from core.outbound import Outbound, Partner, Signer
from core.settings import PartnerSettings, SignedPartnerSettings
from core.signers.signed_json import Digest, SignedJson


@dataclass(frozen=True, slots=True)
class Ground:
    """What all domains are built on."""

    settings: Settings
    clock: Clock
    ids: Ids
    ring: KeyRing
    vault: Vault
    audit: Audit
    sealer: Sealer
    carrier: TaskiqCarrier
    jobs: Jobs
    cache: Cache
    limits: Limits
    outbound: Outbound
    systems: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, settings: Settings) -> "Ground":
        """Build the ground; nothing is opened yet.

        Raises:
            UnsafeSettings: a key is missing or weak.
        """
        clock, ids = SystemClock(), RandomIds()
        ring = KeyRing.load(settings.key_folder)
        carrier = TaskiqCarrier(settings.effective_broker_url)
        return cls(
            settings=settings,
            clock=clock,
            ids=ids,
            ring=ring,
            vault=Vault(ring, clock=clock, ids=ids, cipher=settings.keys.cipher),
            audit=Audit(clock=clock, ids=ids),
            sealer=Sealer(ring=ring, clock=clock),
            carrier=carrier,
            jobs=Jobs(clock=clock, ids=ids, carrier=carrier),
            cache=Cache(settings),
            limits=Limits(settings, clock=clock),
            outbound=Outbound(settings.outbound, clock=clock, production=settings.is_production),
        )

    def partner(self, name: str, settings: PartnerSettings, signer: Signer | None = None) -> Partner:
        """Return an outside system as the one door out sees it, and remember its name among those configured."""
        if settings.address:
            self.systems.add(name)
        return Partner(name, settings.address, settings.timeout_seconds, settings.attempts, signer)

    def signed_partner(self, name: str, settings: SignedPartnerSettings, *, digest: Digest = "sha256") -> Partner:
        """Return an outside system that wants signed JSON."""
        signer = SignedJson(
            app_id=settings.app_id, secret=settings.secret, clock=self.clock, ids=self.ids, digest=digest
        )
        return self.partner(name, settings, signer)
