"""What can go wrong with cases that several departments decide."""

from core.errors import Conflict


class BranchesOpen(Conflict):
    """Several departments decide this case together: none of them decides it alone, nor anybody else."""

    code = "matters.branches-open"
    title = "这个办件由几个部门共同审批，还有部门没有给出意见"
    title_en = "Several departments decide this together, and not all that are needed have answered"
    plain = "还有部门没有审完，请再等等。"


class AskedBefore(Conflict):
    """Everything is asked for at once (一次性告知): a second time takes a published exception and a second person."""

    code = "matters.asked-before"
    title = "补正内容必须一次性告知；再次补正需要选择例外情形并经另一位同事批准"
    title_en = "Everything is asked for at once; a second time takes an exception and a colleague's approval"
    plain = "补材料只能说一次，再说要同事批准。"
