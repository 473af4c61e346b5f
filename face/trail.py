"""What the ledger says about face checks: who tried, for what, how it ended; never a score."""

from uuid import UUID

from core.audit.actors import NOBODY, Actor
from core.audit.record import Audit
from face.records import Check


class Trail:
    """Writes the audit lines of checks into the running transaction."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def tell(
        self,
        action: str,
        check: Check,
        outcome: str = "ok",
        *,
        subject_id: UUID | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Write one line about a check: about whoever starts it, or about `subject_id` when that is another person.

        `actor` is who did it, where that is not simply whose check it is.

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
            outcome=outcome,
        )
