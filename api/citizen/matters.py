"""What there is to ask for: the catalogue, a guide made out for the caller, and checks before applying."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.access import Delegable, citizen
from api.citizen.matter_words import GuideOut, MatterOut, MattersQuery, page_of, word
from api.operation import Answer, Out, Page, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from matters.applications.eligibility import Checked, Examined
from matters.errors import MatterUnknown, NotCheckable
from matters.types import Outcome

PREFIX = "/v1/citizen/matters"
routes = Routes(prefix=PREFIX, tag="matters")


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
            title=word(each.check.title, english=english),
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


@routes.get("", access=citizen(Level.LINKED, delegable=Delegable.OPEN, organisations=True), answer=Page[MatterOut])
async def list_matters(request: Request, query: MattersQuery) -> Answer:
    """List matters by theme, group, event of life and words; of words the best answer comes first."""
    return Answer(page_of(request.app.ctx.services.catalogue, query, english=request.ctx.english))


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
    service = request.app.ctx.services.matters.exchange.health.of(guide.published)
    return Answer(GuideOut.made_out(guide, service, english=request.ctx.english))


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
