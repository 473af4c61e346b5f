"""The ledger: who used my data, when, for what, and who only tried."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from api.access import Delegable, citizen
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from auth.errors import LevelTooLow
from auth.texts.consents import TEXTS
from auth.types import Level, ReadPurpose, Term
from auth.ways.types import Purpose as Login
from certificates.wallet import FETCHED_BY_HOLDER, READ_BY_HOLDER, REFRESHED
from core.audit.ledger import LedgerLine, lines_of
from face.types import Purpose
from matters.applications.eligibility import ASKED

routes = Routes(prefix="/v1/citizen", tag="ledger")

# What names a case by its number, or a correction by its id.
_CASES: Final = frozenset({"case", "correction"})
_ACTORS: Final[Mapping[str, tuple[str, str]]] = {
    "citizen": ("代办人", "Somebody acting for you"),
    "operator": ("工作人员", "A member of staff"),
    "verifier": ("用证单位", "A registered verifier"),
    "department": ("部门", "A department"),
    "system": ("系统自动处理", "The system itself"),
    "nobody": ("未登录的人", "Somebody not logged in"),
}
_VERIFIER: Final = "verifier"
_STRANGER: Final = ("未登记的查验者", "A verifier who is not registered")
_ANOTHER_ACCOUNT: Final = ("另一个账户", "Another account")
_FROM_ANOTHER_ACCOUNT: Final = frozenset({"auth.identity-tried", "auth.takeover-asked", "auth.takeover-stopped"})
_YOURSELF: Final = ("您本人", "Yourself")
_RELATIVE: Final = ("亲友", "A relative")
_BETWEEN_RELATIVES: Final = (
    "auth.relative-", "auth.mandate-", "auth.guardian-", "auth.identity-bound", "notices.copy-"
)  # fmt: skip
# What stands in a line as a code of ours, or in our own Chinese words; what callers wrote is shown as they wrote it.
_PURPOSES: Final[Mapping[str, tuple[str, str]]] = {
    ReadPurpose.FACE_CHECK: ("人脸核验", "Face check"),
    ReadPurpose.CERTIFICATE: ("领取证照", "Fetching a certificate"),
    ReadPurpose.APPLICATION: ("办理事项", "An application"),
    ReadPurpose.DECISION: ("办理事项", "Deciding an application"),
    ReadPurpose.CORRECTION: ("处理更正申请", "Handling a correction"),
    ReadPurpose.OWN_RIGHTS: ("导出或注销", "An export, or closing the account"),
    ReadPurpose.DELEGATION: ("亲友代办", "Acting for others"),
    ReadPurpose.STEP_UP: ("核验本人", "Showing that it is you"),
    ReadPurpose.LEDGER: ("显示本记录", "Showing this list"),
    Purpose.PENSION: ("养老待遇资格认证", "Pension eligibility"),
    Purpose.ACCOUNT_TAKEOVER: ("换绑微信", "Moving to another WeChat account"),
    Purpose.ELDER_SESSION: ("刷脸登录", "Logging in by face"),
    Login.LOGIN: ("登录", "Logging in"),
    "real-name": ("实名核验", "Real name"),
    "保存材料供以后办事使用": ("保存材料供以后办事使用", "Keeping a material for later"),
    "处理更正申请": ("处理更正申请", "Handling a correction"),
    "凭编号和查询密码查询进度": ("凭编号和查询密码查询进度", "Progress asked by number and query code"),
    "评价办理情况": ("评价办理情况", "A rating"),
    FETCHED_BY_HOLDER: (FETCHED_BY_HOLDER, "The holder fetched a certificate"),
    READ_BY_HOLDER: (READ_BY_HOLDER, "The holder read a certificate"),
    REFRESHED: (REFRESHED, "The holder's certificate was refreshed"),
}
_DEPARTMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "public-security": ("公安部门", "Public security"),
    "human-resources": ("人力资源和社会保障部门", "Human resources and social security"),
    "housing-fund": ("住房公积金管理中心", "The housing fund"),
    "disabled-persons": ("残疾人联合会", "The disabled persons' federation"),
    "health": ("卫生健康部门", "Health"),
    "education": ("教育部门", "Education"),
    "real-estate": ("不动产登记部门", "Real estate registration"),
}
_ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "auth.session-opened": ("登录", "Logged in"),
    "auth.session-ended": ("退出登录", "Logged out"),
    "auth.refresh-reused": ("登录凭证被重复使用，已全部退出", "A login was used twice and has been ended"),
    "auth.level-raised": ("通过本人核验", "Shown to be present"),
    "auth.identity-bound": ("绑定实名信息", "Real name confirmed"),
    "auth.identity-tried": (
        "有人在另一个账户上填写您的身份证号码",
        "Somebody tried your ID number in another account",
    ),
    "auth.account-unbound": ("解除微信绑定", "WeChat account removed"),
    "auth.takeover-asked": (
        "有人刷脸申请把您的账户换到另一个微信，不是您本人请马上停止",
        "Somebody showed your face and asks to move your account to another WeChat account; stop it if it was not you",
    ),
    "auth.takeover-stopped": ("账户更换微信已停止", "The move to another WeChat account was stopped"),
    "auth.taken-over": ("账户已换到另一个微信", "Your account was moved to another WeChat account"),
    "auth.death-recorded": ("登记死亡，账户停用", "Recorded as deceased; the account is closed"),
    "auth.death-taken-back": (
        "死亡登记已更正，账户恢复",
        "The record of death was taken back",
    ),
    "auth.mobile-set": ("绑定手机号", "Mobile number set"),
    "auth.elder-chosen": ("设置关怀模式", "Elder mode chosen"),
    "auth.consent-given": ("同意授权", "Consent given"),
    "auth.consent-withdrawn": ("撤回授权", "Consent withdrawn"),
    "auth.way-started": ("开始身份核验", "Identity check begun"),
    "auth.way-passed": ("身份核验通过", "Identity check passed"),
    "auth.way-failed": ("身份核验未通过", "Identity check not passed"),
    "auth.way-revoked": ("放弃身份核验", "Identity check given up"),
    "auth.counter-confirmed": ("窗口工作人员核对身份证", "Identity card checked by an officer at a counter"),
    "auth.assistance-requested": ("工作人员请求代您办理", "An officer asked to act for you"),
    "auth.assistance-confirmed": ("同意工作人员代办", "An officer was allowed to act for you"),
    "auth.assistance-refused": ("代办验证码不对", "A wrong code was given to act for you"),
    "notices.sent": ("向您发送通知", "A notice was sent to you"),
    "notices.settings-chosen": ("设置通知", "Notices chosen"),
    "notices.copy-offered": ("邀请家人接收通知", "Family invited to be told too"),
    "notices.copy-accepted": ("家人开始接收通知", "Family is told too from now on"),
    "notices.copy-ended": ("家人不再接收通知", "Family is told no more"),
    "auth.data-opened": ("工作人员查看您的个人信息", "A member of staff read your personal data"),
    "auth.audit-looked-at": ("审计人员查看与您有关的使用记录", "An auditor read the lines about you"),
    "auth.opening-refused": (
        "工作人员想查看您的个人信息，没有获准",
        "A member of staff asked for your personal data and was refused",
    ),
    "auth.resident-looked-up": ("工作人员查看您的资料（已遮盖）", "A member of staff looked you up, masked"),
    "auth.person-read": ("查看您的身份信息", "Your name and number were read"),
    "auth.export-requested": ("申请导出我的个人信息", "My data asked for"),
    "auth.export-built": ("生成个人信息导出文件", "The export of my data was made"),
    "auth.export-fetched": ("下载个人信息导出文件", "My data were fetched"),
    "auth.correction-asked": ("申请更正", "A correction was asked for"),
    "auth.correction-read": ("查看更正申请", "The correction was read"),
    "auth.correction-answered": ("答复更正申请", "The correction was answered"),
    "auth.line-reported": ("反映一条使用记录", "A line of the ledger was reported"),
    "auth.report-answered": ("答复对使用记录的反映", "A report on a line was answered"),
    "auth.closure-requested": ("申请注销账户", "Closing the account was asked for"),
    "auth.closure-taken-back": ("撤销注销申请", "Closing the account was taken back"),
    "auth.account-closed": ("账户已注销", "The account was closed"),
    "auth.remains-erased": ("清除到期的保留信息", "What was kept and due was erased"),
    "face.check-started": ("开始人脸核验", "Face check begun"),
    "face.check-passed": ("人脸核验通过", "Face check passed"),
    "face.check-failed": ("人脸核验未通过", "Face check not passed"),
    "face.check-closed": ("人脸核验未完成", "Face check not completed"),
    "face.platform-told": ("姓名和身份证号交给微信核身", "Name and ID number were given to WeChat for a face check"),
    "face.evidence-replayed": ("人脸核验提交了用过的照片", "Used pictures were handed in for a face check"),
    "certificates.fetched": ("领取或更新证照", "Certificate fetched or refreshed"),
    "certificates.moved": ("证照状态有变化", "The state of a certificate changed"),
    "certificates.reported": ("报告证照内容有误", "A wrong value was reported"),
    "certificates.report-answered": ("发证部门答复了报告", "The issuer answered the report"),
    "certificates.history-read": ("查看证照变更记录", "What became of a certificate was read"),
    "certificates.reports-read": ("查看对证照的报告", "Reports on a certificate were read"),
    "certificates.opened": ("查看证照内容", "Certificate read"),
    "certificates.shown": ("出示证照", "Certificate shown"),
    "certificates.verified": ("查验证照", "Certificate checked"),
    "certificates.disclosure-agreed": ("授权用证单位读取证照", "A verifier was let read a certificate"),
    "certificates.disclosure-withdrawn": ("撤回对用证单位的授权", "A verifier's consent was taken back"),
    "certificates.queried": ("用证单位查询证照", "A verifier asked about a certificate"),
    "certificates.copied": ("生成加注件", "A stamped copy was made"),
    "certificates.copy-checked": ("核对加注件", "A stamped copy was checked"),
    "certificates.token-made": ("生成离线亮证凭证", "A token for offline use was made"),
    "certificates.tokens-revoked": ("作废离线亮证凭证", "Tokens for offline use were revoked"),
    "auth.relative-asked": ("添加亲友", "Relative named"),
    "auth.relative-confirmed": ("确认亲友关系", "Relative confirmed"),
    "auth.relative-ended": ("解除亲友关系", "Tie to a relative ended"),
    "auth.guardian-named": ("登记监护人代办", "Guardian may act"),
    "auth.representative-named": ("登记法定代表人", "Legal representative may act"),
    "auth.representative-refused": (
        "登记法定代表人未成功，与登记信息不符",
        "The business register does not name the legal representative so",
    ),
    "auth.mandate-offered": ("发出代办授权", "Mandate offered"),
    "auth.mandate-accepted": ("接受代办授权", "Mandate accepted"),
    "auth.mandate-refused": ("谢绝代办授权", "Mandate refused"),
    "auth.mandate-revoked": ("解除代办授权", "Mandate revoked"),
    "auth.mandate-ended": ("代办授权终止", "Mandate ended"),
    "matters.checked": ("核对办理条件", "Conditions checked"),
    "matters.drafted": ("填写申请", "Application drafted"),
    "matters.draft-expired": ("没有提交的草稿到期删除", "A draft that was not submitted has run out"),
    "matters.copy-made": ("下载申请副本", "A copy of the application was made"),
    "matters.decision-made": ("生成决定书", "The decision was put on paper"),
    "matters.decision-fetched": ("下载决定书", "The decision was fetched"),
    "matters.decision-checked": ("核对决定书", "A decision on paper was checked"),
    "matters.delivery-chosen": ("选择结果领取方式", "How the result comes was chosen"),
    "matters.result-delivered": ("结果送达", "The result was delivered"),
    "matters.archive-read": ("工作人员查看办件档案", "A member of staff read the case's file"),
    "matters.branch-settled": (
        "共同审批的一个部门给出意见",
        "One of several departments has answered",
    ),
    "matters.branch-cancelled": ("共同审批的一个环节不再需要", "One of the departments is not needed any more"),
    "matters.promise-breached": ("承诺没有兑现，或者材料没有按时补交", "A promise was broken, or a file is overdue"),
    "matters.promise-read": ("工作人员查看您的承诺", "A member of staff looked at your promises"),
    "matters.promise-objected": ("对承诺未兑现提出异议", "You objected to a promise being called broken"),
    "matters.promise-reviewed": ("答复对承诺的异议", "The objection about a promise was answered"),
    "matters.text-read": ("工作人员查看您填写的文字", "A member of staff read what you wrote"),
    "matters.text-decided": ("工作人员核对您填写的文字", "A member of staff decided about what you wrote"),
    "matters.file-opened": ("查看上传的材料", "A given file was opened"),
    "matters.file-taken-back": ("撤回材料", "A file was taken back"),
    "matters.material-kept": ("保存材料供以后使用", "A material was kept for later"),
    "matters.material-forgotten": ("删除保存的材料", "A kept material was removed"),
    "matters.material-reused": ("再次使用保存的材料", "A kept material was used again"),
    "matters.file-given": ("上传材料", "File given"),
    "matters.material-demanded": ("请您补充材料", "Asked for what is missing"),
    "matters.submitted": ("提交申请", "Application submitted"),
    "matters.delivered": ("转交部门", "Handed to the department"),
    "matters.progressed": ("办理有进展", "The case moved on"),
    "matters.news-clashed": (
        "部门的消息前后不一致，工作人员会核实",
        "The department's news contradict each other; the operators will ask",
    ),
    "matters.decided": ("作出决定", "The case was decided"),
    "matters.case-read": ("工作人员查看办件", "A member of staff looked at the case"),
    "matters.form-opened": ("工作人员查看您填写的内容", "A member of staff opened what you filled in"),
    "matters.handled": ("工作人员办理您的申请", "A member of staff handled the case"),
    "matters.deemed-accepted": ("部门没有按时答复，依法视为受理", "Accepted by law: nobody answered in time"),
    "matters.delivery-settled": ("工作人员核实是否转交成功", "A member of staff settled the delivery"),
    "matters.supplemented": ("补充材料", "Material supplemented"),
    "matters.withdrawn": ("撤回申请", "Application withdrawn"),
    "matters.supplement-told": ("把补充材料转交部门", "What was missing was passed on to the department"),
    "matters.result-told": ("办理结果告知迁出地登记机关", "The register of the place you leave was told of the result"),
    "matters.withdrawal-told": ("通知部门撤回", "The department was told of the withdrawal"),
    "matters.rating-read": ("工作人员查看您的评价", "A member of staff read your rating"),
    "matters.rating-contacted": ("就您的评价与您联系", "You were spoken to about your rating"),
    "matters.rating-settled": ("您的评价已处理", "Your rating was followed up"),
    "matters.rated": ("评价", "Rated"),
    "matters.extension-asked": ("部门申请延长办理期限", "A longer limit was asked for"),
    "matters.extension-read": ("工作人员查看延期申请", "A member of staff read the request for a longer limit"),
    "matters.extension-decided": ("决定是否延长办理期限", "It was decided whether the limit is made longer"),
    "matters.card-given": ("办理期限预警", "A date is near or over"),
    "matters.order-given": ("督促部门办理", "The department was asked why it takes so long"),
    "matters.order-read": ("工作人员查看督办单", "A member of staff read a supervision order"),
    "matters.order-answered": ("部门说明超期原因", "The department said why it takes so long"),
    "matters.fault-recorded": ("记录无故超期", "It was written down that it is late without a reason"),
    "matters.fault-reviewed": ("核实超期记录", "A record of lateness was looked at"),
    "matters.progress-queried": ("凭查询码查询进度", "Progress asked for by code"),
}


class LedgerLineOut(Out):
    """One use of my data, or an attempt. Names of fields, never their values.

    `case` is the number of the case under which staff acted, or the id of the correction. `field_titles` are the words
    for `fields`, in the same order, and `outcome_title` the one for `outcome`.
    """

    id: UUID
    at: datetime
    actor: str
    actor_kind: str
    action: str
    what: str
    purpose: str
    case: str | None
    certificate: str | None
    certificate_title: str | None
    fields: list[str]
    field_titles: list[str]
    outcome: str
    outcome_title: str

    @classmethod
    def of(
        cls, line: LedgerLine, *, me: UUID, terms: Mapping[str, Term], names: Mapping[str, str], english: bool
    ) -> "LedgerLineOut":
        """Return a line in the words of the caller's language.

        `terms` are the words for what stands in it, `names` masked names of others who act, by id.
        """

        def said(code: str, *among: Mapping[str, Term]) -> str:
            term = next((each[code] for each in among if code in each), Term(code, code))
            return term.en if english else term.zh

        kinds = terms["object_kind"].inside
        # Only certificates have something inside.
        inside = kinds[line.object_kind].inside if line.object_kind in kinds else {}
        return cls(
            id=line.id,
            at=line.at,
            actor=_actor(line, me, names)[english],
            actor_kind=line.actor_kind,
            action=line.action,
            what=_what(line)[english],
            purpose=said(line.purpose, terms["purpose"].inside),
            case=line.object_id if line.object_kind in _CASES else None,
            certificate=line.object_kind if inside else None,
            certificate_title=said(line.object_kind, kinds) if inside else None,
            fields=list(line.field_names),
            field_titles=[said(name, inside, terms["fields"].inside) for name in line.field_names],
            outcome=line.outcome,
            outcome_title=said(line.outcome, terms["outcome"].inside),
        )


def _what(line: LedgerLine) -> tuple[str, str]:
    words = _ACTIONS.get(line.action, (line.action, line.action))
    if line.object_kind == "consent":
        text = next((text for text in TEXTS if text.code == line.object_id), None)
        return words if text is None else (f"{words[0]}：{text.title.zh}", f"{words[1]}: {text.title.en}")
    if line.object_kind != ASKED:
        return words
    asked = [_DEPARTMENTS.get(slug, (slug, slug)) for slug in line.object_id.split(",")]
    chinese, english = "、".join(each[0] for each in asked), ", ".join(each[1] for each in asked)
    return f"{words[0]}：{chinese}", f"{words[1]}: {english}"


def _actor(line: LedgerLine, me: UUID, names: Mapping[str, str]) -> tuple[str, str]:
    if line.actor_kind == "citizen" and line.actor_id == str(me):
        return _YOURSELF
    if _is_by_another(line, me):
        who = _ACTORS["citizen"] if line.on_behalf_of is not None else _RELATIVE
        name = names.get(line.actor_id, "")
        return (f"{who[0]}（{name}）", f"{who[1]} ({name})") if name else who
    if line.action in _FROM_ANOTHER_ACCOUNT or line.purpose == Purpose.ACCOUNT_TAKEOVER:
        return _ANOTHER_ACCOUNT
    if line.actor_kind == "nobody" and line.action == "certificates.verified":
        return _STRANGER
    if line.actor_kind == _VERIFIER and line.actor_id in names:
        name = names[line.actor_id]
        return f"{_ACTORS[_VERIFIER][0]}（{name}）", f"{_ACTORS[_VERIFIER][1]} ({name})"
    if line.actor_kind == "department" and line.actor_id in _DEPARTMENTS:
        return _DEPARTMENTS[line.actor_id]
    return _ACTORS.get(line.actor_kind, (line.actor_kind, line.actor_kind))


def action_words() -> dict[str, str]:
    """Return what residents read of each action, in Chinese."""
    return {action: words[0] for action, words in _ACTIONS.items()}


def purpose_words() -> Mapping[str, tuple[str, str]]:
    """Return what residents read of each purpose of the service's own, in Chinese and in English."""
    return _PURPOSES


