"""What stands on a decision, in words: a pure function of what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.clock import CHINA
from matters.catalogue.types import Published
from matters.types import Branch, Result, State

_LICENCE: Final = "01"
_TITLES: Final[Mapping[State, str]] = {
    State.APPROVED: "准予{power}决定书",
    State.REJECTED: "不予{power}决定书",
    State.NOT_ACCEPTED: "不予受理决定书",
}
_SENTENCES: Final[Mapping[State, str]] = {
    State.APPROVED: "您提出的“{title}”申请，经审查符合规定的条件，决定予以准许。",
    State.REJECTED: "您提出的“{title}”申请，经审查不符合规定的条件，决定不予准许。",
    State.NOT_ACCEPTED: "您提出的“{title}”申请，决定不予受理。",
}
# Administrative Licensing Law, article 38; Administrative Reconsideration Law, article 20; Administrative Litigation
# Law, article 46.
_REMEDIES: Final = (
    "如对本决定不服，可以自收到之日起六十日内依法申请行政复议，或者在六个月内依法向人民法院提起行政诉讼。"
)
_OUTCOMES: Final[Mapping[str, str]] = {
    "passed": "通过",
    "failed": "不通过",
    "unclear": "无法判定",
    "unavailable": "没有答复",
    "approved": "同意",
    "rejected": "不同意",
    "cancelled": "不再需要",
    "pending": "没有答复",
}
# What departments give with a decision, as their pages name it (`docs/departments/`); another name stands as it came.
_DETAILS: Final[Mapping[str, str]] = {
    "document_number": "文件编号",
    "endorsed_until": "签注有效期至",
    "issued_on": "签发日期",
    "next_due_on": "下次认证截止日期",
    "valid_until": "有效期至",
}


@dataclass(frozen=True, slots=True, repr=False)
class Decided:
    """What a paper tells: the case, its decision, and how it was come to. `applicant` is empty once nobody knows."""

    published: Published
    number: str
    application: str
    applicant: str
    submitted_at: datetime
    result: Result
    branches: Sequence[Branch]
    facts_digest: str = ""


def title_of(decided: Decided) -> str:
    """Return what such a paper is called."""
    power = "行政许可" if decided.published.matter.kind_of_power == _LICENCE else "办理"
    return _TITLES[decided.result.outcome].format(power=power)


def content_of(decided: Decided, code: str) -> dict[str, Any]:
    """Return a decision's content for its layout; `code` is what the paper is checked by."""
    matter, result = decided.published.matter, decided.result
    sections = [
        {"title": "决定", "lines": [_SENTENCES[result.outcome].format(title=matter.title.zh)]},
        {"title": "理由", "lines": [result.text] if result.reason else []},
        {"title": "部门给出的结果", "lines": [f"{name}：{_value(value)}" for name, value in _details(result)]},
        {"title": "各部门意见", "lines": _parts(decided)},
        {"title": "依据", "lines": [basis.zh for basis in matter.basis]},
        {"title": "权利告知", "lines": [] if result.outcome is State.APPROVED else [_REMEDIES]},
    ]
    return {
        "title": title_of(decided),
        "number": decided.number,
        "code": code,
        "notice": decided.published.notice.zh if decided.published.demonstration else "",
        "head": [
            ["文书编号", decided.number],
            ["申请人", decided.applicant or "（账户已注销）"],
            ["事项", matter.title.zh],
            ["办件编号", decided.application],
            ["提交时间（北京时间）", _moment(decided.submitted_at)],
            *([["判定规则版本", result.rule_version]] if result.rule_version else []),
            *([["判定事实摘要", decided.facts_digest]] if decided.facts_digest else []),
        ],
        "sections": [section for section in sections if section["lines"]],
        "by": decided.published.department.name.zh,
        "at": f"{result.at.astimezone(CHINA):%Y年%m月%d日}",
    }


def _details(result: Result) -> list[tuple[str, object]]:
    return (
        [] if result.details is None else [(_DETAILS.get(name, name), value) for name, value in result.details.items()]
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)


def _parts(decided: Decided) -> list[str]:
    matter = decided.published.matter
    together = () if matter.parallel is None else matter.parallel.branches
    titles = {check.name: check.title.zh for check in matter.checks}
    titles |= {branch.name: branch.title.zh for branch in together}
    return [
        f"{titles.get(branch.check, branch.check)}：{_OUTCOMES.get(branch.outcome, branch.outcome)}"
        for branch in decided.branches
    ]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"
