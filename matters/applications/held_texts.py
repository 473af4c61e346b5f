"""What is held because of what was written in it: a person reads, and lets it on or refuses."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, transaction
from core.jobs.queue import Jobs
from matters.cases.history import Entry, History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Published
from matters.errors import NoSuchApplication, StateForbids
from matters.reach import Condition
from matters.texts.types import About, CheckSource, CheckState, HeldText, OpenedText
from matters.texts.written import find_written, texts_in
from matters.types import Step

_LIST: Final = """
SELECT text_check.subject_id, text_check.about, application.number, application.matter_code, application.department,
       text_check.source, text_check.label, text_check.created_at
FROM text_check JOIN application ON application.id = text_check.application_id
WHERE text_check.state = 'held' AND (text_check.about <> 'application' OR application.state = 'submitted')
  AND {condition}
ORDER BY text_check.created_at, text_check.subject_id
LIMIT 500
"""
_DECIDE: Final = """
UPDATE text_check SET state = $2, decided_by = $3, decided_at = $4 WHERE subject_id = $1 AND state = 'held'
"""
_LET_ON: Final = "UPDATE delivery SET state = 'pending' WHERE application_id = $1 AND state = 'held'"
_STOP: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state = 'held'
"""
REFUSED: Final = "text-not-accepted"


class HeldTexts:
    """Lets operators deal with what is held; each is decided once.

    An application is let on to its department or not accepted. Of a supplement, a rating and an objection the words are
    let on to whoever follows them up, or stay closed; what was done by them counts either way.
    """

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

    async def concerned(self, subject_id: UUID) -> StaffScope:
        """Return what texts concern, by what they belong to: their department and matter.

        Raises:
            NoSuchApplication: nothing of it was ever looked at.
        """
        row = await self._find(subject_id)
        return StaffScope(region=row["region"], department=row["department"], matter=row["matter_code"])

    async def read(self, operator: StaffCaller, subject_id: UUID) -> Sequence[OpenedText]:
        """Return what was written, for the operator who decides; the applicant's ledger says who read it.

        Raises:
            NoSuchApplication: nothing of it is held.
            RecordUnreadable: a text does not open.
        """
        row = await self._find(subject_id)
        if row["state"] != CheckState.HELD.value:
            raise NoSuchApplication
        texts = texts_in(row, self._vault, self._catalogue)
        await transaction(lambda: self._tell("matters.text-read", operator, row, [each.name for each in texts]))
        return texts

    async def decide(self, operator: StaffCaller, subject_id: UUID, *, let_on: bool) -> None:
        """Let what is held on, or refuse it; the applicant is told when an application is refused.

        Raises:
            NoSuchApplication: nothing of it was ever held.
            StateForbids: somebody has decided already, or it was withdrawn.
        """
        row = await self._find(subject_id)
        outcome = CheckState.RELEASED if let_on else CheckState.REFUSED

        async def work() -> None:
            if await execute(_DECIDE, subject_id, outcome.value, operator.operator_id, self._clock.now()) != 1:
                raise StateForbids
            await self._tell("matters.text-decided", operator, row, [], outcome=outcome.value)
            if row["about"] == About.APPLICATION.value:
                await self._move(operator, row, let_on=let_on)

        await transaction(work)

    async def _move(self, operator: StaffCaller, row: Mapping[str, Any], *, let_on: bool) -> None:
        application_id, published = as_uuid(row["application_id"]), self._published(row)
        moved = await (
            execute(_LET_ON, application_id) if let_on else execute(_STOP, application_id, self._clock.now())
        )
        if moved != 1:
            raise StateForbids
        if let_on:
            await self._jobs.enqueue("matters.deliver", lane=published.lane, application_id=application_id)
            return
        entry = Entry(step=Step.NOT_ACCEPTED, actor=operator.actor, reason=REFUSED)
        result = await self._history.append(application_id, entry)
        await self._tracking.announce(result, application_id, as_uuid(row["citizen_id"]), row["matter_code"])

    async def _find(self, subject_id: UUID) -> Mapping[str, Any]:
        row = await find_written(subject_id)
        if row is None:
            raise NoSuchApplication
        return row

    def _published(self, row: Mapping[str, Any]) -> Published:
        return self._catalogue.of_case(row["matter_code"], int(row["matter_version"]))

    async def _tell(
        self,
        action: str,
        operator: StaffCaller,
        row: Mapping[str, Any],
        names: Collection[str],
        *,
        outcome: str = "ok",
    ) -> None:
        await self._audit.record(
            action,
            actor=operator.actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose=self._published(row).matter.title.zh,
            object_kind="application",
            object_id=as_uuid(row["application_id"]),
            field_names=sorted(names),
            outcome=outcome,
        )


def _held(row: Mapping[str, Any]) -> HeldText:
    return HeldText(
        id=as_uuid(row["subject_id"]),
        about=About(row["about"]),
        number=row["number"],
        matter=row["matter_code"],
        department=row["department"],
        source=CheckSource(row["source"]),
        label=int(row["label"]),
        held_at=as_moment(row["created_at"]),
    )
