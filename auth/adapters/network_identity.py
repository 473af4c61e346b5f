"""The national network identity 网号网证, as `docs/departments/network-identity.md` describes it."""

import re
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from auth.adapters.signed_desk import SignedDesk
from auth.ways.errors import WayUnavailable
from auth.ways.types import Begun, Claim, Finding, Outcome, Proof, Reason
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.pii import Secret

_PSEUDONYM: Final = re.compile(r"[0-9a-f]{64}")
_RESULTS: Final = {
    "pending": Finding(Outcome.PENDING),
    "different": Finding(Outcome.FAILED, Reason.NOT_PASSED),
    "declined": Finding(Outcome.FAILED, Reason.NOT_PASSED),
    "lapsed": Finding(Outcome.FAILED, Reason.NOT_PASSED),
}


class NetworkIdentity:
    """The way by network identity: the service tells yes or no, and a pseudonym that is ours alone."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._desk = SignedDesk(partial(outbound.call, partner), ids=ids)

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Get a ticket for the service's app; it is given for anybody.

        Raises:
            WayUnavailable: the service could not be reached.
            WayRefused: the service does not take the question.
        """
        del until
        return await self._desk.open_ticket("/v1/authentications", claim, check_id)

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Ask the service for the result; the pseudonym is all that it tells of the person.

        Raises:
            WayUnavailable: the service could not be reached.
            WayRefused: the service does not take the question.
        """
        del code
        answer = await self._desk.ask("/v1/authentications/results", {"reference": proof.reference.reveal()})
        result, pseudonym = str(answer.get("result")), answer.get("pseudonym")
        if result == "same" and isinstance(pseudonym, str) and _PSEUDONYM.fullmatch(pseudonym):
            return Finding(Outcome.PASSED, pseudonym=Secret(pseudonym))
        finding = _RESULTS.get(result)
        if finding is None:
            raise WayUnavailable(retry_after=5)
        return finding
