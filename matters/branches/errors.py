"""What can go wrong with branches."""

from core.errors import Conflict, NotFound


class NoSuchBranch(NotFound):
    """The case has no such branch, or is not looked at by several; the edge answers `request.not-found`."""

    code = "matters.no-such-branch"
    title = "没有这个审批环节"
    title_en = "There is no such branch"
    plain = "没有找到这一项。"


class BranchSettled(Conflict):
    """The department has given its word already, or the case was decided without it."""

    code = "matters.branch-settled"
    title = "这个部门已经给出意见，或者办件已经作出决定"
    title_en = "The department has answered already, or the case was decided without it"
    plain = "这一项已经有结果了。"
