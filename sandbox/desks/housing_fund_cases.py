"""The business desk of the housing fund, pretended from `docs/departments/housing-fund.md`: the sharing interface."""

import json
import secrets
import sqlite3
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.desks.polled import Happened, PolledCases
from sandbox.ground.answers import Json, NotUnderstood, text
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.sharing import NoneHeld, NotConfirmed, SharingDesk, check_type
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import Person

_NAME = "housing-fund"
_KIND = "HFYW"
_STATES = {"accepted": "10", "in_review": "20", "approved": "80", "rejected": "90", "not_accepted": "91"}
_LONGEST = 1_000_000
_PAPERS = {
    "material": "cldm",
    "name": "wjm",
    "media_type": "wjlx",
    "size": "wjdx",
    "sha256": "sha256",
    "url": "qjdz",
}


class HousingFundCases:
    """Opens one case for a reference, and says what became of it to whoever asks."""

    def __init__(
        self,
        *,
        desk: SharingDesk,
        store: Store,
        faults: Faults,
        cases: PolledCases,
        filing: Filing,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._store = store
        self._faults = faults
        self._cases = cases
        self._filing = filing
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/sharing/SubmitApplication", self._receive),
            web.post(f"/{_NAME}/sharing/QueryApplication", self._desk.tells(self._tell)),
            web.post(f"/{_NAME}/sharing/WithdrawApplication", self._desk.tells(self._withdraw)),
        ]

    async def _receive(self, request: web.Request) -> web.Response:
        caller_left = False

        async def receive(person: Person, data: Json) -> Json:
            nonlocal caller_left
            check_type(data, _KIND)
            reference, service = text(data, "ywbh"), text(data, "sxbm")
            text(data, "sqsj")
            if person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            await self._filing.collect(_NAME, reference, listed({"clqd": _read(data, "clqd")}, "clqd", _PAPERS))
            reason = None if isinstance(_read(data, "bdnr"), dict) else "03"
            if person.ending == "refuses":
                reason = "02"
            mode = await self._faults.meet_callbacks(_NAME)
            return await self._store.run(
                partial(self._take_in, reference=reference, service=service, reason=reason, mode=mode)
            )

        response = await self._desk.shares(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(self, db: sqlite3.Connection, *, reference: str, service: str, reason: str | None, mode: Mode) -> Json:
        earlier = earlier_answer(db, department=_NAME, reference=reference)
        if earlier is not None:
            return earlier
        number = f"GJJ{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        answer: Json = {"ywlsh": number} if reason is None else {"bslyy": reason}
        if reason is None:
            self._cases.open(db, department=_NAME, reference=reference, receipt_number=number, mode=mode)
        take(
            db,
            department=_NAME,
            reference=reference,
            matter=service,
            at=self._clock.stamp(),
            outcome="accepted" if reason is None else "refused",
            answer=answer,
        )
        return answer

    async def _tell(self, data: Json) -> Json:
        check_type(data, _KIND)
        found = await self._store.run(partial(self._cases.of, department=_NAME, reference=text(data, "ywbh")))
        if not found:
            raise NoneHeld
        number, steps = found[0]
        return {"ywlsh": number, "jd": [_step(each) for each in steps]}

    async def _withdraw(self, data: Json) -> Json:
        check_type(data, _KIND)
        reference = text(data, "ywbh")
        taken = await self._store.run(partial(self._cases.take_back, department=_NAME, reference=reference))
        if taken != "done":
            raise NotConfirmed if taken == "decided" else NoneHeld
        return {"ywbh": reference}


def _read(data: Json, name: str) -> Any:  # noqa: ANN401 — whatever the text holds
    """Read JSON that stands in a text.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        return json.loads(text(data, name, most=_LONGEST))
    except (ValueError, RecursionError):
        message = f"{name} must be JSON."
        raise NotUnderstood(message) from None


def _step(happened: Happened) -> Json:
    step: Json = {
        "xh": happened.number,
        "zt": _STATES[happened.state],
        "sj": happened.at,
        "sm": happened.note,
    }
    return step if happened.result is None else {**step, "jg": happened.result}
