"""What can go wrong on the way to being sure, in words a resident understands."""

from core.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Refused, TooMany, Unavailable


class WayNotOffered(Forbidden):
    """This installation does not offer the method for this; `alternatives` says what it offers."""

    code = "auth.way-not-offered"
    title = "这里暂不提供这种核验方式，请选择其他方式"
    title_en = "This way is not offered here; please choose another"
    plain = "这里不能用这个办法，请换一个。"


class WayUnavailable(Unavailable):
    """Who stands behind the method could not be reached; it is nobody's attempt."""

    code = "auth.way-unavailable"
    title = "这种核验方式暂时没有响应，请稍后再试，或选择其他方式"
    title_en = "This way does not answer now; try again shortly or choose another"
    plain = "这个办法现在用不了，请过一会儿再试。"


class WayRefused(Refused):
    """Who stands behind the method does not take what was given, finally: a kind of card, a kind of number."""

    code = "auth.way-refused"
    title = "对方无法用您填写的信息核验，请选择其他方式"
    title_en = "What you gave cannot be checked this way; please choose another"
    plain = "这个核不了，请换个办法。"


class WayLocked(TooMany):
    """No attempt by this method is left for this person or account; the other methods stay open."""

    code = "auth.way-locked"
    title = "这种方式的次数已用完，请稍后再试，或选择其他方式"
    title_en = "No attempts are left this way for now; try again later or choose another way"
    plain = "这个办法的次数用完了，请过一会儿再试，或者换个办法。"


class NoSuchCheck(NotFound):
    """There is no such check, or it is somebody else's."""

    code = "auth.no-such-check"
    title = "没有这次核验"
    title_en = "There is no such check"
    plain = "没找到这次核验，请重新开始。"


class CheckExpired(Gone):
    """The check waited too long."""

    code = "auth.check-expired"
    title = "本次核验已超时，请重新开始"
    title_en = "This check has run out; please start again"
    plain = "时间到了，请重新开始。"


class CheckDecided(Conflict):
    """The check has ended: passed, failed or given up."""

    code = "auth.check-decided"
    title = "本次核验已经结束，请重新开始"
    title_en = "This check has ended; please start again"
    plain = "这次核验已经结束了，请重新开始。"


class CheckInProgress(Conflict):
    """The check is being looked at for another request at this moment."""

    code = "auth.check-in-progress"
    title = "正在核验，请稍候"
    title_en = "This check is being worked on; please wait a moment"
    plain = "正在核对，请等一下。"
    retryable = True


class CodeRequired(Invalid):
    """The method sends a code, and none came."""

    code = "auth.code-required"
    title = "请输入验证码"
    title_en = "Please enter the code"
    plain = "请填验证码。"


class MobileInvalid(Invalid):
    """The method needs a mainland mobile number, and none came."""

    code = "auth.mobile-invalid"
    title = "请填写11位手机号码"
    title_en = "Please enter a mainland mobile number of 11 digits"
    plain = "手机号填错了，请再看看。"


class CardNumberInvalid(Invalid):
    """The method needs the number of a bank card, and none that can be one came."""

    code = "auth.card-number-invalid"
    title = "银行卡号填写有误，请核对"
    title_en = "This is not a valid bank card number; please check it"
    plain = "银行卡号填错了，请再看看。"


class CounterMismatch(Invalid):
    """No waiting check has this code, name and number. All causes look the same."""

    code = "auth.counter-mismatch"
    title = "验证码与证件信息不符，或已超时，请核对"
    title_en = "The code does not go with this name and number, or has run out; please check"
    plain = "码和身份证对不上，请再看看。"


class NoSuchAssistance(NotFound):
    """There is no such request of an officer, or it is another's."""

    code = "auth.no-such-assistance"
    title = "没有这次代办请求"
    title_en = "There is no such request to act for somebody"
    plain = "没找到这次代办。"


class TooManyConfirmations(TooMany):
    """The officer has confirmed as many identity cards as anybody may within an hour or a day."""

    code = "auth.confirmations-used-up"
    title = "您核对身份证的次数已达上限，请稍后再试"
    title_en = "You have confirmed as many identity cards as anybody may for now"
    plain = "核对太多了，请过一会儿再来。"


class TooManyAssistances(TooMany):
    """The officer has asked to act for as many people as anybody may within an hour or a day."""

    code = "auth.assistances-used-up"
    title = "您申请代办的次数已达上限，请稍后再试"
    title_en = "You have asked to act for as many people as anybody may for now"
    plain = "代办太多了，请过一会儿再来。"


class AssistanceUnconfirmed(Conflict):
    """The person has not confirmed yet."""

    code = "auth.assistance-unconfirmed"
    title = "当事人还没有确认"
    title_en = "The person has not confirmed yet"
    plain = "本人还没同意。"
    retryable = True


class AssistanceEnded(Gone):
    """The request has run out, was used, or too many wrong codes were tried."""

    code = "auth.assistance-ended"
    title = "这次代办请求已经结束，请重新发起"
    title_en = "This request has ended; please make a new one"
    plain = "这次代办结束了，请重新开始。"


class AssistanceCodeWrong(Forbidden):
    """The code is not the one that was sent to the person."""

    code = "auth.assistance-code-wrong"
    title = "验证码不对，请核对"
    title_en = "The code is wrong; please check it"
    plain = "码不对，请再问一遍。"


class InPersonOnly(Forbidden):
    """An officer acts in this session, and this is for the person alone."""

    code = "auth.in-person-only"
    title = "这件事须由本人办理，工作人员不能代办"
    title_en = "Only the person can do this; an officer cannot do it for them"
    plain = "这个要您本人来办。"
