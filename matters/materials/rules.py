"""Decisions about materials: how one is satisfied, what may be demanded, what is missing. Pure functions of values."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core.errors import FieldError
from matters.catalogue.terms.types import Wording
from matters.catalogue.types import GuideMaterial, Material, MaterialWay, Way
from matters.materials.types import Given, Reuse, Settled, Standing
from matters.types import MaterialLine, Text

NECESSARY: Final = "1"
LATER: Final = "3"

# The order of the law's "least trouble first": what the state has comes before what a person has to do.
_ORDER: Final = tuple(Way)
# Why a material cannot be demanded, by the way it is satisfied.
_EXEMPT: Final[Mapping[Way, tuple[str, str]]] = MappingProxyType(
    {
        Way.SHARED: ("这项材料由部门共享取得，不得要求提交", "A department shares it: it cannot be asked for"),
        Way.VERIFIED: ("这项内容已经在线核验，不得要求提交", "It is verified already: it cannot be asked for"),
        Way.ALREADY_GIVEN: ("这项材料以前交过，不得重复要求", "It was given before: it cannot be asked for again"),
        Way.CERTIFICATE: (
            "这项材料由电子证照替代，不得要求提交",
            "A certificate stands for it: it cannot be asked for",
        ),
        Way.PROMISE: ("这项材料已由告知承诺替代，不得要求提交", "A promise stands for it: it cannot be asked for"),
    },
)
_UNPUBLISHED: Final = (
    "公布的事项里没有这项材料，不得要求提交",
    "It is not published for this matter: it cannot be asked for",
)
_INSTEAD: Final = MaterialWay(
    way=Way.UPLOAD,
    text=Wording(
        zh="您有一项承诺没有兑现，处理好之前不能再用承诺代替，请上传这项材料；如有异议可以提出",
        en="A promise of yours stands broken; until that is settled a file is needed here. You may object",
    ),
)
_UNASKED: Final = ("您的情况不需要这项材料", "In your situation it is not needed")
# Here the state has the data itself: a file that comes all the same settles nothing.
_NEEDS_NO_FILE: Final = frozenset({Way.SHARED, Way.VERIFIED})


def resolve(materials: Sequence[Material], standing: Standing, now: datetime) -> tuple[GuideMaterial, ...]:
    """Return for each material how one person satisfies it, the least trouble first.

    The order is shared, verified, already given, certificate, promise, upload. When nothing is open to them now, the
    last way stands: that is what they have to do first.
    """
    resolved = []
    for material in materials:
        ways = sorted(material.ways, key=lambda way: _ORDER.index(way.way))
        able = [way for way in ways if _is_open(material, way, standing, now)] or ways[-1:]
        if standing.has_broken and able[0].way is Way.PROMISE:
            # Also where the matter knows no file for it: something has to stand in the place of their word.
            able = [_INSTEAD]
        chosen = able[0]
        resolved.append(GuideMaterial(material, chosen, tuple(able[1:]), _source(material, chosen, standing)))
    return tuple(resolved)


def _is_open(material: Material, way: MaterialWay, standing: Standing, now: datetime) -> bool:
    if way.way is Way.VERIFIED:
        return standing.real_name
    if way.way is Way.CERTIFICATE:
        return way.certificate in standing.held
    if way.way is Way.ALREADY_GIVEN:
        given = standing.given.get(material.code)
        return given is not None and _still_good(given, way, now)
    return True


def _still_good(given: Given, way: MaterialWay, now: datetime) -> bool:
    return way.valid_days is None or now < given.at + timedelta(days=way.valid_days)


def _source(material: Material, way: MaterialWay, standing: Standing) -> str:
    if way.way is Way.SHARED:
        return f"department:{way.department}"
    if way.way is Way.VERIFIED:
        return "real-name"
    if way.way is Way.CERTIFICATE:
        return f"certificate:{way.certificate}"
    if way.way is Way.ALREADY_GIVEN:
        return standing.given[material.code].source if material.code in standing.given else ""
    return ""


def may_serve(reuse: Reuse, kept_matter: str, kept_department: str, matter: str, department: str) -> bool:
    """Tell whether what was kept of one matter may be given for another, as far as its owner has said."""
    if reuse is Reuse.ANY_MATTER or kept_matter == matter:
        return True
    return reuse is Reuse.SAME_DEPARTMENT and kept_department == department


def may_upload(resolved: GuideMaterial) -> bool:
    """Tell whether a file is taken for a material: the resident may prefer one, where the matter knows such a way."""
    return any(way.way is Way.UPLOAD for way in (resolved.chosen, *resolved.alternatives))


def upload_error(resolved: GuideMaterial | None, pointer: str) -> FieldError:
    """Return why no file is taken for a material; its code names the rule. None: it is not asked of this person."""
    if resolved is None:
        return FieldError(pointer, "unasked", *_UNASKED)
    return _exempt(resolved.chosen.way, pointer)


def demand_errors(resolved: Sequence[GuideMaterial], wanted: Sequence[str]) -> list[FieldError]:
    """Return what may not be demanded of an applicant, and by which rule.

    What is not published cannot be demanded (清单之外不得要求), nor what is satisfied without the applicant. Of what a
    promise covers, only what may follow later (容缺后补) can be asked for.
    """
    known = {each.material.code: each for each in resolved}
    errors = []
    for place, code in enumerate(wanted):
        pointer = f"/materials/{place}"
        found = known.get(code)
        if found is None:
            errors.append(FieldError(pointer, "unpublished", *_UNPUBLISHED))
        elif not _may_be_demanded(found):
            errors.append(_exempt(found.chosen.way, pointer))
    return errors


def _may_be_demanded(resolved: GuideMaterial) -> bool:
    if resolved.chosen.way is Way.PROMISE:
        return resolved.material.necessity == LATER
    return resolved.chosen.way is Way.UPLOAD


def _exempt(way: Way, pointer: str) -> FieldError:
    return FieldError(pointer, f"exempt-{way.value}", *_EXEMPT.get(way, _UNPUBLISHED))


def missing_materials(resolved: Sequence[GuideMaterial], uploaded: AbstractSet[str]) -> list[FieldError]:
    """Return an error for each necessary material that nothing but a file would satisfy, and no file came."""
    return [
        FieldError(
            f"/attachments/{each.material.code}",
            "required",
            f"请上传：{each.material.title.zh}",
            f"Please upload: {each.material.title.en}",
        )
        for each in resolved
        if _is_wanted(each) and each.material.code not in uploaded
    ]


def _is_wanted(resolved: GuideMaterial) -> bool:
    """Tell whether nothing goes without the file; whoever broke a promise cannot put one off either."""
    return resolved.chosen is _INSTEAD or (
        resolved.material.necessity == NECESSARY and resolved.chosen.way is Way.UPLOAD
    )


def settled_of(resolved: Sequence[GuideMaterial], files: Mapping[str, UUID]) -> list[Settled]:
    """Return how each material was satisfied in the end.

    A file that came counts as handed in, whatever else was open; beside what the state has it counts for nothing.
    """
    settled = []
    for each in resolved:
        code, necessity = each.material.code, each.material.necessity
        if code in files and each.chosen.way not in _NEEDS_NO_FILE:
            settled.append(Settled(code, necessity, Way.UPLOAD.value, f"attachment:{files[code]}"))
        elif each.chosen.way is not Way.UPLOAD:
            settled.append(Settled(code, necessity, each.chosen.way.value, each.source))
        else:
            settled.append(Settled(code, necessity, Way.UPLOAD.value if necessity == LATER else "", ""))
    return settled


def demanded_errors(demanded: Sequence[str], uploaded: AbstractSet[str]) -> list[FieldError]:
    """Return an error for each material that was asked for and has not come."""
    return [
        FieldError(f"/attachments/{code}", "required", "请上传要求补充的材料", "Please upload what was asked for")
        for code in demanded
        if code not in uploaded
    ]


def as_settled(materials: Sequence[Material], settled: Sequence[Settled]) -> tuple[GuideMaterial, ...]:
    """Return materials with the way by which each was satisfied when the application was submitted.

    What was not asked of the applicant then, for its conditions did not hold, is not among them.
    """
    known = {each.material: each for each in settled}
    resolved = []
    for material in materials:
        found = known.get(material.code)
        if found is None:
            continue
        way = Way(found.way or Way.UPLOAD.value)
        instead = _INSTEAD if way is Way.UPLOAD else material.ways[-1]
        chosen = next((each for each in material.ways if each.way is way), instead)
        resolved.append(GuideMaterial(material, chosen, (), found.source))
    return tuple(resolved)


def lines_of(resolved: Sequence[GuideMaterial], files: Collection[str], *, is_draft: bool) -> list[MaterialLine]:
    """Return materials in words for the applicant; in a draft a file that came counts in place of what is open."""
    return [
        MaterialLine(
            code=each.material.code,
            title=Text(each.material.title.zh, each.material.title.en),
            way=(_in_effect(each, files) if is_draft else each.chosen.way).value,
            reason=Text(each.chosen.text.zh, each.chosen.text.en),
            source=each.source,
            handed_in=each.material.code in files,
        )
        for each in resolved
    ]


def _in_effect(resolved: GuideMaterial, files: Collection[str]) -> Way:
    handed_in = resolved.material.code in files and resolved.chosen.way not in _NEEDS_NO_FILE
    return Way.UPLOAD if handed_in else resolved.chosen.way
