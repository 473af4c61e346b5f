"""The words of the wallet: kinds as they are defined, what an issuer answers, what is held, shown and verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from core.pii import IdNumber, PersonName

Rows: TypeAlias = list[dict[str, str | int | None]]
Value: TypeAlias = str | int | Rows | None
"""What a field holds; dates and moments are ISO 8601 text (`2034-05-16`), rows a list of records (endorsements)."""


PURPOSE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""What a purpose may be written with: one line, no control characters."""
PURPOSE_LENGTH: Final = 200


class State(StrEnum):
    """Where a certificate stands. `expiring` and `expired` also follow from its last day and the calendar."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    FROZEN = "frozen"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    MOVED = "moved"


class Source(StrEnum):
    """How we came to know of a change: we asked, the issuer told, or it is our own doing."""

    PULL = "pull"
    PUSH = "push"
    SYSTEM = "system"


class Colour(StrEnum):
    """How a code is shown: black when all is well, red when something stands against the certificate."""

    BLACK = "black"
    RED = "red"


class Outcome(StrEnum):
    """What a verifier learns about a code. `bad_signature` belongs to tokens (`certificates/offline`).

    `other_verifier`: the holder made the code for somebody else; it is not used up.
    """

    OK = "ok"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"
    FROZEN = "frozen"
    UNKNOWN = "unknown"
    OTHER_VERIFIER = "other_verifier"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"


class FieldType(StrEnum):
    """What a field's value is. A `code` is one of the issuer's own words (`normal`, `withheld`)."""

    TEXT = "text"
    DATE = "date"
    MOMENT = "moment"
    INTEGER = "integer"
    CODE = "code"
    ROWS = "rows"


class Reading(StrEnum):
    """How a claim reads the field it rests on."""

    BIRTH_DATE = "birth-date"
    ID_NUMBER = "id-number"
    NUMBER = "number"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for residents in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of a kind. One that is not `required` may be null or missing in an issuer's answer.

    `words` says what each code means that the field may hold; a code without a word is new at the issuer. `columns`
    are those of a field of rows, in order.
    """

    name: str
    title: str
    title_en: str
    type: FieldType
    required: bool
    words: Mapping[str, Text]
    columns: tuple["FieldDefinition", ...] = ()

    def word_of(self, value: Value) -> Text | None:
        """Return what a code of the issuer's means; None for one without a word, and for what is no code."""
        return self.words.get(str(value))


@dataclass(frozen=True, slots=True)
class RedRule:
    """What turns a code red: a number at or over `at_least`, or a code `other_than` the ones that are well.

    The second form names what is well, so that a word the issuer adds later is red until somebody has looked at it.
    `reason` is what the holder reads.
    """

    field: str
    at_least: int | None
    other_than: tuple[str, ...]
    reason: Text


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """What a claim rests on. `covers` lists, for classes, the further classes that each one includes.

    `words` says by operator what a claim means to people, with `{}` for what is compared with.
    """

    field: str
    reads: Reading
    covers: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of certificate, read from `kinds/<slug>.json`.

    `valid_until` names the date fields of which the earliest ends validity; `card_face` the fields shown when the
    holder chooses none; `number_field` and `name_field` what stands, masked, in lists and in front of strangers;
    `schema` the JSON Schema (draft 2020-12) that an issuer's answer has to fit; `reminders` so many days before the
    last one the holder is told; `renewal` what there is to do then, and `renewed_by` the matter that does it, if there
    is one; `group` what the holder belongs to while it is valid, empty for none.
    """

    slug: str
    title: str
    title_en: str
    issuer: str
    type_code: str
    number_field: str
    name_field: str
    fields: tuple[FieldDefinition, ...]
    schema: Mapping[str, Any]
    card_face: tuple[str, ...]
    valid_until: tuple[str, ...]
    red_when: tuple[RedRule, ...]
    claims: Mapping[str, ClaimSource]
    reminders: tuple[int, ...] = ()
    renewal: Text | None = None
    renewed_by: str = ""
    group: str = ""

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields, in the order of the card."""
        return tuple(each.name for each in self.fields)


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement the holder lets out in place of a field: `age>=18`, `licence-covers=C1`."""

    name: str
    operator: str
    operand: str

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.operand}"


@dataclass(frozen=True, slots=True)
class CertificateQuery:
    """What an issuer is asked: the kind, the holder, and why (at most 200 characters)."""

    kind: str
    name: PersonName
    id_number: IdNumber
    purpose: str


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """A certificate as its issuer tells it.

    `version` rises with each change; None from an issuer that does not count. `identifier` is the issuer's own (GB/T
    36904), None from one that leaves making it to us. `fields` holds the certificate's own `number` and `valid_until`
    beside the fields of its kind. Prints nothing of what it holds.
    """

    state: State
    issuer: str
    issuer_code: str
    serial: str
    version: int | None
    identifier: str | None
    fields: Mapping[str, Value]

    def __repr__(self) -> str:
        return f"<Issued {self.state.value} version {self.version}>"


@dataclass(frozen=True, slots=True, repr=False)
class News:
    """What an issuer tells about one certificate. `version` rises with each change; `serial` says which of a kind.

    `code` is the state as certificates are exchanged (two digits), `reason` one of the issuer's words.
    """

    event_id: str
    kind: str
    holder: IdNumber
    serial: str
    version: int
    code: str
    reason: str

    def __repr__(self) -> str:
        return f"<News {self.kind} {self.code}>"


class ReportState(StrEnum):
    """How far a report of a wrong value is: handed on or not, and what its issuer says."""

    WAITING = "waiting"
    SENT = "sent"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What a holder calls wrong on a certificate, and what came of it: `note` is the issuer's."""

    id: UUID
    field: str
    text: str
    state: ReportState
    created_at: datetime
    answered_at: datetime | None
    note: str | None

    def __repr__(self) -> str:
        return f"<Report {self.field} {self.state.value}>"


