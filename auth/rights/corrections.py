"""Corrections: a person says what is wrong, an operator answers, and both can be read by the person."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from auth.errors import AccountClosed, LevelTooLow, RegistryRefused, RegistryUnavailable
from auth.realname import RealName
from auth.records import HOLD_ACTIVE, Records
from auth.rights.errors import CorrectionAnswered, CorrectionsTooMany, NoSuchCorrection, NothingToCorrect
from auth.rights.own_data import ANSWER, TEXT
from auth.rights.types import About, CorrectionLine, CorrectionState, CorrectionView, Recheck
from auth.settings import RightsSettings
from auth.types import Caller, ReadPurpose, StaffCaller
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import PersonVault, Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs

# Whether a thing of this kind belongs to the person.
Owns = Callable[[UUID, UUID], Awaitable[bool]]

_PURPOSE: Final = "处理更正申请"
_DAY: Final = timedelta(days=1)
_TRIES: Final = 3
_RECENT: Final = """
SELECT count(*) AS n, min(created_at) AS earliest FROM correction WHERE citizen_id = $1 AND created_at > $2
"""
_ADD: Final = """
INSERT INTO correction (id, number, citizen_id, about, object_id, text_sealed, state, recheck, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8) ON CONFLICT (number) DO NOTHING RETURNING id
"""
_MINE: Final = "SELECT * FROM correction WHERE citizen_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
_QUEUE: Final = "SELECT * FROM correction WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3"
_FIND: Final = "SELECT * FROM correction WHERE id = $1"
_ANSWER: Final = """
UPDATE correction SET state = $2, answer_sealed = $3, answered_at = $4, answered_by = $5
WHERE id = $1 AND state = 'open' RETURNING citizen_id
"""
_BEFORE_ALL: Final = UUID(int=0)
_AFTER_ALL: Final = UUID(int=(1 << 128) - 1)


class Corrections:
    """Takes what people call wrong, and lets operators answer. Texts rest sealed under the person's own key.

    A new name under the same number needs no operator: whoever enters it under `PUT /v1/citizen/me/identity` is checked
    with the population registry. For an identity called wrong the registry is asked again, so that everybody sees
    whether that is the way.
    """

    def __init__(
        self,
        *,
        realname: RealName,
        records: Records,
        owns: Mapping[About, Owns],
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: RightsSettings,
    ) -> None:
        self._realname = realname
        self._records = records
        self._owns = owns
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def ask(self, caller: Caller, about: About, object_id: UUID | None, text: str) -> CorrectionView:
        """Take a correction in.

        Raises:
            NothingToCorrect: the certificate or application does not exist, is somebody else's, or none is named.
            CorrectionsTooMany: too many within a day.
            AccountClosed: the account is closed.
        """
        if about in self._owns:
            if object_id is None or not await self._owns[about](caller.citizen_id, object_id):
                raise NothingToCorrect
        elif object_id is not None:
            raise NothingToCorrect
        # Before the registry is asked, and again where it counts.
        await self._require(caller.citizen_id)
        recheck = await self._recheck(caller.citizen_id) if about is About.IDENTITY else Recheck.UNKNOWN

        async def work() -> CorrectionView:
            if await execute(HOLD_ACTIVE, caller.citizen_id) != 1:
                raise AccountClosed
            now = self._clock.now()
            await self._require(caller.citizen_id)
            correction_id = self._ids.uuid()
            person = await self._vault.ensure_person(caller.citizen_id)
            sealed = person.seal(TEXT, correction_id, text)
            for _ in range(_TRIES):
                number = f"GZ{china_date(now):%Y%m%d}{self._ids.digits(6)}"
                if await fetch(
                    _ADD, correction_id, number, caller.citizen_id, about.value, object_id, sealed, recheck.value, now
                ):
                    break
            else:
                raise CorrectionsTooMany(retry_after=60)
            await self._tell("auth.correction-asked", caller.actor, caller.citizen_id, correction_id)
            line = CorrectionLine(
                correction_id, number, about, object_id, CorrectionState.OPEN, recheck, now, answered_at=None
            )
            return CorrectionView(line, text, answer=None)

        return await transaction(work)

    async def list_own(self, caller: Caller, *, before: UUID | None = None, limit: int = 20) -> list[CorrectionView]:
        """Return the caller's corrections, newest first, those before one when it is given.

        Raises:
            RecordUnreadable: a text does not open.
        """
        rows = await fetch(_MINE, caller.citizen_id, before or _AFTER_ALL, limit)
        person = await self._vault.find_person(caller.citizen_id)
        return [_opened(row, person) for row in rows]

    async def get_own(self, caller: Caller, correction_id: UUID) -> CorrectionView:
        """Return one of the caller's corrections.

        Raises:
            NoSuchCorrection: there is none, or it is somebody else's.
            RecordUnreadable: a text does not open.
        """
        row = await fetch_one(_FIND, correction_id)
        if row is None or as_uuid(row["citizen_id"]) != caller.citizen_id:
            raise NoSuchCorrection
        return _opened(row, await self._vault.find_person(caller.citizen_id))

    async def list_for_operators(
        self, state: CorrectionState, *, after: UUID | None = None, limit: int = 20
    ) -> list[CorrectionLine]:
        """Return corrections of all people, the oldest first; nothing of what was written.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_line(row) for row in await fetch(_QUEUE, state.value, after or _BEFORE_ALL, limit)]

    async def open_for(self, operator: StaffCaller, correction_id: UUID) -> CorrectionView:
        """Open a correction for an operator, with the person's name and number masked; the person's ledger says so.

        Raises:
            NoSuchCorrection: there is none.
            RecordUnreadable: the text does not open.
        """

        async def work() -> CorrectionView:
            row = await fetch_one(_FIND, correction_id)
            if row is None:
                raise NoSuchCorrection
            citizen_id = as_uuid(row["citizen_id"])
            person = await self._vault.find_person(citizen_id)
            record = await self._records.find(citizen_id)
            await self._tell(
                "auth.correction-read",
                Actor.operator(operator.operator_id),
                citizen_id,
                correction_id,
                field_names=("text", "name", "id_number"),
            )
            return replace(
                _opened(row, person),
                name=None if record is None or record.name is None else record.name.masked(),
                id_number=None if record is None or record.id_number is None else record.id_number.masked(),
            )

        return await transaction(work)

    async def answer(self, operator: StaffCaller, correction_id: UUID, outcome: CorrectionState, text: str) -> None:
        """Answer a correction, once; who asked for it is told that there is an answer.

        Raises:
            NoSuchCorrection: there is none.
            CorrectionAnswered: it has its answer.
        """
        if outcome is CorrectionState.OPEN:
            raise ValueError("an answer corrects or refuses")

        async def work() -> None:
            found = await fetch_one(_FIND, correction_id)
            if found is None:
                raise NoSuchCorrection
            citizen_id = as_uuid(found["citizen_id"])
            person = await self._vault.find_person(citizen_id)
            sealed = person.seal(ANSWER, correction_id, text)
            now = self._clock.now()
            if not await fetch(_ANSWER, correction_id, outcome.value, sealed, now, operator.operator_id):
                raise CorrectionAnswered
            actor = Actor.operator(operator.operator_id)
            await self._tell("auth.correction-answered", actor, citizen_id, correction_id, outcome=outcome.value)
            await self._jobs.enqueue(
                "notices.tell", event="auth.correction-answered", citizen_id=citizen_id, object_id=correction_id
            )

        await transaction(work)

    async def _recheck(self, citizen_id: UUID) -> Recheck:
        try:
            person = await self._realname.person_of(citizen_id, ReadPurpose.CORRECTION)
            return Recheck.AGREES if await self._realname.agrees(person.name, person.id_number) else Recheck.DIFFERS
        except (RegistryUnavailable, RegistryRefused, LevelTooLow):
            # What the registry says is a help, no condition: people may say what is wrong while it is away.
            return Recheck.UNKNOWN

    async def _require(self, citizen_id: UUID) -> None:
        now = self._clock.now()
        row = await fetch_one(_RECENT, citizen_id, now - _DAY)
        if row is not None and int(row["n"]) >= self._settings.corrections_per_day:
            again = as_moment(row["earliest"]) + _DAY
            raise CorrectionsTooMany(retry_after=max(1, ceil((again - now).total_seconds())))

    async def _tell(
        self,
        action: str,
        actor: Actor,
        citizen_id: UUID,
        correction_id: UUID,
        *,
        field_names: tuple[str, ...] = (),
        outcome: str = "ok",
    ) -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=citizen_id,
            purpose=_PURPOSE,
            object_kind="correction",
            object_id=correction_id,
            field_names=field_names,
            outcome=outcome,
        )


def _opened(row: Mapping[str, Any], person: PersonVault) -> CorrectionView:
    row_id, answer = as_uuid(row["id"]), row["answer_sealed"]
    return CorrectionView(
        _line(row),
        person.open(TEXT, row_id, row["text_sealed"]),
        None if answer is None else person.open(ANSWER, row_id, answer),
    )


def _line(row: Mapping[str, Any]) -> CorrectionLine:
    return CorrectionLine(
        id=as_uuid(row["id"]),
        number=row["number"],
        about=About(row["about"]),
        object_id=None if row["object_id"] is None else as_uuid(row["object_id"]),
        state=CorrectionState(row["state"]),
        recheck=Recheck(row["recheck"]),
        created_at=as_moment(row["created_at"]),
        answered_at=None if row["answered_at"] is None else as_moment(row["answered_at"]),
    )
