"""WeChat, as `docs/departments/wechat.md` describes it: accounts for login codes, mobiles for phone codes.

`session_key` is in WeChat's answer and is read by nobody: nothing of ours rests on it.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from auth.errors import (
    CodeInvalid,
    MobileCodeInvalid,
    MobileUnsupported,
    WechatBlocked,
    WechatTooMany,
    WechatUnavailable,
)
from auth.types import AccountIdentity
from core.errors import FieldError, Problem
from core.log import get_logger
from core.outbound import Incoming, Outbound, Partner, unavailable_as
from core.pii import Mobile, Secret
from core.signers.leased_token import LeasedToken, LeaseUnavailable

log = get_logger(__name__)

# Page "Call / Answer": what WeChat's errcode means to whoever logs in. What is not listed is WeChat's trouble or a
# mistake in our settings (40013 appid, 40125 secret): the resident can only try again, the log tells the operator.
_LOGIN: Final[Mapping[int, type[Problem]]] = {
    -1: WechatUnavailable,
    40029: CodeInvalid,
    40163: CodeInvalid,
    45011: WechatTooMany,
    40226: WechatBlocked,
}
_MOBILE: Final[Mapping[int, type[Problem]]] = {
    -1: WechatUnavailable,
    40029: MobileCodeInvalid,
    40163: MobileCodeInvalid,
}
_TOKEN_REFUSED: Final = frozenset({40001, 42001, 40014})
_WAIT: Final[Mapping[type[Problem], int]] = {WechatTooMany: 60, WechatUnavailable: 5}
_MAINLAND: Final = "86"


class Wechat:
    """The mini program's platform."""

    def __init__(
        self, *, outbound: Outbound, partner: Partner, lease: LeasedToken, app_id: str, app_secret: SecretStr
    ) -> None:
        self._outbound = outbound
        self._partner = partner
        self._lease = lease
        self._app_id = app_id
        self._secret = app_secret

    async def identify(self, code: str) -> AccountIdentity:
        """Exchange a login code for the account it belongs to (`/sns/jscode2session`).

        Raises:
            CodeInvalid: the code was used, has expired, or was never given.
            WechatTooMany: WeChat lets this account log in no more for the moment.
            WechatBlocked: WeChat holds this account for risky.
            WechatUnavailable: WeChat could not be reached, is busy, or does not take our settings.
        """
        query = {
            "appid": self._app_id,
            "secret": self._secret.get_secret_value(),
            "js_code": code,
            "grant_type": "authorization_code",
        }
        with unavailable_as(WechatUnavailable):
            # A code works once: asked a second time, WeChat would call it used.
            got = await self._outbound.call(
                self._partner, "GET", "/sns/jscode2session", query=query, repeatable=False
            )  # fmt: skip
            answer = _read(got)
        if _errcode(answer):
            raise _problem(answer, _LOGIN)
        openid = answer.get("openid")
        if not isinstance(openid, str) or not openid:
            raise WechatUnavailable(retry_after=5)
        unionid = answer.get("unionid")
        return AccountIdentity(Secret(openid), Secret(unionid) if isinstance(unionid, str) and unionid else None)

    async def mobile_of(self, code: str) -> Mobile:
        """Exchange a phone code for the mobile number (`/wxa/business/getuserphonenumber`).

        Raises:
            MobileCodeInvalid: the code was used, has expired, or belongs to another mini program.
            MobileUnsupported: the number is no mainland mobile number.
            WechatUnavailable: WeChat could not be reached, is busy, or does not take our settings.
        """
        try:
            token = await self._lease.token(self._fetch_token)
            answer = await self._ask_mobile(code, token)
            if _errcode(answer) in _TOKEN_REFUSED:  # The page: fetch another token and ask once more.
                token = await self._lease.replace(token, self._fetch_token)
                answer = await self._ask_mobile(code, token)
        except LeaseUnavailable as error:
            raise WechatUnavailable(retry_after=error.extras.retry_after) from error
        if _errcode(answer):
            raise _problem(answer, _MOBILE)
        return self._mobile(answer)

    async def _ask_mobile(self, code: str, token: str) -> dict[str, Any]:
        with unavailable_as(WechatUnavailable):
            got = await self._outbound.call(
                self._partner,
                "POST",
                "/wxa/business/getuserphonenumber",
                query={"access_token": token},
                json_body={"code": code},
                repeatable=False,
            )
            return _read(got)

    def _mobile(self, answer: Mapping[str, Any]) -> Mobile:
        info = answer.get("phone_info")
        watermark = info.get("watermark") if isinstance(info, dict) else None
        if not isinstance(info, dict) or not isinstance(watermark, dict):
            raise WechatUnavailable(retry_after=5)
        if watermark.get("appid") != self._app_id:
            raise _code_invalid()
        number = str(info.get("purePhoneNumber")) if str(info.get("countryCode")) == _MAINLAND else ""
        try:
            return Mobile.parse(number)
        except ValueError:
            raise MobileUnsupported(
                errors=[FieldError("/code", "mobile", "不是大陆手机号", "Not a mainland mobile number")]
            ) from None

    async def _fetch_token(self, force: bool) -> tuple[str, int]:  # noqa: FBT001 — the shape the lease asks for
        body: dict[str, object] = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret.get_secret_value(),
            **({"force_refresh": True} if force else {}),
        }
        with unavailable_as(WechatUnavailable):
            answer = _read(await self._outbound.call(self._partner, "POST", "/cgi-bin/stable_token", json_body=body))
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int) or seconds <= 0:
            raise _problem(answer, {})
        return token, seconds


def _read(got: Incoming) -> dict[str, Any]:
    if got.status != 200:  # noqa: PLR2004 — the page: errors come as 200 with an errcode; anything else is a gateway's
        log.warning("unexpected status", partner=got.partner, status=got.status)
        raise WechatUnavailable(retry_after=5)
    return got.mapping()


def _errcode(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1


def _problem(answer: Mapping[str, Any], table: Mapping[int, type[Problem]]) -> Problem:
    code = _errcode(answer)
    kind = table.get(code)
    if kind is None:
        log.error("WeChat refuses what we ask; check app id and secret", partner="wechat", code=code)
        kind = WechatUnavailable
    return _code_invalid() if kind is MobileCodeInvalid else kind(retry_after=_WAIT.get(kind))


def _code_invalid() -> MobileCodeInvalid:
    return MobileCodeInvalid(errors=[FieldError("/code", "code", "授权码已失效", "The code is not valid any more")])
