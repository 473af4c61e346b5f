"""The rows of delegation as values, and the marks by which people who are named find what concerns them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.delegation.rules import is_usable
from auth.delegation.types import Basis, LinkState, MandateState, Named, Relation
from auth.records import ID_NUMBER
from auth.types import Mandate, MandateKind, PrincipalKind, Scope
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid
from core.pii import IdNumber, PersonName

_PERSON: Final = "relative.person"
_LINK_NAME: Final = "relative.name"
_LINK_NUMBER: Final = "relative.id_number"
_AGENT_NAME: Final = "mandate.agent_name"


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """A tie between two relatives as its row says.

    Name and number of the other one are there while only the one who asked has them: not once the other one is known
    by their account, nor once the tie has ended.
    """

    id: UUID
    citizen_id: UUID
    other_id: UUID | None
    person_mark: str
    other_sealed: tuple[bytes, bytes] | None
    relation: Relation
    state: LinkState
    basis: Basis | None
    asked_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """A mandate as its row says. The agent's name is there until the agent is known by their account."""

    id: UUID
    kind: MandateKind
    principal: PrincipalKind
    principal_id: UUID
    granted_by: UUID | None
    agent_id: UUID | None
    agent_mark: str
    agent_name_sealed: bytes | None
    under_id: UUID | None
    scope: Scope
    one_time: bool
    state: MandateState
    offered_at: datetime
    accepted_at: datetime | None
    ends_at: datetime
    ended_at: datetime | None
    end_reason: str
    checked_at: datetime | None

    def is_usable(self, now: datetime) -> bool:
        """Tell whether its holder may act or read under it."""
        return is_usable(self.state, self.ends_at, now)

    @property
    def as_carried(self) -> Mandate:
        """The same as a caller carries it through a request."""
        return Mandate(
            id=self.id,
            kind=self.kind,
            principal=self.principal,
            scope=self.scope,
            is_one_time=self.one_time,
            is_used_up=self.state is MandateState.USED,
        )


class Rows:
    """Opens rows of delegation, and seals what goes into them."""

    def __init__(self, *, vault: Vault) -> None:
        self._vault = vault

    def person_mark(self, person: Named) -> str:
        """Return the mark of somebody by number and name: only who has both finds what was asked of them.

        The number is not kept with an offer, so nobody could make an index of it anew (`Vault.mark`).
        """
        return self._vault.mark(_PERSON, f"{person.id_number.reveal()}\n{person.name.reveal()}")

    def number_hash(self, id_number: IdNumber) -> str:
        """Return the blind index of a number alone, the same as on the account of whoever has it."""
        return self._vault.index(ID_NUMBER, id_number.reveal())

    def number_hashes(self, id_number: IdNumber) -> tuple[str, str]:
        """Return the blind indexes under which a number may stand while their key changes."""
        return self._vault.indexes(ID_NUMBER, id_number.reveal())

    def attempt_key(self, purpose: str, value: str) -> str:
        """Return the mark under which attempts at a number or a code are counted."""
        return self._vault.mark(f"delegation_attempt.{purpose}", value)

    async def seal_other(self, asker_id: UUID, link_id: UUID, other: Named) -> tuple[bytes, bytes]:
        """Return name and number of the other one, sealed for their row under the key of the one who asks.

        Raises:
            RecordUnreadable: who asks has no key any more: their account is closed.
        """
        asker = await self._vault.find_person(asker_id)
        return (
            asker.seal(_LINK_NAME, link_id, other.name.reveal()),
            asker.seal(_LINK_NUMBER, link_id, other.id_number.reveal()),
        )

    async def open_other(self, link: Link) -> Named | None:
        """Return the other one of a tie by name and number, as far as these stand in its row.

        Raises:
            RecordUnreadable: a sealed column does not open.
        """
        if link.other_sealed is None:
            return None
        asker = await self._vault.find_person(link.citizen_id)
        name, number = link.other_sealed
        return Named(
            PersonName(asker.open(_LINK_NAME, link.id, name)), IdNumber(asker.open(_LINK_NUMBER, link.id, number))
        )

    async def seal_agent(self, giver_id: UUID, mandate_id: UUID, name: PersonName) -> bytes:
        """Return an agent's name, sealed for its row under the key of the one who gives.

        Raises:
            RecordUnreadable: who gives has no key any more: their account is closed.
        """
        return (await self._vault.find_person(giver_id)).seal(_AGENT_NAME, mandate_id, name.reveal())

    async def open_agent(self, held: Held) -> PersonName | None:
        """Return the agent's name, as far as it stands in the mandate's row.

        Raises:
            RecordUnreadable: the sealed column does not open.
        """
        if held.agent_name_sealed is None or held.granted_by is None:
            return None
        giver = await self._vault.find_person(held.granted_by)
        return PersonName(giver.open(_AGENT_NAME, held.id, held.agent_name_sealed))

    def link(self, row: Mapping[str, Any]) -> Link:
        """Return a row of `relative` as a value."""
        sealed = row["name_sealed"], row["id_number_sealed"]
        return Link(
            id=as_uuid(row["id"]),
            citizen_id=as_uuid(row["citizen_id"]),
            other_id=_uuid(row["other_id"]),
            person_mark=row["person_mark"],
            other_sealed=None if sealed[0] is None else sealed,
            relation=Relation(row["relation"]),
            state=LinkState(row["state"]),
            basis=Basis(row["basis"]) if row["basis"] else None,
            asked_at=as_moment(row["asked_at"]),
            confirmed_at=_moment(row["confirmed_at"]),
        )

    def mandate(self, row: Mapping[str, Any]) -> Held:
        """Return a row of `mandate` as a value."""
        return Held(
            id=as_uuid(row["id"]),
            kind=MandateKind(row["kind"]),
            principal=PrincipalKind(row["principal_kind"]),
            principal_id=as_uuid(row["principal_id"]),
            granted_by=_uuid(row["granted_by"]),
            agent_id=_uuid(row["agent_id"]),
            agent_mark=row["agent_mark"],
            agent_name_sealed=row["agent_name_sealed"],
            under_id=_uuid(row["under_id"]),
            scope=Scope(_words(row["certificates"]), _words(row["matters"])),
            one_time=bool(row["one_time"]),
            state=MandateState(row["state"]),
            offered_at=as_moment(row["offered_at"]),
            accepted_at=_moment(row["accepted_at"]),
            ends_at=as_moment(row["ends_at"]),
            ended_at=_moment(row["ended_at"]),
            end_reason=row["end_reason"],
            checked_at=_moment(row["checked_at"]),
        )


def _words(value: object) -> frozenset[str] | None:
    return None if value is None else frozenset(as_json(value))


def _uuid(value: object) -> UUID | None:
    return None if value is None else as_uuid(value)


def _moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)
