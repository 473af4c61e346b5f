"""How a result reaches the applicant: chosen by them, delivered, and closed when its time is over."""

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller, StaffCaller
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.applications.records import read_own
from matters.cases.history import Entry, History
from matters.cases.rules import is_open
from matters.catalogue.catalogue import Catalogue
from matters.errors import NoSuchApplication, StateForbids
from matters.results.errors import DeliveryTooLate, NothingDecided, PlaceNeeded
from matters.results.types import DeliveryChoice, DeliveryState, DeliveryWay
from matters.settings import MatterSettings
from matters.types import State, Step

log = get_logger(__name__)

PLACE: Final = "result_delivery.place"
_AT_ONCE: Final = 100

# The row of the application is locked first by everybody, so that choosing and delivering do not pass each other.
_LOCK: Final = "UPDATE application SET state = state WHERE id = $1 RETURNING state"
_FIND: Final = "SELECT * FROM result_delivery WHERE application_id = $1"
_ADD: Final = """
INSERT INTO result_delivery (id, application_id, way, state, next_at, created_at)
VALUES ($1, $2, '', $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id
"""
_CHOOSE: Final = "UPDATE result_delivery SET way = $2, place_sealed = $3, chosen_at = $4, next_at = $5 WHERE id = $1"
_SET: Final = "UPDATE result_delivery SET state = $2, next_at = $3 WHERE id = $1"
_MOVE: Final = """
UPDATE result_delivery SET state = $2, next_at = $3 WHERE id = $1 AND state IN ('chosen', 'waiting')
"""
_DUE: Final = """
SELECT id, application_id, state FROM result_delivery WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2
"""
_WHOSE: Final = "SELECT citizen_id, matter_code, matter_version FROM application WHERE id = $1"