def _is_by_another(line: LedgerLine, me: UUID) -> bool:
    """Tell whether somebody whom the reader knows acted: under a mandate, or as their relative."""
    if line.actor_kind != "citizen" or line.actor_id == str(me):
        return False
    return line.on_behalf_of is not None or line.action.startswith(_BETWEEN_RELATIVES)


async def lines_out(request: Request, lines: Sequence[LedgerLine]) -> list[LedgerLineOut]:
    """Return lines of the caller's ledger in the words of their language."""
    me = request.ctx.caller.citizen_id
    names = await _names(request, lines, me)
    terms, english = await request.app.ctx.services.ledger_terms.terms_of(lines), request.ctx.english
    return [LedgerLineOut.of(line, me=me, terms=terms, names=names, english=english) for line in lines]


async def _names(request: Request, lines: Sequence[LedgerLine], me: UUID) -> dict[str, str]:
    """Return the names of the others who act in these lines, people's masked; those not known any more are left out."""
    found = {}
    for actor_id in {line.actor_id for line in lines if line.actor_kind == _VERIFIER}:
        name = await request.app.ctx.services.certificates.verifiers.name_of(UUID(actor_id))
        if name is not None:
            found[actor_id] = name
    for actor_id in {line.actor_id for line in lines if _is_by_another(line, me)}:
        with suppress(LevelTooLow):
            found[actor_id] = (
                await request.app.ctx.services.realname.person_of(UUID(actor_id), ReadPurpose.LEDGER)
            ).name.masked()
    return found


@routes.get(
    "/ledger",
    access=citizen(Level.REAL_NAME, delegable=Delegable.PERSON, organisations=True),
    answer=Page[LedgerLineOut],
)
async def list_lines(request: Request, query: PageQuery) -> Answer:
    """List who used my data, newest first, attempts included."""
    me = request.ctx.caller.citizen_id
    lines = await lines_of(me, before=decode_place(query.cursor), limit=query.limit + 1)
    page = lines[: query.limit]
    return Answer(
        Page[LedgerLineOut](
            items=await lines_out(request, page),
            next_cursor=encode_place(page[-1].at, page[-1].id) if len(lines) > len(page) else None,
        )
    )
