"""Looking through the audit: who audits sees what was done, under marks instead of people, and is seen doing so."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ed25519

from auth.staff.errors import SubjectNeedsCase
from auth.types import StaffCaller
from core.audit.actors import ActorKind
from core.audit.reading import ChainState, Line, Wanted, chain_state, read_lines
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import transaction

_PERSON: Final = "audit_line.person"
_MARK_LENGTH: Final = 16


class Trail:
    """The lines of the audit, for who audits. Each look is a line itself, written before the lines are told."""

    def __init__(
        self, *, vault: Vault, audit: Audit, clock: Clock, key: Callable[[], ed25519.Ed25519PublicKey]
    ) -> None:
        """`key` gives the one by which the heads of the chain are checked."""
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._key = key

    async def look(
        self,
        caller: StaffCaller,
        wanted: Wanted,
        *,
        before: tuple[datetime, UUID],
        limit: int,
        purpose: str = "",
        case: str = "",
    ) -> Sequence[Line]:
        """Return lines, newest first, with people under marks. About one person only for a purpose and a case.

        Raises:
            SubjectNeedsCase: a person is named without purpose and case.
            DatabaseUnavailable: the database could not be reached.
        """
        if wanted.subject_id is not None and not (purpose and case):
            raise SubjectNeedsCase
        used = ("subject_id", "actor_id", "actor_kind", "action", "outcome")

        async def work() -> list[Line]:
            lines = await read_lines(wanted, before=before, limit=limit)
            await self._audit.record(
                "auth.audit-looked-at",
                actor=caller.actor,
                subject_id=wanted.subject_id,
                purpose=purpose,
                object_kind="case" if case else "audit",
                object_id=case,
                field_names=[name for name in used if getattr(wanted, name)],
            )
            return lines

        return [self._masked(line) for line in await transaction(work)]

    async def chain(self) -> ChainState:
        """Return how the chain stands.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await chain_state(self._key(), self._clock.now())

    def mark_of(self, person: UUID | str) -> str:
        """Return what stands for a person in what is told: the same for the same person, and nobody's id."""
        return self._vault.mark(_PERSON, str(person))[:_MARK_LENGTH]

    def _masked(self, line: Line) -> Line:
        """Return a line in which ids of residents are not to be read: also where they are the object."""
        people = {str(each) for each in (line.subject_id, line.on_behalf_of) if each is not None}
        if line.actor_kind == ActorKind.CITIZEN:
            people.add(line.actor_id)
        return replace(
            line,
            actor_id=self.mark_of(line.actor_id) if line.actor_id in people else line.actor_id,
            object_id=self.mark_of(line.object_id) if line.object_id in people else line.object_id,
        )
