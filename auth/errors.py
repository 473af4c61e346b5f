"""What can go wrong while finding out who is calling, in words a resident understands."""

from typing import Self

from auth.types import Level
from core.errors import (
    Alternative,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)

# --- tokens and sessions ----------------------------------------------------------------------------------------------


class TokenMissing(Unauthenticated):
    """No access token came with the request."""

    code = "auth.token-missing"
    title = "请先登录"
    title_en = "Please log in first"
    plain = "请先登录。"


class TokenExpired(Unauthenticated):
    """The access token is past its time; the refresh token gives the next one."""

    code = "auth.token-expired"
    title = "登录已过期，请刷新登录"
    title_en = "The access token has expired; renew the session"
    plain = "登录过期了，请再登录一次。"


class TokenInvalid(Unauthenticated):
    """The access token is none of ours, or its session has ended. All causes look the same."""

    code = "auth.token-invalid"
    title = "登录已失效，请重新登录"
    title_en = "The session is not valid any more; please log in again"
    plain = "登录失效了，请重新登录。"


class RefreshInvalid(Unauthenticated):
    """The refresh token is unknown or past its time, or its session has ended."""

    code = "auth.refresh-invalid"
    title = "登录已失效，请重新登录"
    title_en = "The session cannot be renewed; please log in again"
    plain = "登录失效了，请重新登录。"


class RefreshReused(Unauthenticated):
    """A refresh token was used twice: one of the two holders has stolen it, so the whole session ends."""

    code = "auth.refresh-reused"
    title = "为保护您的账户，本次登录已被结束，请重新登录"
    title_en = "To protect your account this session was ended; please log in again"
    plain = "为了安全，已经退出登录，请重新登录。"


class LevelTooLow(Forbidden):
    """The session is known, but not surely enough for this; the edge adds as `ways` what raises it."""

    code = "auth.level-too-low"
    title = "办理这件事需要进一步确认您的身份"
    title_en = "This needs a higher level of identity assurance"
    plain = "办这件事，要先确认是您本人。"

    @classmethod
    def needing(cls, required: Level) -> Self:
        """Return the problem that asks for a level."""
        return cls(required=required.value)


class ConsentRequired(Forbidden):
    """What was asked for rests on a consent that is missing, withdrawn, or given to another text."""

    code = "auth.consent-required"
    title = "需要您同意后才能继续"
    title_en = "This needs your consent"
    plain = "要您同意了才能接着办。"


class NoSuchConsent(NotFound):
    """There is no such text to agree to, or a newer one is in force; `consent` names that one."""

    code = "auth.no-such-consent"
    title = "没有这份同意书，或者它已经更新，请阅读最新的同意书"
    title_en = "There is no such text to agree to, or a newer one is in force; please read that one"
    plain = "没有这份同意书，请看看新的。"


class ConsentNeeded(Conflict):
    """The consent carries the account: it ends with the account and not before; `alternatives` says how."""

    code = "auth.consent-needed"
    title = "这项同意是账户的基础，不能单独撤回；如不再同意，请注销账户"
    title_en = "The account rests on this consent; to withdraw it, close the account"
    plain = "账户还在用，这个同意就撤不了。不想用了，可以注销账户。"

    @classmethod
    def with_way_out(cls, text: str, text_en: str, start: str) -> Self:
        """Return the problem with what follows from it and where to go instead."""
        return cls(alternatives=[Alternative("closure", text, text_en, start)])


class MandateMissing(Forbidden):
    """Nobody has authorised the caller to act for this person, or not so far."""

    code = "auth.mandate-missing"
    title = "您没有得到当事人对这件事的授权"
    title_en = "You hold no mandate from this person for this"
    plain = "您还没有得到他办这件事的授权。"


class NotDelegable(Forbidden):
    """What only the person can do themselves, or what an organisation cannot do at all."""

    code = "auth.not-delegable"
    title = "这件事只能由本人办理，不能代办"
    title_en = "This can only be done in person, not for somebody else"
    plain = "这件事要本人办，别人代不了。"


class AccountClosed(Forbidden):
    """The account was closed; a hall can tell why."""

    code = "auth.account-closed"
    title = "这个账户已经注销或停用，请到政务服务大厅咨询"
    title_en = "This account is closed; please ask at a service hall"
    plain = "这个账户停用了，请到大厅问问。"


# --- WeChat -----------------------------------------------------------------------------------------------------------


class CodeInvalid(Unauthenticated):
    """WeChat does not take the login code: used, expired, or never given."""

    code = "auth.code-invalid"
    title = "微信登录凭证已失效，请重新登录"
    title_en = "The WeChat login code is not valid any more; please log in again"
    plain = "登录没成功，请再点一次。"


class WechatTooMany(TooMany):
    """WeChat lets this account log in no more for the moment."""

    code = "auth.wechat-too-many"
    title = "登录太频繁了，请一分钟后再试"
    title_en = "Too many logins; please try again in a minute"
    plain = "登录太勤了，请歇一会儿再试。"


class WechatBlocked(Forbidden):
    """WeChat holds this account for risky and does not let it log in."""

    code = "auth.wechat-blocked"
    title = "微信认为当前账号存在风险，暂时不能登录，请联系微信客服或到政务服务大厅办理"
    title_en = "WeChat has restricted this account; contact WeChat or go to a service hall"
    plain = "您的微信号现在登录不了，请找微信客服，或到大厅办理。"


