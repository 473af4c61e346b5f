"""What can be asked for that takes two people: each action with exactly what it needs."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from api.operation import Body
from api.staff.words import UNIQUE, EachOnce, Grants, Network, Slug
from auth.registers.types import PartyKind, PartyState
from certificates.types import PURPOSE
from matters.catalogue.revisions.types import OperationKind
from matters.materials.demands import payload_of as case_payload

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=<>-]{1,64}$")]
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,64}$")]
Contact = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Networks = Annotated[list[Network], Field(max_length=20)]
Fields = Annotated[list[Word], Field(min_length=1, max_length=40)]
Purposes = Annotated[dict[Word, Fields], Field(max_length=20)]
PurposeTitle = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=PURPOSE)]
Quota = Annotated[int, Field(ge=0, le=10_000_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{31}$")]
Matters = Annotated[list[Word], Field(max_length=200)]

# Kinds of our own keys, in the words of `scripts.keys`.
KeySet = Literal["tokens", "issuers", "sm2", "index", "data", "kek"]


class KeyIn(Body):
    """A public key in PEM, Ed25519 or P-256, and the id under which its owner signs."""

    key_id: KeyId
    public_key: Annotated[str, StringConstraints(max_length=1000)]


class PurposeWords(Body):
    """What residents read of a purpose, in both languages."""

    zh: PurposeTitle
    en: PurposeTitle


PurposeTitles = Annotated[dict[Word, PurposeWords], Field(max_length=20)]


class GrantRoles(Body):
    """Give an operator exactly these roles."""

    action: Literal["operators.grant-roles"]
    operator_id: UUID
    grants: Grants


class DisableOperator(Body):
    """Shut an operator out whom one person alone does not: nobody else has that place."""

    action: Literal["operators.disable"]
    operator_id: UUID


class SetNetworks(Body):
    """Say from which networks an operator may come who looks at what others do; none: from anywhere."""

    action: Literal["operators.set-networks"]
    operator_id: UUID
    networks: Networks


class RegisterVerifier(Body):
    """Register a verifier: which fields it may read for which purpose, how often a day (0: not limited), from where.

    `purpose_titles` says what residents read of its purposes; usual ones (`check-in`) have words of their own.
    """

    action: Literal["verifiers.register"]
    slug: Slug
    name: Name
    contact: Contact
    networks: Networks
    purposes: Purposes
    purpose_titles: PurposeTitles = Field(default_factory=dict)
    quota_per_day: Quota
    key: KeyIn


class ChangeVerifier(Body):
    """Change all that the register says of a verifier."""

    action: Literal["verifiers.change"]
    verifier_id: UUID
    name: Name
    contact: Contact
    networks: Networks
    purposes: Purposes
    purpose_titles: PurposeTitles = Field(default_factory=dict)
    quota_per_day: Quota
    state: PartyState


class RegisterDevice(Body):
    """Register a kiosk or an officer's device: where it stands, for which matters (none: for all)."""

    action: Literal["devices.register"]
    slug: Slug
    place: Name
    contact: Contact
    matters: Matters
    key: KeyIn


class ChangeDevice(Body):
    """Change all that the register says of a device."""

    action: Literal["devices.change"]
    device_id: UUID
    place: Name
    contact: Contact
    matters: Matters
    state: PartyState


class AddKey(Body):
    """Give a verifier, a department or a device one more key; two are active at most."""

    action: Literal["keys.add"]
    kind: PartyKind
    slug: Slug
    key: KeyIn


class ChangeList(Body):
    """Change the list of matters (权责清单): publish checked revisions, merge, split, cancel or delegate matters.

    `sources` are codes that leave the list, `revisions` those that come onto it; it counts from `effective_at`, or from
    the approval on if that is later or nothing is said.
    """

    action: Literal["matters.change-list"]
    kind: OperationKind
    sources: Annotated[list[Code], Field(max_length=50)] = Field(default_factory=list)
    revisions: Annotated[list[UUID], Field(max_length=50)] = Field(default_factory=list)
    effective_at: Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)] | None = None
    note: Annotated[str, StringConstraints(max_length=200)] = ""


class AskAgain(Body):
    """Ask an applicant for materials once more; the clerk who does it spends the approval.

    It holds for exactly these materials and this exception (`GET /v1/staff/case-reasons`).
    """

    action: Literal["cases.ask-again"]
    application: UUID
    materials: Annotated[list[Word], Field(min_length=1, max_length=20, json_schema_extra=UNIQUE), EachOnce]
    exception: Word


class RotateKey(Body):
    """Bring a new key of our own on its way; the command that does it spends the approval (`scripts.keys rotate`)."""

    action: Literal["keys.rotate"]
    key_set: KeySet


class RetireKey(Body):
    """Destroy our own earlier keys of a kind; the command that does it spends the approval (`scripts.keys retire`)."""

    action: Literal["keys.retire"]
    key_set: KeySet


class ExportData(Body):
    """Take personal data out in bulk; the command that does it spends the approval."""

    action: Literal["data.export"]
    what: Word
    recipient: Name


Wanted = Annotated[
    GrantRoles
    | DisableOperator
    | SetNetworks
    | RegisterVerifier
    | ChangeVerifier
    | RegisterDevice
    | ChangeDevice
    | AddKey
    | ChangeList
    | AskAgain
    | RotateKey
    | RetireKey
    | ExportData,
    Field(discriminator="action"),
]  # fmt: skip


def payload_of(wanted: Body) -> dict[str, Any]:
    """Return what is asked for as it is kept, hashed and approved."""
    if isinstance(wanted, AskAgain):
        return case_payload(wanted.application, wanted.materials, wanted.exception)
    payload: dict[str, Any] = wanted.model_dump(mode="json", exclude={"action"})
    return payload
