"""A prefilled value is wrong: whoever keeps it is told, and the form shows that it was said."""

from typing import Final
from uuid import UUID

from auth.types import Caller
from core.clock import Clock
from core.crypto import Vault
from core.db import execute, transaction
from matters.applications.records import read_own
from matters.catalogue.catalogue import Catalogue
from matters.errors import ChangedMeanwhile, NotPrefilled
from matters.ports import ValueDesk

_NOTE: Final = """
UPDATE application SET sources = $3, version = version + 1, updated_at = $4 WHERE id = $1 AND version = $2
"""
_TRIES: Final = 3


class ValueReports:
    """Takes reports of wrong values to whoever keeps them; in the form the value stays until that one has answered."""

    def __init__(self, *, catalogue: Catalogue, desk: ValueDesk, vault: Vault, clock: Clock) -> None:
        self._catalogue = catalogue
        self._desk = desk
        self._vault = vault
        self._clock = clock

    async def report(self, caller: Caller, application_id: UUID, field: str, text: str) -> str:
        """Say that a prefilled value is wrong; return the number of the ticket.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            NotPrefilled: the form has no such field, or its value is the applicant's own.
            ChangedMeanwhile: the application changes all the time; the ticket is open all the same.
            TooManyRequests: too many reports within a day.
        """
        record = await read_own(self._vault, application_id, caller)
        told = record.sources.get(field)
        rule = self._catalogue.of_case(record.matter_code, record.matter_version).matter.prefill.get(field)
        if told is None or rule is None:
            raise NotPrefilled
        certificate = told.get("certificate")
        ticket = await self._desk.report(
            caller, item=rule.item, text=text, certificate_id=UUID(certificate) if certificate else None
        )
        for _ in range(_TRIES):
            sources = {name: dict(source) for name, source in record.sources.items()}
            if field not in sources:  # Emptied meanwhile.
                return ticket
            sources[field]["report"] = ticket
            if await self._note(application_id, record.version, sources):
                return ticket
            record = await read_own(self._vault, application_id, caller)
        raise ChangedMeanwhile

    async def _note(self, application_id: UUID, version: int, sources: dict[str, dict[str, str]]) -> bool:
        async def work() -> int:
            return await execute(_NOTE, application_id, version, sources, self._clock.now())

        return await transaction(work) == 1
