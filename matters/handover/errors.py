"""What a department may say no to after it has a dossier."""

from core.errors import Refused


class WithdrawalDeclined(Refused):
    """A department does not take a case back: it has decided, or does not know it."""

    code = "matters.withdrawal-declined"
    title = "部门已经办结，不能撤回"
    title_en = "The department has decided already and does not take it back"
    plain = "部门已经办好了，撤不回来。"


class SupplementDeclined(Refused):
    """A department does not take a supplement: it has decided, or does not know the case."""

    code = "matters.supplement-declined"
    title = "部门已经办结，不再接收补充材料"
    title_en = "The department has decided already and takes no supplement"
    plain = "部门已经办好了，不用再补材料。"
