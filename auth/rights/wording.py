"""How a row of an export reads on paper: its names and codes in Chinese, its moments in the time of China. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from core.clock import CHINA

_LONGEST: Final = 2000
_NO_TERMS: Final[Mapping[str, Mapping[str, Any]]] = {}

# What residents read of names that many parts share; what is not here stands as in the JSON.
_LABELS: Final[Mapping[str, str]] = {
    "id": "编号", "name": "姓名", "id_number": "公民身份号码", "mobile": "手机号", "state": "状态", "number": "号码",
    "created_at": "建立时间", "identified_at": "实名时间", "bound_at": "绑定时间", "mark": "标记", "level": "可信等级",
    "last_used_at": "最近使用", "expires_at": "到期时间", "ended_at": "结束时间", "end_reason": "结束原因",
    "purpose": "用途", "version": "版本", "given_at": "同意时间", "withdrawn_at": "撤回时间", "channel": "渠道",
    "text_hash": "文本摘要", "started_at": "开始时间", "decided_at": "结果时间", "outcome": "结果", "reason": "原因",
    "kind": "种类", "issuer": "签发机关", "valid_until": "有效期至", "fields": "内容项", "fetched_at": "获取时间",
    "identifier": "证照标识", "matter": "事项代码", "matter_title": "事项", "department": "部门", "form": "表单",
    "sources": "来源",
    "submitted_at": "提交时间", "due_at": "应办结时间", "history": "办理过程", "delivery": "送达", "ratings": "评价",
    "material": "材料", "bytes": "字节数", "media_type": "文件类型", "at": "时间", "actor": "操作人", "action": "操作",
    "object_kind": "对象", "object_id": "对象编号", "about": "关于", "text": "内容", "answer": "答复",
    "requested_at": "申请时间", "ready_at": "生成时间", "downloads": "下载次数", "closes_at": "注销时间",
    "answered_at": "答复时间", "consent": "同意文本", "elder": "长辈模式", "elder_chosen": "自选长辈模式",
    "matter_version": "事项版本", "department_news": "部门消息", "stale_since": "未能更新始于", "by": "操作人",
    "actions": "动作", "engine": "核验引擎", "model": "核验模型", "picture_marks": "照片摘要数", "event": "事件",
    "topic": "类别", "urgency": "缓急", "read_at": "阅读时间", "words": "用词", "ways": "送达方式", "wanted": "接收",
    "changed_at": "更改时间", "agreed_at": "同意时间", "whose": "谁的通知", "account_id": "微信账户编号",
    "template": "消息模板", "remaining": "剩余次数", "standing": "长期订阅", "what": "记录", "relation": "关系",
    "basis": "依据", "asked_at": "提出时间", "confirmed_at": "确认时间", "asked_by": "提出人", "other_name": "对方",
    "principal_kind": "委托方", "offered_at": "发出时间", "accepted_at": "接受时间", "ends_at": "截止时间",
    "checked_at": "核对时间", "role": "我的身份", "organisation": "单位", "certificates": "证照范围",
    "matters": "事项范围", "one_time": "仅限一次", "method": "方式", "tries": "已试次数", "pseudonym": "网号",
    "effective_at": "生效时间", "side": "我的身份", "source": "来源", "until": "截止日期", "granted_at": "加入时间",
    "group": "人群", "device_hash": "设备标记", "generation": "续期次数", "by_officer": "工作人员代办",
    "given_by": "代为同意的监护人", "request_id": "请求编号", "recheck": "复核结果", "actor_kind": "操作人类别",
    "action_title": "操作", "step": "环节", "note": "说明", "result": "结果内容", "data": "附加数据",
    "sent_at": "发出时间", "settled_at": "结束时间", "failures": "失败次数", "receipt_number": "回执号",
    "event_id": "消息编号", "sequence": "序号", "received_at": "收到时间", "as_of": "截至",
    "certificate_id": "证照编号",
    "application_id": "办件编号", "claims": "出示结论", "used_at": "使用时间", "reasons": "理由",
    "extensions": "延期申请", "deadline_cards": "期限预警", "supervision": "督办", "accountability": "问责记录",
}  # fmt: skip

# Codes that are the same word wherever they stand; others are read under their names in the JSON.
_CODES: Final[Mapping[str, str]] = {
    "self": "本人", "other": "对方", "not-logged-in": "未登录", "citizen": "公民", "operator": "工作人员",
    "system": "系统", "department": "部门", "verifier": "用证单位", "nobody": "未登录的人", "agent": "代办人",
    "principal": "委托人", "holder": "账户持有人", "claimant": "申请人", "mine": "我的", "of-family": "家人的",
    "family": "家人", "active": "有效", "open": "进行中", "waiting": "等待中", "done": "已完成", "passed": "通过",
    "failed": "未通过", "ok": "成功", "draft": "草稿", "submitted": "已提交", "withdrawn": "已撤回", "ended": "已结束",
    "confirmed": "已确认", "offered": "待接受", "revoked": "已解除", "refused": "已拒绝", "used": "已使用",
    "requested": "准备中", "ready": "可下载", "corrected": "已更正", "given": "已同意", "pending": "待送达",
    "sent": "已发出", "delivered": "已送达", "stopped": "已停止", "closed": "已注销", "taken_back": "已撤销",
    "online": "线上", "counter": "窗口", "face": "刷脸", "sms": "短信", "wechat": "微信", "linked": "微信登录",
    "real_name": "实名", "present": "本人在场", "step-up": "提升可信等级", "login": "登录", "bank-card": "银行卡",
    "payment-password": "支付密码", "network-id": "网络身份", "real-name": "实名核验", "delegation": "亲友代办",
    "register": "登记机关", "both": "双方确认", "created": "已建立", "progress": "办理进度", "security": "账户安全",
    "urgent": "紧急", "usual": "一般", "low": "不急", "guardian": "监护人", "representative": "法定代表人",
    "organisation": "单位", "identity": "身份信息", "mobile": "手机号", "certificate": "证照", "application": "办件",
    "agrees": "一致", "differs": "不一致", "parent": "父母", "child": "子女", "spouse": "配偶",
    "public-security": "公安部门", "human-resources": "人力资源和社会保障部门", "education": "教育部门",
    "real-estate": "不动产登记部门", "accepted": "已接受", "rejected": "已拒绝", "exhausted": "已用完",
}  # fmt: skip
_CODED: Final = frozenset(
    {
        "state", "outcome", "by", "role", "side", "whose", "asked_by", "actor", "actor_kind", "channel", "level",
        "purpose", "method", "basis", "topic", "urgency", "kind", "principal_kind", "about", "recheck", "step",
        "department", "what", "template",
    }
)  # fmt: skip


Terms: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What a section's own names and codes are called, as its JSON has them: `{"zh", "en", "inside"}` by name."""


