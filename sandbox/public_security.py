"""The public security bureau, pretended from `docs/departments/public-security.md`."""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, part, read_supplement, text
from sandbox.ground.callbacks import Callbacks, Step
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, supplement, take
from sandbox.issuers.drawer import UNCONFIRMED, Drawer, put
from sandbox.people import People, Person, later

_NAME = "public-security"
_PERMIT = "residence-permit"
_KINDS = ("driving-licence", "vehicle-licence", _PERMIT, "passport", "hk-macau-permit", "taiwan-permit")
_ENDED = frozenset({"approved", "rejected", "not_accepted"})


@dataclass(frozen=True, slots=True, repr=False)
class _Submission:
    """What came in with `POST /v1/cases`."""

    reference: str
    matter: str
    callback_url: str
    complete: bool
    person: Person | None


class _Refusal(Exception):
    """The bureau will not take it: the reason of the page, and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.answer: Json = {"code": "2422", "reason": reason, "message": message}


class PublicSecurity:
    """Licences, permits, cases about them, and the household check.

    Invariant: a reference opens one case. The endorsement of a permit is extended from its due date and not from the
    day of the decision, so that two cases about one due date come to the same end.
    """

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
        drawer: Drawer,
    ) -> None:
        self._people = people
        self._desk = desk
        self._store = store
        self._faults = faults
        self._callbacks = callbacks
        self._filing = filing
        self._clock = clock
        self._drawer = drawer

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/v1/certificates/query", self._desk.takes(self._query)),
            web.post(f"/{_NAME}/v1/cases", self._receive),
            web.post(f"/{_NAME}/v1/cases/{{reference}}/supplements", self._supplement),
            web.post(f"/{_NAME}/v1/households/results", self._desk.takes(self._take_result)),
            web.get(f"/{_NAME}/v1/cases/{{reference}}", self._desk.looks_up(self._progress)),
            web.post(f"/{_NAME}/v1/checks/household", self._desk.takes(self._check)),
        ]

    async def _query(self, told: Json) -> Json:
        text(told, "request_id")
        text(told, "purpose", most=200)
        kind = text(told, "kind")
        person = self._people.find_named(text(told, "id_number"), text(told, "name"))
        if kind not in _KINDS:
            message = f"kind must be one of {', '.join(_KINDS)}."
            raise NotUnderstood(message)
        document = await self._drawer.find(person, kind)
        if document is None:
            return {"code": "1404", "message": "none held"}
        if document["state"] == UNCONFIRMED:
            return {"code": "1409", "message": "on record, not confirmed"}
        return {"code": "0000", "message": "done", "certificate": document}

    async def _check(self, told: Json) -> Json:
        text(told, "request_id")
        person = self._people.find_named(text(told, "id_number"), text(told, "name"))
        result = "conflict" if person is None else person.household
        return {"code": "0000", "message": "done", "result": result, "checked_at": self._clock.stamp()}

    async def _take_result(self, told: Json) -> Json:
        """Note what was decided elsewhere about a move from here, once for each reference."""
        named = self._people.find_named(text(told, "id_number"), text(told, "name"))
        if text(told, "outcome") not in {"approved", "rejected"} or named is None:
            message = "outcome must be approved or rejected, and the person known here."
            raise NotUnderstood(message)
        text(told, "decided_on")
        reference, matter = text(told, "reference"), text(told, "matter")

        def note(db: sqlite3.Connection) -> Json:
            earlier = earlier_answer(db, department=_NAME, reference=reference)
            if earlier is not None:
                return earlier
            at, answer = self._clock.stamp(), {"code": "0000", "message": "noted"}
            take(db, department=_NAME, reference=reference, matter=matter, at=at, outcome="result", answer=answer)
            return answer

        return await self._store.run(note)

    async def _supplement(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]

        async def receive(told: Json) -> Json:
            key = read_supplement(told)

            def work(db: sqlite3.Connection) -> Json:
                case = db.execute("SELECT state FROM cases WHERE reference = ?", (reference,)).fetchone()
                ended = None if case is None else case["state"] in _ENDED
                at = self._clock.stamp()
                return supplement(db, department=_NAME, reference=reference, key=key, ended=ended, at=at)

            return await self._store.run(work)

        return await self._desk.takes(receive)(request)

    async def _progress(self, reference: str) -> Json:
        def read(db: sqlite3.Connection) -> sqlite3.Row | None:
            row: sqlite3.Row | None = db.execute("SELECT * FROM cases WHERE reference = ?", (reference,)).fetchone()
            return row

        case = await self._store.run(read)
        if case is None:
            return {"code": "1404", "message": "unknown"}
        return {
            "code": "0000",
            "message": "done",
            "receipt_number": case["receipt_number"],
            "state": case["state"],
        }

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        caller_left = False

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            submission, files = self._read(told), listed(told, "files")
            ending = submission.person.ending if submission.person is not None else "answers"
            if ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            await self._filing.collect(_NAME, submission.reference, files)
            return await self._decide_on(submission)

        response = await self._desk.takes(receive)(request)
        return hang_up(request) if caller_left else response

    def _read(self, told: Json) -> _Submission:
        reference, callback_url = text(told, "reference"), text(told, "callback_url", most=2000)
        if not self._callbacks.may_go_to(callback_url):
            message = "callback_url must be an http or https address on a host that may be called back."
            raise NotUnderstood(message)
        applicant = part(told, "applicant")
        name, id_number = applicant.get("name"), applicant.get("id_number")
        named = isinstance(name, str) and isinstance(id_number, str)
        return _Submission(
            reference=reference,
            matter=text(told, "matter"),
            callback_url=callback_url,
            complete=named and isinstance(told.get("form"), dict),
            person=self._people.find_named(str(id_number), str(name)) if named else None,
        )

    async def _decide_on(self, submission: _Submission) -> Json:
        mode = await self._faults.meet_callbacks(_NAME)
        answer = await self._store.run(partial(self._take_in, submission=submission, mode=mode))
        self._callbacks.wake()
        return answer

    def _take_in(self, db: sqlite3.Connection, *, submission: _Submission, mode: Mode) -> Json:
        earlier = earlier_answer(db, department=_NAME, reference=submission.reference)
        if earlier is not None:
            return earlier
        received_at, outcome = self._clock.stamp(), "accepted"
        try:
            answer = self._open_case(db, submission, received_at, mode)
        except _Refusal as refusal:
            outcome, answer = "refused", refusal.answer
        take(
            db,
            department=_NAME,
            reference=submission.reference,
            matter=submission.matter,
            at=received_at,
            outcome=outcome,
            answer=answer,
        )
        return answer

    def _open_case(self, db: sqlite3.Connection, submission: _Submission, received_at: str, mode: Mode) -> Json:
        person = submission.person
        if not submission.complete:
            raise _Refusal("incomplete", "申请人或表单不完整 / The applicant or the form is incomplete.")
        permit = self._drawer.read(db, person=person, kind=_PERMIT) if person is not None else None
        if person is None or permit is None:
            raise _Refusal("not-eligible", "申请人没有居住证 / The applicant holds no residence permit.")
        if person.ending == "refuses":
            raise _Refusal("not-eligible", "居住登记未满半年 / Registered at the residence for less than half a year.")
        due_on = date.fromisoformat(permit["fields"]["endorsed_until"])
        if due_on > later(self._clock.today(), months=1):
            raise _Refusal("not-due", "签注尚未到期 / The endorsement is not due yet.")
        endorsed = _endorsed(permit, later(due_on, years=1))
        receipt_number = f"PS{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        db.execute(
            "INSERT INTO cases (reference, receipt_number, state, person, permit) VALUES (?, ?, 'accepted', ?, ?)",
            (submission.reference, receipt_number, person.slug, json.dumps(endorsed, ensure_ascii=False)),
        )
        until = endorsed["fields"]["endorsed_until"]
        self._callbacks.owe(
            db,
            reference=submission.reference,
            url=submission.callback_url,
            steps=(
                Step("accepted", "已受理 / Accepted."),
                Step("in_review", "审查中 / In review."),
                Step("approved", f"准予签注至{until} / Endorsed until {until}.", {"endorsed_until": until}),
            ),
            mode=mode,
        )
        return {"code": "0000", "message": "received", "receipt_number": receipt_number, "received_at": received_at}


def _endorsed(permit: dict[str, Any], until: date) -> dict[str, Any]:
    """Make the permit as it will be: endorsed until then, valid at least as long, one version on."""
    valid_until = max(permit["valid_until"], until.isoformat())
    fields = {**permit["fields"], "endorsed_until": until.isoformat(), "valid_until": valid_until}
    return {**permit, "valid_until": valid_until, "version": permit["version"] + 1, "fields": fields}


def decide(db: sqlite3.Connection, reference: str, state: str) -> None:
    """Move a case to a state; an approval puts the endorsed permit on the record. What has ended stays."""
    case = db.execute("SELECT * FROM cases WHERE reference = ?", (reference,)).fetchone()
    if case is None or case["state"] in _ENDED:
        return
    db.execute("UPDATE cases SET state = ? WHERE reference = ?", (state, reference))
    if state == "approved":
        put(db, person=case["person"], kind=_PERMIT, document=case["permit"])
