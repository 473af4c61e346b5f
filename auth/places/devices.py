"""Devices that somebody logs in on: a new one is told of."""

from typing import Final
from uuid import UUID

from auth.records import Record
from auth.types import Level
from core.db import fetch_one
from core.jobs.queue import Jobs

_DEVICES: Final = """
SELECT count(*) AS sessions, count(CASE WHEN device_hash = $2 THEN 1 END) AS same FROM citizen_session
WHERE citizen_id = $1
"""


async def tell_of_new_device(
    jobs: Jobs, record: Record, session_id: UUID, device_hash: str, *, is_new: bool | None
) -> None:
    """Promise, in the running transaction, to tell somebody with a name of a device none of their sessions came from.

    Devices that say nothing of themselves count as one: leaving the mark out does not go unseen. `is_new` is what the
    caller has found out already; None: it is asked here.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    if record.level is Level.LINKED:
        return
    if is_new is None:
        seen = await fetch_one(_DEVICES, record.citizen_id, device_hash)
        is_new = seen is not None and bool(seen["sessions"]) and not seen["same"]
    if is_new:
        await jobs.enqueue("notices.tell", event="auth.new-device", citizen_id=record.citizen_id, object_id=session_id)
