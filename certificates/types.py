"""The words of the wallet: kinds as they are defined, what an issuer answers, what is held, shown and verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from core.pii import IdNumber, PersonName

Value: TypeAlias = str | int | None
"""What a field holds; dates are ISO 8601 text (`2034-05-16`)."""


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


class Colour(StrEnum):
    """How a code is shown: black when all is well, red when something stands against the certificate."""

    BLACK = "black"
    RED = "red"


class Outcome(StrEnum):
    """What a verifier learns about a code. `bad_signature` belongs to tokens that are checked without us."""

    OK = "ok"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"
    FROZEN = "frozen"
    UNKNOWN = "unknown"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"


class FieldType(StrEnum):
    """What a field's value is. A `code` is one of the issuer's own words (`normal`, `withheld`)."""

    TEXT = "text"
    DATE = "date"
    INTEGER = "integer"
    CODE = "code"


class Reading(StrEnum):
    """How a claim reads the field it rests on."""

    BIRTH_DATE = "birth-date"
    ID_NUMBER = "id-number"
    NUMBER = "number"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of a kind. One that is not `required` may be null or missing in an issuer's answer."""

    name: str
    title: str
    title_en: str
    type: FieldType
    required: bool


@dataclass(frozen=True, slots=True)
class RedRule:
    """What turns a code red: a number at or over `at_least`, or a code `other_than` the ones that are well.

    The second form names what is well, so that a word the issuer adds later is red until somebody has looked at it.
    """

    field: str
    at_least: int | None
    other_than: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """What a claim rests on. `covers` lists, for classes, the further classes that each one includes."""

    field: str
    reads: Reading
    covers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of certificate, read from `kinds/<slug>.json`.

    `valid_until` names the date fields of which the earliest ends validity; `card_face` the fields shown when the
    holder chooses none; `number_field` and `name_field` what stands, masked, in lists and in front of strangers;
    `group` what the holder belongs to while it is valid, empty for none.
    """

    slug: str
    title: str
    title_en: str
    issuer: str
    type_code: str
    number_field: str
    name_field: str
    fields: tuple[FieldDefinition, ...]
    card_face: tuple[str, ...]
    valid_until: tuple[str, ...]
    red_when: tuple[RedRule, ...]
    claims: Mapping[str, ClaimSource]
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


@dataclass(frozen=True, slots=True)
class Verifier:
    """Somebody registered to check certificates; `id` is ours.

    `allowed` names the fields and claims that the register lets them read; None: all that a holder agrees to.
    """

    id: UUID
    name: str
    allowed: frozenset[str] | None = None

    def may_read(self, name: str) -> bool:
        """Say whether the register lets them read a field or a claim."""
        return self.allowed is None or name in self.allowed


@dataclass(frozen=True, slots=True, repr=False)
class Verified:
    """What a verifier is told. Without a good code there is no kind and no field."""

    outcome: Outcome
    kind: str | None = None
    fields: Mapping[str, Value | bool] = field(default_factory=dict)
    holder_notified: bool = False

    def __repr__(self) -> str:
        return f"<Verified {self.outcome.value}>"
