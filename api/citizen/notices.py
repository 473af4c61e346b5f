"""The inbox of residents, what they want to be told outside it, and the family that reads along."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestNotFound
from auth.types import Level
from notices.errors import CopyCodeInvalid, CopyOfOneself, TooManyCopies, TopicFixed
from notices.types import CopyOffer, CopyView, NoticeView, Text, Topic, TopicChoice, Urgency

_COPIES = "/v1/citizen/notice-copies"
routes = Routes(prefix="/v1/citizen", tag="notices")

_TOPICS: dict[Topic, Text] = {
    Topic.PROGRESS: Text("办理进度", "Progress of what you asked for"),
    Topic.CERTIFICATES: Text("证照使用", "Use of your certificates"),
    Topic.SECURITY: Text("账户安全", "Safety of your account"),
}


class NoticeOut(Out):
    """A notice. `plain` is its spoken sentence (elder mode); `about` the masked name of family whom it concerns."""

    id: UUID
    at: datetime
    event: str
    topic: Topic
    urgency: Urgency
    title: str
    text: str
    plain: str | None
    about: str | None
    object_id: UUID | None
    read_at: datetime | None

    @classmethod
    def of(cls, view: NoticeView, *, english: bool, elder: bool) -> "NoticeOut":
        """Return a notice in the words of the caller."""
        return cls(
            id=view.id,
            at=view.created_at,
            event=view.event,
            topic=view.topic,
            urgency=view.urgency,
            title=view.title.en if english else view.title.zh,
            text=view.text.en if english else view.text.zh,
            plain=view.plain if elder else None,
            about=view.about,
            object_id=view.object_id,
            read_at=view.read_at,
        )


class NoticesOut(Page[NoticeOut]):
    """One page of the inbox, and how many notices in all were not read yet."""

    unread: int


class TopicOut(Out):
    """What is told of a topic outside the inbox. `template_ids`: what to ask WeChat's consent for."""

    topic: Topic
    title: str
    wanted: bool
    fixed: bool
    template_ids: list[str]

    @classmethod
    def of(cls, choice: TopicChoice, *, english: bool) -> "TopicOut":
        """Return the answer for a choice."""
        title = _TOPICS[choice.topic]
        return cls(
            topic=choice.topic,
            title=title.en if english else title.zh,
            wanted=choice.wanted,
            fixed=choice.fixed,
            template_ids=list(choice.templates),
        )


class SettingsOut(Out):
    """The caller's choice for every topic."""

    topics: list[TopicOut]


class SettingsIn(Body):
    """What is wanted, by topic; topics that are not named stay as they are."""

    topics: Annotated[dict[Annotated[Topic, Field(strict=False)], bool], Field(min_length=1, max_length=len(Topic))]


class CopyOut(Out):
    """Family that is told too. `mine`: my notices, somebody else reads along; `name` is the other, masked."""

    id: UUID
    mine: bool
    name: str | None
    state: str
    created_at: datetime

    @classmethod
    def of(cls, view: CopyView) -> "CopyOut":
        """Return the answer for one who reads along."""
        return cls(id=view.id, mine=view.mine, name=view.name, state=view.state, created_at=view.created_at)


class CopyOfferOut(Out):
    """An offer to read along: give the code to somebody of the family; it works once, until `expires_at`."""

    id: UUID
    code: str
    expires_at: datetime

    @classmethod
    def of(cls, offer: CopyOffer) -> "CopyOfferOut":
        """Return the answer for an offer."""
        return cls(id=offer.id, code=offer.code, expires_at=offer.expires_at)


class CopyIn(Body):
    """The code that somebody of the family was shown."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]


@routes.get("/notices", access=citizen(delegable=Delegable.OWN), answer=NoticesOut)
async def list_notices(request: Request, query: PageQuery) -> Answer:
    """List what I was told, newest first."""
    inbox, caller = request.app.ctx.services.inbox, request.ctx.caller
    views = await inbox.list_notices(caller, before=decode_place(query.cursor), limit=query.limit + 1)
    page = views[: query.limit]
    return Answer(
        NoticesOut(
            items=[NoticeOut.of(v, english=request.ctx.english, elder=request.ctx.elder_words) for v in page],
            next_cursor=encode_place(page[-1].created_at, page[-1].id) if len(views) > len(page) else None,
            unread=await inbox.count_unread(caller),
        )
    )


@routes.put(
    "/notices/<notice_id:uuid>/read", access=citizen(delegable=Delegable.OWN), status=204, problems=(RequestNotFound,)
)
async def read(request: Request, notice_id: UUID) -> Answer:
    """Mark a notice as read."""
    if not await request.app.ctx.services.inbox.read(request.ctx.caller, notice_id):
        raise RequestNotFound
    return Answer(status=204)


@routes.get("/notice-settings", access=citizen(delegable=Delegable.OWN), answer=SettingsOut)
async def get_settings(request: Request) -> Answer:
    """Show what I want to be told outside the inbox."""
    choices = await request.app.ctx.services.notice_choices.list_choices(request.ctx.caller)
    return Answer(SettingsOut(topics=[TopicOut.of(each, english=request.ctx.english) for each in choices]))


@routes.put("/notice-settings", access=citizen(delegable=Delegable.OWN), answer=SettingsOut, problems=(TopicFixed,))
async def set_settings(request: Request, body: SettingsIn) -> Answer:
    """Choose what I want to be told outside the inbox."""
    choices = await request.app.ctx.services.notice_choices.choose(request.ctx.caller, body.topics)
    return Answer(SettingsOut(topics=[TopicOut.of(each, english=request.ctx.english) for each in choices]))


@routes.get("/notice-copies", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), answer=Page[CopyOut])
async def list_copies(request: Request, query: PageQuery) -> Answer:
    """List who reads along with me and with whom I do, newest first."""
    views = await request.app.ctx.services.notice_copies.list_copies(
        request.ctx.caller, before=decode_place(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[CopyOut](
            items=[CopyOut.of(view) for view in page],
            next_cursor=encode_place(page[-1].created_at, page[-1].id) if len(views) > len(page) else None,
        )
    )


@routes.post(
    "/notice-copies",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=CopyOfferOut,
    problems=(TooManyCopies,),
)
async def offer_copy(request: Request) -> Answer:
    """Offer somebody of the family to be told too."""
    offer = await request.app.ctx.services.notice_copies.offer(request.ctx.caller)
    return Answer(CopyOfferOut.of(offer), location=f"{_COPIES}/{offer.id}")


@routes.post(
    "/notice-copies/acceptances",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=CopyOut,
    problems=(CopyCodeInvalid, CopyOfOneself),
)
async def accept_copy(request: Request, body: CopyIn) -> Answer:
    """Accept to be told of what concerns somebody of the family."""
    view = await request.app.ctx.services.notice_copies.accept(request.ctx.caller, body.code)
    return Answer(CopyOut.of(view), location=f"{_COPIES}/{view.id}")


@routes.delete(
    "/notice-copies/<copy_id:uuid>", access=citizen(delegable=Delegable.OWN), status=204, problems=(RequestNotFound,)
)
async def end_copy(request: Request, copy_id: UUID) -> Answer:
    """End an offer or the reading along, from either side."""
    if not await request.app.ctx.services.notice_copies.end(request.ctx.caller, copy_id):
        raise RequestNotFound
    return Answer()
