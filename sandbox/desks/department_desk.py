"""The common desk of departments, pretended from `docs/departments/department-desk.md`."""

import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from sandbox.desks.called_back import CalledBackCases
from sandbox.ground.answers import Json, NotUnderstood, part, read_supplement, text
from sandbox.ground.callbacks import Callbacks, Step
from sandbox.ground.clock import Clock
from sandbox.ground.faults import DEPARTMENTS, Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People, Person

_ENDED = frozenset({"approved", "rejected", "not_accepted"})


@dataclass(frozen=True, slots=True, repr=False)
class _Submission:
    """What came in with `POST /v1/{department}/cases`."""

    department: str
    reference: str
    matter: str
    at_once: bool
    callback_url: str
    complete: bool
    person: Person | None


class DepartmentDesk:
    """Takes dossiers for every department. Invariant: a reference opens one case at a department."""

    def __init__(
        self,
        *,
        people: People,
        desk: SignedDesk,
        store: Store,
        faults: Faults,
        callbacks: Callbacks,
        filing: Filing,
        clock: Clock,
    ) -> None:
        self._people = people
        self._desk = desk
        self._store = store
        self._faults = faults
        self._callbacks = callbacks
        self._cases = CalledBackCases(callbacks)
        self._filing = filing
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post("/department-desk/v1/{department}/cases", self._receive),
            web.post("/department-desk/v1/{department}/cases/{reference}/supplements", self._supplement),
            web.post("/department-desk/v1/{department}/cases/{reference}/withdrawals", self._withdraw),
            web.get("/department-desk/v1/{department}/cases/{reference}", self._look_up),
        ]

    async def _supplement(self, request: web.Request) -> web.Response:
        department, reference = request.match_info["department"], request.match_info["reference"]

        async def receive(told: Json) -> Json:
            key, at = read_supplement(told), self._clock.stamp()
            taken = partial(self._cases.supplement, department=department, reference=reference, key=key, at=at)
            return await self._store.run(taken)

        return await self._desk.takes(receive)(request)

    async def _withdraw(self, request: web.Request) -> web.Response:
        department, reference = request.match_info["department"], request.match_info["reference"]

        async def withdraw(_told: Json) -> Json:
            taken = partial(self._cases.take_back, department=department, reference=reference)
            return {"code": await self._store.run(taken), "message": "done, decided, or unknown"}

        return await self._desk.takes(withdraw)(request)

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        department = request.match_info["department"]

        async def progress(reference: str) -> Json:
            def read(db: sqlite3.Connection) -> sqlite3.Row | None:
                row: sqlite3.Row | None = db.execute(
                    "SELECT * FROM desk_cases WHERE department = ? AND reference = ?", (department, reference)
                ).fetchone()
                return row

            case = await self._store.run(read)
            if case is None:
                return {"code": "1404", "message": "unknown"}
            answer = {name: case[name] for name in ("receipt_number", "state")}
            return {"code": "0000", "message": "done", **answer}

        return await self._desk.looks_up(progress)(request)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        caller_left = False
        department = request.match_info["department"]

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            if department not in DEPARTMENTS:
                return {"code": "1404", "message": "There is no such department at this desk."}
            submission, files = self._read(department, told), listed(told, "files")
            ending = submission.person.ending if submission.person is not None else "answers"
            if ending == "hangs" and not await self._faults.hang(request, department):
                caller_left = True
                return {}
            await self._filing.collect(department, submission.reference, files)
            mode = await self._faults.meet_callbacks(department)
            answer = await self._store.run(partial(self._take_in, submission=submission, mode=mode))
            self._callbacks.wake()
            return answer

        handle: Callable[[web.Request], Awaitable[web.Response]] = self._desk.takes(receive)
        response = await handle(request)
        return hang_up(request) if caller_left else response

    def _read(self, department: str, told: Json) -> _Submission:
        callback_url = text(told, "callback_url", most=2000)
        if not self._callbacks.may_go_to(callback_url):
            message = "callback_url must be an http or https address on a host that may be called back."
            raise NotUnderstood(message)
        if not isinstance(told.get("at_once"), bool):
            message = "at_once must be true or false."
            raise NotUnderstood(message)
        applicant = part(told, "applicant")
        name, id_number = applicant.get("name"), applicant.get("id_number")
        named = isinstance(name, str) and isinstance(id_number, str)
        return _Submission(
            department=department,
            reference=text(told, "reference"),
            matter=text(told, "matter"),
            at_once=told["at_once"],
            callback_url=callback_url,
            complete=named and isinstance(told.get("form"), dict),
            person=self._people.find_named(str(id_number), str(name)) if named else None,
        )

    def _take_in(self, db: sqlite3.Connection, *, submission: _Submission, mode: Mode) -> Json:
        earlier = earlier_answer(db, department=submission.department, reference=submission.reference)
        if earlier is not None:
            return earlier
        received_at = self._clock.stamp()
        reason = _why_not(submission)
        if reason is not None:
            outcome, answer = "refused", {"code": "2422", "reason": reason, "message": "不予受理 / Not taken."}
        else:
            outcome, answer = "accepted", self._open_case(db, submission, received_at, mode)
        take(
            db,
            department=submission.department,
            reference=submission.reference,
            matter=submission.matter,
            at=received_at,
            outcome=outcome,
            answer=answer,
        )
        return answer

    def _open_case(self, db: sqlite3.Connection, submission: _Submission, received_at: str, mode: Mode) -> Json:
        receipt_number = f"DD{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        result = {"document_number": f"D{secrets.token_hex(5).upper()}"}
        db.execute(
            "INSERT INTO desk_cases (department, reference, receipt_number, state) VALUES (?, ?, ?, ?)",
            (
                submission.department,
                submission.reference,
                receipt_number,
                "approved" if submission.at_once else "accepted",
            ),
        )
        taken = {"code": "0000", "message": "received", "receipt_number": receipt_number, "received_at": received_at}
        if submission.at_once:
            return {**taken, "decision": {"state": "approved", "result": result}}
        self._callbacks.owe(
            db,
            reference=submission.reference,
            url=submission.callback_url,
            steps=(
                Step("accepted", "已受理 / Accepted."),
                Step("in_review", "审查中 / In review."),
                Step("approved", "准予办理 / Approved.", result),
            ),
            mode=mode,
        )
        return taken


def _why_not(submission: _Submission) -> str | None:
    if not submission.complete:
        return "incomplete"
    if submission.person is None or submission.person.ending == "refuses":
        return "not-eligible"
    return None


def decide(db: sqlite3.Connection, reference: str, state: str) -> None:
    """Move a case to a state; what has ended stays."""
    case = db.execute("SELECT state FROM desk_cases WHERE reference = ?", (reference,)).fetchone()
    if case is not None and case["state"] not in _ENDED:
        db.execute("UPDATE desk_cases SET state = ? WHERE reference = ?", (state, reference))
