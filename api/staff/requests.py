"""What can be asked for that takes two people: each action with exactly what it needs."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.operation import Body
from api.staff.words import Grants, Network, Slug
from auth.registers.types import PartyKind, PartyState

Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=<>-]{1,64}$")]
KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,64}$")]
Contact = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Networks = Annotated[list[Network], Field(max_length=20)]
Fields = Annotated[list[Word], Field(min_length=1, max_length=40)]
Purposes = Annotated[dict[Word, Fields], Field(max_length=20)]
Quota = Annotated[int, Field(ge=0, le=10_000_000)]
Matters = Annotated[list[Word], Field(max_length=200)]

# Kinds of our own keys, in the words of `scripts.keys`.
KeySet = Literal["tokens", "issuers", "index", "data", "kek"]


class KeyIn(Body):
    """A public key in PEM, Ed25519 or P-256, and the id under which its owner signs."""

    key_id: KeyId
    public_key: Annotated[str, StringConstraints(max_length=1000)]


class GrantRoles(Body):
    """Give an operator exactly these roles."""

    action: Literal["operators.grant-roles"]
    operator_id: UUID
    grants: Grants


class RegisterVerifier(Body):
    """Register a verifier: which fields it may read for which purpose, how often a day (0: not limited), from where."""

    action: Literal["verifiers.register"]
    slug: Slug
    name: Name
    contact: Contact
    networks: Networks
    purposes: Purposes
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
    | RegisterVerifier
    | ChangeVerifier
    | RegisterDevice
    | ChangeDevice
    | AddKey
    | RotateKey
    | RetireKey
    | ExportData,
    Field(discriminator="action"),
]  # fmt: skip


def payload_of(wanted: Body) -> dict[str, Any]:
    """Return what is asked for as it is kept, hashed and approved."""
    payload: dict[str, Any] = wanted.model_dump(mode="json", exclude={"action"})
    return payload
