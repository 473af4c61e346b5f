"""What can go wrong with cases that several people or departments decide."""

from core.errors import Conflict, Forbidden


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


class SameHands(Forbidden):
    """Whoever has taken a case in, or asked for a supplement to it, does not decide it (受办分离)."""

    code = "matters.same-hands"
    title = "受理和审批不能由同一个人办理，请换一位同事作出决定"
    title_en = "Whoever has accepted a case does not decide it; a colleague has to"
    plain = "受理的人不能自己审批。"
