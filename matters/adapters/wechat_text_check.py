"""WeChat's look at texts (`msgSecCheck` 2.0), as `docs/departments/wechat.md` describes it.

The access token is the login's: all who speak to WeChat lease it under one name.
"""

from collections.abc import Mapping
from typing import Any, Final

from core.errors import Unavailable
from core.log import get_logger
from core.outbound import Outbound, Partner
from core.pii import Secret
from core.signers.leased_token import Fetch, LeasedToken
from matters.errors import TextCheckUnavailable
from matters.types import Suggestion, TextVerdict

log = get_logger(__name__)

_TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})
# The account is unknown, or has not been in the mini program within two hours: nothing an operator could mend.
_ORDINARY: Final = frozenset({-1, 40003, 45009, 61010})
_VERSION: Final = 2
# Of the page's scenes (1 profile, 2 comment, 3 forum, 4 social) the one for what somebody says of themselves.
_SCENE: Final = 1
_SUGGESTIONS: Final[Mapping[str, Suggestion]] = {
    "pass": Suggestion.PASS,
    "review": Suggestion.REVIEW,
    "risk": Suggestion.RISK,
    "risky": Suggestion.RISK,
}


class WechatTextCheck:
    """Asks WeChat what it thinks of a text that an account of the mini program has written."""

    def __init__(self, *, outbound: Outbound, partner: Partner, lease: LeasedToken, fetch_token: Fetch) -> None:
        self._outbound = outbound
        self._partner = partner
        self._lease = lease
        self._fetch_token = fetch_token

    async def check(self, text: str, openid: Secret) -> TextVerdict:
        """Return the verdict on a text of at most 2,500 characters (`/wxa/msg_sec_check`).

        Raises:
            TextCheckUnavailable: WeChat could not be reached, gives no token, or cannot look at this account's texts.
        """
        body = {"version": _VERSION, "openid": openid.reveal(), "scene": _SCENE, "content": text}
        try:
            token = await self._lease.token(self._fetch_token)
            answer = await self._ask(token, body)
            if _errcode(answer) in _TOKEN_REFUSED:  # The page: fetch another token and ask once more.
                token = await self._lease.replace(token, self._fetch_token)
                answer = await self._ask(token, body)
        except Unavailable as error:
            raise TextCheckUnavailable(retry_after=error.extras.retry_after) from error
        return self._read(answer)

    def _read(self, answer: Mapping[str, Any]) -> TextVerdict:
        if code := _errcode(answer):
            if code not in _ORDINARY:
                log.error("WeChat does not look at texts", partner=self._partner.name, code=code)
            raise TextCheckUnavailable(retry_after=60)
        result = answer.get("result")
        if not isinstance(result, dict):
            raise TextCheckUnavailable(retry_after=60)
        label = result.get("label")
        # A word that the page does not have is no pass: a person looks.
        suggestion = _SUGGESTIONS.get(str(result.get("suggest")), Suggestion.REVIEW)
        return TextVerdict(suggestion, label if isinstance(label, int) else 0)

    async def _ask(self, token: str, body: Mapping[str, object]) -> dict[str, Any]:
        # A text may be looked at twice without harm.
        got = await self._outbound.call(
            self._partner, "POST", "/wxa/msg_sec_check", query={"access_token": token}, json_body=body
        )
        if got.status != 200:  # noqa: PLR2004 — the page: errors come as 200 with an errcode; anything else is a gateway's
            raise TextCheckUnavailable(retry_after=5)
        return got.mapping()


def _errcode(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1
