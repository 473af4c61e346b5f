"""What the ledger says about face checks: who tried, for what, how it ended; never a score."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from core.audit.actors import NOBODY, Actor
from core.audit.record import Audit
from face.types import Purpose


class Told(Protocol):
    """A check as far as the ledger tells of it, whoever looked at the face."""

    @property
    def id(self) -> UUID:
        """Its id."""
        ...

    @property
    def purpose(self) -> Purpose:
        """What it is for."""
        ...

    @property
    def citizen_id(self) -> UUID | None:
        """Whose it is; nobody's until an elder session is passed."""
        ...


class Trail:
    """Writes the audit lines of checks into the running transaction."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def tell(
        self,
        action: str,
        check: Told,
        outcome: str = "ok",
        *,
        subject_id: UUID | None = None,
        actor: Actor | None = None,
        field_names: Sequence[str] = (),
    ) -> None:
        """Write one line about a check: about whoever starts it, or about `subject_id` when that is another person.

        `actor` is who did it, where that is not simply whose check it is; `field_names` what was handed on by it.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._audit.record(
            action,
            actor=actor or (Actor.citizen(check.citizen_id) if check.citizen_id else NOBODY),
            subject_id=subject_id or check.citizen_id,
            purpose=check.purpose.value,
            object_kind="face-check",
            object_id=check.id,
            field_names=field_names,
            outcome=outcome,
        )
