"""Matters as they are shown: in a list, and as a guide made out for whoever asks."""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from api.citizen.asking.progress_words import ServiceOut
from api.operation import Out, Page, PageQuery, bad_cursor, decode_cursor, encode_cursor
from auth.types import Level
from matters.catalogue import rules
from matters.catalogue.catalogue import Catalogue, Place, Wanted
from matters.catalogue.conditions.rules import FORM
from matters.catalogue.terms.types import Former, Offer, Wording
from matters.catalogue.types import Guide, GuideMaterial, Limit, MaterialWay, Published, Required, Way
from matters.types import Availability

_SCORE_DIGITS: Final = 6

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MattersQuery(PageQuery):
    """What to look for: a theme, a group, an event of life, a kind of certificate, words, also spelled or mistyped."""

    theme: Word | None = None
    group: Word | None = None
    life_event: Word | None = None
    certificate: Word | None = None
    offer: Offer | None = None
    query: Annotated[str, StringConstraints(max_length=64)] | None = None


def word(text: Wording, *, english: bool) -> str:
    """Return a text in the caller's language."""
    return text.en if english else text.zh


class LimitOut(Out):
    """How long it may take: so many working days, or so many hours where `unit` is `hour`."""

    days: int
    unit: str
    hours: int

    @classmethod
    def of(cls, limit: Limit) -> "LimitOut":
        """Return a limit."""
        return cls(days=limit.days, unit=limit.unit, hours=limit.hours)


class MatterOut(Out):
    """A matter in a list. `code` is the implementation code of 31 characters; `slug` works in its place everywhere.

    `offer`: `handling` can be applied for, `query` is looked up, `information` is read. `promised_days` is 0 for what
    is done at once or within hours.
    """

    code: str
    slug: str
    title: str
    summary: str
    department: str
    department_name: str
    offer: Offer
    themes: list[str]
    groups: list[str]
    life_events: list[str]
    certificates: list[str]
    level: Level
    visits: int
    promised_days: int
    demonstration: bool

    @classmethod
    def of(cls, published: Published, *, english: bool) -> "MatterOut":
        """Return a matter in the words of the caller's language."""
        matter = published.matter
        return cls(
            code=matter.code,
            slug=matter.slug,
            title=word(matter.title, english=english),
            summary=word(matter.summary, english=english),
            department=published.department.slug,
            department_name=word(published.department.name, english=english),
            offer=matter.offer,
            themes=list(matter.themes),
            groups=list(matter.groups),
            life_events=list(matter.life_events),
            certificates=list(matter.certificates),
            level=Level(matter.level),
            visits=matter.visits.count,
            promised_days=matter.promised_limit.days,
            demonstration=published.demonstration,
        )


class WayOut(Out):
    """A way to satisfy a material."""

    way: Way
    text: str
    certificate: str | None

    @classmethod
    def of(cls, way: MaterialWay, *, english: bool) -> "WayOut":
        """Return a way in the words of the caller's language."""
        return cls(way=way.way, text=word(way.text, english=english), certificate=way.certificate)


class MaterialOut(Out):
    """A material, how the caller satisfies it (`way`), and the other ways that stay open.

    `depends_on` names the fields of the form on which it hangs whether the material is asked for at all.
    """

    code: str
    title: str
    necessity: str
    way: Way
    text: str
    alternatives: list[WayOut]
    standard: str | None
    depends_on: list[str]

    @classmethod
    def of(cls, each: GuideMaterial, *, english: bool) -> "MaterialOut":
        """Return a material in the words of the caller's language."""
        material = each.material
        return cls(
            code=material.code,
            title=word(material.title, english=english),
            necessity=rules.NECESSITIES[material.necessity],
            way=each.chosen.way,
            text=word(each.chosen.text, english=english),
            alternatives=[WayOut.of(way, english=english) for way in each.alternatives],
            standard=None if material.standard is None else word(material.standard, english=english),
            depends_on=[fact.removeprefix(FORM) for fact in _asked(each) if fact.startswith(FORM)],
        )


def _asked(each: GuideMaterial) -> list[str]:
    return list(dict.fromkeys(condition.fact for condition in each.material.when))


class RequirementOut(Out):
    """Who may apply, as far as it is known: `met` is null while it hangs on what is not known yet."""

    name: str
    text: str
    met: bool | None

    @classmethod
    def of(cls, each: Required, *, english: bool) -> "RequirementOut":
        """Return a requirement in the words of the caller's language."""
        return cls(name=each.requirement.name, text=word(each.requirement.text, english=english), met=each.met)


class OtherWayOut(Out):
    """A way without this app, or without a face."""

    method: str
    text: str


class QuestionOut(Out):
    """Something people ask, answered."""

    question: str
    answer: str


class FeeOut(Out):
    """What is charged, in fen, and on what ground."""

    title: str
    fen: int
    basis: str


