"""What can go wrong with telling people."""

from core.errors import Conflict, Forbidden, Gone, Invalid, Unavailable


class ChannelUnavailable(Unavailable):
    """A channel could not be reached; the notice is tried again and then told another way."""

    code = "notices.channel-unavailable"
    title = "消息暂时发不出去，系统会自动重试"
    title_en = "The message cannot be sent now; it will be tried again"
    plain = "消息现在发不出去，过一会儿会再发。"


class EventUnknown(Invalid):
    """A job tells of something that has no text, or lacks a word of it: a mistake in our code."""

    code = "notices.event-unknown"
    title = "没有这种通知"
    title_en = "There is no such notice"
    plain = "没有这种通知。"


class TopicFixed(Conflict):
    """What keeps an account safe is always told."""

    code = "notices.topic-fixed"
    title = "账户安全提醒不能关闭"
    title_en = "Notices about the safety of your account cannot be turned off"
    plain = "账户安全的提醒不能关。"


class CopyCodeInvalid(Gone):
    """The code for reading along was never given, was used, or has run out. All causes look the same."""

    code = "notices.copy-code-invalid"
    title = "邀请码不对、已用过或已过期；如果还没开通，请让家人重新生成"
    title_en = "The code is wrong, used or too old; unless you are told already, ask your family for a new one"
    plain = "邀请码不能用了，请让家人再给一个。"


class CopyOfOneself(Conflict):
    """Nobody reads along with themselves."""

    code = "notices.copy-of-oneself"
    title = "不能邀请自己接收通知"
    title_en = "You cannot invite yourself"
    plain = "不能邀请自己。"


class TooManyCopies(Conflict):
    """So many may read along, no more."""

    code = "notices.too-many-copies"
    title = "接收通知的家人已经够多了，请先取消一位"
    title_en = "Enough people read along already; remove one first"
    plain = "家人已经够多了，请先取消一位。"


class PushRefused(Forbidden):
    """A push that does not prove to be WeChat's, or cannot be read. All causes look the same."""

    code = "notices.push-refused"
    title = "消息推送校验未通过"
    title_en = "The push is not taken"
    plain = "这条消息不能接收。"
