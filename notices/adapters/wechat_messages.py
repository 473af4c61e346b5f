"""WeChat's subscribe messages, as `docs/departments/wechat-messages.md` describes them.

The access token is the login's: both lease it under one name and fetch it in the same way, so that one of all workers
asks for the next.
"""

from collections.abc import Mapping
from typing import Any, Final

from core.errors import Unavailable
from core.log import get_logger
from core.outbound import Outbound, Partner
from core.pii import Secret
from core.signers.leased_token import Fetch, LeasedToken
from notices.errors import ChannelUnavailable
from notices.types import Card, Handed, Reason

log = get_logger(__name__)

_TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})
# Codes that are final for this message; every other one means "try later".
_REFUSED: Final[Mapping[int, Reason]] = {
    40003: Reason.NO_ACCOUNT,  # openid
    43101: Reason.NO_CONSENT,  # The reader has turned it down, or no consent is left.
    40037: Reason.NO_TEMPLATE,  # template id
    41030: Reason.REFUSED,  # page
    47003: Reason.REFUSED,  # fields
    44002: Reason.REFUSED,  # empty body
    47001: Reason.REFUSED,  # body not understood
    48001: Reason.REFUSED,  # no permission for the interface
}
# What a reader does is ordinary; the rest an operator has to mend.
_ORDINARY: Final = frozenset({Reason.NO_CONSENT, Reason.NO_ACCOUNT})


class WechatMessages:
    """Sends messages for which their readers have consented. `template_ids`: WeChat's ids by our keys."""

    def __init__(
        self,
        *,
        outbound: Outbound,
        partner: Partner,
        lease: LeasedToken,
        fetch_token: Fetch,
        template_ids: Mapping[str, str],
        miniprogram_state: str,
    ) -> None:
        self._outbound = outbound
        self._partner = partner
        self._lease = lease
        self._fetch_token = fetch_token
        self._template_ids = dict(template_ids)
        self._state = miniprogram_state

    def knows(self, template: str) -> bool:
        """Tell whether this installation has the template."""
        return template in self._template_ids

    async def send(self, openid: Secret, card: Card, *, page: str) -> Handed:
        """Hand a message over (`/cgi-bin/message/subscribe/send`).

        Raises:
            ChannelUnavailable: WeChat could not be reached, is busy, or gives no token.
        """
        if not self.knows(card.template):
            return Handed(refused=Reason.NO_TEMPLATE)
        body = {
            "touser": openid.reveal(),
            "template_id": self._template_ids[card.template],
            "page": page,
            "miniprogram_state": self._state,
            "lang": "zh_CN",
            "data": {field: {"value": value} for field, value in card.values.items()},
        }
        try:
            token = await self._lease.token(self._fetch_token)
            answer = await self._ask(token, body)
            if _errcode(answer) in _TOKEN_REFUSED:  # The page: fetch another token and ask once more.
                token = await self._lease.replace(token, self._fetch_token)
                answer = await self._ask(token, body)
        except Unavailable as error:
            raise ChannelUnavailable(retry_after=error.extras.retry_after) from error
        return self._read(answer)

    def _read(self, answer: Mapping[str, Any]) -> Handed:
        code = _errcode(answer)
        if not code:
            number = answer.get("msgid", "")
            return Handed(number=str(number) if isinstance(number, int | str) else "")
        reason = _REFUSED.get(code)
        if reason not in _ORDINARY:
            log.error("WeChat does not take a message", partner=self._partner.name, code=code)
        if reason is None:
            raise ChannelUnavailable(retry_after=5)
        return Handed(refused=reason)

    async def _ask(self, token: str, body: Mapping[str, object]) -> dict[str, Any]:
        # WeChat cannot tell a message sent twice: the door does not repeat it by itself.
        got = await self._outbound.call(
            self._partner,
            "POST",
            "/cgi-bin/message/subscribe/send",
            query={"access_token": token},
            json_body=body,
            repeatable=False,
        )
        if got.status != 200:  # noqa: PLR2004 — the page: errors come as 200 with an errcode; anything else is a gateway's
            raise ChannelUnavailable(retry_after=5)
        return got.mapping()


def _errcode(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1
