"""What can go wrong among the staff."""

from core.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany, Unauthenticated


class StaffLoginInvalid(Unauthenticated):
    """Name, password or one-time code is wrong, or the account is locked. All causes look the same."""

    code = "auth.staff-login-invalid"
    title = "账号、密码或动态码不对，或账号已被临时锁定"
    title_en = "Wrong name, password or one-time code, or the account is locked for now"
    plain = "账号、密码或动态码不对。"


class UsernameTaken(Conflict):
    """There is an operator of this name already."""

    code = "auth.username-taken"
    title = "这个账号已经存在"
    title_en = "There is an operator of this name already"
    plain = "这个账号已经有了。"


# --- coming in --------------------------------------------------------------------------------------------------------


class ActivationInvalid(Unauthenticated):
    """The one-time secret is unknown, was used, or has run out. All causes look the same."""

    code = "auth.activation-invalid"
    title = "激活码无效或已过期，请联系系统管理员"
    title_en = "The one-time secret is not valid any more; ask a system administrator"
    plain = "激活码不能用了，请找管理员。"


class PasswordWeak(Invalid):
    """The password is too short, holds the name, or is one that is guessed early."""

    code = "auth.password-weak"
    title = "密码太容易被猜到：至少 12 位，不能包含账号，也不能是常见密码"
    title_en = "Too easy to guess: at least 12 characters, without the name, and none that many people use"
    plain = "密码太简单了，换一个长一点的。"


# --- who they are and what they may -----------------------------------------------------------------------------------


class NoSuchOperator(NotFound):
    """There is no such operator."""

    code = "auth.no-such-operator"
    title = "没有这位工作人员"
    title_en = "There is no such operator"
    plain = "没有这个人。"


class RolesExclude(Invalid):
    """The roles cannot be held by one person, or a grant is given twice."""

    code = "auth.roles-exclude"
    title = "这些岗位不能由同一个人担任"
    title_en = "These roles cannot be held by one person"
    plain = "这些岗位不能一个人兼。"


class ApprovalNeeded(Forbidden):
    """This takes a second person; it is asked for as an approval."""

    code = "auth.approval-needed"
    title = "这项操作需要另一位有权限的人员审批"
    title_en = "This takes the approval of a second person"
    plain = "这件事要两个人才能办。"


class NotYourself(Conflict):
    """Nobody disables or re-invites themselves."""

    code = "auth.not-yourself"
    title = "不能对自己的账号做这项操作"
    title_en = "You cannot do this to your own account"
    plain = "不能改自己的账号。"


class LastHolder(Conflict):
    """Nobody else who is active holds a role that the law separates: a successor comes first."""

    code = "auth.last-holder"
    title = "这是该岗位最后一位在岗人员，请先让接任者上岗"
    title_en = "Nobody else at work holds this role; let a successor begin first"
    plain = "这个岗只剩他了，先找人接。"


class AccountForbids(Conflict):
    """The account is not in a state for this: it was disabled, or not yet activated."""

    code = "auth.operator-state"
    title = "这个账号现在的状态不允许这项操作"
    title_en = "The state of this account does not allow it"
    plain = "这个账号现在不能这样做。"


# --- two of them ------------------------------------------------------------------------------------------------------


class NoSuchApproval(NotFound):
    """There is no such approval."""

    code = "auth.no-such-approval"
    title = "没有这项审批"
    title_en = "There is no such approval"
    plain = "没有这个审批。"


class SelfApproval(Forbidden):
    """Who asks does not decide."""

    code = "auth.self-approval"
    title = "不能审批自己提出的申请"
    title_en = "You cannot decide what you asked for yourself"
    plain = "自己提的不能自己批。"


class ApprovalChanged(Conflict):
    """What is asked for is not what was looked at: it was changed meanwhile, or does not agree with its hash."""

    code = "auth.approval-changed"
    title = "申请内容已经变化，请重新查看后再审批"
    title_en = "What is asked for has changed; look at it again"
    plain = "内容变了，请再看一遍。"


class ApprovalDecided(Conflict):
    """It was decided or withdrawn before."""

    code = "auth.approval-decided"
    title = "这项审批已经有了结果"
    title_en = "This was decided before"
    plain = "这个已经批过了。"


class ApprovalExpired(Gone):
    """Nobody decided within a day, or what was approved was not done within it."""

    code = "auth.approval-expired"
    title = "这项审批已经超过时限，请重新提出"
    title_en = "The approval has run out; ask again"
    plain = "审批过期了，请重新提。"


class EmergencyUnused(Conflict):
    """It was not used yet and can still be: whether it was justified shows when it is over."""

    code = "auth.emergency-unused"
    title = "紧急授权还没有使用，用完或过期后才能认定为正当"
    title_en = "The emergency was not used yet; it can be found justified once it was, or has run out"
    plain = "还没用过，用完再评。"


class EmergencyBarred(Forbidden):
    """An earlier emergency of the same person was found unjustified, and nobody has seen to it yet."""

    code = "auth.emergency-barred"
    title = "您之前的紧急操作被认定不当，处理完之前不能再单独操作"
    title_en = "An earlier emergency of yours was found unjustified; until that is seen to you do not act alone"
    plain = "上次的事处理完再说。"


class NothingToFollowUp(Conflict):
    """The emergency was not found unjustified, or somebody has seen to it before."""

    code = "auth.nothing-to-follow-up"
    title = "这次紧急操作没有待处理的后续事项"
    title_en = "Nothing of this emergency waits to be seen to"
    plain = "没有要处理的了。"


class RequesterGone(Conflict):
    """Who asked for it was disabled or lost the role meanwhile."""

    code = "auth.requester-gone"
    title = "提出人已经停用或不再担任这个岗位"
    title_en = "Who asked for it is disabled or has lost the role"
    plain = "提的人已经不在岗了。"


class NotApproved(Forbidden):
    """Nobody has approved exactly this."""

    code = "auth.not-approved"
    title = "这项操作没有得到批准"
    title_en = "Exactly this was approved by nobody"
    plain = "这件事还没有批准。"


class NameUnknown(Invalid):
    """Something is named that there is not: a field or claim, a matter, a department, a party, an operator."""

    code = "auth.name-unknown"
    title = "填写的内容里有系统中不存在的项目"
    title_en = "Something is named that is not known here"
    plain = "填了没有的东西，请改一下。"


# --- personal data ----------------------------------------------------------------------------------------------------


class TooManyOpenings(TooMany):
    """The operator has opened as many people's data as anybody may within an hour or a day."""

    code = "auth.openings-used-up"
    title = "您查看个人信息的次数已达上限"
    title_en = "You have opened as much personal data as anybody may for now"
    plain = "看得太多了，请过一会儿再看。"


class SubjectNeedsCase(Invalid):
    """Lines about one person are read for a purpose and under a case."""

    code = "auth.subject-needs-case"
    title = "查询某个人的记录，需要填写用途和案件编号"
    title_en = "Lines about one person are read for a purpose and under a case"
    plain = "查个人要写用途和编号。"


class NothingToOpen(NotFound):
    """There is no such person or application within your reach, or not under that case."""

    code = "auth.nothing-to-open"
    title = "在您的权限范围内没有这位当事人或这个办件"
    title_en = "No such person or application within your reach"
    plain = "您这里查不到这个人。"
