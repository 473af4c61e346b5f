"""The acceptance desk of the real estate register, pretended from `docs/departments/real-estate.md`."""

import secrets
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.desks.called_back import CalledBackCases
from sandbox.ground.answers import Json, NotUnderstood, part, read_supplement, text, whole_number
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People

_NAME = "real-estate"
_LATEST = 10**11
_PAPERS = {
    "material": "item",
    "name": "title",
    "media_type": "format",
    "size": "length",
    "sha256": "sha256",
    "url": "fetch_at",
}


class RealEstateCases:
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
        self._filing = filing
        self._clock = clock
        self._cases = CalledBackCases(callbacks)

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/v1/acceptances", self._receive),
            web.post(f"/{_NAME}/v1/acceptances/query", self._desk.takes(self._tell)),
            web.post(f"/{_NAME}/v1/acceptances/supplement", self._desk.takes(self._supplement)),
            web.post(f"/{_NAME}/v1/acceptances/cancel", self._desk.takes(self._cancel)),
        ]

    async def _receive(self, request: web.Request) -> web.Response:
        caller_left = False

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            number, item, notify = text(told, "case_no"), text(told, "item"), text(told, "notify", most=2000)
            holder, fields = part(told, "holder"), told.get("fields")
            if whole_number(told, "filed_at", least=0, most=_LATEST) is None or not self._callbacks.may_go_to(notify):
                message = "filed_at must be Unix seconds, notify an address that may be called back."
                raise NotUnderstood(message)
            person = self._people.find_named(text(holder, "id_number"), text(holder, "name"))
            if person is not None and person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            complete = isinstance(fields, list) and all(isinstance(each, dict) and "name" in each for each in fields)
            reason = None if complete else "incomplete"
            if person is None or person.ending == "refuses":
                reason = "not-eligible"
            await self._filing.collect(_NAME, number, listed(told, "papers", _PAPERS))
            mode = await self._faults.meet_callbacks(_NAME)
            taken = await self._store.run(
                partial(self._take_in, number=number, item=item, notify=notify, reason=reason, mode=mode)
            )
            self._callbacks.wake()
            return taken

        response = await self._desk.takes(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(
        self, db: sqlite3.Connection, *, number: str, item: str, notify: str, reason: str | None, mode: Mode
    ) -> Json:
        earlier = earlier_answer(db, department=_NAME, reference=number)
        if earlier is not None:
            return earlier
        answer: Json = {"code": "2422", "reason": reason, "message": "不予受理 / Not taken."}
        if reason is None:
            acceptance = f"BDC{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
            self._cases.open(db, department=_NAME, reference=number, receipt_number=acceptance, url=notify, mode=mode)
            answer = {"code": "0000", "message": "received", "acceptance_no": acceptance}
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

    async def _tell(self, told: Json) -> Json:
        case = await self._store.run(partial(self._cases.find, department=_NAME, reference=text(told, "case_no")))
        if case is None:
            return {"code": "1404", "message": "unknown"}
        return {"code": "0000", "message": "done", "acceptance_no": case[0], "state": case[1]}

    async def _supplement(self, told: Json) -> Json:
        number, at = text(told, "case_no"), self._clock.stamp()
        key = read_supplement(told, key="supplement_no", form="fields")
        taken = partial(self._cases.supplement, department=_NAME, reference=number, key=key, at=at)
        return await self._store.run(taken)

    async def _cancel(self, told: Json) -> Json:
        taken = partial(self._cases.take_back, department=_NAME, reference=text(told, "case_no"))
        return {"code": await self._store.run(taken), "message": "done, decided, or unknown"}
