"""Fakes of what the wallet needs from outside: an issuer with a drawer of certificates, and people with names."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from auth.errors import LevelTooLow
from auth.registers.errors import QuotaUsedUp
from auth.registers.types import VerifierTerms
from auth.types import Level, Person, ReadPurpose, Term
from certificates.errors import IssuerUnavailable, NotConfirmed
from certificates.types import CertificateQuery, Issued, State, Value
from core.pii import IdNumber, PersonName

LICENCE: Mapping[str, Value] = {
    "number": "999999198503122179",
    "name": "霍明哲",
    "sex": "男",
    "nationality": "中国",
    "address": "示例市东湖区云帆路18号",
    "birth_on": "1985-03-12",
    "first_issued_on": "2008-05-16",
    "vehicle_class": "C1",
    "valid_from": "2024-05-16",
    "valid_until": "2034-05-16",
    "points": 0,
    "status": "normal",
    "file_number": "999900123451",
    "issuer": "示例市公安局交通警察支队",
}
PERMIT: Mapping[str, Value] = {
    "number": "JZ999900000628",
    "name": "霍明哲",
    "sex": "男",
    "ethnicity": "汉",
    "id_number": "999999198503122179",
    "household_address": "邻省临江市南湖区芙蓉路25号",
    "residence_address": "示例市东湖区云帆路18号",
    "valid_from": "2024-03-22",
    "valid_until": "2029-03-22",
    "endorsed_until": "2026-03-22",
    "issuer": "示例市公安局东湖分局",
    "issued_on": "2024-03-22",
}


class FakeOpenSessions:
    """Every session is open until it is ended here."""

    def __init__(self) -> None:
        self.ended: set[UUID] = set()

    async def is_open(self, session_id: UUID) -> bool:
        return session_id not in self.ended


class FakeVerifiers:
    """A register that a test writes into; counts without days."""

    def __init__(self) -> None:
        self.terms: dict[UUID, VerifierTerms] = {}
        self.asked: dict[UUID, int] = {}

    def register(
        self, purpose: str, *names: str, quota: int = 0, titles: Mapping[str, Term] | None = None
    ) -> VerifierTerms:
        terms = VerifierTerms(uuid4(), "示例租车", {purpose: frozenset(names)}, quota, titles or {})
        self.terms[terms.id] = terms
        return terms

    async def find(self, verifier_id: UUID) -> VerifierTerms | None:
        return self.terms.get(verifier_id)

    async def purposes(self) -> Mapping[UUID, Mapping[str, Term]]:
        return {terms.id: terms.titles for terms in self.terms.values()}

    async def count(self, terms: VerifierTerms) -> None:
        self.asked[terms.id] = self.asked.get(terms.id, 0) + 1
        if terms.quota_per_day and self.asked[terms.id] > terms.quota_per_day:
            raise QuotaUsedUp(retry_after=1)


def issued(
    fields: Mapping[str, Value] = LICENCE,
    *,
    state: State = State.ACTIVE,
    serial: str = "DL0000000451",
    version: int | None = 1,
    identifier: str | None = None,
) -> Issued:
    """A certificate as an issuer would tell it."""
    return Issued(
        state=state,
        issuer="示例市公安局",
        issuer_code="999999",
        serial=serial,
        version=version,
        identifier=identifier,
        fields=fields,
    )


class FakeIssuer:
    """Answers from its drawer, by kind and number; can be taken away."""

    def __init__(self, drawer: Mapping[tuple[str, str], Issued] | None = None) -> None:
        self.drawer = dict(drawer or {})
        self.is_away = False
        self.is_unsure = False
        self.asked: list[CertificateQuery] = []

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        self.asked.append(query)
        if self.is_away:
            raise IssuerUnavailable
        if self.is_unsure:
            raise NotConfirmed
        return self.drawer.get((query.kind, query.id_number.reveal()))


class FakePersons:
    """Knows people by the id of their citizen row."""

    def __init__(self) -> None:
        self._people: dict[UUID, Person] = {}
        self._numbers: dict[str, UUID] = {}
        self.dead: set[UUID] = set()

    async def has_died(self, citizen_id: UUID) -> bool:
        return citizen_id in self.dead

    def know(self, citizen_id: UUID, *, name: str = "霍明哲", id_number: str = "999999198503122179") -> None:
        """Give a citizen a real name."""
        self._numbers[id_number] = citizen_id
        self._people[citizen_id] = Person(citizen_id, PersonName.parse(name), IdNumber.parse(id_number), None)

    async def person_of(self, citizen_id: UUID, purpose: ReadPurpose) -> Person:
        if citizen_id not in self._people:
            raise LevelTooLow.needing(Level.REAL_NAME)
        return self._people[citizen_id]

    async def find_citizen(self, id_number: IdNumber) -> UUID | None:
        return self._numbers.get(id_number.reveal())
