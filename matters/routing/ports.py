"""What routing needs from outside: where an officer sits."""

from typing import Protocol
from uuid import UUID


class Officers(Protocol):
    """Knows the operators of the staff."""

    async def region_of(self, operator_id: UUID) -> str:
        """Return the code of the region that an operator's grants are limited to; empty where there is no such limit.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...
