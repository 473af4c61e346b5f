"""Bringing letters to their departments, as dossiers are brought: once, or to a person where nobody can tell."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.errors import LevelTooLow
from auth.types import ReadPurpose
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch_one, transaction
from core.log import get_logger
from core.outside.watching import on_behalf_of
from matters.applications.records import Record, read_record
from matters.cases.history import History
from matters.cases.rules import fold, is_open, target_of
from matters.catalogue.catalogue import Catalogue
from matters.handover.case_files import CaseFiles
from matters.handover.letters import Letters
from matters.handover.rules import pause_before, prospect
from matters.handover.sending import attempt
from matters.handover.types import Attempt, Letter, LetterKind, Prospect
from matters.ports import Department, HomeRegistry, People
from matters.routing.rules import region_named
from matters.routing.types import RoutingTable
from matters.texts.types import CheckState
from matters.texts.written import form_to_read, supplement_look
from matters.types import Applicant, Capability, Dedupe, DeliveryState, Details, Filed, State, Supplement

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_FIND: Final = """
SELECT id, application_id, branch, kind, department, desk, state, created_at FROM letter WHERE id = $1
"""
_CASE: Final = "SELECT department, state, receipt_number FROM delivery WHERE application_id = $1"
_BRANCH: Final = """
SELECT department, delivery AS state, receipt_number FROM case_branch WHERE application_id = $1 AND name = $2
"""
_ASKED: Final = """
SELECT max(created_at) AS at FROM case_action
WHERE application_id = $1 AND step = 'supplement_requested' AND created_at <= $2
"""
_HOME: Final = "SELECT home_region FROM application WHERE id = $1"
_CLAIM: Final = "UPDATE letter SET state = 'sent', sent_at = $3 WHERE id = $1 AND state = $2"
_FAILED: Final = "UPDATE letter SET state = $2, failures = failures + 1 WHERE id = $1 AND state = 'sent'"
_SETTLE: Final = """
UPDATE letter SET state = $2, reason = $3, settled_at = $4 WHERE id = $1 AND state IN ('pending', 'sent')
"""
_ACTIONS: Final[Mapping[LetterKind, str]] = {
    LetterKind.SUPPLEMENT: "matters.supplement-told",
    LetterKind.WITHDRAWAL: "matters.withdrawal-told",
    LetterKind.RESULT: "matters.result-told",
}
_NEEDED: Final[Mapping[LetterKind, Capability]] = {
    LetterKind.SUPPLEMENT: Capability.SUPPLEMENT,
    LetterKind.WITHDRAWAL: Capability.WITHDRAW,
}
_DECIDED: Final = frozenset({State.APPROVED, State.REJECTED, State.DELIVERED, State.CLOSED})
_FIRST_PAUSE: Final = timedelta(minutes=1)
# What was written is looked at within moments, unless a person has to.
_NOT_LOOKED_AT: Final = frozenset({CheckState.WAITING, CheckState.HELD})
_PAUSE_FOR_A_LOOK: Final = timedelta(seconds=5)
# Why a letter waits for a person that was never sent.
NO_INTERFACE: Final = "no-interface"
ACCOUNT_CLOSED: Final = "account-closed"


@dataclass(frozen=True, slots=True)
class _Way:
    """How the dossier's own way stands, and the department's number for it."""

    state: DeliveryState
    receipt_number: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What a letter says: the call that says it, the names of what it shows, and whether it may be said twice."""

    send: Callable[[], Awaitable[None]]
    names: tuple[str, ...] = ()
    repeatable: bool = True