class ResultDeliveries:
    """Delivers results. What is chosen to come electronically is delivered once its paper lies in the account.

    Where nobody has chosen it comes electronically too, and counts as delivered some days after it lies there. What
    goes by courier or is picked up is delivered when a clerk says so. Later the case is closed.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def choose(self, caller: Caller, application_id: UUID, way: DeliveryWay, place: str = "") -> DeliveryChoice:
        """Choose how the result comes; until it is delivered it may be chosen again.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            PlaceNeeded: the place is missing, or none is needed.
            DeliveryTooLate: it was delivered, or there will be no result.
            MandateMissing: the mandate has ended.
        """
        record = await read_own(self._vault, application_id, caller)
        if (way is DeliveryWay.ELECTRONIC) == bool(place):
            raise PlaceNeeded(errors=[FieldError("/place", "required", PlaceNeeded.title, PlaceNeeded.title_en)])
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter

        async def work() -> DeliveryChoice:
            await hold_mandate(caller, self._clock.now())
            state = await self._lock(application_id)
            if not is_open(state) and state not in {State.APPROVED, State.REJECTED}:
                raise DeliveryTooLate
            row = await self._ensure(application_id)
            now, row_id = self._clock.now(), as_uuid(row["id"])
            sealed = self._vault.seal(PLACE, row_id, json.dumps(place, ensure_ascii=False)) if place else None
            is_waiting = row["state"] == DeliveryState.WAITING.value
            # What comes electronically and lies there is delivered by the next look of the timetable.
            next_at = now if is_waiting and way is DeliveryWay.ELECTRONIC else None
            await execute(_CHOOSE, row_id, way.value, sealed, now, next_at)
            await self._audit.record(
                "matters.delivery-chosen",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=["place"] if place else [],
                outcome=way.value,
            )
            return DeliveryChoice(way, DeliveryState(row["state"]), place, now)

        return await transaction(work)

    async def chosen(self, caller: Caller, application_id: UUID) -> DeliveryChoice:
        """Return how the caller's result comes.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            RecordUnreadable: the place does not open.
        """
        await read_own(self._vault, application_id, caller)
        row = await fetch_one(_FIND, application_id)
        if row is None:
            return DeliveryChoice(DeliveryWay.ELECTRONIC, DeliveryState.CHOSEN)
        return DeliveryChoice(
            DeliveryWay(row["way"] or DeliveryWay.ELECTRONIC.value),
            DeliveryState(row["state"]),
            "" if row["place_sealed"] is None else self._place(row),
            None if row["chosen_at"] is None else as_moment(row["chosen_at"]),
        )

    def _place(self, row: dict[str, Any]) -> str:
        return str(json.loads(self._vault.open(PLACE, as_uuid(row["id"]), row["place_sealed"])))

    async def begin(self, application_id: UUID, *, decided: State) -> None:
        """Put a result on its way, in the transaction that promises its paper; again it changes nothing.

        What is not accepted has nothing to be handed over: the case is closed when its time is over.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        if decided is State.NOT_ACCEPTED:
            row = await self._ensure(application_id)
            await execute(_MOVE, as_uuid(row["id"]), *self._until_closed())

    async def hand_over(self, application_id: UUID) -> None:
        """Go on with a result whose paper was made, in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._lock(application_id)
        row = await self._ensure(application_id)
        if row["state"] != DeliveryState.CHOSEN.value:
            return
        now = self._clock.now()
        later = now + timedelta(days=self._settings.deliver_days)
        next_at = {DeliveryWay.ELECTRONIC.value: now, "": later}.get(row["way"])
        await execute(_SET, as_uuid(row["id"]), DeliveryState.WAITING.value, next_at)

    async def deliver(self, operator: StaffCaller, application_id: UUID, note: str) -> None:
        """Say that a result was handed to the courier's addressee, or picked up.

        Raises:
            NoSuchApplication: there is none.
            NothingDecided: there is no decision on paper yet.
            StateForbids: it was delivered already, or has nothing to be delivered.
        """

        async def work() -> None:
            await self._lock(application_id)
            row = await fetch_one(_FIND, application_id)
            if row is None or row["state"] == DeliveryState.CHOSEN.value:
                raise NothingDecided
            await self._delivered(row, operator.actor, note)

        await transaction(work)

    async def look(self) -> int:
        """Deliver and close what is due; return how many results went on. The timetable calls this.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        gone_on = 0
        for row in await fetch(_DUE, self._clock.now(), _AT_ONCE):
            application_id = as_uuid(row["application_id"])

            async def work(application_id: UUID = application_id) -> bool:
                await self._lock(application_id)
                return await self._go_on(application_id)

            try:
                gone_on += await transaction(work)
            except StateForbids:
                # Late news of the department has brought the case elsewhere; nothing is to be delivered of it now.
                log.warning("a result cannot go on", application_id=str(application_id))
                await self._rest(row)
        return gone_on

    async def _rest(self, row: dict[str, Any]) -> None:
        await transaction(lambda: execute(_SET, as_uuid(row["id"]), row["state"], None))

    async def _go_on(self, application_id: UUID) -> bool:
        row = await fetch_one(_FIND, application_id)
        if row is None or row["next_at"] is None or as_moment(row["next_at"]) > self._clock.now():
            return False
        if row["state"] == DeliveryState.WAITING.value:
            await self._delivered(row, SYSTEM, "")
        elif row["state"] == DeliveryState.DELIVERED.value:
            await execute(_SET, as_uuid(row["id"]), DeliveryState.CLOSED.value, None)
            await self._history.append(application_id, Entry(step=Step.CLOSED, actor=SYSTEM))
            await self._jobs.enqueue("matters.archive", application_id=application_id)
        return True

    async def _delivered(self, row: dict[str, Any], actor: Actor, note: str) -> None:
        application_id = as_uuid(row["application_id"])
        if row["state"] != DeliveryState.WAITING.value:
            raise StateForbids(state=State.DELIVERED.value)
        way = row["way"] or DeliveryWay.ELECTRONIC.value
        entry = Entry(step=Step.DELIVERED, actor=actor, note=note, data={"way": way})
        await self._history.append(application_id, entry)
        await execute(_SET, as_uuid(row["id"]), *self._until_closed())
        case = await fetch_one(_WHOSE, application_id)
        if case is None:
            raise NoSuchApplication
        await self._audit.record(
            "matters.result-delivered",
            actor=actor,
            subject_id=as_uuid(case["citizen_id"]),
            purpose=self._catalogue.of_case(case["matter_code"], int(case["matter_version"])).matter.title.zh,
            object_kind="application",
            object_id=application_id,
            outcome=way,
        )

    def _until_closed(self) -> tuple[str, Any]:
        return DeliveryState.DELIVERED.value, self._clock.now() + timedelta(days=self._settings.close_days)

    async def _lock(self, application_id: UUID) -> State:
        row = await fetch_one(_LOCK, application_id)
        if row is None:
            raise NoSuchApplication
        return State(row["state"])

    async def _ensure(self, application_id: UUID) -> dict[str, Any]:
        now, state = self._clock.now(), DeliveryState.CHOSEN.value
        await fetch(_ADD, self._ids.uuid(), application_id, state, None, now)
        row = await fetch_one(_FIND, application_id)
        if row is None:
            raise NoSuchApplication
        return row
