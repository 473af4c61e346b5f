"""What can go wrong between relatives, principals and agents, in words a resident understands."""

from core.errors import Conflict, Forbidden, Invalid, Unavailable


class NoSelfDelegation(Invalid):
    """Somebody named themselves as their relative or agent."""

    code = "auth.own-relative"
    title = "不能添加您自己"
    title_en = "This is yourself"
    plain = "这是您自己，不用添加。"


class LinkStateForbids(Conflict):
    """The tie is not where this could be done: confirmed already, ended, the other one's to confirm, a guardian's."""

    code = "auth.relative-state"
    title = "这份亲友关系已经确认、已经解除，或还在等对方确认，请刷新后再看"
    title_en = "This tie is confirmed or ended already, or waits for the other one; please look at it again"
    plain = "这个亲友关系已经变了，请再看看。"


class MandateStateForbids(Conflict):
    """The mandate is not where this could be done."""

    code = "auth.mandate-state"
    title = "这份授权已经接受、已经结束，或要由另一方操作，请刷新后再看"
    title_en = "This mandate is accepted or over already, or it is for the other side to do; please look at it again"
    plain = "这个授权已经变了，请再看看。"


class MandateInvalid(Invalid):
    """What a mandate is to cover, or until when, cannot be."""

    code = "auth.mandate-invalid"
    title = "授权的范围或期限填写有误，请核对"
    title_en = "The scope or the end of the mandate cannot be; please check it"
    plain = "授权没填对，请再看看。"


class TooYoung(Forbidden):
    """Who is under 18 neither gives a mandate nor takes one, nor confirms a relative alone (民法典 19, 161)."""

    code = "auth.too-young"
    title = "未满18周岁不能自行办理授权，请由监护人办理"
    title_en = "Under 18 a guardian has to do this"
    plain = "没满十八岁，要让家长来办。"


class KinshipUnavailable(Unavailable):
    """The register of kinship could not be reached, or gave no usable answer."""

    code = "auth.kinship-unavailable"
    title = "民政部门暂时没有响应，请稍后再试"
    title_en = "Civil affairs does not answer now; please try again shortly"
    plain = "现在核对不了监护关系，请过一会儿再试。"


class UsccInvalid(Invalid):
    """The code cannot be a unified social credit code: its length, letters or check character is wrong."""

    code = "auth.uscc-invalid"
    title = "统一社会信用代码填写有误，请核对"
    title_en = "This is not a unified social credit code; please check it"
    plain = "代码填错了，请再看看。"


class NotRepresentative(Forbidden):
    """The business register does not name the caller as its legal representative; also: there is no such company."""

    code = "auth.not-representative"
    title = "登记信息中您不是这家单位的法定代表人，请核对后再试"
    title_en = "The business register does not name you as the legal representative; please check"
    plain = "登记上您不是这家单位的法人代表。"


class BusinessRegisterUnavailable(Unavailable):
    """The business register could not be reached, or gave no usable answer."""

    code = "auth.business-register-unavailable"
    title = "市场监管部门暂时没有响应，请稍后再试"
    title_en = "The business register does not answer now; please try again shortly"
    plain = "现在核对不了单位信息，请过一会儿再试。"
