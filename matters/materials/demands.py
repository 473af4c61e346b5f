"""What a clerk or a department asks an applicant for: only what is published, and nothing that is spared."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller
from core.audit.record import Audit
from core.db import as_uuid, fetch_one, transaction
from core.jobs.queue import Jobs
from matters.cases.documents import DOCUMENT, document_for
from matters.cases.errors import AskedBefore
from matters.cases.history import Entry, History
from matters.cases.holding import Held, hold
from matters.cases.reasons import is_published
from matters.cases.rules import DEMANDED, is_move, news_of
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Matter
from matters.errors import CaseNotYours, DemandUnlawful, NoSuchApplication, StateForbids
from matters.materials.resolving import Materials
from matters.materials.rules import as_settled, demand_errors
from matters.types import State, Step

_FIND: Final = """
SELECT id, citizen_id, matter_code, matter_version FROM application WHERE id = $1 AND number IS NOT NULL
"""
_NUMBERED: Final = "SELECT id, matter_code, matter_version, department FROM application WHERE number = $1"
# What a second person approves before anything is asked for again (`auth/staff/rules.py`).
ASK_AGAIN: Final = "cases.ask-again"
# Uses an approval up for exactly a payload, and tells who has asked for it and who has approved it.
Spend = Callable[[UUID, str, Mapping[str, object]], Awaitable[tuple[UUID, UUID | None]]]


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Why materials are asked for once more: a published exception, and the approval of a second person."""

    reason: str
    approval: UUID


def payload_of(application_id: UUID, wanted: Sequence[str], reason: str) -> dict[str, object]:
    """Return what exactly is approved when materials are asked for once more."""
    return {"application": str(application_id), "materials": sorted(wanted), "exception": reason}


class Demands:
    """Asks applicants for materials that are missing (补正), as far as the list of the matter allows."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        materials: Materials,
        history: History,
        audit: Audit,
        jobs: Jobs,
        spend: Spend,
    ) -> None:
        self._catalogue = catalogue
        self._materials = materials
        self._history = history
        self._audit = audit
        self._jobs = jobs
        self._spend = spend

    async def demand(
        self,
        operator: StaffCaller,
        application_id: UUID,
        wanted: Sequence[str],
        note: str,
        *,
        version: int | None = None,
        exceptional: Exceptional | None = None,
    ) -> None:
        """Ask the applicant for materials, all at once; they are told, and the case waits for them.

        `version` is the one that was looked at, None for any. `exceptional` is needed where it was done before.

        Raises:
            NoSuchApplication: there is none that was submitted.
            ChangedMeanwhile: it is not as it was looked at.
            DemandUnlawful: a material is not published for the matter, or it is satisfied without the applicant.
            StateForbids: the case does not stand where a supplement is asked for.
            AskedBefore: it was asked before, and there is no exception to asking once.
            NotApproved: nobody else has approved that exactly this is asked for once more.
        """
        row = await fetch_one(_FIND, application_id)
        if row is None:
            raise NoSuchApplication
        matter = await self._require_lawful(row, wanted)

        async def work() -> None:
            held = await hold(application_id, version)
            reason = await self._exception(operator, held, wanted, exceptional)
            document = document_for(Step.SUPPLEMENT_REQUESTED, held.number, held.trace.documents)
            data: dict[str, Any] = {DEMANDED: list(wanted)}
            if document is not None:
                data[DOCUMENT] = document.data
            entry = Entry(step=Step.SUPPLEMENT_REQUESTED, actor=operator.actor, reason=reason, note=note, data=data)
            await self._history.append(application_id, entry)
            await self._audit.record(
                "matters.material-demanded",
                actor=operator.actor,
                subject_id=held.citizen_id,
                purpose=matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=sorted(wanted),
            )
            event = news_of(State.SUPPLEMENT_REQUESTED)
            if event is not None:
                await self._jobs.enqueue(
                    "notices.tell",
                    event=event,
                    citizen_id=held.citizen_id,
                    object_id=application_id,
                    matter=matter.title.zh,
                    matter_en=matter.title.en,
                )

        await transaction(work)

    async def _exception(
        self, operator: StaffCaller, held: Held, wanted: Sequence[str], exceptional: Exceptional | None
    ) -> str:
        """See that asking is no second time, or an exception that somebody else has approved; return which."""
        if not is_move(held.state, State.SUPPLEMENT_REQUESTED):
            raise StateForbids(state=held.state.value)
        if not held.trace.asked:
            return ""
        if exceptional is None or not is_published(Step.SUPPLEMENT_REQUESTED, exceptional.reason):
            raise AskedBefore
        payload = payload_of(held.id, wanted, exceptional.reason)
        asked_by, approved_by = await self._spend(exceptional.approval, ASK_AGAIN, payload)
        if asked_by != operator.operator_id or approved_by in {None, operator.operator_id}:
            raise AskedBefore
        return exceptional.reason

    async def require_lawful(self, department: str, number: str, wanted: Sequence[str]) -> None:
        """See that a department demands nothing in a case of its own that it may not.

        Raises:
            CaseNotYours: the number is another department's case, or nobody's.
            DemandUnlawful: a material is not published with the case's version, or satisfied without the applicant.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_NUMBERED, number)
        if row is None or row["department"] != department:
            raise CaseNotYours
        await self._require_lawful(row, wanted)

    async def _require_lawful(self, row: Mapping[str, Any], wanted: Sequence[str]) -> Matter:
        """Hold a demand against the version that the case was begun with, whatever was published since."""
        matter = self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter
        settled = await self._materials.settled(as_uuid(row["id"]))
        if errors := demand_errors(as_settled(matter.materials, settled), wanted):
            raise DemandUnlawful(errors=errors)
        return matter
