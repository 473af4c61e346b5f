"""How staff acts on a case: held, looked at, changed, written down and told, all in one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from auth.types import StaffCaller
from core.audit.actors import Actor
from core.audit.record import Audit
from core.db import transaction
from core.errors import FieldError
from matters.cases.documents import DOCUMENT, TITLES, Document, document_for
from matters.cases.errors import SameHands
from matters.cases.history import Entry, History, Moved
from matters.cases.holding import Held, hold
from matters.cases.reasons import CHOSEN, is_published
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids
from matters.handling.errors import DeliveryOpen, DepartmentDecides, ReasonUnpublished
from matters.handling.rules import (
    STEPS,
    are_same_hands,
    holder_of,
    is_of_the_department,
    is_open,
    waits_for_delivery,
)
from matters.handling.types import Done, Holder, Move, Order, Written
from matters.types import DeliveryState

# What else has to be seen to, or written, in the transaction of a move; returns what the action's `data` says of it.
More = Callable[[Held], Awaitable[Mapping[str, Any]]]
_UNKNOWN_REASON: Final = ("unpublished", "没有这个理由", "There is no such reason")


@dataclass(frozen=True, slots=True)
class _Told:
    """An action as it is written down: by whom, with which reason and document."""

    actor: Actor
    reason: str
    note: str
    document: Document | None


class Acting:
    """Does one move of an operator, or refuses it; nothing of a refused one stays."""

    def __init__(self, *, catalogue: Catalogue, history: History, tracking: Tracking, audit: Audit) -> None:
        self._catalogue = catalogue
        self._history = history
        self._tracking = tracking
        self._audit = audit

    async def act(self, operator: StaffCaller, move: Move, order: Order, *, more: More | None = None) -> Done:
        """Make a move: its action, its document, the ledger and what the applicant is told, or nothing of it.

        Raises:
            NoSuchApplication: there is none that was submitted.
            ChangedMeanwhile: it is not as it was looked at.
            StateForbids: the move is not open from where the case stands.
            DepartmentDecides: the department's own system has the dossier.
            DeliveryOpen: the dossier's way has to be settled first.
            SameHands: the operator has taken the case in, and would decide it.
            ReasonUnpublished: the reason is none of those published.
            Problem: what `more` raises.
        """
        needs_one = STEPS[move] in CHOSEN and move is not Move.MERGE
        if needs_one and not is_published(STEPS[move], order.reason):
            raise ReasonUnpublished(errors=[FieldError("/reason", *_UNKNOWN_REASON)])

        async def work() -> Done:
            held = await hold(order.application_id, order.version)
            self.require_open(operator, move, held)
            data = {} if more is None else await more(held)
            document = document_for(STEPS[move], held.number, held.trace.documents)
            told = _Told(operator.actor, order.reason, order.note, document)
            moved = await self._write(move, held, told, data)
            return Done(held.id, moved.after, held.version + 1, written(document))

        return await transaction(work)

    def require_open(self, operator: StaffCaller, move: Move, held: Held) -> None:
        """See that an operator may make a move now.

        Raises:
            StateForbids: it is not open from where the case stands.
            DepartmentDecides: the department's own system has the dossier.
            DeliveryOpen: the dossier's way has to be settled first.
            SameHands: the operator has taken the case in, and would decide it.
        """
        delivery = None if held.delivery is None else held.delivery.state
        if not is_open(move, held.state):
            raise StateForbids(state=held.state.value)
        if is_of_the_department(move, self.holder(held, delivery)):
            raise DepartmentDecides
        if waits_for_delivery(move, delivery):
            raise DeliveryOpen
        if are_same_hands(move, held.trace.hands, str(operator.operator_id)):
            raise SameHands

    def holder(self, held: Held, delivery: DeliveryState | None) -> Holder:
        """Return with whom a case lies."""
        published = self._catalogue.of_case(held.matter_code, held.matter_version)
        by_rules = published.matter.decision is not None and held.department == published.department.slug
        return holder_of(by_rules=by_rules, desk=published.desk_for(held.department), delivery=delivery)

    async def _write(self, move: Move, held: Held, told: _Told, data: Mapping[str, Any]) -> Moved:
        kept = dict(data) if told.document is None else {**data, DOCUMENT: told.document.data}
        entry = Entry(step=STEPS[move], actor=told.actor, reason=told.reason, note=told.note, data=kept)
        moved = await self._history.append(held.id, entry)
        await self._audit.record(
            "matters.handled",
            actor=told.actor,
            subject_id=held.citizen_id,
            purpose=self._catalogue.of_case(held.matter_code, held.matter_version).matter.title.zh,
            object_kind="application",
            object_id=held.id,
            outcome=STEPS[move].value,
        )
        await self._tracking.announce(moved, held.id, held.citizen_id, held.matter_code)
        return moved


def written(document: Document | None) -> Written | None:
    """Return a document with its title."""
    return None if document is None else Written(document.kind.value, TITLES[document.kind], document.number)
