"""The payment password, as `docs/departments/payment.md` describes it: entered in the provider's own window."""

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from auth.adapters.signed_desk import SignedDesk
from auth.ways.errors import WayUnavailable
from auth.ways.types import Begun, Claim, Finding, Outcome, Proof, Reason
from core.ids import Ids
from core.outbound import Outbound, Partner

_RESULTS: Final = {
    "waiting": Finding(Outcome.PENDING),
    "passed": Finding(Outcome.PASSED),
    "failed": Finding(Outcome.FAILED, Reason.NOT_PASSED),
}


class Payment:
    """The way by payment password. No password comes near us: the client opens a ticket, we ask how it ended."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._desk = SignedDesk(partial(outbound.call, partner), ids=ids)

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Get a ticket for the provider's window; it is given whether or not the provider knows the person.

        Raises:
            WayUnavailable: the provider could not be reached.
            WayRefused: the provider does not take the question.
        """
        del until
        return await self._desk.open_ticket("/v1/authentications", claim, check_id)

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Ask the provider how it ended.

        Raises:
            WayUnavailable: the provider could not be reached.
            WayRefused: the provider does not take the question.
        """
        del code
        answer = await self._desk.ask("/v1/authentications/queries", {"reference": proof.reference.reveal()})
        finding = _RESULTS.get(str(answer.get("result")))
        if finding is None:
            raise WayUnavailable(retry_after=5)
        return finding
