"""What can go wrong about extensions."""

from core.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchExtension(NotFound):
    """There is no such request."""

    code = "matters.no-such-extension"
    title = "没有找到这个延期申请"
    title_en = "There is no such request for an extension"
    plain = "没有找到这个延期申请。"


class ExtensionTooLong(Invalid):
    """More working days than the matter or the law allows (行政许可法 art. 42: ten)."""

    code = "matters.extension-too-long"
    title = "延长的工作日超过了允许的天数"
    title_en = "More working days than an extension may have"
    plain = "延长的天数太多了。"


class ExtensionForbidden(Conflict):
    """It was extended before, its time is up, it has no limit, or it waits to be decided already."""

    code = "matters.extension-forbidden"
    title = "这个办件不能延期：已经延期过、已经超期、没有期限，或者正在等待审批"
    title_en = "It cannot be extended: it was before, its time is up, it has no limit, or a request waits already"
    plain = "这件事不能再延期了。"


class ExtensionSettled(Conflict):
    """The request was decided before."""

    code = "matters.extension-settled"
    title = "这个延期申请已经处理过了"
    title_en = "This request was decided before"
    plain = "这个延期申请处理过了。"


class OwnExtension(Forbidden):
    """Whoever asked for it does not approve it."""

    code = "matters.own-extension"
    title = "不能审批自己提出的延期申请"
    title_en = "Somebody else has to decide about what you asked for"
    plain = "自己提的要请别人来批。"
