"""What can go wrong with promises."""

from core.errors import Conflict


class NoSuchCommitment(Conflict):
    """Nothing was promised or put off for this material of the case."""

    code = "matters.no-such-commitment"
    title = "这项材料没有承诺，也没有容缺"
    title_en = "Nothing was promised or put off for this material"
    plain = "没有找到这项承诺。"


class CommitmentSettled(Conflict):
    """The promise stands where this cannot be done with it any more, or not yet."""

    code = "matters.commitment-settled"
    title = "这项承诺当前的状态不能这样操作"
    title_en = "The state of the promise does not allow this"
    plain = "这项承诺现在不能这样做。"
