"""What stands on a submission's copy, in words: pure functions of what was submitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.clock import CHINA
from matters.catalogue.types import Published, Way
from matters.types import AttachmentView, MaterialLine

_CHANNELS: Final = {"mobile": "手机", "counter": "窗口（工作人员代为操作，本人已确认）"}
_WAYS: Final[Mapping[str, str]] = {
    Way.SHARED: "部门共享，免交",
    Way.VERIFIED: "在线核验，免交",
    Way.ALREADY_GIVEN: "以前交过，免交",
    Way.CERTIFICATE: "电子证照，免交",
    Way.PROMISE: "告知承诺，免交",
    Way.UPLOAD: "上传",
}


@dataclass(frozen=True, slots=True, repr=False)
class Submitted:
    """What was submitted: the form with its sources as it went out, and what went along."""

    published: Published
    number: str
    submitted_at: datetime
    channel: str
    form: Mapping[str, object]
    sources: Mapping[str, Mapping[str, str]]
    materials: Sequence[MaterialLine]
    files: Sequence[AttachmentView]


def content_of(submitted: Submitted, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy's content for its layout. `kinds` are the titles of the kinds of certificates."""
    matter = submitted.published.matter
    titles = {material.code: material.title.zh for material in matter.materials}
    return {
        "title": matter.title.zh,
        "number": submitted.number,
        "head": [
            ["办件编号", submitted.number],
            ["办理部门", submitted.published.department.name.zh],
            ["提交时间（北京时间）", _moment(submitted.submitted_at)],
            ["提交方式", _CHANNELS.get(submitted.channel, submitted.channel)],
            ["咨询电话", matter.enquiry_phone],
        ],
        "sections": [
            {"title": "填写的内容", "rows": _answers(submitted, kinds)},
            {"title": "材料", "rows": [_material(line) for line in submitted.materials]},
            {"title": "上传的文件", "rows": [_file(file, titles) for file in submitted.files]},
            {"title": "承诺", "rows": [_promise(line) for line in submitted.materials if line.way == Way.PROMISE]},
        ],
    }


def _answers(submitted: Submitted, kinds: Mapping[str, str]) -> list[list[str]]:
    properties: Mapping[str, Any] = submitted.published.matter.form["properties"]
    return [
        [
            str(rule.get("title", name)),
            _value(submitted.form[name]),
            _source(submitted.sources.get(name), kinds),
        ]
        for name, rule in properties.items()
        if name in submitted.form
    ]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_value(each) for each in value)
    return str(value)


def _source(source: Mapping[str, str] | None, kinds: Mapping[str, str]) -> str:
    if source is None:
        return "来源：申请人填写"
    told = source["source"]
    if told == "real-name":
        return "来源：实名信息"
    if told == "computed":
        return "来源：系统按填写的内容计算"
    kind = told.removeprefix("certificate:")
    at = f"，{_moment(datetime.fromisoformat(source['as_of']))} 的记录" if "as_of" in source else ""
    return f"来源：{kinds.get(kind, kind)}{at}"


def _material(line: MaterialLine) -> list[str]:
    return [line.title.zh, _WAYS.get(line.way, line.way), line.reason.zh]


def _promise(line: MaterialLine) -> list[str]:
    return [line.title.zh, "申请人提交时承诺所述情况属实", line.reason.zh]


def _file(file: AttachmentView, titles: Mapping[str, str]) -> list[str]:
    return [titles.get(file.material, file.material), f"{file.media_type}，{file.size} 字节", f"SHA-256：{file.sha256}"]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"
