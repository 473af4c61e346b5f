"""Fakes of the registers behind delegation, and its rooms put together over the rest of auth with them."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from api.wiring.delegation import DelegationServices, Surroundings
from auth.delegation.authority import Authority
from auth.delegation.ending import Ending
from auth.delegation.guardians import Guardians
from auth.delegation.mandates import Mandates
from auth.delegation.organisations import Organisations
from auth.delegation.relatives import Relatives
from auth.delegation.types import Guardianship, Kinship, LinkState, MandateView, Named, Relation, RelativeView, Terms
from auth.settings import DelegationSettings
from auth.types import Caller, Level, ReadPurpose, Scope
from core.db import forbid_inside_transaction
from core.errors import Problem
from core.pii import id_check_digit
from tests.fakes.auth import Auth

NOBODY = Kinship(None, Guardianship.NONE)
ALL = Scope(None, None)
CONSENT = "delegation@1"


def number_of(serial: int, born: str = "19850312") -> str:
    """A number of nobody: an area code never given, and a birth date of one's choice."""
    first_17 = f"999999{born}{serial:03d}"
    return first_17 + id_check_digit(first_17)


class FakeKinshipRegister:
    """Knows the ties it was told of: (asker's number, other's number) → what the other is."""

    def __init__(self) -> None:
        self.ties: dict[tuple[str, str], Kinship] = {}
        self.names: dict[str, str] = {}
        self.trouble: Problem | None = None
        self.questions = 0

    def know(self, asker: Named, other: Named, kinship: Kinship) -> None:
        """Put a tie on record."""
        for person in (asker, other):
            self.names[person.id_number.reveal()] = person.name.reveal()
        self.ties[asker.id_number.reveal(), other.id_number.reveal()] = kinship

    async def ask(self, asker: Named, other: Named) -> Kinship:
        forbid_inside_transaction()
        self.questions += 1
        if self.trouble is not None:
            raise self.trouble
        for person in (asker, other):
            if self.names.get(person.id_number.reveal()) != person.name.reveal():
                return NOBODY
        return self.ties.get((asker.id_number.reveal(), other.id_number.reveal()), NOBODY)


class FakeBusinessRegister:
    """Knows organisations: (code, name) → the number and name of who represents them."""

    def __init__(self) -> None:
        self.representatives: dict[tuple[str, str], tuple[str, str]] = {}
        self.trouble: Problem | None = None
        self.questions = 0

    async def represents(self, person: Named, *, uscc: str, name: str) -> bool:
        forbid_inside_transaction()
        self.questions += 1
        if self.trouble is not None:
            raise self.trouble
        return self.representatives.get((uscc, name)) == (person.id_number.reveal(), person.name.reveal())


@dataclass
class Household:
    """The rooms of delegation, with fakes outside, and sentences that tests say often."""

    auth: Auth
    settings: DelegationSettings
    kinship: FakeKinshipRegister
    business: FakeBusinessRegister
    relatives: Relatives
    mandates: Mandates
    guardians: Guardians
    organisations: Organisations
    authority: Authority
    ending: Ending
    serials: list[int] = field(default_factory=lambda: [0])

    async def somebody(self, name: str = "", born: str = "19850312") -> tuple[Caller, Named]:
        """Log somebody new in under a real name, at `present`."""
        self.serials[0] += 1
        serial = self.serials[0]
        called = name or f"某{'甲乙丙丁戊己庚辛壬癸'[serial % 10]}"
        number = number_of(serial, born)
        caller = await self.auth.caller_named(f"openid-{serial}", called, number)
        person = await self.auth.realname.person_of(caller.citizen_id, ReadPurpose.DELEGATION)
        return replace(caller, level=Level.PRESENT), Named(person.name, person.id_number)

    async def ask(self, caller: Caller, other: Named, relation: Relation = Relation.OTHER) -> RelativeView:
        """Name a relative."""
        view, _ = await self.relatives.add(
            caller,
            relation=relation,
            name=other.name.reveal(),
            id_number=other.id_number.reveal(),
            consent=CONSENT,
        )
        return view

    async def tied(self, one: Caller, other: Caller) -> UUID:
        """Name and confirm a relative."""
        person = await self.auth.realname.person_of(other.citizen_id, ReadPurpose.DELEGATION)
        view = await self.ask(one, Named(person.name, person.id_number))
        if view.state is LinkState.CONFIRMED:
            return view.id
        assert await self.relatives.confirm(other, view.id, CONSENT) is not None
        return view.id

    def terms(self, scope: Scope = ALL, *, days: float = 30, one_time: bool = False) -> Terms:
        """What a principal gives."""
        return Terms(scope, self.auth.ground.clock.now() + timedelta(days=days), one_time)

    async def offered(self, principal: Caller, link_id: UUID, terms: Terms | None = None) -> MandateView:
        """Offer a mandate to a relative."""
        view = await self.mandates.offer_to_relative(principal, link_id, terms or self.terms())
        assert view is not None
        return view

    async def given(self, principal: Caller, agent: Caller, terms: Terms | None = None) -> UUID:
        """Tie two people, and let the one give the other a mandate that is accepted."""
        view = await self.offered(principal, await self.tied(principal, agent), terms)
        assert await self.mandates.accept(agent, view.id) is not None
        return view.id

    async def acting(self, agent: Caller, mandate_id: UUID) -> Caller:
        """The agent as a request under the mandate carries them."""
        return await self.authority.act(agent, str(mandate_id))


def make_household(auth: Auth, settings: DelegationSettings | None = None) -> Household:
    """Put delegation together over auth, with limits that do not stand in the way unless a test sets them."""
    settings = settings or DelegationSettings(
        relative_account="100000/day",
        relative_number="100000/day",
        organisation_account="100000/day",
        organisation_code="100000/day",
        mandate_account="100000/day",
    )
    ground, kinship, business = auth.ground, FakeKinshipRegister(), FakeBusinessRegister()
    rooms = DelegationServices.over(
        Surroundings(auth.realname, auth.consents, ground.vault, ground.audit, ground.limits, ground.clock, ground.ids),
        settings,
        kinship=kinship,
        business=business,
    )
    return Household(
        auth=auth,
        settings=settings,
        kinship=kinship,
        business=business,
        relatives=rooms.relatives,
        mandates=rooms.mandates,
        guardians=rooms.guardians,
        organisations=rooms.organisations,
        authority=rooms.authority,
        ending=rooms.ending,
    )
