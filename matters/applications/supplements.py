"""Supplying what a department asked for."""

from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import transaction
from matters.applications.progress import Progress
from matters.applications.records import read_files, read_own
from matters.cases.history import Entry, History
from matters.cases.rules import DEMANDED
from matters.catalogue.catalogue import Catalogue
from matters.errors import FormInvalid, MaterialsMissing, StateForbids
from matters.forms.rules import form_errors
from matters.handover.letters import Letters
from matters.handover.types import LetterKind
from matters.materials.rules import demanded_errors
from matters.texts.remarks import Remarks
from matters.texts.types import About
from matters.types import State, Step
from matters.views.types import ApplicationView


class Supplements:
    """Hands in a supplement: form and files are amended first, then this says that it is complete."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        progress: Progress,
        remarks: Remarks,
        letters: Letters,
        audit: Audit,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._progress = progress
        self._remarks = remarks
        self._letters = letters
        self._audit = audit
        self._vault = vault
        self._clock = clock

    async def hand_in(self, caller: Caller, application_id: UUID, note: str) -> ApplicationView:
        """Say that the supplement is complete; the case goes back to pre-review, and whoever has the dossier is told.

        Its words are looked at before anybody reads them.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: no supplement was asked for.
            FormInvalid: fields have to be mended.
            MaterialsMissing: a material that was asked for has not come.
        """
        record = await read_own(self._vault, application_id, caller)
        if record.state is not State.SUPPLEMENT_REQUESTED:
            raise StateForbids(state=record.state.value)
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        matter = published.matter
        if errors := form_errors(matter.form, record.form, china_date(self._clock.now())):
            raise FormInvalid(errors=errors)
        await self._require_demanded(application_id)
        actor = caller.actor

        async def work() -> None:
            await hold_mandate(caller, self._clock.now())
            entry = Entry(step=Step.SUPPLEMENTED, actor=actor, note=note)
            moved = await self._history.append(application_id, entry)
            await self._remarks.hold(About.SUPPLEMENT, moved.action_id, application_id)
            await self._audit.record(
                "matters.supplemented",
                actor=actor,
                subject_id=caller.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
            )
            # What rules have left for a person lies here alone.
            if matter.decision is None or record.department != published.department.slug:
                desk = published.desk_for(record.department)
                kind = LetterKind.SUPPLEMENT
                await self._letters.promise(kind, application_id, department=record.department, desk=desk)

        await transaction(work)
        return await self._progress.get(caller, application_id)

    async def _require_demanded(self, application_id: UUID) -> None:
        """See that files came for what the last demand named, after it was made."""
        asked = [line for line in await self._history.read(application_id) if DEMANDED in line.data]
        if not asked:
            return
        since = asked[-1].action.at
        came = {file.material for file in await read_files(application_id) if file.created_at >= since}
        if errors := demanded_errors(asked[-1].data[DEMANDED], came):
            raise MaterialsMissing(errors=errors)
