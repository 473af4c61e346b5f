"""What there is to ask for: the catalogue, a guide made out for the caller, and checks before applying."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.types import Level
from matters.applications.eligibility import Checked, Examined
from matters.catalogue import rules
from matters.catalogue.types import Guide, GuideMaterial, MaterialWay, Published, Way, Wording
from matters.errors import MatterUnknown, NotCheckable
from matters.types import Outcome

PREFIX = "/v1/citizen/matters"
routes = Routes(prefix=PREFIX, tag="matters")

Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class MattersQuery(PageQuery):
    """What to look for: a theme, a group, words of title or alias."""

    theme: Word | None = None
    group: Word | None = None
    query: Annotated[str, StringConstraints(max_length=64)] | None = None


class MatterOut(Out):
    """A matter in a list. `code` is the implementation code of 31 characters; `slug` works in its place everywhere."""

    code: str
    slug: str
    title: str
    summary: str
    department: str
    department_name: str
    themes: list[str]
    groups: list[str]
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
            title=_word(matter.title, english=english),
            summary=_word(matter.summary, english=english),
            department=published.department.slug,
            department_name=_word(published.department.name, english=english),
            themes=list(matter.themes),
            groups=list(matter.groups),
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
        return cls(way=way.way, text=_word(way.text, english=english), certificate=way.certificate)


class MaterialOut(Out):
    """A material, how the caller satisfies it (`way`), and the other ways that stay open."""

    code: str
    title: str
    necessity: str
    way: Way
    text: str
    alternatives: list[WayOut]

    @classmethod
    def of(cls, each: GuideMaterial, *, english: bool) -> "MaterialOut":
        """Return a material in the words of the caller's language."""
        return cls(
            code=each.material.code,
            title=_word(each.material.title, english=english),
            necessity=rules.NECESSITIES[each.material.necessity],
            way=each.chosen.way,
            text=_word(each.chosen.text, english=english),
            alternatives=[WayOut.of(way, english=english) for way in each.alternatives],
        )


class OtherWayOut(Out):
    """A way without this app, or without a face."""

    method: str
    text: str


class QuestionOut(Out):
    """Something people ask, answered."""

    question: str
    answer: str


class LimitOut(Out):
    """How long it may take."""

    days: int
    unit: str


class GuideOut(MatterOut):
    """Everything about a matter; `materials` say how the caller satisfies each of them."""

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
    materials: list[MaterialOut]
    steps: list[str]
    charged: bool
    result: str
    legal_limit: LimitOut
    promised_limit: LimitOut
    visit_reason: str | None
    enquiry_phone: str
    complaint_phone: str
    other_ways: list[OtherWayOut]
    questions: list[QuestionOut]
    form: Annotated[dict[str, Any], Field(description="JSON Schema 2020-12 of the form")]
    checkable: bool

    @classmethod
    def made_out(cls, guide: Guide, *, english: bool) -> "GuideOut":
        """Return a guide in the words of the caller's language."""
        matter = guide.published.matter

        def words(texts: tuple[Wording, ...]) -> list[str]:
            return [_word(text, english=english) for text in texts]

        reason = matter.visits.reason
        return cls(
            **MatterOut.of(guide.published, english=english).model_dump(),
            notice=_word(guide.published.notice, english=english),
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
            materials=[MaterialOut.of(each, english=english) for each in guide.materials],
            steps=words(matter.steps),
            charged=matter.charged,
            result=_word(matter.result, english=english),
            legal_limit=LimitOut(days=matter.legal_limit.days, unit=matter.legal_limit.unit),
            promised_limit=LimitOut(days=matter.promised_limit.days, unit=matter.promised_limit.unit),
            visit_reason=None if reason is None else _word(reason, english=english),
            enquiry_phone=matter.enquiry_phone,
            complaint_phone=matter.complaint_phone,
            other_ways=[
                OtherWayOut(method=way.method, text=_word(way.text, english=english)) for way in matter.other_ways
            ],
            questions=[
                QuestionOut(question=_word(each.question, english=english), answer=_word(each.answer, english=english))
                for each in matter.questions
            ],
            form=dict(matter.form),
            checkable=matter.decision is not None,
        )


class CheckOut(Out):
    """What one department's records came to."""

    check: str
    title: str
    department: str
    outcome: Outcome
    code: str
    text: str

    @classmethod
    def of(cls, each: Checked, *, english: bool) -> "CheckOut":
        """Return a check in the words of the caller's language."""
        text = each.read.text
        return cls(
            check=each.check.name,
            title=_word(each.check.title, english=english),
            department=each.check.department,
            outcome=each.read.outcome,
            code=each.read.code,
            text=text.en if english else text.zh,
        )


class ExaminedOut(Out):
    """How the matter would be decided, and why. `outcome`: `eligible`, `not_eligible`, `unclear`, `unavailable`."""

    matter: str
    outcome: str
    rule_version: str | None
    checks: list[CheckOut]

    @classmethod
    def of(cls, examined: Examined, *, english: bool) -> "ExaminedOut":
        """Return the checks in the words of the caller's language."""
        return cls(
            matter=examined.matter.code,
            outcome=examined.outcome,
            rule_version=examined.decision.version if examined.decision else None,
            checks=[CheckOut.of(each, english=english) for each in examined.checks],
        )


def _word(text: Wording, *, english: bool) -> str:
    return text.en if english else text.zh


@routes.get("", access=citizen(Level.LINKED, delegable=Delegable.OPEN, organisations=True), answer=Page[MatterOut])
async def list_matters(request: Request, query: MattersQuery) -> Answer:
    """List matters by theme, group and words."""
    page, next_code = request.app.ctx.services.catalogue.list_matters(
        theme=query.theme, group=query.group, query=query.query, after=_after(query.cursor), limit=query.limit
    )
    return Answer(
        Page[MatterOut](
            items=[MatterOut.of(each, english=request.ctx.english) for each in page],
            next_cursor=encode_cursor([next_code]) if next_code else None,
        ),
    )


def _after(cursor: str | None) -> str | None:
    parts = decode_cursor(cursor, parts=1)
    if parts is not None and not parts[0].isalnum():
        raise bad_cursor()
    return parts[0] if parts else None


@contextmanager
def _in_edge_words() -> Iterator[None]:
    """An address without anything behind it has one body, whatever should be there."""
    try:
        yield
    except MatterUnknown as error:
        raise RequestNotFound from error


@routes.get(
    "/<code:str>",
    access=citizen(Level.LINKED, delegable=Delegable.MATTERS),
    answer=GuideOut,
    problems=(RequestNotFound,),
)
async def open_guide(request: Request, code: str) -> Answer:
    """Open a matter's guide: what the caller needs, and how each material is satisfied."""
    with _in_edge_words():
        guide = await request.app.ctx.services.guides.open(request.ctx.caller, code)
    return Answer(GuideOut.made_out(guide, english=request.ctx.english))


@routes.post(
    "/<code:str>/checks",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    answer=ExaminedOut,
    problems=(RequestNotFound, NotCheckable),
)
async def check(request: Request, code: str) -> Answer:
    """Check at all departments at once how a matter would be decided; nothing is applied for."""
    with _in_edge_words():
        examined = await request.app.ctx.services.eligibility.check(request.ctx.caller, code)
    return Answer(ExaminedOut.of(examined, english=request.ctx.english))
