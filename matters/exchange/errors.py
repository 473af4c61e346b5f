"""Problems of exchange."""

from core.errors import NotFound


class NoSuchPartner(NotFound):
    """There is no outside system of this name."""

    code = "matters.no-such-partner"
    title = "没有这个对接系统"
    title_en = "There is no such system"
    plain = "没有找到这个系统。"
