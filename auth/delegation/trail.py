"""Telling both sides: every step between relatives, principals and agents stands in the ledger of each of them."""

from collections.abc import Iterable
from uuid import UUID

from auth.delegation.types import Named
from auth.errors import LevelTooLow
from auth.realname import RealName
from auth.types import ReadPurpose
from core.audit.actors import Actor
from core.audit.record import Audit
from core.pii import IdNumber


class Trail:
    """Writes the audit lines of delegation into the running transaction."""

    def __init__(self, *, audit: Audit, realname: RealName) -> None:
        self._audit = audit
        self._realname = realname

    async def holder_of(self, person: Named) -> UUID | None:
        """Return the account of somebody by number and name, if they have one; who asks must not tell anybody.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        citizen_id = await self._realname.find_citizen(person.id_number)
        if citizen_id is None:
            return None
        known = await self._realname.person_of(citizen_id, ReadPurpose.DELEGATION)
        return citizen_id if known.name == person.name else None

    async def number_of(self, citizen_id: UUID) -> IdNumber | None:
        """Return somebody's ID number; None when it is not known, or not any more.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        try:
            return (await self._realname.person_of(citizen_id, ReadPurpose.DELEGATION)).id_number
        except LevelTooLow:
            return None

    async def masked_name_of(self, citizen_id: UUID) -> str:
        """Return the masked name of one side for the other; an empty text when it is not known any more.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        try:
            return (await self._realname.person_of(citizen_id, ReadPurpose.DELEGATION)).name.masked()
        except LevelTooLow:
            return ""

    async def tell(
        self,
        action: str,
        *,
        actor: Actor,
        subjects: Iterable[UUID | None],
        object_kind: str,
        object_id: UUID,
        outcome: str = "ok",
    ) -> None:
        """Write one line about each of the subjects; about somebody unknown too, so that no time tells who is known.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        for subject_id in subjects:
            await self._audit.record(
                action,
                actor=actor,
                subject_id=subject_id,
                purpose="delegation",
                object_kind=object_kind,
                object_id=object_id,
                outcome=outcome,
            )
