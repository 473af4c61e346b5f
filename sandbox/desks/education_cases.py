"""The admissions desk of education, pretended from `docs/departments/education.md`."""

import secrets
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.desks.called_back import CalledBackCases
from sandbox.ground.answers import Json, NotUnderstood, part, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People

_NAME = "education"
_SCANS = {
    "material": "of",
    "name": "name",
    "media_type": "type",
    "size": "bytes",
    "sha256": "sha256",
    "url": "href",
}


class EducationCases:
    """Opens one case for a number."""

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
            web.post(f"/{_NAME}/v1/admissions", self._receive),
            web.get(f"/{_NAME}/v1/admissions/{{reference}}", self._desk.looks_up(self._tell)),
            web.post(f"/{_NAME}/v1/admission-withdrawals", self._desk.takes(self._withdraw)),
        ]

    async def _receive(self, request: web.Request) -> web.Response:
        caller_left = False

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            number, item, report_to = text(told, "number"), text(told, "item"), text(told, "report_to", most=2000)
            applicant, scans = part(told, "applicant"), listed(told, "scans", _SCANS)
            text(told, "asked_at")
            if not self._callbacks.may_go_to(report_to):
                message = "report_to must be an address that may be called."
                raise NotUnderstood(message)
            person = self._people.find_named(text(applicant, "id_number"), text(applicant, "name"))
            if person is not None and person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            await self._filing.collect(_NAME, number, scans)
            reason = None if isinstance(told.get("sheet"), dict) else "incomplete"
            if person is None or person.ending == "refuses":
                reason = "not-eligible"
            mode = await self._faults.meet_callbacks(_NAME)
            taken = await self._store.run(
                partial(self._take_in, number=number, item=item, report_to=report_to, reason=reason, mode=mode)
            )
            self._callbacks.wake()
            return taken

        response = await self._desk.takes(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(
        self, db: sqlite3.Connection, *, number: str, item: str, report_to: str, reason: str | None, mode: Mode
    ) -> Json:
        earlier = earlier_answer(db, department=_NAME, reference=number)
        if earlier is not None:
            return earlier
        answer: Json = {"code": "2422", "reason": reason, "message": "不予受理 / Not taken."}
        if reason is None:
            admission = f"JY{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
            self._cases.open(db, department=_NAME, reference=number, receipt_number=admission, url=report_to, mode=mode)
            answer = {"code": "0000", "message": "received", "admission": admission}
        take(
            db,
            department=_NAME,
            reference=number,
            matter=item,
            at=self._clock.stamp(),
            outcome="accepted" if reason is None else "refused",
            answer=answer,
        )
        return answer

    async def _tell(self, number: str) -> Json:
        case = await self._store.run(partial(self._cases.find, department=_NAME, reference=number))
        if case is None:
            return {"code": "1404", "message": "unknown"}
        return {"code": "0000", "message": "done", "admission": case[0], "state": case[1]}

    async def _withdraw(self, told: Json) -> Json:
        taken = partial(self._cases.take_back, department=_NAME, reference=text(told, "number"))
        return {"code": await self._store.run(taken), "message": "done, decided, or unknown"}
