"""Holding a case while something is done to it: whoever comes second waits, and then sees what the first has done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.audit.actors import ActorKind
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one, require_transaction
from matters.cases.documents import Document, document_in
from matters.errors import ChangedMeanwhile, NoSuchApplication
from matters.types import DeliveryState, State, Step

# Both updates change nothing and take the rows' locks: the delivery's first, as whoever brings news does.
_HOLD_DELIVERY: Final = """
UPDATE delivery SET failures = failures WHERE application_id = $1
RETURNING department, state, failures, receipt_number, reason, sent_at
"""
_HOLD: Final = """
UPDATE application SET actions = actions WHERE id = $1 AND number IS NOT NULL
RETURNING id, citizen_id, matter_code, matter_version, department, state, version, number
"""
_ACTIONS: Final = "SELECT step, actor_kind, actor_id, data FROM case_action WHERE application_id = $1 ORDER BY seq"


@dataclass(frozen=True, slots=True)
class HeldDelivery:
    """A dossier's way, as it stands while the case is held."""

    department: str
    state: DeliveryState
    failures: int
    receipt_number: str
    reason: str
    sent_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "HeldDelivery":
        """Read a row."""
        return cls(
            department=str(row["department"]),
            state=DeliveryState(row["state"]),
            failures=int(row["failures"]),
            receipt_number=str(row["receipt_number"]),
            reason=str(row["reason"]),
            sent_at=None if row["sent_at"] is None else as_moment(row["sent_at"]),
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """What the history of a case says beside its state: documents, who took it in, how often more was asked for."""

    documents: tuple[Document, ...] = ()
    hands: frozenset[str] = frozenset()
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A submitted case that nobody else changes before the end of the running transaction."""

    id: UUID
    citizen_id: UUID
    matter_code: str
    matter_version: int
    department: str
    state: State
    version: int
    number: str
    delivery: HeldDelivery | None
    trace: Trace


async def hold(application_id: UUID, version: int | None) -> Held:
    """Take the locks of a case and return how it stands; `version` is the one that was looked at, None for any.

    Raises:
        NoSuchApplication: there is none that was submitted.
        ChangedMeanwhile: it is not as it was looked at.
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    delivery = await fetch_one(_HOLD_DELIVERY, application_id)
    row = await fetch_one(_HOLD, application_id)
    if row is None:
        raise NoSuchApplication
    if version is not None and int(row["version"]) != version:
        raise ChangedMeanwhile
    return Held(
        id=as_uuid(row["id"]),
        citizen_id=as_uuid(row["citizen_id"]),
        matter_code=str(row["matter_code"]),
        matter_version=int(row["matter_version"]),
        department=str(row["department"]),
        state=State(row["state"]),
        version=int(row["version"]),
        number=str(row["number"]),
        delivery=None if delivery is None else HeldDelivery.of(delivery),
        trace=await read_trace(application_id),
    )


async def read_trace(application_id: UUID) -> Trace:
    """Return what the history of a case says beside its state; no note is opened.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    rows = await fetch(_ACTIONS, application_id)
    documents = (document_in(as_json(row["data"])) for row in rows)
    return Trace(
        documents=tuple(each for each in documents if each is not None),
        hands=frozenset(
            str(row["actor_id"])
            for row in rows
            if row["actor_kind"] == ActorKind.OPERATOR.value
            and Step(row["step"]) in {Step.ACCEPTED, Step.SUPPLEMENT_REQUESTED}
        ),
        asked=sum(Step(row["step"]) is Step.SUPPLEMENT_REQUESTED for row in rows),
    )
