"""Bank card authentication, as `docs/departments/bank-clearing.md` describes it: four elements and the bank's code."""

from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from auth.adapters.signed_desk import SignedDesk
from auth.ways.errors import WayUnavailable
from auth.ways.types import Begun, Claim, Finding, Outcome, Prompt, Proof, Reason
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.pii import Secret

_CARD_NOT_TAKEN: Final = "3001"
# A transaction that has ended takes no code any more; to whoever types one it is a code like any other wrong one.
_RESULTS: Final = {
    "passed": Finding(Outcome.PASSED),
    "wrong_code": Finding(Outcome.FAILED, Reason.CODE_WRONG),
    "ended": Finding(Outcome.FAILED, Reason.CODE_WRONG),
}


class BankClearing:
    """The way by bank card.

    Where the four elements are not one person's the bank sends nothing and gives no transaction. The proof goes on
    under a made-up one, about which the clearing house is asked as about any other: nobody learns here what was wrong.
    """

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._desk = SignedDesk(partial(outbound.call, partner), ids=ids, final=(_CARD_NOT_TAKEN,))
        self._ids = ids

    async def begin(self, claim: Claim, *, check_id: UUID, until: datetime) -> Begun:
        """Have the bank send its code to the reserved mobile.

        Raises:
            WayUnavailable: the clearing house could not be reached.
            WayRefused: it does not take this kind of card.
        """
        del until
        mobile, card_number = claim.mobile, claim.card_number
        if mobile is None or card_number is None:
            raise ValueError("the claim has no card or no mobile")
        answer = await self._desk.ask(
            "/v1/authentications",
            {
                "reference": check_id.hex,
                "name": claim.name.reveal(),
                "id_number": claim.id_number.reveal(),
                "card_number": card_number.reveal(),
                "mobile": mobile.reveal(),
            },
        )
        transaction = answer.get("transaction") if answer.get("result") == "sent" else self._ids.uuid().hex
        if answer.get("result") not in {"sent", "mismatch"} or not isinstance(transaction, str):
            raise WayUnavailable(retry_after=5)
        return Begun(Secret(transaction), Prompt("code", sent_to=mobile.masked()))

    async def finish(self, proof: Proof, code: str | None) -> Finding:
        """Hand the code to the bank.

        Raises:
            WayUnavailable: the clearing house could not be reached.
            WayRefused: it does not take the question.
        """
        given = (code or "").strip()
        if not given:
            return Finding(Outcome.FAILED, Reason.CODE_WRONG)
        # Not repeated by itself: a code whose answer got lost would be tried twice.
        answer = await self._desk.ask(
            "/v1/confirmations",
            {"transaction": proof.reference.reveal(), "code": given},
            repeatable=False,
        )
        finding = _RESULTS.get(str(answer.get("result")))
        if finding is None:
            raise WayUnavailable(retry_after=5)
        return finding
