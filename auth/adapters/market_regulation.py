"""Market regulation 市场监管: legal representatives, as `docs/departments/market-regulation.md` describes it."""

from typing import Final

from auth.delegation.errors import BusinessRegisterUnavailable
from auth.delegation.types import Named
from core.ids import Ids
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as

log = get_logger(__name__)

_DONE: Final = "0000"
_PURPOSE: Final = "核对法定代表人"
_RESULTS: Final = frozenset({"confirmed", "none"})
# A suspended organisation may still settle what it has open; one that is struck off is nobody any more.
_ALIVE: Final = frozenset({"active", "suspended"})


class MarketRegulation:
    """The business register; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def represents(self, person: Named, *, uscc: str, name: str) -> bool:
        """Say whether a person is now the legal representative of the organisation of this code and name.

        Raises:
            BusinessRegisterUnavailable: the register could not be reached, is closed, or gave no usable answer.
        """
        question = {
            "request_id": self._ids.uuid().hex,
            "uscc": uscc,
            "name": name,
            "representative": {"name": person.name.reveal(), "id_number": person.id_number.reveal()},
            "purpose": _PURPOSE,
        }
        with unavailable_as(BusinessRegisterUnavailable):
            got = await self._outbound.call(self._partner, "POST", "/v1/representatives", json_body=question)
            answer = got.mapping()
        result = answer.get("result")
        if answer.get("code") != _DONE or result not in _RESULTS:
            log.error("the business register does not answer", status=got.status, code=str(answer.get("code"))[:8])
            raise BusinessRegisterUnavailable(retry_after=5)
        return result == "confirmed" and answer.get("status") in _ALIVE
