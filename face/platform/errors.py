"""What can go wrong with a check by a platform, in words a resident understands."""

from core.errors import Conflict, Forbidden, Refused, TooMany, Unavailable


class PlatformUnavailable(Unavailable):
    """The platform could not be reached, is busy, or does not take our settings; nobody has shown a face in vain."""

    code = "face.platform-unavailable"
    title = "微信人脸核身暂时不可用，请稍后再试，或选择其他方式"
    title_en = "WeChat's face check is away for the moment; try again shortly or choose another way"
    plain = "微信刷脸现在用不了，请过一会儿再试。"


class PlatformTooMany(TooMany):
    """The platform lets this person or account begin no more checks for the moment."""

    code = "face.platform-too-many"
    title = "微信人脸核身过于频繁，请稍后再试，或选择其他方式"
    title_en = "WeChat takes no more face checks for now; try again later or choose another way"
    plain = "微信刷脸次数太多了，请过一会儿再试。"


class PlatformRefused(Refused):
    """The platform does not take this check: the account or the person is not the one it began with."""

    code = "face.platform-refused"
    title = "微信没有受理这次核身，请重新开始，或选择其他方式"
    title_en = "WeChat does not take this face check; start again or choose another way"
    plain = "微信没有受理，请重新开始，或者换个办法。"


class AccountNeeded(Forbidden):
    """The session was not opened by a WeChat account: there is nobody whom WeChat could look at."""

    code = "face.account-needed"
    title = "请在微信小程序中登录后使用微信人脸核身，或选择其他方式"
    title_en = "WeChat's face check needs a login by the mini program; please choose another way"
    plain = "要在微信里登录才能用，请换个办法。"


class CheckDecided(Conflict):
    """The check has ended; a result is told once."""

    code = "face.check-decided"
    title = "本次核验已经结束，请重新开始"
    title_en = "This face check has ended; please start again"
    plain = "这次刷脸已经结束了，请重新开始。"
