"""What can go wrong with cases that several departments decide."""

from core.errors import Conflict


class BranchesOpen(Conflict):
    """Several departments decide this case together: none of them decides it alone, nor anybody else."""

    code = "matters.branches-open"
    title = "这个办件由几个部门共同审批，还有部门没有给出意见"
    title_en = "Several departments decide this together, and not all that are needed have answered"
    plain = "还有部门没有审完，请再等等。"
