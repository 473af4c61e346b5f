"""On whose behalf a request comes: one look at the mandate it names, before anything is done."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from auth.delegation.guardians import Guardians
from auth.delegation.organisations import Organisations
from auth.delegation.records import Rows
from auth.errors import MandateMissing
from auth.types import Caller, MandateKind, PrincipalKind
from core.clock import Clock
from core.db import fetch_one

# Somebody's own account must be open for anybody to act in their name.
_CARRIED: Final = """
SELECT * FROM mandate
WHERE id = $1 AND agent_id = $2 AND state IN ('active', 'used') AND ends_at > $3
  AND (principal_kind = 'organisation'
       OR EXISTS (SELECT 1 FROM citizen WHERE citizen.id = mandate.principal_id AND citizen.state = 'active'))
"""


class Authority:
    """Turns a caller into one who acts for somebody else. Unknown, another's, revoked and ended look the same."""

    def __init__(self, *, guardians: Guardians, organisations: Organisations, rows: Rows, clock: Clock) -> None:
        self._guardians = guardians
        self._organisations = organisations
        self._rows = rows
        self._clock = clock

    async def act(self, caller: Caller, mandate: str) -> Caller:
        """Return the caller acting under a mandate, named by what came in `X-On-Behalf-Of`; the level stays theirs.

        Raises:
            MandateMissing: there is no such mandate for this caller now.
            KinshipUnavailable: a guardianship has to be confirmed and the register is away.
            BusinessRegisterUnavailable: a representative has to be confirmed and the register is away.
        """
        try:
            mandate_id = UUID(mandate)
        except ValueError:
            raise MandateMissing from None
        row = await fetch_one(_CARRIED, mandate_id, caller.citizen_id, self._clock.now())
        if row is None:
            raise MandateMissing
        held = self._rows.mandate(row)
        if held.kind is MandateKind.GUARDIAN:
            await self._guardians.require(held)
        elif held.principal is PrincipalKind.ORGANISATION:
            await self._organisations.require(held)
        return replace(caller, citizen_id=held.principal_id, mandate=held.as_carried)
