"""What the signed JSON desks behind the ways share: one question, one answer with a code, two failures."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from auth.ways.errors import WayRefused, WayUnavailable
from auth.ways.types import Begun, Claim, Prompt
from core.ids import Ids
from core.log import get_logger
from core.outbound import Incoming, unavailable_as
from core.pii import Secret

log = get_logger(__name__)

# The door out, with the system already chosen.
Call: TypeAlias = Callable[..., Awaitable[Incoming]]
_DONE: Final = "0000"
_NOT_UNDERSTOOD: Final = "4000"


class SignedDesk:
    """Asks one system. What its page calls final is `WayRefused`, whatever else is no answer `WayUnavailable`."""

    def __init__(self, call: Call, *, ids: Ids, final: Collection[str] = ()) -> None:
        self._call = call
        self._ids = ids
        self._final = frozenset({_NOT_UNDERSTOOD, *final})

    async def ask(self, path: str, question: Mapping[str, object], *, repeatable: bool = True) -> dict[str, Any]:
        """Ask and return the answer whose code is success.

        Raises:
            WayUnavailable: no usable answer came, or the system says to try later.
            WayRefused: the system does not take the question, finally.
        """
        body = {"request_id": self._ids.uuid().hex, **question}
        with unavailable_as(WayUnavailable):
            got = await self._call("POST", path, json_body=body, repeatable=repeatable)
            answer = got.mapping()
        code = str(answer.get("code"))[:8]
        if got.status == 200 and code == _DONE:  # noqa: PLR2004 — the page: answers come with 200
            return answer
        log.warning("the question was not answered", partner=got.partner, status=got.status, code=code)
        if code in self._final:
            raise WayRefused
        raise WayUnavailable(retry_after=5)

    async def open_ticket(self, path: str, claim: Claim, check_id: UUID) -> Begun:
        """Get a ticket that the client opens; it is given whether or not the system knows the person.

        Raises:
            WayUnavailable: no usable answer came, or the system says to try later.
            WayRefused: the system does not take the question, finally.
        """
        question = {"reference": check_id.hex, "name": claim.name.reveal(), "id_number": claim.id_number.reveal()}
        ticket = (await self.ask(path, question)).get("ticket")
        if not isinstance(ticket, str) or not ticket:
            raise WayUnavailable(retry_after=5)
        return Begun(Secret(check_id.hex), Prompt("open", ticket=ticket))
