"""Writing an audit line in the transaction of the change it tells of."""

import re
from collections.abc import Sequence
from uuid import UUID

from core.audit.actors import Actor
from core.clock import Clock
from core.db import later, require_transaction
from core.ids import Ids
from core.log import current_request_id, without_numbers

# In words of people a number is often written in groups.
_GROUPED_NUMBER = re.compile(r"\d(?:[ \-.·]{0,2}\d){10,}[Xx]?")

_INSERT = """
INSERT INTO audit_line (id, at, actor_kind, actor_id, subject_id, on_behalf_of, action, purpose, object_kind, object_id,
                        field_names, outcome, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id
"""


class Audit:
    """Records lines; they carry names of fields, never values."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        action: str,
        *,
        actor: Actor,
        subject_id: UUID | None = None,
        purpose: str = "",
        object_kind: str = "",
        object_id: UUID | str = "",
        field_names: Sequence[str] = (),
        outcome: str = "ok",
    ) -> UUID:
        """Write one line into the running transaction and return its id.

        `action` is `domain.verb-in-past` (`certificates.verified`), `subject_id` the person whose data it concerns.
        `purpose` may be a caller's own words: long numbers are taken out, since what stands here can never be erased.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        line_id = self._ids.uuid()
        await later(
            _INSERT,
            line_id,
            self._clock.now(),
            actor.kind.value,
            actor.id,
            subject_id,
            actor.on_behalf_of,
            action,
            _purpose(purpose),
            object_kind,
            str(object_id),
            list(field_names),
            outcome,
            current_request_id(),
        )
        return line_id


def _purpose(text: str) -> str:
    return without_numbers(_GROUPED_NUMBER.sub("[number]", text))[:200]
