"""What departments share and what not: the data dictionary, the sharing and open catalogues, the negative list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from api.access import public
from api.citizen.matter_words import Word, word
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_cursor, encode_cursor
from matters.catalogue.loading import load_sharing
from matters.catalogue.sharing.types import Element, ElementType, Resource, Sharing, Withheld

routes = Routes(prefix="/v1/public", tag="catalogue")

T = TypeVar("T", bound=Out)
S = TypeVar("S")


class ByDepartment(PageQuery):
    """Of which department; all unless told otherwise."""

    department: Word | None = None


class ElementOut(Out):
    """An entry of the data dictionary: `length` is characters at most, 0 where that says nothing."""

    id: str
    title: str
    type: ElementType
    length: int
    personal: bool
    resources: int

    @classmethod
    def of(cls, element: Element, *, english: bool) -> "ElementOut":
        """Return an element, with how many resources hold it."""
        return cls(
            id=element.name,
            title=word(element.title, english=english),
            type=element.type,
            length=element.length,
            personal=element.personal,
            resources=sum(element.name in resource.elements for resource in load_sharing().resources),
        )


class ResourceOut(Out):
    """What a department shares, and on what terms; `open`: it is published for everybody."""

    id: str
    department: str
    code: str
    title: str
    level: Sharing
    condition: str | None
    elements: list[str]
    updated: str
    open: bool

    @classmethod
    def of(cls, resource: Resource, *, english: bool) -> "ResourceOut":
        """Return a resource in the words of the caller's language."""
        return cls(
            id=_id(resource),
            department=resource.department,
            code=resource.code,
            title=word(resource.title, english=english),
            level=resource.level,
            condition=None if resource.condition is None else word(resource.condition, english=english),
            elements=list(resource.elements),
            updated=resource.updated,
            open=resource.open,
        )


class WithheldOut(Out):
    """What a department does not share, and why."""

    id: str
    department: str
    code: str
    title: str
    reason: str

    @classmethod
    def of(cls, each: Withheld, *, english: bool) -> "WithheldOut":
        """Return what is withheld in the words of the caller's language."""
        return cls(
            id=_id(each),
            department=each.department,
            code=each.code,
            title=word(each.title, english=english),
            reason=word(each.reason, english=english),
        )


def _id(each: Resource | Withheld) -> str:
    return f"{each.department}:{each.code}"


def _page(query: PageQuery, given: Sequence[S], name: Callable[[S], str], show: Callable[[S], T]) -> Page[T]:
    """Return one page of a list that is sorted by name."""
    parts = decode_cursor(query.cursor, parts=1)
    after = parts[0] if parts else ""
    rest = sorted((each for each in given if name(each) > after), key=name)
    shown = rest[: query.limit]
    more = len(rest) > len(shown)
    return Page[T](items=[show(each) for each in shown], next_cursor=encode_cursor([name(shown[-1])]) if more else None)


def _of(department: str | None, given: Sequence[S], whose: Callable[[S], str]) -> list[S]:
    return [each for each in given if department in {None, whose(each)}]


@routes.get("/data-elements", access=public(), answer=Page[ElementOut])
async def list_elements(request: Request, query: PageQuery) -> Answer:
    """List the data dictionary."""
    english = request.ctx.english
    elements = load_sharing().elements
    return Answer(_page(query, elements, lambda each: each.name, lambda each: ElementOut.of(each, english=english)))


@routes.get("/shared-resources", access=public(), answer=Page[ResourceOut])
async def list_shared(request: Request, query: ByDepartment) -> Answer:
    """List the sharing catalogue: what departments share with each other, and on what terms."""
    return Answer(_resources(request, query, load_sharing().resources))


@routes.get("/open-resources", access=public(), answer=Page[ResourceOut])
async def list_open(request: Request, query: ByDepartment) -> Answer:
    """List the open catalogue: what is published for everybody."""
    return Answer(_resources(request, query, [each for each in load_sharing().resources if each.open]))


@routes.get("/withheld-resources", access=public(), answer=Page[WithheldOut])
async def list_withheld(request: Request, query: ByDepartment) -> Answer:
    """List what is not shared, each with the reason (负面清单)."""
    english = request.ctx.english
    given = _of(query.department, load_sharing().withheld, lambda each: each.department)
    return Answer(_page(query, given, _id, lambda each: WithheldOut.of(each, english=english)))


def _resources(request: Request, query: ByDepartment, given: Sequence[Resource]) -> Page[ResourceOut]:
    english = request.ctx.english
    wanted = _of(query.department, given, lambda each: each.department)
    return _page(query, wanted, _id, lambda each: ResourceOut.of(each, english=english))
