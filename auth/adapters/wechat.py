"""WeChat, as `docs/departments/wechat.md` describes it: accounts for login codes, mobiles for phone codes.

`session_key` opens what the old button for the mobile number encrypted (`mobile_of_sealed`); it is read in the moment
it comes, for that alone, and kept nowhere.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr
from wechatpy.crypto import WeChatWxaCrypto
from wechatpy.exceptions import WeChatException

from auth.adapters.wechat_errors import LOGIN, MOBILE, TOKEN, TOKEN_REFUSED, mobile_code_invalid, problem_of
from auth.errors import MobileUnsupported, WechatUnavailable
from auth.types import AccountIdentity
from core.errors import FieldError
from core.log import get_logger
from core.outbound import Incoming, Outbound, Partner, unavailable_as
from core.pii import Mobile, Secret
from core.signers.leased_token import LeasedToken, LeaseUnavailable

log = get_logger(__name__)

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
            WechatUnavailable: WeChat could not be reached, or is busy.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
        """
        account, _ = await self._session(code)
        return account

    async def _session(self, code: str) -> tuple[AccountIdentity, Secret]:
        """Return the account of a login code, and the key under which WeChat encrypts for it."""
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
            raise problem_of(_errcode(answer), LOGIN)
        openid = answer.get("openid")
        if not isinstance(openid, str) or not openid:
            raise WechatUnavailable(retry_after=5)
        unionid = answer.get("unionid")
        account = AccountIdentity(Secret(openid), Secret(unionid) if isinstance(unionid, str) and unionid else None)
        return account, Secret(str(answer.get("session_key", "")))

    async def mobile_of(self, code: str) -> Mobile:
        """Exchange a phone code for the mobile number (`/wxa/business/getuserphonenumber`).

        Raises:
            MobileCodeInvalid: the code was used, has expired, or belongs to another mini program.
            MobileUnsupported: the number is no mainland mobile number.
            WechatUnavailable: WeChat could not be reached, or is busy.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
        """
        try:
            token = await self._lease.token(self.fetch_token)
            answer = await self._ask_mobile(code, token)
            if _errcode(answer) in TOKEN_REFUSED:  # The page: fetch another token and ask once more.
                token = await self._lease.replace(token, self.fetch_token)
                answer = await self._ask_mobile(code, token)
        except LeaseUnavailable as error:
            raise WechatUnavailable(retry_after=error.extras.retry_after) from error
        if _errcode(answer):
            raise problem_of(_errcode(answer), MOBILE)
        info = answer.get("phone_info")
        if not isinstance(info, dict):
            raise WechatUnavailable(retry_after=5)
        return self._mobile(info, "/code")

    async def mobile_of_sealed(self, code: str, encrypted: str, iv: str) -> tuple[AccountIdentity, Mobile]:
        """Open what the old button for the mobile number encrypted, with the key of a fresh login code.

        Raises:
            CodeInvalid: the login code was used, has expired, or was never given.
            MobileCodeInvalid: it was not encrypted for this login, or belongs to another mini program.
            MobileUnsupported: the number is no mainland mobile number.
            WechatTooMany: WeChat lets this account log in no more for the moment.
            WechatBlocked: WeChat holds this account for risky.
            WechatUnavailable: WeChat could not be reached, or is busy.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
        """
        account, session_key = await self._session(code)
        try:
            # The library sees to the watermark's appid.
            info = WeChatWxaCrypto(session_key.reveal(), iv, self._app_id).decrypt_message(encrypted)
        except (WeChatException, ValueError, LookupError, TypeError, RecursionError):
            raise mobile_code_invalid("/encrypted_data") from None
        if not isinstance(info, dict):
            raise mobile_code_invalid("/encrypted_data")
        return account, self._mobile(info, "/encrypted_data")

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

    def _mobile(self, info: Mapping[str, Any], pointer: str) -> Mobile:
        watermark = info.get("watermark")
        if not isinstance(watermark, dict):
            raise WechatUnavailable(retry_after=5)
        if watermark.get("appid") != self._app_id:
            raise mobile_code_invalid(pointer)
        number = str(info.get("purePhoneNumber")) if str(info.get("countryCode")) == _MAINLAND else ""
        try:
            return Mobile.parse(number)
        except ValueError:
            raise MobileUnsupported(
                errors=[FieldError(pointer, "mobile", "不是大陆手机号", "Not a mainland mobile number")]
            ) from None

    async def fetch_token(self, force: bool) -> tuple[str, int]:  # noqa: FBT001 — the shape the lease asks for
        """Ask for the access token and its life in seconds; whoever shares the lease fetches by this.

        Raises:
            WechatUnavailable: WeChat could not be reached, or is busy.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
        """
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
            raise problem_of(_errcode(answer), TOKEN)
        return token, seconds


def _read(got: Incoming) -> dict[str, Any]:
    if got.status != 200:  # noqa: PLR2004 — the page: errors come as 200 with an errcode; anything else is a gateway's
        log.warning("unexpected status", partner=got.partner, status=got.status)
        raise WechatUnavailable(retry_after=5)
    return got.mapping()


def _errcode(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else -1
