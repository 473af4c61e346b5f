"""The steps, reasons and next actions of a case in words for residents. Pure functions of values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from matters.cases.reasons import words_of
from matters.types import Availability, DeliveryState, ServiceState, State, Step, Text
from matters.views.types import NextAction

STEPS: Final[Mapping[Step, Text]] = MappingProxyType(
    {
        Step.CREATED: Text("开始填写", "Started"),
        Step.SUBMITTED: Text("已提交申请", "Submitted"),
        Step.HANDED_OVER: Text("材料已转交部门，等待预审", "Handed over to the department for pre-review"),
        Step.SUPPLEMENT_REQUESTED: Text("部门请您补充材料", "The department asks you for more"),
        Step.SUPPLEMENTED: Text("已补充材料", "You have supplied more"),
        Step.ACCEPTED: Text("部门已受理", "Accepted by the department"),
        Step.NOT_ACCEPTED: Text("部门不予受理", "Not accepted by the department"),
        Step.REVIEWED: Text("部门正在审核", "Under review"),
        Step.SUSPENDED: Text("办理已暂停", "Suspended"),
        Step.RESUMED: Text("办理已恢复", "Resumed"),
        Step.EXTENDED: Text("办理期限已延长", "The limit was extended"),
        Step.MOVED: Text("已转交其他部门办理", "Moved to another department"),
        Step.BRANCH_SETTLED: Text("一个部门已给出意见", "One of the departments has answered"),
        Step.APPROVED: Text("已批准", "Approved"),
        Step.REJECTED: Text("未予批准", "Not approved"),
        Step.DELIVERED: Text("结果已送达", "The result was delivered"),
        Step.CLOSED: Text("已办结", "Closed"),
        Step.WITHDRAWN: Text("您已撤回申请", "You withdrew it"),
        Step.TERMINATED: Text("办理已终止", "Terminated"),
    },
)
# Why a department or a rule says no, in our codes.
REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not-due": Text("还没有到可以办理的时间", "It is not due yet"),
        "not-eligible": Text("不符合办理条件", "The conditions are not met"),
        "incomplete": Text("材料不齐全", "Something is missing"),
        "not-a-pensioner": Text("没有查到您正在领取养老金", "No pension paid to you is on record"),
        "payment-ended": Text("养老金已经停止发放", "Payment of the pension has ended"),
        "a-check-failed": Text(
            "有核验没有通过，详见各部门的结果", "A check did not pass; see the results of each department"
        ),
        "a-department-refused": Text(
            "共同审批的部门没有同意，详见各部门意见", "The departments that decide together did not agree; see each"
        ),
        "all-departments-agreed": Text("共同审批的部门已经同意", "The departments that decide together have agreed"),
        "all-checks-passed": Text("各部门核验全部通过", "All departments confirmed"),
        "text-not-accepted": Text(
            "填写的文字不符合规定，请修改后重新申请", "What was written cannot be accepted; change it and apply again"
        ),
        "hearing": Text("需要举行听证", "A hearing is held"),
        "test": Text("需要检验、检测或者鉴定", "A test or an appraisal is made"),
        "expert-review": Text("需要专家评审", "Experts look at it"),
        "applicant-wait": Text("等待您配合", "It waits for you"),
        "complex": Text("情况复杂，需要更多时间核实", "It is complex and takes longer to look into"),
        "other-department": Text("需要其他部门协助核实", "Another department has to look into something"),
        "large-volume": Text("材料较多，需要更多时间审核", "There is much to read"),
        "force-majeure": Text("因不可抗力不能按时办结", "It was prevented by force majeure"),
        "declined": Text("部门没有受理，请咨询部门", "The department declined; please ask it"),
    },
)
# Why the clock of a case does not run, beside the reasons of a suspension.
STANDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not-submitted": Text("还没有提交", "Not yet submitted"),
        "pre-review": Text("部门受理后开始计算办理期限", "The limit begins once the department accepts it"),
        "supplement": Text(
            "等待您补充材料，受理后开始计算办理期限", "It waits for what you supply; the limit begins after acceptance"
        ),
        "ended": Text("已经办结", "It has ended"),
    },
)
_NOT_YET: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.DRAFT: "not-submitted",
        State.SUBMITTED: "pre-review",
        State.PRE_REVIEW: "pre-review",
        State.SUPPLEMENT_REQUESTED: "supplement",
    },
)


def why_it_stands(state: State, reason: str) -> tuple[str, Text]:
    """Return why the clock does not run, as a code and in words; `reason` is that of a suspension. "" while it runs."""
    if state in {State.ACCEPTED, State.IN_REVIEW}:
        return "", Text("", "")
    if state is State.SUSPENDED:
        return reason, reason_text(reason)
    code = _NOT_YET.get(state, "ended")
    return code, STANDS[code]


def reason_text(reason: str) -> Text:
    """Return a reason in words."""
    return REASONS.get(reason) or words_of(reason) or REASONS["declined"]


def next_action(
    state: State, *, delivery: DeliveryState | None, failures: int, phone: str, service: Availability | None = None
) -> NextAction | None:
    """Return what happens next, or what the resident has to do; None when nothing is left.

    `service` says how the department's system stands, where that is known.
    """
    if state is State.SUBMITTED:
        if delivery is DeliveryState.UNKNOWN:
            return NextAction(
                "being-clarified",
                f"工作人员正在与部门核实是否已经收到，您不用重复提交；也可以拨打 {phone}",
                f"A person is asking the department whether it arrived; do not submit again. Phone: {phone}",
            )
        if delivery is DeliveryState.HELD:
            return NextAction(
                "being-read",
                "您填写的文字需要工作人员看一下，申请已经收好，看过后会自动转交，您不用再做什么",
                "A person has to read what you wrote; your application is safe and goes on by itself afterwards",
            )
        if service is not None and service.state is ServiceState.DOWN:
            return NextAction("forwarded-later", service.text.zh, service.text.en)
        if failures:
            return NextAction(
                "forwarded-later",
                "部门系统暂时没有响应，您的申请已经收好，恢复后会自动转交，您不用再做什么",
                "The department's system does not answer now; your application is safe and will be forwarded by itself",
            )
        return NextAction("being-forwarded", "正在转交部门", "Being forwarded to the department")
    texts: dict[State, NextAction] = {
        State.DRAFT: NextAction("submit", "请核对内容后提交", "Check what is filled in and submit"),
        State.PRE_REVIEW: NextAction("wait", "等待部门预审", "The department is looking at it first"),
        State.SUPPLEMENT_REQUESTED: NextAction(
            "supplement", "请按部门的要求补充材料", "Please supply what the department asks for"
        ),
        State.ACCEPTED: NextAction("wait", "等待部门审核", "The department will review it"),
        State.IN_REVIEW: NextAction("wait", "部门正在审核", "The department is reviewing it"),
        State.SUSPENDED: NextAction(
            "wait", "办理已暂停，恢复后会通知您", "It is suspended; you will be told when it goes on"
        ),
        State.APPROVED: NextAction("rate", "已经办好，欢迎评价", "Done; tell us how it was"),
        State.DELIVERED: NextAction("rate", "已经办好，欢迎评价", "Done; tell us how it was"),
        State.REJECTED: NextAction("ask", f"如有疑问，请拨打 {phone}", f"For questions call {phone}"),
        State.NOT_ACCEPTED: NextAction(
            "ask",
            f"请看不予受理的原因，符合条件后可以再次申请；如有疑问，请拨打 {phone}",
            f"See the reason; you may apply again once it is settled. For questions call {phone}",
        ),
    }
    return texts.get(state)
