"""What can go wrong when certificates are shared."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class NotAgreed(Forbidden):
    """The holder has not let this verifier read this for this purpose; the same for people who are not here at all."""

    code = "certificates.not-agreed"
    title = "持证人没有授权，不能查询"
    title_en = "The holder has not agreed to this"
    plain = "本人没有同意，不能查。"


class NoSuchDisclosure(NotFound):
    """There is no such consent of the caller's."""

    code = "certificates.no-such-disclosure"
    title = "没有这项授权"
    title_en = "There is no such consent"
    plain = "没有这项授权。"


class DisclosureEnded(Conflict):
    """The consent is withdrawn, used or run out already."""

    code = "certificates.disclosure-ended"
    title = "这项授权已经撤回、用过或到期"
    title_en = "The consent is withdrawn, used or has ended already"
    plain = "这项授权已经没有了。"


class EndUnusable(Invalid):
    """A consent ends in the future, and within a year."""

    code = "certificates.end-unusable"
    title = "授权的截止日期须在今天之后一年以内"
    title_en = "A consent ends after today and within a year"
    plain = "日期不对，最多一年。"
