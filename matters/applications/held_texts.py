"""Applications that are held because of what was written in them: a person reads, and lets them on or refuses."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.jobs.queue import Jobs
from matters.applications.records import read_record
from matters.cases.history import Entry, History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.errors import NoSuchApplication, StateForbids
from matters.reach import Condition
from matters.texts.rules import free_texts
from matters.texts.types import CheckSource, CheckState, HeldText, OpenedText
from matters.types import Step

_LIST: Final = """
SELECT text_check.application_id, application.number, text_check.matter_code, text_check.department, text_check.source,
       text_check.label, text_check.created_at
FROM text_check JOIN application ON application.id = text_check.application_id
WHERE text_check.state = 'held' AND application.state = 'submitted' AND {condition}
ORDER BY text_check.created_at, application.id LIMIT 500
"""
_FIND: Final = "SELECT state FROM text_check WHERE application_id = $1"
_DECIDE: Final = """
UPDATE text_check SET state = $2, decided_by = $3, decided_at = $4 WHERE application_id = $1 AND state = 'held'
"""
_LET_ON: Final = "UPDATE delivery SET state = 'pending' WHERE application_id = $1 AND state = 'held'"
_STOP: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state = 'held'
"""
REFUSED: Final = "text-not-accepted"


class HeldTexts:
    """Lets operators deal with held applications; each is decided once."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        tracking: Tracking,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._tracking = tracking
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock

    async def list_held(self, scopes: Collection[StaffScope]) -> list[HeldText]:
        """Return what waits, the oldest first, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition()
        condition.reach(scopes, row="text_check")
        return [_held(row) for row in await fetch(_LIST.format(condition=condition.text), *condition.values)]

    async def read(self, operator: StaffCaller, application_id: UUID) -> Sequence[OpenedText]:
        """Return what was written, for the operator who decides; the applicant's ledger says who read it.

        Raises:
            NoSuchApplication: nothing of it is held.
        """
        row = await fetch_one(_FIND, application_id)
        if row is None or row["state"] != CheckState.HELD.value:
            raise NoSuchApplication
        record = await read_record(self._vault, application_id)
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        texts = free_texts(matter.form, record.form, record.sources.keys())

        async def work() -> None:
            await self._audit.record(
                "matters.text-read",
                actor=operator.actor,
                subject_id=record.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=sorted(texts),
            )

        await transaction(work)
        return [
            OpenedText(str(matter.form["properties"][name].get("title", name)), text) for name, text in texts.items()
        ]

    async def decide(self, operator: StaffCaller, application_id: UUID, *, let_on: bool) -> None:
        """Let a held application on to its department, or refuse it; the applicant is told of a refusal.

        Raises:
            NoSuchApplication: nothing of it was ever held.
            StateForbids: somebody has decided already, or it was withdrawn.
        """
        if await fetch_one(_FIND, application_id) is None:
            raise NoSuchApplication
        record = await read_record(self._vault, application_id)
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        outcome = CheckState.RELEASED if let_on else CheckState.REFUSED

        async def work() -> None:
            now = self._clock.now()
            if await execute(_DECIDE, application_id, outcome.value, operator.operator_id, now) != 1:
                raise StateForbids
            moved = await (execute(_LET_ON, application_id) if let_on else execute(_STOP, application_id, now))
            if moved != 1:
                raise StateForbids
            await self._audit.record(
                "matters.text-decided",
                actor=operator.actor,
                subject_id=record.citizen_id,
                purpose=published.matter.title.zh,
                object_kind="application",
                object_id=application_id,
                outcome=outcome.value,
            )
            if let_on:
                await self._jobs.enqueue("matters.deliver", lane=published.lane, application_id=application_id)
                return
            entry = Entry(step=Step.NOT_ACCEPTED, actor=operator.actor, reason=REFUSED)
            result = await self._history.append(application_id, entry)
            await self._tracking.announce(result, application_id, record.citizen_id, record.matter_code)

        await transaction(work)


def _held(row: dict[str, Any]) -> HeldText:
    return HeldText(
        id=as_uuid(row["application_id"]),
        number=row["number"],
        matter=row["matter_code"],
        department=row["department"],
        source=CheckSource(row["source"]),
        label=int(row["label"]),
        held_at=as_moment(row["created_at"]),
    )
