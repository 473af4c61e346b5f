"""Fakes of what matters need from outside: departments, records, people, holdings, a file store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from auth.errors import LevelTooLow
from auth.types import Caller, Level, Person, ReadPurpose
from certificates.types import HeldCertificate, Value
from certificates.types import State as CertificateState
from core.audit.actors import Actor
from core.pii import IdNumber, Mobile, PersonName, Secret
from matters.errors import (
    DepartmentUnavailable,
    DossierDeclined,
    FileInfected,
    FileRefused,
    FileStoreUnavailable,
    QuestionRefused,
    ScannerUnavailable,
    TextCheckUnavailable,
)
from matters.files.inspector import clean
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import (
    Applicant,
    Capability,
    CaseStatus,
    Dedupe,
    Details,
    Dossier,
    Fact,
    Filed,
    ProgressEvent,
    Receipt,
    Suggestion,
    Supplement,
    TextVerdict,
)
from tests.fakes.shipped import shipped_kinds

NAME, NUMBER, MOBILE = "瞿漫林", "999999199502286280", "19900000005"


class FakeDepartment:
    """Takes dossiers; de-duplicates by reference when it was told so. What it can do besides, a test may say."""

    def __init__(self, *, dedupe: Dedupe = Dedupe.KEY, approves: Details | None = None) -> None:
        self.dedupe = dedupe
        self.capabilities = frozenset(
            {Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.CALLBACK}
        )
        self.events: dict[str, list[ProgressEvent]] = {}
        self.asked: list[str] = []
        self.withdrawn: list[str] = []
        self.has_decided = False
        self.supplied: list[Supplement] = []
        self.approves = approves
        self.arrived: list[Dossier] = []
        self.effects: dict[str, int] = {}
        self.declines: str | None = None
        self.failures: list[DepartmentUnavailable | QuestionRefused | DossierDeclined] = []
        self.loses_answers = 0

    async def submit(self, dossier: Dossier) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        if self.declines is not None:
            raise DossierDeclined("public-security", self.declines)
        self.arrived.append(dossier)
        if dossier.reference not in self.effects or self.dedupe is not Dedupe.KEY:
            self.effects[dossier.reference] = self.effects.get(dossier.reference, 0) + 1
        if self.loses_answers:
            self.loses_answers -= 1
            raise DepartmentUnavailable("public-security", ambiguous=True)
        return Receipt(f"R-{dossier.reference[-4:]}", approved=self.approves)

    async def status(self, filed: Filed) -> CaseStatus | None:
        if self.failures:
            raise self.failures.pop(0)
        self.asked.append(filed.reference)
        if filed.reference not in self.effects:
            return None
        return CaseStatus(f"R-{filed.reference[-4:]}", tuple(self.events.get(filed.reference, ())))

    async def supplement(self, supplement: Supplement) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.has_decided:
            raise SupplementDeclined
        if self.dedupe is Dedupe.NONE or supplement.key not in {each.key for each in self.supplied}:
            self.supplied.append(supplement)
        if self.loses_answers:
            self.loses_answers -= 1
            raise DepartmentUnavailable("public-security", ambiguous=True)

    async def withdraw(self, filed: Filed) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.has_decided:
            raise WithdrawalDeclined
        self.withdrawn.append(filed.reference)


class FakeRecords:
    """Answers with the same facts each time; None is a department that is away."""

    capabilities = frozenset({Capability.QUERY})

    def __init__(self, facts: Mapping[str, Fact] | None) -> None:
        self.facts = facts
        self.asked = 0

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        self.asked += 1
        if self.facts is None:
            raise DepartmentUnavailable("somewhere", ambiguous=True)
        return self.facts


class FakeHomeRegistry:
    """Notes results, each key once; may be away."""

    def __init__(self) -> None:
        self.noted: dict[str, Details] = {}
        self.is_away = False

    async def take_result(self, key: str, matter: str, applicant: Applicant, result: Details) -> None:
        if self.is_away:
            raise DepartmentUnavailable("public-security", ambiguous=True)
        self.noted[key] = {"matter": matter, "name": applicant.name.reveal(), **result}


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

    async def kinds_in_force(self, citizen_id: UUID) -> frozenset[str]:
        return frozenset({"residence-permit"}) if citizen_id in self.fields else frozenset()

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
            kind=shipped_kinds().get(kind),
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


class FakeContents:
    """Holds the same for every file."""

    content = b"%PDF-1.7 what was given"

    async def read(self, file_id: UUID) -> bytes:
        return self.content


class FakeInspector:
    """Opens files here and now, as the process of its own does."""

    async def clean(self, content: bytes, media_type: str) -> bytes:
        kept = clean(media_type, content)
        if kept is None:
            raise FileRefused
        return kept


class FakeScanner:
    """Knows one word of malicious files; may be away."""

    def __init__(self, word: bytes) -> None:
        self.word = word
        self.is_away = False
        self.scanned = 0

    async def scan(self, content: bytes) -> None:
        self.scanned += 1
        if self.is_away:
            raise ScannerUnavailable(retry_after=30)
        if self.word in content:
            raise FileInfected


class FakeValueDesk:
    """Remembers what was called wrong."""

    def __init__(self) -> None:
        self.told: list[tuple[str, UUID | None, str]] = []

    async def report(self, caller: Caller, *, item: str, text: str, certificate_id: UUID | None) -> str:
        self.told.append((item, certificate_id, text))
        return f"T{len(self.told):04d}"


class FakeTextCheck:
    """Thinks what it was told to think of every text; may be away."""

    def __init__(self) -> None:
        self.thinks = TextVerdict(Suggestion.PASS, 100)
        self.is_away = False
        self.texts: list[str] = []

    async def check(self, text: str, openid: Secret) -> TextVerdict:
        if self.is_away:
            raise TextCheckUnavailable
        self.texts.append(text)
        return self.thinks


class FakeOpenids:
    """Everybody has an account, unless nobody has."""

    def __init__(self) -> None:
        self.nobody = False

    async def openid_of(self, citizen_id: UUID) -> Secret | None:
        return None if self.nobody else Secret(f"o-{citizen_id.hex}")


class FakeOfficers:
    """Officers sit where they were put; others everywhere."""

    def __init__(self) -> None:
        self.regions: dict[UUID, str] = {}

    async def region_of(self, operator_id: UUID) -> str:
        return self.regions.get(operator_id, "")
