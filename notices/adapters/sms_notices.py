"""Notices by short message, as `docs/departments/sms-notices.md` describes the provider."""

from collections.abc import Mapping
from typing import Final

from core.ids import Ids
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as
from core.pii import Mobile
from notices.errors import ChannelUnavailable
from notices.types import Handed, Reason

log = get_logger(__name__)

_DONE: Final = "0000"
_FINAL: Final[Mapping[str, Reason]] = {
    "2001": Reason.NO_SUCH_NUMBER,
    "2002": Reason.TAKES_NONE,
    "4000": Reason.REFUSED,
}


class SmsNotices:
    """Sends texts and names the address for reports; requests are signed by the door out."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids, report_url: str) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids
        self._report_url = report_url

    async def send(self, mobile: Mobile, text: str, *, reference: str) -> Handed:
        """Hand a text over; the provider sends one message for a reference, however often it is told.

        Raises:
            ChannelUnavailable: the provider could not be reached, or sends nothing more to this number for now.
        """
        body = {
            "request_id": self._ids.uuid().hex,
            "reference": reference,
            "mobile": mobile.reveal(),
            "text": text,
            "report_url": self._report_url,
        }
        with unavailable_as(ChannelUnavailable):
            got = await self._outbound.call(self._partner, "POST", "/v1/notices", json_body=body)
            answer = got.mapping()
        code = str(answer.get("code"))[:8]
        if got.status == 200 and code == _DONE:  # noqa: PLR2004 — the page: answers come with 200
            return Handed(number=str(answer.get("message_id", ""))[:64])
        reason = _FINAL.get(code)
        if reason is None or reason is Reason.REFUSED:
            log.error("the provider does not take a message", partner=got.partner, status=got.status, code=code)
        if reason is None:
            raise ChannelUnavailable(retry_after=30)
        return Handed(refused=reason)
