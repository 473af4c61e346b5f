"""What can go wrong when staff handles a case, in words an operator understands."""

from core.errors import Conflict, Invalid


class DepartmentDecides(Conflict):
    """The dossier lies in the department's own system, and what comes of it is told from there."""

    code = "matters.department-decides"
    title = "材料已在部门自己的系统里办理，请等待部门的结果"
    title_en = "The department handles it in its own system; its answer comes from there"
    plain = "部门正在自己的系统里办，请等结果。"


class DeliveryOpen(Conflict):
    """The dossier is on its way, or nobody knows whether it arrived: that has to be settled first."""

    code = "matters.delivery-open"
    title = "材料还在转交途中，请先处理转交"
    title_en = "The dossier is on its way; settle its delivery first"
    plain = "材料还在路上，请先处理转交。"


class ReasonUnpublished(Invalid):
    """The reason is none of those that are published for this step."""

    code = "matters.reason-unpublished"
    title = "请从公布的理由里选择"
    title_en = "Choose one of the published reasons"
    plain = "请选一个规定的理由。"


class NotMovable(Conflict):
    """A case is moved to a department that is none, or that has it already."""

    code = "matters.not-movable"
    title = "不能转给这个部门"
    title_en = "It cannot be moved to this department"
    plain = "不能转给这个部门。"


class NotDuplicates(Conflict):
    """Two cases are to become one that are of two people, of two matters, or of which one has ended."""

    code = "matters.not-duplicates"
    title = "只有同一个人的、同一事项的、都还没有办完的申请才能合并"
    title_en = "Only open cases of one person and one matter can be merged"
    plain = "这两件事不能合并。"


class DeliverySettled(Conflict):
    """Somebody has settled the delivery already, or it stands where this cannot be said of it."""

    code = "matters.delivery-settled"
    title = "这次转交已经处理过了"
    title_en = "This delivery has been settled already"
    plain = "这次转交已经处理过了。"