class SpecialProcedureOut(Out):
    """Time that is not counted: so many working days."""

    kind: str
    title: str
    days: int


class FormerOut(Out):
    """How it was before: visits, materials, working days, departments to go to."""

    visits: int
    materials: int
    days: int
    departments: int

    @classmethod
    def of(cls, former: Former | None) -> "FormerOut | None":
        """Return how it was, if that is said."""
        if former is None:
            return None
        return cls(visits=former.visits, materials=former.materials, days=former.days, departments=former.departments)


class GuideOut(MatterOut):
    """Everything about a matter; `materials` say how the caller satisfies each, `to_bring` what is left to bring."""

    notice: str
    item_code: str
    basic_code: str
    version: int
    kind_of_power: str
    exercised_at: str
    case_kind: str
    online_depth: str
    range: str
    channels: list[str]
    basis: list[str]
    conditions: list[str]
    requirements: list[RequirementOut]
    materials: list[MaterialOut]
    to_bring: list[str]
    steps: list[str]
    special_procedures: list[SpecialProcedureOut]
    charged: bool
    fees: list[FeeOut]
    result: str
    ending: str | None
    legal_limit: LimitOut
    promised_limit: LimitOut
    visit_reason: str | None
    former: FormerOut | None
    involved: list[str]
    enquiry_phone: str
    complaint_phone: str
    other_ways: list[OtherWayOut]
    questions: list[QuestionOut]
    form: Annotated[dict[str, Any], Field(description="JSON Schema 2020-12 of the form")]
    checkable: bool
    service: ServiceOut

    @classmethod
    def made_out(cls, guide: Guide, service: Availability, *, english: bool) -> "GuideOut":
        """Return a guide, and how the department's system stands, in the words of the caller's language."""
        matter = guide.published.matter

        def words(texts: tuple[Wording, ...]) -> list[str]:
            return [word(text, english=english) for text in texts]

        reason = matter.visits.reason
        return cls(
            **MatterOut.of(guide.published, english=english).model_dump(),
            notice=word(guide.published.notice, english=english),
            item_code=matter.item_code,
            basic_code=matter.basic_code,
            version=matter.version,
            kind_of_power=rules.POWERS[matter.kind_of_power],
            exercised_at=rules.LEVELS[matter.exercised_at],
            case_kind=rules.CASE_KINDS[matter.case_kind],
            online_depth=rules.DEPTHS[matter.online_depth],
            range=matter.range,
            channels=[rules.CHANNELS[each] for each in matter.channels],
            basis=words(matter.basis),
            conditions=words(matter.conditions),
            requirements=[RequirementOut.of(each, english=english) for each in guide.requirements],
            materials=[MaterialOut.of(each, english=english) for each in guide.materials],
            to_bring=[each.material.code for each in guide.to_bring],
            steps=words(matter.steps),
            special_procedures=[
                SpecialProcedureOut(kind=each.kind, title=word(each.title, english=english), days=each.days)
                for each in matter.special_procedures
            ],
            charged=matter.charged,
            fees=[
                FeeOut(title=word(fee.title, english=english), fen=fee.fen, basis=word(fee.basis, english=english))
                for fee in matter.fees
            ],
            result=word(matter.result, english=english),
            ending=matter.ending,
            legal_limit=LimitOut.of(matter.legal_limit),
            promised_limit=LimitOut.of(matter.promised_limit),
            visit_reason=None if reason is None else word(reason, english=english),
            former=FormerOut.of(matter.former),
            involved=list(matter.involved),
            enquiry_phone=matter.enquiry_phone,
            complaint_phone=matter.complaint_phone,
            other_ways=[
                OtherWayOut(method=way.method, text=word(way.text, english=english)) for way in matter.other_ways
            ],
            questions=[
                QuestionOut(question=word(each.question, english=english), answer=word(each.answer, english=english))
                for each in matter.questions
            ],
            form=dict(matter.form),
            checkable=matter.decision is not None,
            service=ServiceOut.of(service, english=english),
        )


def page_of(catalogue: Catalogue, query: MattersQuery, *, english: bool) -> Page[MatterOut]:
    """Return one page of matters that answer to a query, the best first."""
    wanted = Wanted(
        theme=query.theme,
        group=query.group,
        life_event=query.life_event,
        certificate=query.certificate,
        offer=query.offer,
        query=query.query,
    )
    page, place = catalogue.list_matters(wanted, after=_place(query.cursor), limit=query.limit)
    return Page[MatterOut](
        items=[MatterOut.of(each, english=english) for each in page],
        next_cursor=encode_cursor([str(place[0]), place[1]]) if place else None,
    )


def _place(cursor: str | None) -> Place | None:
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    score, code = parts
    if not (score.isascii() and score.isdigit() and len(score) <= _SCORE_DIGITS and code.isalnum()):
        raise bad_cursor()
    return int(score), code
