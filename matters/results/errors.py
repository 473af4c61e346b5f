"""What can go wrong with results."""

from core.errors import Conflict, Invalid


class DeliveryTooLate(Conflict):
    """The result was delivered, or there will be none: how it comes cannot be chosen any more."""

    code = "matters.delivery-too-late"
    title = "结果已经送达或者办件已经结束，不能再选择领取方式"
    title_en = "The result was delivered or the case has ended; how it comes cannot be chosen any more"
    plain = "已经送到了，不能再改。"


class PlaceNeeded(Invalid):
    """A courier needs an address, picking up a place, and what comes electronically neither."""

    code = "matters.place-needed"
    title = "请填写邮寄地址或者领取地点；电子送达不用填写"
    title_en = "Say where it is sent to or picked up; what comes electronically needs no place"
    plain = "请填写地址。"


class NothingDecided(Conflict):
    """There is no decision yet, so there is nothing to hand over."""

    code = "matters.nothing-decided"
    title = "这个办件还没有作出决定"
    title_en = "The case has not been decided yet"
    plain = "还没有办好，请再等等。"
