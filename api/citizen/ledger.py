"""The ledger: who used my data, when, for what, and who only tried."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from api.access import Delegable, citizen
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from auth.errors import LevelTooLow
from auth.types import Level, ReadPurpose
from certificates.definitions import Kinds
from core.audit.ledger import LedgerLine, lines_of
from face.types import Purpose
from matters.applications.eligibility import ASKED

routes = Routes(prefix="/v1/citizen", tag="ledger")

_ACTORS: Final[Mapping[str, tuple[str, str]]] = {
    "citizen": ("代办人", "Somebody acting for you"),
    "operator": ("工作人员", "A member of staff"),
    "verifier": ("用证单位", "A registered verifier"),
    "department": ("部门", "A department"),
    "system": ("系统自动处理", "The system itself"),
    "nobody": ("未登录的人", "Somebody not logged in"),
}
_STRANGER: Final = ("未登记的查验者", "A verifier who is not registered")
_ANOTHER_ACCOUNT: Final = ("另一个账户", "Another account")
_FROM_ANOTHER_ACCOUNT: Final = frozenset({"auth.identity-tried", "auth.takeover-asked", "auth.takeover-stopped"})
_YOURSELF: Final = ("您本人", "Yourself")
_RELATIVE: Final = ("亲友", "A relative")
_BETWEEN_RELATIVES: Final = ("auth.relative-", "auth.mandate-", "auth.guardian-", "auth.identity-bound")
_DEPARTMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "public-security": ("公安部门", "Public security"),
    "human-resources": ("人力资源和社会保障部门", "Human resources and social security"),
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
    "auth.resident-looked-up": ("工作人员查看您的资料（已遮盖）", "A member of staff looked you up, masked"),
    "auth.person-read": ("查看您的身份信息", "Your name and number were read"),
    "auth.export-requested": ("申请导出我的个人信息", "My data asked for"),
    "auth.export-built": ("生成个人信息导出文件", "The export of my data was made"),
    "auth.export-fetched": ("下载个人信息导出文件", "My data were fetched"),
    "auth.correction-asked": ("申请更正", "A correction was asked for"),
    "auth.correction-read": ("查看更正申请", "The correction was read"),
    "auth.correction-answered": ("答复更正申请", "The correction was answered"),
    "auth.closure-requested": ("申请注销账户", "Closing the account was asked for"),
    "auth.closure-taken-back": ("撤销注销申请", "Closing the account was taken back"),
    "auth.account-closed": ("账户已注销", "The account was closed"),
    "auth.remains-erased": ("清除到期的保留信息", "What was kept and due was erased"),
    "face.check-started": ("开始人脸核验", "Face check begun"),
    "face.check-passed": ("人脸核验通过", "Face check passed"),
    "face.check-failed": ("人脸核验未通过", "Face check not passed"),
    "face.check-closed": ("人脸核验未完成", "Face check not completed"),
    "face.evidence-replayed": ("人脸核验提交了用过的照片", "Used pictures were handed in for a face check"),
    "certificates.fetched": ("领取或更新证照", "Certificate fetched or refreshed"),
    "certificates.opened": ("查看证照内容", "Certificate read"),
    "certificates.shown": ("出示证照", "Certificate shown"),
    "certificates.verified": ("查验证照", "Certificate checked"),
    "auth.relative-asked": ("添加亲友", "Relative named"),
    "auth.relative-confirmed": ("确认亲友关系", "Relative confirmed"),
    "auth.relative-ended": ("解除亲友关系", "Tie to a relative ended"),
    "auth.guardian-named": ("登记监护人代办", "Guardian may act"),
    "auth.representative-named": ("登记法定代表人", "Legal representative may act"),
    "auth.mandate-offered": ("发出代办授权", "Mandate offered"),
    "auth.mandate-accepted": ("接受代办授权", "Mandate accepted"),
    "auth.mandate-refused": ("谢绝代办授权", "Mandate refused"),
    "auth.mandate-revoked": ("解除代办授权", "Mandate revoked"),
    "auth.mandate-ended": ("代办授权终止", "Mandate ended"),
    "matters.checked": ("核对办理条件", "Conditions checked"),
    "matters.drafted": ("填写申请", "Application drafted"),
    "matters.file-given": ("上传材料", "File given"),
    "matters.submitted": ("提交申请", "Application submitted"),
    "matters.delivered": ("转交部门", "Handed to the department"),
    "matters.progressed": ("办理有进展", "The case moved on"),
    "matters.news-clashed": (
        "部门的消息前后不一致，工作人员会核实",
        "The department's news contradict each other; the operators will ask",
    ),
    "matters.decided": ("作出决定", "The case was decided"),
    "matters.supplemented": ("补充材料", "Material supplemented"),
    "matters.withdrawn": ("撤回申请", "Application withdrawn"),
    "matters.rated": ("评价", "Rated"),
    "matters.progress-queried": ("凭查询码查询进度", "Progress asked for by code"),
}


class LedgerLineOut(Out):
    """One use of my data, or an attempt. Names of fields, never their values."""

    id: UUID
    at: datetime
    actor: str
    actor_kind: str
    action: str
    what: str
    purpose: str
    certificate: str | None
    certificate_title: str | None
    fields: list[str]
    outcome: str

    @classmethod
    def of(
        cls, line: LedgerLine, *, me: UUID, kinds: Kinds, names: Mapping[str, str], english: bool
    ) -> "LedgerLineOut":
        """Return a line in the words of the caller's language; `names` are masked names of others who act, by id."""
        kind = kinds.find(line.object_kind)
        return cls(
            id=line.id,
            at=line.at,
            actor=_actor(line, me, names)[english],
            actor_kind=line.actor_kind,
            action=line.action,
            what=_what(line)[english],
            purpose=line.purpose,
            certificate=None if kind is None else kind.slug,
            certificate_title=None if kind is None else kind.title_en if english else kind.title,
            fields=list(line.field_names),
            outcome=line.outcome,
        )


def _what(line: LedgerLine) -> tuple[str, str]:
    words = _ACTIONS.get(line.action, (line.action, line.action))
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
    if line.actor_kind == "department" and line.actor_id in _DEPARTMENTS:
        return _DEPARTMENTS[line.actor_id]
    return _ACTORS.get(line.actor_kind, (line.actor_kind, line.actor_kind))


def action_words() -> dict[str, str]:
    """Return what residents read of each action, in Chinese."""
    return {action: words[0] for action, words in _ACTIONS.items()}


def _is_by_another(line: LedgerLine, me: UUID) -> bool:
    """Tell whether somebody whom the reader knows acted: under a mandate, or as their relative."""
    if line.actor_kind != "citizen" or line.actor_id == str(me):
        return False
    return line.on_behalf_of is not None or line.action.startswith(_BETWEEN_RELATIVES)


async def _names(request: Request, lines: Sequence[LedgerLine], me: UUID) -> dict[str, str]:
    """Return the masked names of the others who act in these lines; those not known any more are left out."""
    found = {}
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
    names = await _names(request, page, me)
    kinds, english = request.app.ctx.services.wallet.kinds, request.ctx.english
    return Answer(
        Page[LedgerLineOut](
            items=[LedgerLineOut.of(line, me=me, kinds=kinds, names=names, english=english) for line in page],
            next_cursor=encode_place(page[-1].at, page[-1].id) if len(lines) > len(page) else None,
        )
    )
