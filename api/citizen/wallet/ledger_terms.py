"""What the codes in a ledger are called: purposes, kinds of certificates with their fields and claims, outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from auth.registers.purposes import USUAL
from auth.types import Term
from certificates.definitions import Kinds
from certificates.ports import Verifiers
from certificates.wording import OUTCOMES as OF_CERTIFICATES
from certificates.wording import kind_terms
from core.audit.actors import ActorKind
from core.audit.ledger import LedgerLine

_OUTCOMES: Final[Mapping[str, Term]] = {
    **OF_CERTIFICATES,
    "refused": Term("未获准", "Refused"),
    "session-ended": Term("登录已结束", "The session had ended"),
    "linked": Term("微信登录", "Logged in by WeChat"),
    "real_name": Term("实名", "Real name"),
    "present": Term("本人在场", "Present"),
    "json": Term("JSON 文件", "As JSON"),
    "pdf": Term("PDF 文件", "As PDF"),
    "own-wish": Term("本人要求", "At your own wish"),
    "mismatch": Term("不一致", "They do not agree"),
    "match": Term("一致", "They agree"),
    "wrong-code": Term("查询密码不对", "The code was wrong"),
    "not-representative": Term("与登记信息不符", "Not what the register says"),
    "on": Term("开启", "On"),
    "off": Term("关闭", "Off"),
    "sent": Term("已提供", "Told"),
    "conflict": Term("前后不一致", "Contradictory"),
    "wechat": Term("微信", "WeChat"),
    "sms": Term("短信", "SMS"),
    "open": Term("等待答复", "Waiting for an answer"),
    "in-order": Term("经查没有问题", "Found to be in order"),
    "misuse": Term("确认被冒用", "Found to be misuse"),
    "erased": Term("已删除", "Erased"),
    "kept-by-law": Term("按法律规定保留", "Kept because a law says so"),
    "adult": Term("已成年", "Of age"),
    "minor": Term("未成年", "A minor"),
    "none": Term("无", "None"),
    "draft": Term("草稿", "Draft"),
    "submitted": Term("已提交", "Submitted"),
    "pre_review": Term("预审中", "Looked through"),
    "supplement_requested": Term("待补正", "A supplement is asked for"),
    "accepted": Term("已受理", "Accepted"),
    "not_accepted": Term("不予受理", "Not accepted"),
    "in_review": Term("审查中", "Under review"),
    "suspended": Term("已中止", "Suspended"),
    "approved": Term("已批准", "Approved"),
    "rejected": Term("不予批准", "Rejected"),
    "delivered": Term("已送达", "Delivered"),
    "closed": Term("已办结", "Closed"),
    "withdrawn": Term("已撤回", "Withdrawn"),
    "terminated": Term("已终止", "Terminated"),
    "resumed": Term("已恢复", "Gone on"),
    "moved": Term("已转交其他部门", "Moved to another department"),
    "arrived": Term("部门已收到", "It had arrived"),
    "did-not-arrive": Term("部门没有收到，重新转交", "It had not arrived and is sent again"),
    "resent": Term("重新转交", "Sent again"),
    "told": Term("已另行告知部门", "The department was told by another way"),
    "declined": Term("部门没有接收", "The department did not take it"),
    "no_face": Term("没有看到人脸", "No face was seen"),
    "several_faces": Term("画面里不止一个人", "More than one face was seen"),
    "too_dark": Term("光线太暗", "Too dark"),
    "too_bright": Term("光线太亮", "Too bright"),
    "blurred": Term("画面模糊", "Blurred"),
    "face_too_small": Term("离得太远", "The face was too small"),
    "out_of_frame": Term("脸不在画面里", "The face was out of the frame"),
    "pose": Term("姿势不对", "The pose was wrong"),
    "action_missed": Term("动作没有做到", "An action was missed"),
    "person_changed": Term("中途换了人", "The person changed"),
    "not_passed": Term("未通过", "Not passed"),
    "no_portrait": Term("没有可比对的证件照", "There is no portrait to compare with"),
    "poor_picture": Term("照片不清楚", "The picture was not good enough"),
    "timed_out": Term("超时", "It took too long"),
    "cancelled": Term("本人取消", "Cancelled"),
    "camera_denied": Term("没有相机权限", "The camera was not allowed"),
    "device_unfit": Term("手机不支持", "The phone cannot do it"),
    "connection_lost": Term("网络中断", "The connection broke"),
    "too_often": Term("次数过多", "Too often"),
    "overtime": Term("处理超时", "It took too long"),
    "given_up": Term("没有完成", "Not completed"),
    "code_wrong": Term("验证码不对", "The code was wrong"),
    "no_codes_left": Term("验证码已用完", "No codes are left"),
    "unavailable": Term("对方系统没有回应", "The other side did not answer"),
}
_FIELDS: Final[Mapping[str, Term]] = {
    "name": Term("姓名", "Name"),
    "id_number": Term("公民身份号码", "Citizen number"),
    "mobile": Term("手机号", "Mobile number"),
    "birth_on": Term("出生日期", "Date of birth"),
    "state": Term("状态", "State"),
    "valid_until": Term("有效期至", "Valid until"),
    "colour": Term("是否异常", "Whether something stands against it"),
    "text": Term("内容", "Content"),
    "portrait": Term("照片", "Portrait"),
    "openid": Term("微信账户", "WeChat account"),
}
# What lines are about beside certificates.
_OBJECTS: Final[Mapping[str, Term]] = {
    "application": Term("办件", "An application"),
    "audit": Term("使用记录", "Lines of the ledger"),
    "case": Term("办件", "A case"),
    "closure": Term("注销申请", "A closing"),
    "consent": Term("同意", "A consent"),
    "correction": Term("更正申请", "A correction"),
    "counter-check": Term("窗口核对", "A check at a counter"),
    "departments": Term("部门", "Departments"),
    "export": Term("导出文件", "An export"),
    "face-check": Term("人脸核验", "A face check"),
    "ledger-report": Term("对记录的反映", "A report on a line"),
    "mandate": Term("代办授权", "A mandate"),
    "notice": Term("通知", "A notice"),
    "notice-copy": Term("家人接收通知", "Family that is told too"),
    "organisation": Term("单位", "An organisation"),
    "relative": Term("亲友", "A relative"),
    "resident": Term("个人资料", "Your data"),
    "session": Term("登录", "A session"),
    "takeover": Term("更换微信的申请", "A takeover"),
    "way-check": Term("身份核验", "An identity check"),
    "wechat-account": Term("微信账户", "A WeChat account"),
}


class LedgerTerms:
    """Knows the words for the codes in lines of a ledger, in both languages. What people wrote themselves has none."""

    def __init__(self, *, kinds: Kinds, verifiers: Verifiers, purposes: Mapping[str, tuple[str, str]]) -> None:
        """Build it; `purposes` are those of the service itself."""
        self._kinds = kinds
        self._verifiers = verifiers
        self._purposes = {code: Term(*words) for code, words in purposes.items()}

    async def terms_of(self, lines: Sequence[LedgerLine]) -> dict[str, Term]:
        """Return the words of what stands in these lines, under the names of the columns.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        used = [(line.object_kind, line.field_names) for line in lines]
        objects = [line.object_kind for line in lines]
        return {
            "purpose": Term("用途", "Purpose", await self._purposes_of(lines)),
            "object_kind": Term("对象", "What it was", {**_used(_OBJECTS, objects), **kind_terms(self._kinds, used)}),
            "outcome": Term("结果", "Outcome", _used(_OUTCOMES, (line.outcome for line in lines))),
            "fields": Term("内容项", "Fields", _used(_FIELDS, (name for line in lines for name in line.field_names))),
        }

    async def _purposes_of(self, lines: Sequence[LedgerLine]) -> dict[str, Term]:
        known = {**USUAL, **self._purposes}
        if any(line.purpose and line.purpose.isascii() and line.purpose not in self._purposes for line in lines):
            registered = await self._verifiers.purposes()
            # Two verifiers may call one code differently: whoever acts here is the one to go by.
            acting = {line.actor_id for line in lines if line.actor_kind == ActorKind.VERIFIER}
            for verifier_id in sorted(registered, key=lambda each: str(each) in acting):
                known |= registered[verifier_id]
            known |= self._purposes
        return _used(known, (line.purpose for line in lines))


def _used(terms: Mapping[str, Term], codes: Iterable[str]) -> dict[str, Term]:
    return {code: terms[code] for code in dict.fromkeys(codes) if code in terms}
