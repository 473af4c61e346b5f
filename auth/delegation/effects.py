"""What is done under a mandate holds it until the end of the transaction: revoked is revoked, and once is once."""

from datetime import datetime
from typing import Final
from uuid import UUID

from auth.errors import MandateMissing
from auth.types import Caller
from core.db import execute, fetch_one, require_transaction

# Takes the row's lock and changes nothing: a revocation waits for the effect, or the effect finds it revoked.
_HOLD: Final = """
UPDATE mandate SET state = state WHERE id = $1 AND agent_id = $2 AND state = 'active' AND ends_at > $3
"""
# Compare and set: of many first uses at once, one gets it.
_USE_UP: Final = """
UPDATE mandate SET state = 'used', ended_at = $3, end_reason = 'used'
WHERE id = $1 AND agent_id = $2 AND state = 'active' AND ends_at > $3
"""
_STANDS: Final = "SELECT 1 AS stands FROM mandate WHERE id = $1 AND state IN ('active', 'used') AND ends_at > $2"


async def mandate_stands(mandate_id: UUID, now: datetime) -> bool:
    """Tell whether a mandate is in force: what is shown under it is worth something only as long.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return await fetch_one(_STANDS, mandate_id, now) is not None


def require_unused(caller: Caller) -> None:
    """See that the mandate of a caller was not used up when the request came; for what is asked outside beforehand.

    Raises:
        MandateMissing: it was: what is left is reading.
    """
    if caller.mandate is not None and caller.mandate.is_used_up:
        raise MandateMissing


async def hold_mandate(caller: Caller, now: datetime) -> None:
    """See, in the running transaction, that the caller may still write in the principal's affairs.

    Callers who act for themselves always may.

    Raises:
        MandateMissing: the mandate was revoked, has ended or is used up.
        OutsideTransaction: no transaction is running.
    """
    await _take(_HOLD, caller, now)


async def use_mandate(caller: Caller, now: datetime) -> None:
    """Like `hold_mandate`, for what counts as the use of a mandate (a submission, a presentation): once is used up.

    Raises:
        MandateMissing: the mandate was revoked, has ended or is used up.
        OutsideTransaction: no transaction is running.
    """
    is_one_time = caller.mandate is not None and caller.mandate.is_one_time
    await _take(_USE_UP if is_one_time else _HOLD, caller, now)


async def _take(sql: str, caller: Caller, now: datetime) -> None:
    if caller.mandate is None:
        return
    require_transaction()
    if await execute(sql, caller.mandate.id, caller.actor_id, now) != 1:
        raise MandateMissing
