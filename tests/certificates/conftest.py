"""A wallet over an open database, with an issuer and people that a test can arrange."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from auth.account.groups import Groups
from auth.types import Caller, Level
from certificates.definitions import Kinds
from certificates.keys import IssuerKeys
from certificates.living.asking import Asking
from certificates.living.history import History
from certificates.living.keeping import Keeping
from certificates.living.life import Life
from certificates.offline.status_lists import StatusLists
from certificates.offline.tokens import OfflineTokens
from certificates.presentation import Presentation
from certificates.records import Records
from certificates.settings import CertificateSettings
from certificates.types import CertificateView, Issued, Shown
from certificates.verification import Verification
from certificates.wallet import Wallet
from core.audit.ledger import LedgerLine, lines_of
from core.audit.record import Audit
from tests.conftest import Ground
from tests.fakes.certificates import FakeIssuer, FakeOpenSessions, FakePersons, FakeVerifiers, issued
from tests.fakes.ground import FixedIds
from tests.fakes.shipped import shipped_kinds

NUMBER = "999999198503122179"
LICENCE_KIND = "driving-licence"
PUBLIC_URL = "https://zhijian.city.test"


@dataclass
class Hall:
    """The use cases of the wallet and everything around them."""

    ground: Ground
    settings: CertificateSettings
    issuer: FakeIssuer
    persons: FakePersons
    sessions: FakeOpenSessions
    kinds: Kinds
    asking: Asking
    wallet: Wallet
    life: Life
    presentation: Presentation
    verification: Verification
    verifiers: FakeVerifiers
    keys: IssuerKeys
    lists: StatusLists
    tokens: OfflineTokens
    me: Caller
    records: Records

    def issue(self, certificate: Issued | None, kind: str = LICENCE_KIND) -> None:
        """Put a certificate into the issuer's drawer, or take it out."""
        if certificate is None:
            self.issuer.drawer.pop((kind, NUMBER), None)
        else:
            self.issuer.drawer[kind, NUMBER] = certificate

    async def held(self, certificate: Issued | None = None, kind: str = LICENCE_KIND) -> CertificateView:
        """Issue a certificate and fetch it."""
        self.issue(certificate or issued(), kind)
        view, _ = await self.wallet.fetch(self.me, kind)
        return view

    async def shown(self, certificate_id: UUID, **more: list[str]) -> Shown:
        """Show a certificate that is there."""
        shown = await self.presentation.show(self.me, certificate_id, **more)  # type: ignore[arg-type]
        assert shown is not None
        return shown

    async def ledger(self) -> list[LedgerLine]:
        """The holder's ledger, newest first."""
        return await lines_of(self.me.citizen_id, before=None, limit=500)


@pytest.fixture
def kinds() -> Kinds:
    return shipped_kinds()


@pytest.fixture
def hall(ground: Ground, kinds: Kinds) -> Hall:
    citizen_id = ground.ids.uuid()
    settings = CertificateSettings(
        verify_limit="100000/minute",
        verify_failed_limit="100000/minute",
        fetch_limit="1000/minute",
        show_limit="1000/minute",
        status_list_seconds=0,
    )
    issuer, persons, sessions = FakeIssuer(), FakePersons(), FakeOpenSessions()
    persons.know(citizen_id)
    # Lines of one moment are told apart by their ids: these count upwards.
    audit = Audit(clock=ground.clock, ids=FixedIds())
    records = Records(vault=ground.vault, clock=ground.clock, ids=ground.ids)
    history = History(jobs=ground.jobs, clock=ground.clock, ids=ground.ids)
    groups = Groups(clock=ground.clock, ids=ground.ids)
    keeping = Keeping(records=records, history=history, groups=groups, audit=audit, clock=ground.clock)
    asking = Asking(
        issuers={"public-security": issuer}, persons=persons, clock=ground.clock, ids=ground.ids, settings=settings
    )
    verifiers = FakeVerifiers()
    keys = IssuerKeys(lambda: ground.ring.issuers, clock=ground.clock)
    lists = StatusLists(keys=keys, public_url=PUBLIC_URL, clock=ground.clock, ids=ground.ids, settings=settings)
    return Hall(
        asking=asking,
        ground=ground,
        settings=settings,
        issuer=issuer,
        persons=persons,
        sessions=sessions,
        kinds=kinds,
        records=records,
        verifiers=verifiers,
        keys=keys,
        lists=lists,
        tokens=OfflineTokens(
            kinds=kinds,
            records=records,
            keys=keys,
            lists=lists,
            public_url=PUBLIC_URL,
            audit=audit,
            limits=ground.limits,
            clock=ground.clock,
            ids=ground.ids,
            settings=settings,
        ),
        wallet=Wallet(
            kinds=kinds,
            asking=asking,
            keeping=keeping,
            history=history,
            records=records,
            audit=audit,
            jobs=ground.jobs,
            limits=ground.limits,
            clock=ground.clock,
            settings=settings,
        ),
        life=Life(
            kinds=kinds,
            asking=asking,
            keeping=keeping,
            accounts=persons,
            jobs=ground.jobs,
            limits=ground.limits,
            settings=settings,
        ),
        presentation=Presentation(
            kinds=kinds,
            records=records,
            verifiers=verifiers,
            audit=audit,
            limits=ground.limits,
            clock=ground.clock,
            ids=ground.ids,
            settings=settings,
        ),
        verification=Verification(
            kinds=kinds,
            records=records,
            sessions=sessions,
            verifiers=verifiers,
            keys=keys,
            lists=lists,
            vault=ground.vault,
            audit=audit,
            jobs=ground.jobs,
            limits=ground.limits,
            clock=ground.clock,
            settings=settings,
        ),
        me=Caller(citizen_id, ground.ids.uuid(), Level.PRESENT, elder=False, actor_id=citizen_id),
    )
