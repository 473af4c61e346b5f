"""Matters for everybody: found, read, counted, without logging in."""

from collections import Counter
from collections.abc import Iterable

from api.access import public
from api.citizen.matter_words import GuideOut, MatterOut, MattersQuery, page_of, word
from api.operation import Answer, Out, Page, Request, Routes
from api.problems import RequestNotFound
from matters.catalogue.figures import DepartmentFigures, Figures, figures_of
from matters.catalogue.loading import load_vocabulary
from matters.catalogue.terms.types import Term
from matters.errors import MatterUnknown

PREFIX = "/v1/public/matters"
routes = Routes(prefix="/v1/public", tag="catalogue")


class TermOut(Out):
    """A word by which matters are sorted, and how many there are under it. `zone`: a group with a zone of its own."""

    slug: str
    title: str
    matters: int
    zone: bool


class WordsOut(Out):
    """The words by which matters are sorted."""

    themes: list[TermOut]
    groups: list[TermOut]
    life_events: list[TermOut]


class DepartmentFiguresOut(Out):
    """One department's part; days are working days, summed over what it handles."""

    department: str
    matters: int
    handled: int
    without_visit: int
    legal_days: int
    promised_days: int
    materials: int
    spared_materials: int

    @classmethod
    def of(cls, each: DepartmentFigures) -> "DepartmentFiguresOut":
        """Return a department's part."""
        return cls(**{name: getattr(each, name) for name in cls.model_fields})


class FiguresOut(Out):
    """The promises of the catalogue as numbers; `materials_cut` and `days_saved` are shares from 0 to 1."""

    matters: int
    handled: int
    queries: int
    explained: int
    without_visit: int
    from_many_visits_to_one: int
    kinds: list[str]
    zones: list[str]
    materials_cut: float
    days_saved: float
    life_items: int
    bundles: int
    departments: list[DepartmentFiguresOut]

    @classmethod
    def of(cls, figures: Figures) -> "FiguresOut":
        """Return all figures."""
        return cls(
            matters=figures.matters,
            handled=figures.handled,
            queries=figures.queries,
            explained=figures.explained,
            without_visit=figures.without_visit,
            from_many_visits_to_one=figures.from_many_visits_to_one,
            kinds=list(figures.kinds),
            zones=list(figures.zones),
            materials_cut=figures.materials_cut,
            days_saved=figures.days_saved,
            life_items=figures.life_items,
            bundles=figures.bundles,
            departments=[DepartmentFiguresOut.of(each) for each in figures.departments],
        )


@routes.get("/matters", access=public(), answer=Page[MatterOut])
async def list_matters(request: Request, query: MattersQuery) -> Answer:
    """List matters by theme, group, event of life and words; of words the best answer comes first."""
    return Answer(page_of(request.app.ctx.services.catalogue, query, english=request.ctx.english))


@routes.get("/matters/<code:str>", access=public(), answer=GuideOut, problems=(RequestNotFound,))
async def open_guide(request: Request, code: str) -> Answer:
    """Read a matter's guide, made out for somebody who is not known."""
    try:
        guide = await request.app.ctx.services.guides.for_anybody(code)
    except MatterUnknown as error:
        raise RequestNotFound from error
    service = request.app.ctx.services.matters.exchange.health.of(guide.published)
    return Answer(GuideOut.made_out(guide, service, english=request.ctx.english))


@routes.get("/matter-words", access=public(), answer=WordsOut)
async def list_words(request: Request) -> Answer:
    """List the words by which matters are sorted, each with how many there are."""
    published = request.app.ctx.services.catalogue.all
    words, english = load_vocabulary(), request.ctx.english
    themes = Counter(theme for each in published for theme in each.matter.themes)
    groups = Counter(group for each in published for group in each.matter.groups)
    events = Counter(event for each in published for event in each.matter.life_events)
    return Answer(
        WordsOut(
            themes=_terms(words.themes, themes, english=english),
            groups=_terms(words.groups, groups, english=english),
            life_events=_terms(words.life_events, events, english=english),
        )
    )


def _terms(terms: Iterable[Term], counts: Counter[str], *, english: bool) -> list[TermOut]:
    return [
        TermOut(slug=term.slug, title=word(term.title, english=english), matters=counts[term.slug], zone=term.zone)
        for term in terms
    ]


@routes.get("/catalogue-figures", access=public(), answer=FiguresOut)
async def count(request: Request) -> Answer:
    """Count what is published: services, visits, kinds and groups, and by department."""
    services = request.app.ctx.services
    return Answer(FiguresOut.of(figures_of(services.catalogue.all, load_vocabulary(), services.matters.life.lists)))
