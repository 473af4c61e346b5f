"""What applicants promised (告知承诺) or put off (容缺后补): recorded with its day, kept or broken, objected to."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller, StaffCaller
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, later, transaction
from core.ids import Ids
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Material, Published, Way
from matters.errors import NoSuchApplication
from matters.materials.errors import CommitmentSettled, NoSuchCommitment
from matters.materials.rules import LATER
from matters.materials.types import Commitment, CommitmentKind, CommitmentState, Settled
from matters.texts.remarks import Remarks
from matters.texts.types import About
from matters.texts.written import withheld_in
from matters.types import Text

REASON: Final = "commitment.reason"
OBJECTION: Final = "commitment.objection"
ANSWER: Final = "commitment.answer"

# How long a promise may be found untrue, and how much later a file may come: days of the calendar.
USUAL_DAYS: Final[Mapping[CommitmentKind, int]] = {CommitmentKind.PROMISE: 90, CommitmentKind.DEFERRED: 15}

_ADD: Final = """
INSERT INTO commitment (id, application_id, citizen_id, matter_code, matter_version, material, kind, state, due_at,
                        made_at)
SELECT $1, id, citizen_id, matter_code, matter_version, $3, $4, 'open', $5, $6 FROM application WHERE id = $2
RETURNING id
"""
_BROKEN: Final = "SELECT id FROM commitment WHERE citizen_id = $1 AND state = 'breached' LIMIT 1"
_AWAITED: Final = """
SELECT id FROM commitment
WHERE application_id = $1 AND material = $2 AND kind = 'deferred' AND state IN ('open', 'breached')
"""
# What comes late settles what was broken by its lateness.
_SUPPLIED: Final = """
UPDATE commitment SET state = CASE WHEN state = 'open' THEN 'kept' ELSE 'mended' END, settled_at = $3
WHERE application_id = $1 AND material = $2 AND kind = 'deferred' AND state IN ('open', 'breached')
"""
_OF_CASE: Final = "SELECT * FROM commitment WHERE application_id = $1 ORDER BY material"
_ONE: Final = "SELECT * FROM commitment WHERE application_id = $1 AND material = $2"
_BREACH: Final = """
UPDATE commitment SET state = 'breached', settled_at = $2, reason_sealed = $3
WHERE id = $1 AND state IN ('open', 'kept')
"""
_OBJECT: Final = """
UPDATE commitment SET objection_sealed = $2, objected_at = $3
WHERE id = $1 AND state = 'breached' AND objection_sealed IS NULL
"""
_REVIEW: Final = """
UPDATE commitment SET state = $2, answer_sealed = $3, reviewed_at = $4 WHERE id = $1 AND state = 'breached'
"""
_DUE: Final = """
SELECT * FROM commitment WHERE state = 'open' AND due_at <= $1 ORDER BY due_at, id LIMIT $2
"""
_RUN_OUT: Final = "UPDATE commitment SET state = $2, settled_at = $3 WHERE id = $1 AND state = 'open'"
_OWNED: Final = "SELECT matter_code FROM application WHERE id = $1 AND citizen_id = $2"


async def record_commitments(
    application_id: UUID, settled: Iterable[Settled], *, clock: Clock, ids: Ids, days: Mapping[CommitmentKind, int]
) -> None:
    """Write into the running transaction what a submission promises or puts off, each with its day.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    now = clock.now()
    for each in settled:
        kind = kind_of(each)
        if kind is not None:
            due_at = now + timedelta(days=days[kind])
            await later(_ADD, ids.uuid(), application_id, each.material, kind.value, due_at, now)


def kind_of(settled: Settled) -> CommitmentKind | None:
    """Return what the settling of a material leaves to be kept, None where it leaves nothing."""
    if settled.way == Way.PROMISE.value:
        return CommitmentKind.PROMISE
    if settled.necessity == LATER and settled.way == Way.UPLOAD.value and not settled.source:
        return CommitmentKind.DEFERRED
    return None


async def has_broken(citizen_id: UUID, materials: Iterable[Material]) -> bool:
    """Tell whether a promise of somebody's stands broken; asked only where one of the materials knows a promise.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    if not any(way.way is Way.PROMISE for material in materials for way in material.ways):
        return False
    return await fetch_one(_BROKEN, citizen_id) is not None


async def is_awaited(application_id: UUID, material: str) -> bool:
    """Tell whether a file is still to come for a material that was put off.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return await fetch_one(_AWAITED, application_id, material) is not None


