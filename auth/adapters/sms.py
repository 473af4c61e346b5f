"""The provider of short messages, as `docs/departments/sms.md` describes it."""

from functools import partial
from typing import Final

from auth.adapters.signed_desk import SignedDesk
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.pii import Mobile

_NO_SUCH_NUMBER: Final = "2001"
_TAKES_NONE: Final = "2002"


class Sms:
    """Sends codes by the provider's template; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._desk = SignedDesk(partial(outbound.call, partner), ids=ids, final=(_NO_SUCH_NUMBER, _TAKES_NONE))

    async def send_code(self, mobile: Mobile, code: str, *, minutes: int, reference: str) -> None:
        """Send a code; the provider sends one message for a reference, however often it is told.

        Raises:
            WayUnavailable: the provider could not be reached, or sends nothing more to this number for now.
            WayRefused: the provider cannot send to this number.
        """
        await self._desk.ask(
            "/v1/messages",
            {
                "reference": reference,
                "mobile": mobile.reveal(),
                "template": "verification-code",
                "parameters": {"code": code, "minutes": minutes},
            },
        )
