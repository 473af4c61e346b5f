"""Groups of residents by what is proved: a certificate that holds, or the birth date; never by what somebody ticks."""

from datetime import date
from typing import Final
from uuid import UUID

from core.clock import Clock, china_date
from core.db import execute, fetch, require_transaction
from core.ids import Ids

# The one group that a birth date alone proves.
ELDERLY: Final = "elderly"

_GRANT: Final = """
INSERT INTO citizen_group (id, citizen_id, name, source, until, granted_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (citizen_id, source) DO UPDATE SET name = excluded.name, until = excluded.until,
                                               granted_at = excluded.granted_at
RETURNING id
"""
_TAKE_BACK: Final = "DELETE FROM citizen_group WHERE citizen_id = $1 AND source = $2"
_OF: Final = """
SELECT DISTINCT name FROM citizen_group WHERE citizen_id = $1 AND (until IS NULL OR until >= $2) ORDER BY name
"""


class Groups:
    """The groups a resident belongs to. Each has its source, and ends with it."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def grant(self, citizen_id: UUID, name: str, *, source: str, until: date | None) -> None:
        """Put a resident into a group, in the running transaction, as long as its source says; again changes the end.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await fetch(_GRANT, self._ids.uuid(), citizen_id, name, source, until, self._clock.now())

    async def take_back(self, citizen_id: UUID, *, source: str) -> None:
        """Take a resident out of the group that a source has put them into, in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_TAKE_BACK, citizen_id, source)

    async def of(self, citizen_id: UUID) -> tuple[str, ...]:
        """Return the groups a resident belongs to today, in the order of their names.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_OF, citizen_id, china_date(self._clock.now()))
        return tuple(row["name"] for row in rows)