def lines_of(row: Mapping[str, object], terms: Terms = _NO_TERMS, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the lines of a row: how far each is indented, and its words. What says nothing is left out.

    `terms` come before the words that all sections share. A code in the row (the kind of a certificate) brings the
    terms of what is inside the row. Of an action its title is read.
    """
    within = {**terms, **_brought_by(row, terms)}
    for name, value in row.items():
        if value is None or value in ("", [], {}) or (name == "action" and "action_title" in row):
            continue
        label = _zh(terms.get(name)) or _LABELS.get(name, name)
        if isinstance(value, Mapping):
            yield depth, f"{label}："
            yield from lines_of(value, within, depth + 1)
        elif isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
            for place, each in enumerate(value, 1):
                yield depth, f"{label} {place}："
                yield from lines_of(each, {**within, **_inside(terms.get(name))}, depth + 1)
        elif isinstance(value, list):
            yield (
                depth,
                f"{label}：{'、'.join(_zh(within.get(str(each))) or _word(name, each, terms) for each in value)}",
            )
        else:
            # The value of `field` is the name of something inside.
            word = _zh(within.get(str(value))) if name == "field" else ""
            yield depth, f"{label}：{word or _word(name, value, terms)}"


def _brought_by(row: Mapping[str, object], terms: Terms) -> Terms:
    found: dict[str, Mapping[str, Any]] = {}
    for name, value in row.items():
        if isinstance(value, str):
            found |= _inside(_inside(terms.get(name)).get(value))
    return found


def _inside(term: Mapping[str, Any] | None) -> Terms:
    return _NO_TERMS if term is None else term.get("inside", _NO_TERMS)


def _zh(term: Mapping[str, Any] | None) -> str:
    return "" if term is None else str(term["zh"])


def moment(text: str) -> str:
    """Return a moment of the JSON in the time of China; what is none stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if found.tzinfo is None else f"{found.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def _word(name: str, value: object, terms: Terms) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    text = str(value)
    if word := _zh(_inside(terms.get(name)).get(text)):
        return word
    if name in _CODED:
        return _CODES.get(text, text)
    if name in {"at", "as_of", "stale_since", "valid_until"} or name.endswith(("_at", "_since")):
        return moment(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
