"""The carriers' register of mobile numbers, as `docs/departments/mobile-register.md` describes it."""

from functools import partial
from typing import Final

from auth.adapters.signed_desk import SignedDesk
from auth.ways.errors import WayUnavailable
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.pii import IdNumber, Mobile, PersonName

# Their three words; a number of another person and one that nobody holds are one to us.
_RESULTS: Final = {"match": True, "mismatch": False, "unknown": False}


class CarrierRegister:
    """Who holds which mobile; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._desk = SignedDesk(partial(outbound.call, partner), ids=ids)

    async def agrees(self, name: PersonName, id_number: IdNumber, mobile: Mobile) -> bool:
        """Say whether the mobile is held by this person.

        Raises:
            WayUnavailable: the register could not be reached.
            WayRefused: the register does not take the question.
        """
        question = {"name": name.reveal(), "id_number": id_number.reveal(), "mobile": mobile.reveal()}
        answer = await self._desk.ask("/v1/verifications", question)
        agrees = _RESULTS.get(str(answer.get("result")))
        if agrees is None:
            raise WayUnavailable(retry_after=5)
        return agrees