async def supply(application_id: UUID, material: str, clock: Clock) -> bool:
    """Note in the running transaction that a file came for what was put off; tell whether it was awaited.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return bool(await execute(_SUPPLIED, application_id, material, clock.now()))


class Commitments:
    """Watches over promises. Whoever broke one gives files instead of promising, until it is mended or lifted."""

    def __init__(self, *, catalogue: Catalogue, remarks: Remarks, audit: Audit, vault: Vault, clock: Clock) -> None:
        self._catalogue = catalogue
        self._remarks = remarks
        self._audit = audit
        self._vault = vault
        self._clock = clock

    async def list_of(self, caller: Caller, application_id: UUID) -> list[Commitment]:
        """Return what the caller promised or put off in one of their applications, and what became of it.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            RecordUnreadable: a text does not open.
        """
        await self._require_own(caller, application_id)
        return [self._view(row) for row in await fetch(_OF_CASE, application_id)]

    async def read(self, operator: StaffCaller, application_id: UUID) -> list[Commitment]:
        """Return the same for whoever answers; the applicant reads who looked. An objection that is held stays closed.

        Raises:
            RecordUnreadable: a text does not open.
        """
        rows = await fetch(_OF_CASE, application_id)
        withheld = await withheld_in(application_id)
        shown = [self._view(row, withheld=as_uuid(row["id"]) in withheld) for row in rows]
        if rows:
            await transaction(lambda: self._note("matters.promise-read", rows[0], operator.actor))
        return shown

    async def object(self, caller: Caller, application_id: UUID, material: str, text: str) -> None:
        """Object to a promise being called broken; a clerk answers it.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            NoSuchCommitment: nothing was promised or put off for this material.
            CommitmentSettled: it does not stand broken, or was objected to already.
        """
        await self._require_own(caller, application_id)

        async def work() -> None:
            await hold_mandate(caller, self._clock.now())
            row = await self._find(application_id, material)
            row_id = as_uuid(row["id"])
            sealed = self._vault.seal(OBJECTION, row_id, text)
            if not await execute(_OBJECT, row_id, sealed, self._clock.now()):
                raise CommitmentSettled
            await self._remarks.hold(About.OBJECTION, row_id, application_id)
            await self._note("matters.promise-objected", row, caller.actor)

        await transaction(work)

    async def breach(self, operator: StaffCaller, application_id: UUID, material: str, reason: str) -> None:
        """Say that a promise was found untrue, or that what was put off has not come; the applicant reads why.

        Raises:
            NoSuchCommitment: nothing was promised or put off for this material.
            CommitmentSettled: it stands broken already, or was lifted.
        """

        async def work() -> None:
            row = await self._find(application_id, material)
            row_id = as_uuid(row["id"])
            sealed = self._vault.seal(REASON, row_id, reason)
            if not await execute(_BREACH, row_id, self._clock.now(), sealed):
                raise CommitmentSettled
            await self._note("matters.promise-breached", row, operator.actor)

        await transaction(work)

    async def review(
        self, operator: StaffCaller, application_id: UUID, material: str, *, lifted: bool, note: str
    ) -> None:
        """Answer about a broken promise: it stays so, or is lifted, and promising is open again.

        Raises:
            NoSuchCommitment: nothing was promised or put off for this material.
            CommitmentSettled: it does not stand broken.
        """

        async def work() -> None:
            row = await self._find(application_id, material)
            row_id = as_uuid(row["id"])
            state = CommitmentState.LIFTED if lifted else CommitmentState.BREACHED
            sealed = self._vault.seal(ANSWER, row_id, note)
            if not await execute(_REVIEW, row_id, state.value, sealed, self._clock.now()):
                raise CommitmentSettled
            await self._note("matters.promise-reviewed", row, operator.actor, outcome=state.value)

        await transaction(work)

    async def look(self, *, at_most: int = 200) -> int:
        """Settle what has run out: put off and not come is broken, promised and not found untrue is kept.

        The timetable calls this.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        due = await fetch(_DUE, self._clock.now(), at_most)

        async def work() -> int:
            settled = 0
            for row in due:
                broken = row["kind"] == CommitmentKind.DEFERRED.value
                state = CommitmentState.BREACHED if broken else CommitmentState.KEPT
                if await execute(_RUN_OUT, as_uuid(row["id"]), state.value, self._clock.now()):
                    settled += 1
                    if broken:
                        await self._note("matters.promise-breached", row, SYSTEM)
            return settled

        return await transaction(work) if due else 0

    async def _require_own(self, caller: Caller, application_id: UUID) -> None:
        row = await fetch_one(_OWNED, application_id, caller.citizen_id)
        if row is None or not caller.covers_matter(row["matter_code"]):
            raise NoSuchApplication

    async def _find(self, application_id: UUID, material: str) -> dict[str, Any]:
        row = await fetch_one(_ONE, application_id, material)
        if row is None:
            raise NoSuchCommitment
        return row

    async def _note(self, action: str, row: Mapping[str, Any], actor: Actor, *, outcome: str = "ok") -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose=self._published(row).matter.title.zh,
            object_kind="application",
            object_id=as_uuid(row["application_id"]),
            field_names=[row["material"]],
            outcome=outcome,
        )

    def _published(self, row: Mapping[str, Any]) -> Published:
        return self._catalogue.of_case(row["matter_code"], int(row["matter_version"]))

    def _view(self, row: Mapping[str, Any], *, withheld: bool = False) -> Commitment:
        materials = {each.code: each.title for each in self._published(row).matter.materials}
        title = materials.get(row["material"])
        return Commitment(
            material=row["material"],
            title=Text(row["material"], row["material"]) if title is None else Text(title.zh, title.en),
            kind=CommitmentKind(row["kind"]),
            state=CommitmentState(row["state"]),
            due_at=as_moment(row["due_at"]),
            reason=self._opened(REASON, row, "reason_sealed"),
            objection=None if withheld else self._opened(OBJECTION, row, "objection_sealed"),
            answer=self._opened(ANSWER, row, "answer_sealed"),
            withheld=withheld,
        )

    def _opened(self, bound_to: str, row: Mapping[str, Any], column: str) -> str | None:
        return None if row[column] is None else self._vault.open(bound_to, as_uuid(row["id"]), row[column])
