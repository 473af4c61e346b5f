"""What must hold of a published matter: codes, vocabularies (GB/T 39046), and the lint rules of practice."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from matters.catalogue.types import CatalogueFile, GuideMaterial, Handling, Material, MaterialWay, Matter, Way

# GB 32100: no I, O, S, V, Z.
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_LENGTH: Final = 18

POWERS: Final[Mapping[str, str]] = {
    "01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查",
    "07": "行政确认", "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
}  # fmt: skip
LEVELS: Final[Mapping[str, str]] = {
    "1": "国家", "2": "省", "3": "市", "4": "县", "5": "镇(乡、街道)", "6": "村(社区)", "7": "分级管理",
}  # fmt: skip
SUBJECTS: Final[Mapping[str, str]] = {"1": "法定机关", "2": "授权组织", "3": "受委托组织", "9": "其他"}
SERVES: Final[Mapping[str, str]] = {
    "1": "自然人", "2": "企业法人", "3": "事业法人", "4": "社会组织法人", "5": "行政机关", "6": "其他组织",
}  # fmt: skip
CHANNELS: Final[Mapping[str, str]] = {"1": "窗口", "2": "电脑网上", "3": "移动网上", "4": "快递", "9": "其他"}
CASE_KINDS: Final[Mapping[str, str]] = {"1": "即办件", "2": "承诺件", "9": "其他"}
DEPTHS: Final[Mapping[str, str]] = {"I": "信息发布", "II": "网上咨询", "III": "网上申报", "IV": "全程网办"}
RANGES: Final = frozenset({"全国", "跨省", "全省", "全市", "全县"})
NECESSITIES: Final[Mapping[str, str]] = {"1": "必要", "2": "非必要", "3": "容缺后补"}
_APPLICANT_LEVELS: Final = frozenset({"linked", "real_name", "present"})
_ONLINE: Final = frozenset({"2", "3"})
_OPERATORS: Final = frozenset({"is", "in", "within-months"})
_OUTCOMES: Final = frozenset({"passed", "failed", "unclear"})
_DECISIONS: Final = frozenset({"approved", "rejected"})
_STEPS_OF_A_LICENCE: Final = 5


def uscc_check(first_17: str) -> str:
    """Return the 18th character of a unified social credit code (GB 32100).

    Raises:
        ValueError: a character the alphabet does not have.
    """
    total = sum(_USCC_ALPHABET.index(char) * weight for char, weight in zip(first_17, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def is_uscc(text: str) -> bool:
    """Tell whether a text is a unified social credit code with the right check character."""
    return (
        len(text) == _USCC_LENGTH and all(char in _USCC_ALPHABET for char in text) and uscc_check(text[:-1]) == text[-1]
    )


def findings_of(file: CatalogueFile) -> list[str]:
    """Return one sentence for each thing that is wrong with a file; none for a good one."""
    slug = file.department.slug
    found = (
        [] if is_uscc(file.department.uscc) else [f"{slug}: the code of the department has a wrong check character."]
    )
    if not file.matters:
        found.append(f"{slug}: no matters.")
    for matter in file.matters:
        found += [f"{slug}/{matter.slug}: {finding}" for finding in _of_matter(matter, file.department.uscc)]
    return found


def _of_matter(matter: Matter, uscc: str) -> Iterator[str]:
    yield from _codes(matter, uscc)
    yield from _vocabularies(matter)
    yield from _practice(matter)
    yield from _materials(matter)
    yield from _form(matter)
    yield from _decisions(matter)


def _codes(matter: Matter, uscc: str) -> Iterator[str]:
    if len(matter.basic_code) != 12 or not matter.basic_code.isalnum():  # noqa: PLR2004 — GB/T 39046 practice
        yield "the basic code has 12 characters."
    if matter.code != uscc + matter.exercised_at + matter.basic_code:
        yield "the implementation code is the department's code, the level, and the basic code."
    if matter.item_code[:-2] != matter.code or not matter.item_code[-2:].isdigit():
        yield "the item code is the implementation code and two digits."


def _vocabularies(matter: Matter) -> Iterator[str]:
    checks: tuple[tuple[str, tuple[str, ...], AbstractSet[str]], ...] = (
        ("kind_of_power", (matter.kind_of_power,), POWERS.keys()),
        ("exercised_at", (matter.exercised_at,), LEVELS.keys()),
        ("subject_nature", (matter.subject_nature,), SUBJECTS.keys()),
        ("serves", matter.serves, SERVES.keys()),
        ("channels", matter.channels, CHANNELS.keys()),
        ("case_kind", (matter.case_kind,), CASE_KINDS.keys()),
        ("online_depth", (matter.online_depth,), DEPTHS.keys()),
        ("range", (matter.range,), RANGES),
        ("level", (matter.level,), _APPLICANT_LEVELS),
        ("necessity", tuple(material.necessity for material in matter.materials), NECESSITIES.keys()),
    )
    for name, values, allowed in checks:
        if not values or not set(values) <= set(allowed):
            yield f"{name} is not of its vocabulary."


def _practice(matter: Matter) -> Iterator[str]:
    if matter.promised_limit.days > matter.legal_limit.days:
        yield "the promised limit is longer than the legal one."
    if (matter.case_kind == "1") != (matter.promised_limit.days == 0):
        yield "a matter done at once has a limit of 0 days, and no other has."
    if matter.visits.count and matter.visits.reason is None:
        yield "a visit in person needs a reason."
    if not matter.visits.count and not set(matter.channels) & _ONLINE:
        yield "without a visit there must be a way online."
    if matter.online_depth == "IV" and matter.visits.count:
        yield "what is done online from end to end needs no visit."
    if matter.enquiry_phone == matter.complaint_phone:
        yield "enquiries and complaints have different phones."
    if matter.kind_of_power == "01" and (len(matter.steps) < _STEPS_OF_A_LICENCE or not matter.questions):
        yield "a licence has at least five steps and a question answered."
    if matter.level == "present" and not matter.other_ways:
        yield "what needs a face needs another way too."
    if matter.charged:
        yield "charged matters are not offered."


def _materials(matter: Matter) -> Iterator[str]:
    codes = [material.code for material in matter.materials]
    if len(set(codes)) != len(codes):
        yield "two materials have one code."
    for material in matter.materials:
        if not material.ways:
            yield f"material {material.code} has no way to satisfy it."
        for way in material.ways:
            if (way.way is Way.CERTIFICATE) != (way.certificate is not None):
                yield f"material {material.code}: a certificate's kind belongs to the way `certificate`."
            if (way.way is Way.SHARED) != (way.department is not None):
                yield f"material {material.code}: a department belongs to the way `shared`."


def _form(matter: Matter) -> Iterator[str]:
    properties = matter.form.get("properties", {})
    if matter.form.get("type") != "object" or matter.form.get("additionalProperties") is not False:
        yield "the form is an object without additional properties."
    for name, prefill in matter.prefill.items():
        if name not in properties:
            yield f"prefill of {name}, which the form does not have."
        if prefill.source != "real-name" and not prefill.source.startswith("certificate:"):
            yield f"prefill of {name} from an unknown source."


def _decisions(matter: Matter) -> Iterator[str]:
    if matter.handling is Handling.RULES and (not matter.checks or matter.decision is None):
        yield "what rules decide needs checks and rules."
    for check in matter.checks:
        for finding in check.findings:
            if finding.outcome not in _OUTCOMES or not {each.op for each in finding.when} <= _OPERATORS:
                yield f"check {check.name}: an unknown outcome or operator."
    if matter.decision is not None:
        for rule in matter.decision.rules:
            if rule.quantity not in {"all", "any"} or rule.outcome not in _OUTCOMES or rule.then not in _DECISIONS:
                yield f"rule {rule.name} cannot be read."


def choose_ways(
    materials: tuple[Material, ...],
    *,
    real_name: bool,
    held: AbstractSet[str],
    given: AbstractSet[str],
) -> tuple[GuideMaterial, ...]:
    """Return for each material how one person satisfies it, the least trouble first.

    `real_name`: the person's identity is verified; `held`: kinds of certificates in their wallet that are valid;
    `given`: codes of materials they uploaded before. When nothing is open to them now, the last way stands: that is
    what they have to do first.
    """
    order = tuple(Way)

    def is_open(material: Material, way: MaterialWay) -> bool:
        if way.way is Way.VERIFIED:
            return real_name
        if way.way is Way.CERTIFICATE:
            return way.certificate in held
        if way.way is Way.ALREADY_GIVEN:
            return material.code in given
        return True

    chosen = []
    for material in materials:
        ways = sorted(material.ways, key=lambda way: order.index(way.way))
        able = [way for way in ways if is_open(material, way)] or ways[-1:]
        chosen.append(GuideMaterial(material, able[0], tuple(able[1:])))
    return tuple(chosen)


def matches(matter: Matter, *, theme: str | None, group: str | None, query: str | None) -> bool:
    """Tell whether a matter belongs to a theme and a group and is meant by a query (words in title, alias, summary)."""
    if theme is not None and theme not in matter.themes:
        return False
    if group is not None and group not in matter.groups:
        return False
    if not query:
        return True
    text = " ".join((matter.title.zh, matter.title.en, matter.slug, matter.summary.zh, *matter.aliases)).lower()
    return all(word in text for word in query.lower().split())
