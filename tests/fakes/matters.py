"""Fakes of what matters need from outside: departments, records, people, holdings, a file store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from auth.errors import LevelTooLow
from auth.types import Caller, Level, Person, ReadPurpose
from certificates.definitions import Kinds
from certificates.settings import DEMO_AUTHORITY
from certificates.types import CertificateView, HeldCertificate, Value
from certificates.types import State as CertificateState
from core.audit.actors import Actor
from core.pii import IdNumber, Mobile, PersonName
from matters.errors import DepartmentUnavailable, DossierDeclined, FileStoreUnavailable, QuestionRefused
from matters.types import Applicant, Dedupe, Details, Dossier, Fact, Receipt

NAME, NUMBER, MOBILE = "瞿漫林", "999999199502286280", "19900000005"


class FakeDepartment:
    """Takes dossiers; de-duplicates by reference when its class says so."""

    def __init__(self, *, dedupe: Dedupe = Dedupe.KEY, approves: Details | None = None) -> None:
        self.dedupe = dedupe
        self.approves = approves
        self.arrived: list[Dossier] = []
        self.effects: dict[str, int] = {}
        self.declines: str | None = None
        self.failures: list[DepartmentUnavailable | QuestionRefused] = []
        self.loses_answers = 0

    async def submit(self, dossier: Dossier) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        if self.declines is not None:
            raise DossierDeclined("public-security", self.declines)
        self.arrived.append(dossier)
        if dossier.reference not in self.effects or self.dedupe is Dedupe.NONE:
            self.effects[dossier.reference] = self.effects.get(dossier.reference, 0) + 1
        if self.loses_answers:
            self.loses_answers -= 1
            raise DepartmentUnavailable("public-security", ambiguous=True)
        return Receipt(f"R-{dossier.reference[-4:]}", approved=self.approves)


class FakeRecords:
    """Answers with the same facts each time; None is a department that is away."""

    def __init__(self, facts: Mapping[str, Fact] | None) -> None:
        self.facts = facts
        self.asked = 0

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        self.asked += 1
        if self.facts is None:
            raise DepartmentUnavailable("somewhere", ambiguous=True)
        return self.facts


class FakePeople:
    """Knows citizens that were added."""

    def __init__(self) -> None:
        self.known: dict[UUID, Person] = {}

    def add(self, citizen_id: UUID, *, name: str = NAME, number: str = NUMBER, mobile: str | None = MOBILE) -> None:
        self.known[citizen_id] = Person(
            citizen_id, PersonName.parse(name), IdNumber.parse(number), Mobile.parse(mobile) if mobile else None
        )

    async def person_of(self, citizen_id: UUID, purpose: ReadPurpose) -> Person:
        if citizen_id not in self.known:
            raise LevelTooLow.needing(Level.REAL_NAME)
        return self.known[citizen_id]


class FakeHoldings:
    """Holds residence permits of citizens that were given one."""

    def __init__(self) -> None:
        self.fields: dict[UUID, dict[str, Value]] = {}
        self.purposes: list[str] = []
        self.readers: list[Actor | None] = []

    def give(self, citizen_id: UUID) -> None:
        self.fields[citizen_id] = {
            "number": "JZ999900000628",
            "residence_address": "示例市东湖区梧桐路9号2栋1501室",
            "endorsed_until": "2026-03-20",
        }

    async def list_held(self, caller: Caller, *, after: UUID | None, limit: int) -> Sequence[CertificateView]:
        if caller.citizen_id not in self.fields:
            return []
        return [
            CertificateView(
                id=UUID(int=1),
                kind="residence-permit",
                title="居住证",
                title_en="Residence permit",
                number="JZ99******0628",
                state=CertificateState.ACTIVE,
                valid_until=None,
                issuer="示例市公安局",
                stale_since=None,
            ),
        ]

    async def find_held(
        self, citizen_id: UUID, kind: str, *, purpose: str, fields: Sequence[str] = (), actor: Actor | None = None
    ) -> HeldCertificate | None:
        self.purposes.append(purpose)
        self.readers.append(actor)
        held = self.fields.get(citizen_id)
        if held is None or kind != "residence-permit":
            return None
        return HeldCertificate(
            id=UUID(int=1),
            kind=Kinds.load(authority=DEMO_AUTHORITY, type_codes={}).get(kind),
            state=CertificateState.ACTIVE,
            valid_until=None,
            issuer="示例市公安局",
            version=1,
            identifier="",
            fields={name: held[name] for name in fields},
            fetched_at=datetime(2026, 3, 1, tzinfo=UTC),
            stale_since=None,
        )


class FakeFileStore:
    """Keeps files in memory; may be full."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.is_full = False

    async def put(self, name: str, content: bytes) -> None:
        if self.is_full:
            raise FileStoreUnavailable
        self.files[name] = content

    async def get(self, name: str) -> bytes:
        if name not in self.files:
            raise FileStoreUnavailable
        return self.files[name]

    async def remove(self, name: str) -> None:
        self.files.pop(name, None)
