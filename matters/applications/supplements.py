"""Supplying what a department asked for."""

from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import transaction
from matters.applications.progress import Progress
from matters.applications.records import read_own
from matters.applications.rules import form_errors
from matters.cases.history import Entry, History
from matters.catalogue.catalogue import Catalogue
from matters.errors import FormInvalid, StateForbids
from matters.types import ApplicationView, State, Step


class Supplements:
    """Hands in a supplement: form and files are amended first, then this says that it is complete."""

    def __init__(
        self, *, catalogue: Catalogue, history: History, progress: Progress, audit: Audit, vault: Vault, clock: Clock
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._progress = progress
        self._audit = audit
        self._vault = vault
        self._clock = clock

    async def hand_in(self, caller: Caller, application_id: UUID, note: str) -> ApplicationView:
        """Say that the supplement is complete; the case goes back to pre-review.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: no supplement was asked for.
            FormInvalid: fields have to be mended.
        """
        record = await read_own(self._vault, application_id, caller)
        if record.state is not State.SUPPLEMENT_REQUESTED:
            raise StateForbids(state=record.state.value)
        matter = self._catalogue.find(record.matter_code).matter
        if errors := form_errors(matter.form, record.form):
            raise FormInvalid(errors=errors)
        actor = caller.actor

        async def work() -> None:
            await hold_mandate(caller, self._clock.now())
            await self._history.append(application_id, Entry(step=Step.SUPPLEMENTED, actor=actor, note=note))
            await self._audit.record(
                "matters.supplemented",
                actor=actor,
                subject_id=caller.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
            )

        await transaction(work)
        return await self._progress.get(caller, application_id)
