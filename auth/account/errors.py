"""What can go wrong with what becomes of accounts."""

from core.errors import Conflict


class TakeoverNotNeeded(Conflict):
    """Nobody else holds this person's account: name and number are enough to bind it."""

    code = "auth.takeover-not-needed"
    title = "这个身份没有绑定其他账户，直接填写姓名和身份证号即可"
    title_en = "No other account holds this person; name and number are enough"
    plain = "不用找回，直接填名字和身份证号就行。"


class TakeoverImpossible(Conflict):
    """The session did not come by a WeChat account, or that account belongs to somebody with a name."""

    code = "auth.takeover-impossible"
    title = "请用新的微信登录后再找回账户"
    title_en = "Log in with the new WeChat account first, one that is bound to nobody"
    plain = "请先用新的微信登录，再来找回。"