@dataclass(frozen=True, slots=True, repr=False)
class Ticket:
    """A report as its issuer gets it; `reference` is ours, the same at each try."""

    reference: str
    department: str
    kind: str
    identifier: str
    item: str
    told: str
    name: PersonName
    id_number: IdNumber

    def __repr__(self) -> str:
        return f"<Ticket {self.reference}>"


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What an issuer answers to a report: `corrected` or `confirmed`, and its words to the holder."""

    state: ReportState
    note: str

    def __repr__(self) -> str:
        return f"<Verdict {self.state.value}>"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a certificate's history."""

    id: UUID
    at: datetime
    source: Source
    state_before: State | None
    state: State
    code: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate as the wallet lists it; `number` is masked already."""

    id: UUID
    kind: str
    title: str
    title_en: str
    number: str
    state: State
    valid_until: date | None
    issuer: str
    stale_since: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class HeldCertificate:
    """A certificate with its fields open. Whoever asks for one has a purpose, and the holder can read of it."""

    id: UUID
    kind: Kind
    state: State
    valid_until: date | None
    issuer: str
    version: int
    identifier: str
    fields: Mapping[str, Value]
    fetched_at: datetime
    stale_since: datetime | None

    def __repr__(self) -> str:
        return f"<HeldCertificate {self.kind.slug} {self.state.value}>"


@dataclass(frozen=True, slots=True, repr=False)
class OpenedCertificate:
    """A certificate as its holder reads it: the line of the list, and everything behind it."""

    view: CertificateView
    held: HeldCertificate

    def __repr__(self) -> str:
        return f"<OpenedCertificate {self.view.kind}>"


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A certificate being shown: the code lives as long as `expires_at` says, and works once."""

    id: UUID
    code: str
    qr_svg: str
    colour: Colour
    expires_at: datetime

    def __repr__(self) -> str:
        return f"<Shown {self.id}>"


class ShowingState(StrEnum):
    """Whether a code that was shown can still be scanned."""

    OPEN = "open"
    USED = "used"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Showing:
    """A code as its holder looks back at it: what it lets out, to whom alone, for what. The code itself is not kept."""

    id: UUID
    state: ShowingState
    field_names: tuple[str, ...]
    claims: tuple[str, ...]
    verifier: UUID | None
    purpose: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Verified:
    """What a verifier is told. Without a good code there is no kind and no field."""

    outcome: Outcome
    kind: str | None = None
    fields: Mapping[str, Value | bool] = field(default_factory=dict)
    holder_notified: bool = False

    def __repr__(self) -> str:
        return f"<Verified {self.outcome.value}>"