class WechatUnavailable(Unavailable):
    """WeChat could not be reached, or is busy."""

    code = "auth.wechat-unavailable"
    title = "微信暂时没有响应，请稍后再试"
    title_en = "WeChat does not answer now; please try again shortly"
    plain = "微信现在没有回应，请过一会儿再试。"


class WechatQuota(Unavailable):
    """WeChat takes no more calls from this service for a while; the operators were told."""

    code = "auth.wechat-quota"
    title = "今天使用微信登录的人太多了，请稍后再试，或换一种方式登录"
    title_en = "WeChat takes no more calls from this service for now; please try later or log in another way"
    plain = "现在用微信的人太多，请过一会儿再试。"


class WechatMisconfigured(Unavailable):
    """WeChat does not take this service's own credentials, permissions or requests: repeating it helps nobody."""

    code = "auth.wechat-misconfigured"
    title = "微信登录暂时不能用，我们已收到通知，请换一种方式登录"
    title_en = "Logging in by WeChat does not work now; the operators have been told, please use another way"
    plain = "微信登录现在用不了，请换个办法登录。"
    retryable = False


class MobileCodeInvalid(Invalid):
    """WeChat does not take the code for the mobile number."""

    code = "auth.mobile-code-invalid"
    title = "手机号授权已失效，请重新授权"
    title_en = "The code for the mobile number is not valid any more; please authorise again"
    plain = "手机号没取到，请再点一次。"


class MobileUnsupported(Invalid):
    """The number WeChat knows is no mainland mobile number."""

    code = "auth.mobile-unsupported"
    title = "目前只支持中国大陆手机号"
    title_en = "Only mainland mobile numbers are supported"
    plain = "现在只能用大陆的手机号。"


# --- the real name ----------------------------------------------------------------------------------------------------


class IdNumberInvalid(Invalid):
    """The number cannot be an ID number: its shape, its birth date or its check digit is wrong."""

    code = "auth.id-number-invalid"
    title = "身份证号码填写有误，请核对"
    title_en = "This is not a valid ID number; please check it"
    plain = "身份证号填错了，请再看看。"


class NameInvalid(Invalid):
    """The name is empty, too long, or has characters no name has."""

    code = "auth.name-invalid"
    title = "姓名填写有误，请核对"
    title_en = "This is not a valid name; please check it"
    plain = "名字填错了，请再看看。"


class IdentityMismatch(Forbidden):
    """Name and number do not agree with the population registry; also: nobody has that number."""

    code = "auth.identity-mismatch"
    title = "姓名与身份证号码不一致，请核对后再试"
    title_en = "Name and ID number do not agree; please check them"
    plain = "名字和身份证号对不上，请再看看。"


class AlreadyBound(Conflict):
    """Another account holds this person; there is one account for each."""

    code = "auth.already-bound"
    title = "这个身份已经绑定了另一个账户"
    title_en = "This person already has another account"
    plain = "您已经有一个账户了，请用原来的登录，或者刷脸登录。"

    @classmethod
    def with_ways_out(cls) -> Self:
        """Return the problem with what the person can do now."""
        return cls(
            alternatives=[
                Alternative("other-account", "用原来绑定的微信登录", "Log in with the WeChat account bound before"),
                Alternative(
                    "takeover",
                    "原来的微信不用了？刷脸后可以换成现在的微信",
                    "No longer use that WeChat account? Show your face and move to this one",
                    "/v1/citizen/takeovers",
                ),
                Alternative(
                    "face",
                    "不是您本人绑定的？刷脸登录后可以解除对方的微信",
                    "Not bound by you? Log in by face and remove that WeChat account",
                    "/v1/citizen/elder-sessions",
                ),
                Alternative(
                    "counter",
                    "带上身份证到就近的政务服务大厅办理",
                    "Bring your identity card to the nearest service hall",
                ),
            ],
        )


class LastWayIn(Conflict):
    """The account is the only one by which the caller comes in; removing it would lock them out."""

    code = "auth.last-way-in"
    title = "这是您登录用的唯一微信，不能解除绑定"
    title_en = "This is the only WeChat account you log in with; it cannot be removed"
    plain = "您只有这一个微信能登录，不能解除。"


class IdentityFixed(Conflict):
    """This account belongs to another person already; an account is never handed on."""

    code = "auth.identity-fixed"
    title = "当前账户已经绑定了其他身份，不能更改"
    title_en = "This account is bound to another person and cannot be changed"
    plain = "这个账户已经是别人的了，不能改。"


class RegistryUnavailable(Unavailable):
    """The population registry could not be reached, or is closed for maintenance."""

    code = "auth.registry-unavailable"
    title = "人口库暂时没有响应，请稍后再试"
    title_en = "The population registry does not answer now; please try again shortly"
    plain = "现在核对不了身份，请过一会儿再试。"


class RegistryRefused(Refused):
    """The population registry does not take the question, finally."""

    code = "auth.registry-refused"
    title = "人口库无法核对这份信息，请到政务服务大厅办理"
    title_en = "The population registry cannot check this; please go to a service hall"
    plain = "这个核对不了，请到大厅办理。"


# --- operators --------------------------------------------------------------------------------------------------------


class RoleForbidden(Forbidden):
    """The operator is known, and their role does not allow this."""

    code = "auth.forbidden"
    title = "您的岗位没有这项权限"
    title_en = "Your role does not allow this"
    plain = "您的岗位不能做这个。"
