"""WeChat's own face check, as `docs/departments/wechat-face.md` describes it.

The access token is the login's: both lease it under one name and fetch it in the same way, so that one of all workers
asks for the next.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from core.errors import Problem, Unavailable
from core.log import get_logger
from core.outbound import Outbound, Partner
from core.pii import Secret
from core.signers.leased_token import Fetch, LeasedToken
from face.platform.errors import PlatformRefused, PlatformTooMany, PlatformUnavailable
from face.platform.types import Begun, Finding, Outcome, Reason, Subject

log = get_logger(__name__)

_CARD: Final = "IDENTITY_CARD"
_LONGEST_ID: Final = 256
_TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})
# An `errcode` that is not listed is WeChat's trouble: it is asked again, and nobody passes by it.
_TROUBLE: Final[Mapping[int, type[Problem]]] = {
    -1: PlatformUnavailable,  # busy
    40001: PlatformUnavailable,  # The token was replaced a moment ago and is refused again.
    40014: PlatformUnavailable,
    42001: PlatformUnavailable,
    45009: PlatformUnavailable,  # quota of the day
    45011: PlatformTooMany,  # quota of a minute
    48001: PlatformUnavailable,  # no permission for the interface
    40003: PlatformRefused,  # not an account of this mini program
    84001: PlatformRefused,  # no such check, or not of this person, number and account
    84002: PlatformRefused,  # it has run out
    84003: PlatformRefused,  # nothing is known of the person
}
_WAIT: Final[Mapping[int, int]] = {45009: 3600, 45011: 60, 48001: 600}
# What happens now and then; the rest an operator has to look at.
_ORDINARY: Final = frozenset({-1, 45011, *_TOKEN_REFUSED, 84001, 84002})
_PASSED: Final = 10000
_ENDS: Final[Mapping[int, Reason]] = {
    10001: Reason.UNAVAILABLE,  # parameters: ours or the client's
    10002: Reason.NO_FACE,
    10003: Reason.NOT_PASSED,  # name and number do not agree there
    10004: Reason.NOT_PASSED,  # another face
    10005: Reason.TOO_BRIGHT,
    10009: Reason.NO_PORTRAIT,
    10010: Reason.POOR_PICTURE,
    10020: Reason.TIMED_OUT,
    10042: Reason.TOO_OFTEN,
    10052: Reason.TOO_OFTEN,
    10057: Reason.TOO_OFTEN,
    90001: Reason.DEVICE_UNFIT,
    **dict.fromkeys(range(90002, 90007), Reason.CANCELLED),
    90007: Reason.CONNECTION_LOST,
    **dict.fromkeys(range(90008, 90011), Reason.CAMERA_DENIED),
    90011: Reason.NO_FACE,
    90012: Reason.CONNECTION_LOST,
    90013: Reason.NO_FACE,
    90014: Reason.NO_FACE,
    90017: Reason.TIMED_OUT,
    90018: Reason.UNAVAILABLE,
    **dict.fromkeys(range(90100, 90200), Reason.UNAVAILABLE),
    90107: Reason.TIMED_OUT,
    90109: Reason.DEVICE_UNFIT,
    # Listed without a word of what they mean.
    10015: Reason.UNAVAILABLE,
    10026: Reason.UNAVAILABLE,
    10045: Reason.UNAVAILABLE,
}


class WechatFace:
    """Has WeChat look at a face, in its own window (`wx.requestFacialVerify`)."""

    name = "wechat"

    def __init__(self, *, outbound: Outbound, partner: Partner, lease: LeasedToken, fetch_token: Fetch) -> None:
        self._outbound = outbound
        self._partner = partner
        self._lease = lease
        self._fetch_token = fetch_token

    async def begin(self, subject: Subject, *, number: str) -> Begun:
        """Get a `verify_id` (`/cityservice/face/identify/getverifyid`).

        Raises:
            PlatformUnavailable: WeChat could not be reached, is busy, or does not take our settings.
            PlatformTooMany: WeChat takes no more for the moment.
            PlatformRefused: WeChat does not take this account.
        """
        body = {
            "out_seq_no": number,
            "cert_info": {
                "cert_type": _CARD,
                "cert_name": subject.name.reveal(),
                "cert_no": subject.id_number.reveal(),
            },
            "openid": subject.account.reveal(),
        }
        # Our number works once: the door does not repeat the call by itself.
        answer = await self._call("/cityservice/face/identify/getverifyid", body, repeatable=False)
        reference, seconds = answer.get("verify_id"), answer.get("expires_in")
        if not isinstance(reference, str) or not 0 < len(reference) <= _LONGEST_ID:
            raise self._strange()
        if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
            raise self._strange()
        return Begun(Secret(reference), seconds)

    async def ask(self, subject: Subject, begun: Begun, *, number: str) -> Finding:
        """Ask for the result (`/cityservice/face/identify/queryverifyinfo`); only 10000 without an error is a pass.

        Raises:
            PlatformUnavailable: WeChat could not be reached, is busy, or does not take our settings.
            PlatformRefused: WeChat knows no such check, or not of this person, number and account.
        """
        body = {
            "verify_id": begun.reference.reveal(),
            "out_seq_no": number,
            "cert_hash": cert_hash(subject),
            "openid": subject.account.reveal(),
        }
        try:
            answer = await self._call("/cityservice/face/identify/queryverifyinfo", body, repeatable=True)
        except PlatformTooMany as error:
            raise PlatformUnavailable(retry_after=error.extras.retry_after) from error
        end = answer.get("verify_ret")
        if isinstance(end, bool) or not isinstance(end, int):
            return Finding(Outcome.PENDING)
        if end == _PASSED:
            return Finding(Outcome.PASSED)
        reason = _ENDS.get(end)
        if reason is None or reason is Reason.UNAVAILABLE:
            log.error("WeChat's face check ends by its own trouble", partner=self._partner.name, code=end)
        # A code of which the page says nothing is no end: it is asked for again until the check runs out.
        return Finding(Outcome.PENDING) if reason is None else Finding(Outcome.FAILED, reason)

    async def _call(self, path: str, body: Mapping[str, object], *, repeatable: bool) -> Mapping[str, Any]:
        try:
            token = await self._lease.token(self._fetch_token)
            answer = await self._ask(path, body, token, repeatable=repeatable)
            if _errcode(answer) in _TOKEN_REFUSED:  # The page: fetch another token and ask once more.
                token = await self._lease.replace(token, self._fetch_token)
                answer = await self._ask(path, body, token, repeatable=repeatable)
        except Unavailable as error:
            raise PlatformUnavailable(retry_after=error.extras.retry_after) from error
        code = _errcode(answer)
        if not code:
            return answer
        if code not in _ORDINARY:
            log.error("WeChat refuses a face check", partner=self._partner.name, code=code)
        kind = _TROUBLE.get(code, PlatformUnavailable)
        raise kind() if kind is PlatformRefused else kind(retry_after=_WAIT.get(code, 5))

    async def _ask(self, path: str, body: Mapping[str, object], token: str, *, repeatable: bool) -> dict[str, Any]:
        got = await self._outbound.call(
            self._partner, "POST", path, query={"access_token": token}, json_body=body, repeatable=repeatable
        )
        if got.status != 200:  # noqa: PLR2004 — the page: errors come as 200 with an errcode; anything else is a gateway's
            raise self._strange()
        return got.mapping()

    def _strange(self) -> PlatformUnavailable:
        log.warning("strange answer", partner=self._partner.name)
        return PlatformUnavailable(retry_after=5)


def cert_hash(subject: Subject) -> str:
    """Return the digest by which WeChat knows whom a check is of: SHA-256 in hex over three fields in base64."""
    fields = {"cert_type": _CARD, "cert_name": subject.name.reveal(), "cert_no": subject.id_number.reveal()}
    text = "&".join(f"{name}={base64.b64encode(value.encode()).decode()}" for name, value in fields.items())
    return hashlib.sha256(text.encode()).hexdigest()


def _errcode(answer: Mapping[str, Any]) -> int:
    """Return the error; without a number the answer is WeChat's trouble, since 0 has to be said."""
    code = answer.get("errcode")
    return code if isinstance(code, int) and not isinstance(code, bool) else -1