class LetterDeliveries:
    """Delivers letters. What no interface takes, was declined, or may have arrived at `none` waits for a person."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        people: People,
        departments: Mapping[str, Department],
        registries: Mapping[str, HomeRegistry],
        table: RoutingTable,
        letters: Letters,
        case_files: CaseFiles,
        audit: Audit,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._people = people
        self._departments = departments
        self._registries = registries
        self._returns = {each.matter: each for each in table.returns}
        self._places = table.places
        self._letters = letters
        self._case_files = case_files
        self._audit = audit
        self._vault = vault
        self._clock = clock
        for each in table.returns:
            if each.registry not in registries:
                raise ValueError(f"nobody takes the results of {each.matter}: {each.registry}")

    async def promise_result(self, application_id: str) -> Change | None:
        """Promise that the register of the place moved from hears of a decision (job `matters.return-result`).

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        record = await read_record(self._vault, UUID(application_id))
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        returned = self._returns.get(matter.slug)
        if returned is None:
            return None
        registry = returned.registry
        return lambda: self._letters.promise(LetterKind.RESULT, record.id, department=registry, desk=registry)

    async def send(self, letter_id: str) -> Change | None:
        """Bring a letter to its department (job `matters.send-letter`); return what is to be written.

        Raises:
            DepartmentUnavailable: try again later.
            QuestionRefused: an operator has to mend how we ask.
        """
        letter = await self._find(UUID(letter_id))
        if letter is None or letter.state not in {DeliveryState.PENDING, DeliveryState.SENT}:
            return None
        record = await read_record(self._vault, letter.application_id)
        way = await self._way(letter)
        match await self._prospect(letter, record, way):
            case Prospect.DROP:
                return self._settling(letter, record, Attempt(DeliveryState.CANCELLED), told=False)
            case Prospect.WAIT:
                return self._later(letter)
        needed = _NEEDED.get(letter.kind)
        if needed is not None and needed not in self._departments[letter.desk].capabilities:
            return self._settling(letter, record, Attempt(DeliveryState.REFUSED, NO_INTERFACE), told=False)
        try:
            content = await self._content(letter, record, way)
        except LevelTooLow:
            return self._settling(letter, record, Attempt(DeliveryState.REFUSED, ACCOUNT_CLOSED), told=False)
        if not await self._claim(letter, record, content):
            return None

        async def send() -> None:
            with on_behalf_of(matter=record.matter_code, consumer=letter.department):
                await content.send()

        async def failed(state: DeliveryState) -> None:
            await transaction(lambda: execute(_FAILED, letter.id, state.value))

        ended = await attempt(send, letter.state, failed, repeatable=content.repeatable)
        return self._settling(letter, record, ended)

    async def _find(self, letter_id: UUID) -> Letter | None:
        row = await fetch_one(_FIND, letter_id)
        if row is None:
            return None
        return Letter(
            id=letter_id,
            application_id=as_uuid(row["application_id"]),
            branch=str(row["branch"]),
            kind=LetterKind(row["kind"]),
            department=str(row["department"]),
            desk=str(row["desk"]),
            state=DeliveryState(row["state"]),
            created_at=as_moment(row["created_at"]),
        )

    async def _way(self, letter: Letter) -> _Way:
        """Return how the dossier's way stands; one that leads elsewhere by now is none."""
        about = (letter.application_id, letter.branch) if letter.branch else (letter.application_id,)
        row = await fetch_one(_BRANCH if letter.branch else _CASE, *about)
        if row is None or row["department"] != letter.department:
            return _Way(DeliveryState.CANCELLED, "")
        return _Way(DeliveryState(row["state"]), str(row["receipt_number"]))

    async def _prospect(self, letter: Letter, record: Record, way: _Way) -> Prospect:
        if letter.kind is LetterKind.RESULT:
            return Prospect.SEND if record.state in _DECIDED else Prospect.DROP
        if letter.kind is LetterKind.SUPPLEMENT and not is_open(record.state):
            return Prospect.DROP
        if letter.kind is LetterKind.SUPPLEMENT and await supplement_look(record.id) in _NOT_LOOKED_AT:
            return Prospect.WAIT
        return prospect(letter.kind, way.state, self._clock.now() - letter.created_at)

    def _later(self, letter: Letter) -> Change:
        first = _PAUSE_FOR_A_LOOK if letter.kind is LetterKind.SUPPLEMENT else _FIRST_PAUSE
        pause = pause_before(self._clock.now() - letter.created_at, first)
        return lambda: self._letters.send_on(letter.id, department=letter.department, desk=letter.desk, after=pause)

    # --- what a letter says ---------------------------------------------------------------------------------------

    async def _content(self, letter: Letter, record: Record, way: _Way) -> _Content:
        key = f"{record.number}-{letter.id.hex[-12:]}"
        if letter.kind is LetterKind.RESULT:
            return await self._result(letter, record, key)
        reference = f"{record.number}.{letter.branch}" if letter.branch else str(record.number)
        filed = Filed(reference, letter.department, way.receipt_number)
        department = self._departments[letter.desk]
        if letter.kind is LetterKind.WITHDRAWAL:
            return _Content(lambda: _withdraw(department, filed))
        row = await fetch_one(_ASKED, record.id, letter.created_at)
        since = as_moment(row["at"]) if row and row["at"] is not None else letter.created_at
        files = await self._case_files.of(record.id, department=letter.department, reference=reference, since=since)
        schema = self._catalogue.of_case(record.matter_code, record.matter_version).matter.form
        form = await form_to_read(self._vault, schema, record)
        supplement = Supplement(filed, key, form, files)
        names = sorted({*form, *(each.material for each in files)})
        repeatable = department.dedupe is not Dedupe.NONE
        return _Content(lambda: department.supplement(supplement), tuple(names), repeatable)

    async def _result(self, letter: Letter, record: Record, key: str) -> _Content:
        person = await self._people.person_of(record.citizen_id, ReadPurpose.APPLICATION)
        applicant = Applicant(person.name, person.id_number)
        row = await fetch_one(_HOME, record.id)
        decision = fold(line.action for line in await self._history.read(record.id)).decision
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        left = str(record.form.get(self._returns[matter.slug].field, ""))
        told: Details = {
            "outcome": record.state.value if decision is None else target_of(decision.step).value,
            "from_region": region_named(self._places, left),
            "to_region": str(row["home_region"]) if row else "",
            "decided_on": china_date(self._clock.now() if decision is None else decision.at).isoformat(),
        }
        registry = self._registries[letter.desk]
        return _Content(
            lambda: registry.take_result(key, record.matter_code, applicant, told), ("name", "id_number", *sorted(told))
        )

    # --- what is written ------------------------------------------------------------------------------------------

    async def _claim(self, letter: Letter, record: Record, content: _Content) -> bool:
        """Take a letter up; before the first try the ledger tells what may be seen there."""

        async def work() -> bool:
            if not await execute(_CLAIM, letter.id, letter.state.value, self._clock.now()):
                return False
            if letter.state is DeliveryState.PENDING and content.names:
                await self._tell_ledger(letter, record, "sent", content.names)
            return True

        return await transaction(work)

    def _settling(self, letter: Letter, record: Record, ended: Attempt, *, told: bool = True) -> Change:
        async def work() -> None:
            if not await execute(_SETTLE, letter.id, ended.state.value, ended.reason, self._clock.now()):
                return
            if ended.state in {DeliveryState.REFUSED, DeliveryState.UNKNOWN}:
                # A person has to settle it with the department.
                log.error("a letter waits for a person", partner=letter.department, kind=letter.kind.value)
            if told:
                outcome = "ok" if ended.state is DeliveryState.ACKNOWLEDGED else ended.reason or ended.state.value
                await self._tell_ledger(letter, record, outcome)

        return work

    async def _tell_ledger(self, letter: Letter, record: Record, outcome: str, names: tuple[str, ...] = ()) -> None:
        await self._audit.record(
            _ACTIONS[letter.kind],
            actor=Actor.department(letter.department),
            subject_id=record.citizen_id,
            purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            field_names=names,
            outcome=outcome,
        )


async def _withdraw(department: Department, filed: Filed) -> None:
    """Take a case back; where nobody knows the department's number for it, it is asked first whether it has it."""
    if not filed.receipt_number and Capability.STATUS in department.capabilities:
        found = await department.status(filed)
        if found is None:
            return
        filed = replace(filed, receipt_number=found.receipt_number)
    await department.withdraw(filed)
