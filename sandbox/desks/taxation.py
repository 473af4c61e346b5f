"""The tax office, pretended from `docs/departments/taxation.md`: tickets that are asked about."""

import secrets
import sqlite3
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.desks.polled import Happened, PolledCases
from sandbox.ground.answers import Json, part, read_supplement, text
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import count_again, supplement, take
from sandbox.people import People

_NAME = "taxation"
_ENDED = frozenset({"approved", "rejected", "not_accepted"})
_STATUSES = {"accepted": "10", "in_review": "20", "approved": "80", "rejected": "90", "not_accepted": "91"}
_ENCLOSURES = {
    "material": "code",
    "name": "file",
    "media_type": "type",
    "size": "bytes",
    "sha256": "sha256",
    "url": "link",
}
_ANSWERS = {
    "done": {"code": "0000", "message": "done"},
    "decided": {"code": "1409", "message": "This ticket has been decided."},
    "unknown": {"code": "1404", "message": "There is no such ticket."},
}


class Taxation:
    """Opens a ticket for every dossier that comes, whether or not its serial has been seen before."""

    def __init__(
        self,
        *,
        people: People,
        desk: SignedDesk,
        store: Store,
        faults: Faults,
        cases: PolledCases,
        filing: Filing,
        clock: Clock,
    ) -> None:
        self._people = people
        self._desk = desk
        self._store = store
        self._faults = faults
        self._cases = cases
        self._filing = filing
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/v1/tickets", self._receive),
            web.get(f"/{_NAME}/v1/serials/{{reference}}", self._desk.looks_up(self._tell)),
            web.post(f"/{_NAME}/v1/supplements", self._desk.takes(self._supplement)),
            web.post(f"/{_NAME}/v1/tickets/{{ticket}}/withdrawals", self._withdraw),
        ]

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        caller_left = False

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            serial, service, payer = text(told, "serial"), text(told, "service"), part(told, "taxpayer")
            text(told, "declared_at")
            complete = isinstance(told.get("declared"), dict)
            person = self._people.find_named(text(payer, "number"), text(payer, "name"))
            if person is not None and person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            reason = "incomplete" if not complete else None
            if person is None or person.ending == "refuses":
                reason = "not-eligible"
            await self._filing.collect(_NAME, serial, listed(told, "enclosures", _ENCLOSURES))
            mode = await self._faults.meet_callbacks(_NAME)
            return await self._store.run(
                partial(self._take_in, serial=serial, service=service, reason=reason, mode=mode)
            )

        response = await self._desk.takes(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(self, db: sqlite3.Connection, *, serial: str, service: str, reason: str | None, mode: Mode) -> Json:
        opened_at = self._clock.stamp()
        ticket = f"TX{self._clock.today():%Y%m%d}{secrets.token_hex(5).upper()}"
        answer: Json = {"code": "0000", "message": "opened", "ticket": ticket, "opened_at": opened_at}
        if reason is not None:
            answer = {"code": "2422", "reason": reason, "message": "不予受理 / Not taken."}
        else:
            self._cases.open(db, department=_NAME, reference=serial, receipt_number=ticket, mode=mode)
        if not count_again(db, department=_NAME, reference=serial):
            outcome = "accepted" if reason is None else "refused"
            take(
                db,
                department=_NAME,
                reference=serial,
                matter=service,
                at=opened_at,
                outcome=outcome,
                answer=answer,
            )
        return answer

    async def _tell(self, serial: str) -> Json:
        found = await self._store.run(partial(self._cases.of, department=_NAME, reference=serial))
        if not found:
            return {"code": "1404", "message": "unknown"}
        tickets = [{"ticket": ticket, "steps": [_step(each) for each in steps]} for ticket, steps in found]
        return {"code": "0000", "message": "done", "tickets": tickets}

    async def _supplement(self, told: Json) -> Json:
        serial, key, at = text(told, "serial"), read_supplement(told, form="declared"), self._clock.stamp()

        def work(db: sqlite3.Connection) -> Json:
            tickets = self._cases.of(db, department=_NAME, reference=serial)
            ended = any(step.state in _ENDED for step in tickets[0][1]) if tickets else None
            return supplement(db, department=_NAME, reference=serial, key=key, ended=ended, at=at)

        return await self._store.run(work)

    async def _withdraw(self, request: web.Request) -> web.Response:
        async def withdraw(told: Json) -> Json:
            serial, ticket = text(told, "serial"), request.match_info["ticket"]
            taken = partial(self._cases.take_back, department=_NAME, reference=serial, receipt_number=ticket)
            return dict(_ANSWERS[await self._store.run(taken)])

        return await self._desk.takes(withdraw)(request)


def _step(happened: Happened) -> dict[str, Any]:
    step: dict[str, Any] = {
        "number": happened.number,
        "status": _STATUSES[happened.state],
        "at": happened.at,
        "remark": happened.note,
    }
    return step if happened.result is None else {**step, "outcome": happened.result}
