"""What can go wrong about supervision."""

from core.errors import Conflict, NotFound


class NoSuchCard(NotFound):
    """There is no such card."""

    code = "matters.no-such-card"
    title = "没有找到这张预警牌"
    title_en = "There is no such card"
    plain = "没有找到这张预警牌。"


class NoSuchOrder(NotFound):
    """There is no such supervision order."""

    code = "matters.no-such-order"
    title = "没有找到这个督办单"
    title_en = "There is no such supervision order"
    plain = "没有找到这个督办单。"


class NoSuchRecord(NotFound):
    """There is no such accountability record."""

    code = "matters.no-such-record"
    title = "没有找到这条问责记录"
    title_en = "There is no such accountability record"
    plain = "没有找到这条问责记录。"


class SupervisionSettled(Conflict):
    """It was answered, reviewed or closed before, or an order was given already."""

    code = "matters.supervision-settled"
    title = "已经处理过了，不能再次处理"
    title_en = "It was dealt with before"
    plain = "这件事处理过了。"
