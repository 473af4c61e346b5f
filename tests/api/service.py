"""A small service with a route of every kind: what the edge's tests ask."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ed25519
from pydantic import Field, StringConstraints

from api.access import Reach, citizen, department, public, require_scope, scopes_of, staff, verifier
from api.idempotency import Idempotency
from api.operation import (
    Answer,
    Body,
    Out,
    Page,
    PageQuery,
    Query,
    Request,
    Routes,
    bad_cursor,
    decode_cursor,
    encode_cursor,
)
from api.problems import RequestNotFound, RequestStale, TagRequired
from api.reading import read_files
from api.verifiers import verifications
from auth.errors import ConsentRequired, IdNumberInvalid, TokenExpired, TokenInvalid
from auth.types import EVERYWHERE, Caller, Level, Role, RoleGrant, StaffCaller, StaffScope
from certificates.types import Outcome, Verified
from core.db import fetch, transaction
from core.errors import Conflict
from core.pii import IdNumber
from core.signers.http_signature import SignatureChecker, TrustedKey
from face.errors import EngineBusy

ALICE, BOB = UUID(int=0xA), UUID(int=0xB)
BEFORE, AFTER = timedelta(seconds=-1), timedelta(seconds=1)
PUBLIC_URL = "https://zhijian.city.test"
POLICE = ed25519.Ed25519PrivateKey.generate()
SHOP = ed25519.Ed25519PrivateKey.generate()
KEYS = {
    "police-1": TrustedKey("public-security", POLICE.public_key()),
    "shop-1": TrustedKey("a-shop", SHOP.public_key(), kind="verifier", networks=("127.0.0.0/8",)),
    "far-1": TrustedKey("a-shop", SHOP.public_key(), kind="verifier", networks=("192.0.2.0/24",)),
}
TAG = '"v1"'

_names = itertools.count(1)
routes = Routes(prefix="/v1/citizen", tag="things")
others = Routes(prefix="/v1", tag="others")


class StateForbids(Conflict):
    """The thing is closed."""

    code = "things.state"
    title = "这件事已经办结"
    title_en = "This is closed"
    plain = "已经办完了。"


class PieceIn(Body):
    """A part of a thing."""

    colour: Annotated[str, StringConstraints(max_length=10)]


class ThingIn(Body):
    """A thing as it is sent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    size: Annotated[int, Field(ge=1, le=10)] | None = None
    share: float | None = None
    is_open: bool = False
    parts: Annotated[list[PieceIn], Field(max_length=3)] = Field(default_factory=list)


class PersonIn(Body):
    """Who somebody is."""

    id_number: Annotated[str, StringConstraints(max_length=30)]


class ThingOut(Out):
    """A thing as it is answered."""

    id: UUID
    name: str


class FilesOut(Out):
    """How large the files were."""

    sizes: list[int]


@dataclass
class Shelf:
    """What there is, and how often it was asked for; `pause` and `failure` are the tests' to set."""

    calls: int = 0
    replays: list[bool] = field(default_factory=list)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    failure: BaseException | None = None

    async def put(self, name: str) -> UUID:
        """Write a row and count it, in one transaction."""
        self.calls += 1

        async def work() -> None:
            await fetch("INSERT INTO counter (name, value) VALUES ($1, 1) RETURNING name", f"{name} {self.calls}")
            await asyncio.sleep(0)
            await fetch(
                "INSERT INTO counter (name, value) VALUES ('sum', 1) "
                "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING name"
            )

        await transaction(work)
        self.entered.set()
        if self.failure is not None:
            raise self.failure
        return UUID(int=self.calls)


class FakeSessions:
    """Knows tokens of two people for each level, and for each session: `alice-present-2`."""

    async def caller_of(self, access_token: str, *, lately: bool = False) -> Caller:
        del lately
        if access_token == "expired":
            raise TokenExpired
        who = {"alice": ALICE, "bob": BOB}
        name, _, rest = access_token.partition("-")
        level, _, session = rest.partition("-")
        if name not in who or level not in list(Level):
            raise TokenInvalid
        return Caller(who[name], UUID(int=int(session or 1)), Level(level), elder=False, actor_id=who[name])


class FakeStaffSessions:
    """Knows one operator, and one whose grant reaches one department."""

    async def caller_of(self, access_token: str, *, address: str) -> StaffCaller:
        scopes = {"operator": EVERYWHERE, "clerk": StaffScope(department="taxation")}
        if access_token not in scopes:
            raise TokenInvalid
        grant = RoleGrant(Role.OPERATOR, scopes[access_token])
        return StaffCaller(UUID(int=3), UUID(int=4), "op", (grant,))


class FakeVerification:
    """Finds of every code what the code says."""

    async def verify(self, code: str, *, purpose: str, verifier: UUID | None, address: str) -> Verified:
        return Verified(outcome=Outcome(code), kind=None, fields={}, holder_notified=False)


@dataclass
class Services:
    """What the edge and the handlers here ask of."""

    sessions: FakeSessions
    staff_sessions: FakeStaffSessions
    signatures: SignatureChecker
    public_url: str
    idempotency: Idempotency
    shelf: Shelf
    verification: FakeVerification = field(default_factory=FakeVerification)


@routes.post("/things", access=citizen(), status=201, answer=ThingOut)
async def make_thing(request: Request, body: ThingIn) -> Answer:
    """Make a thing."""
    made = await request.app.ctx.services.shelf.put(body.name)
    return Answer(ThingOut(id=made, name=body.name), location=f"/v1/citizen/things/{made}")


@routes.post("/certain-things", access=citizen(), status=201, answer=ThingOut, idempotency="required")
async def make_certain_thing(request: Request, body: ThingIn) -> Answer:
    """Make a thing for certain."""
    made = await request.app.ctx.services.shelf.put(body.name)
    return Answer(ThingOut(id=made, name=body.name), location=f"/v1/citizen/things/{made}", headers={"ETag": TAG})


@routes.post("/slow-things", access=citizen(), status=201, answer=ThingOut)
async def make_slow_thing(request: Request, body: ThingIn) -> Answer:
    """Make a thing and think about it."""
    shelf = request.app.ctx.services.shelf
    made = await shelf.put(body.name)
    await shelf.go_on.wait()
    return Answer(ThingOut(id=made, name=body.name), location=f"/v1/citizen/things/{made}")


@routes.get("/things", access=citizen(), answer=Page[ThingOut])
async def list_things(request: Request, query: PageQuery) -> Answer:
    """List things."""
    after = decode_cursor(query.cursor, parts=1)
    if after is not None and not after[0].isdigit():
        raise bad_cursor()
    start = int(after[0]) if after else 0
    items = [ThingOut(id=UUID(int=number), name=str(number)) for number in range(start, start + query.limit)]
    return Answer(Page[ThingOut](items=items, next_cursor=encode_cursor([str(start + query.limit)])))


@routes.get("/things/<thing_id:uuid>", access=citizen(), answer=ThingOut, headers_out=("ETag",))
async def get_thing(request: Request, thing_id: UUID) -> Answer:
    """Return one of my things: the thing with my own id is mine, every other is somebody else's or nobody's."""
    if thing_id != request.ctx.caller.citizen_id:
        raise RequestNotFound
    return Answer(ThingOut(id=thing_id, name="mine"), headers={"ETag": TAG})


@routes.patch("/things/<thing_id:uuid>", access=citizen(), answer=ThingOut, headers_in=("If-Match",))
async def change_thing(request: Request, thing_id: UUID, body: ThingIn) -> Answer:
    """Change a thing."""
    tag = request.headers.get("if-match")
    if tag is None:
        raise TagRequired
    if tag != TAG:
        raise RequestStale
    return Answer(ThingOut(id=thing_id, name=body.name))


@routes.delete("/things/<thing_id:uuid>", access=citizen())
async def delete_thing(_request: Request, thing_id: UUID) -> Answer:
    """Delete a thing."""
    del thing_id
    return Answer()


@routes.post("/closures", access=citizen(), answer=ThingOut, problems=(StateForbids,))
async def close_thing(_request: Request) -> Answer:
    """Close what is closed."""
    raise StateForbids


@routes.post("/pictures", access=citizen(), answer=FilesOut, files="frames")
async def send_pictures(request: Request) -> Answer:
    """Take some pictures."""
    files = read_files(request, field="frames", at_most=3, max_bytes=100_000)
    return Answer(FilesOut(sizes=[len(content) for content in files]))


def full_house(_request: Request) -> None:
    """Let nobody's pictures be read: the engine has no place, and says for how long."""
    raise EngineBusy(retry_after=7)


@routes.post("/full-house", access=citizen(), answer=FilesOut, files="frames", gate=full_house)
async def send_pictures_in_vain(_request: Request) -> Answer:
    """Take pictures that are never read."""
    raise StateForbids


@routes.get("/portrait", access=citizen(Level.PRESENT), answer=ThingOut)
async def portrait(_request: Request) -> Answer:
    """Show what only somebody present may see."""
    return Answer(ThingOut(id=ALICE, name="portrait"))


@routes.post("/agreements", access=citizen(Level.REAL_NAME), answer=ThingOut, problems=(ConsentRequired,))
async def agree(_request: Request) -> Answer:
    """Do what needs a consent."""
    raise ConsentRequired


@routes.put("/identity", access=citizen(), answer=ThingOut, problems=(IdNumberInvalid,))
async def identify(request: Request, body: PersonIn) -> Answer:
    """Say who one is."""
    try:
        IdNumber.parse(body.id_number)
    except ValueError as error:
        raise IdNumberInvalid from error
    return Answer(ThingOut(id=request.ctx.caller.citizen_id, name="known"))


@routes.post("/doors", access=public(), answer=ThingOut)
async def knock(request: Request, body: ThingIn) -> Answer:
    """Enter without being known, as a login does."""
    return Answer(ThingOut(id=await request.app.ctx.services.shelf.put(body.name), name=body.name))


@others.post("/public/failures", access=public(), answer=ThingOut)
async def fail(request: Request) -> Answer:
    """Fail as told, or wait."""
    shelf = request.app.ctx.services.shelf
    shelf.entered.set()
    if shelf.failure is not None:
        raise shelf.failure
    await shelf.go_on.wait()
    return Answer(ThingOut(id=ALICE, name="done"))


class SumQuery(Query):
    """How much."""

    size: Annotated[int, Field(ge=1, le=10)]


@others.post("/public/sums", access=public(), answer=FilesOut)
async def add_up(_request: Request, query: SumQuery) -> Answer:
    """Answer what was asked."""
    return Answer(FilesOut(sizes=[query.size]))


@others.get("/public/surroundings", access=public(), answer=ThingOut)
async def surroundings(request: Request) -> Answer:
    """Tell from where a request comes."""
    return Answer(ThingOut(id=UUID(int=1), name=f"{request.ctx.address} {request.ctx.device}"))


@others.get("/staff/books", access=staff(Role.OPERATOR), answer=ThingOut)
async def read_books(request: Request) -> Answer:
    """Read as an operator."""
    return Answer(ThingOut(id=request.ctx.operator.operator_id, name=request.ctx.operator.username))


@others.get("/staff/keys", access=staff(Role.SECURITY_ADMIN), answer=ThingOut)
async def read_keys(_request: Request) -> Answer:
    """Read what an operator may not."""
    return Answer(ThingOut(id=ALICE, name="keys"))


@others.get("/staff/rows", access=staff(Role.OPERATOR, scope=Reach.ROWS), answer=ThingOut)
async def read_rows(request: Request) -> Answer:
    """Read what the operator's grants cover."""
    require_scope(request, StaffScope(department="taxation", matter="m-1"))
    return Answer(ThingOut(id=ALICE, name=str(len(scopes_of(request)))))


@others.post("/departments/<department:str>/progress", access=department(), status=204)
async def progress(request: Request, body: ThingIn) -> Answer:
    """Take a department's news."""
    shelf = request.app.ctx.services.shelf
    shelf.replays.append(request.ctx.is_replay)
    if not request.ctx.is_replay:
        await shelf.put(body.name)
    return Answer()


@others.post("/verifiers/questions", access=verifier(), answer=ThingOut, idempotency="none")
async def ask(request: Request, body: ThingIn) -> Answer:
    """Answer a verifier, or anybody."""
    shelf = request.app.ctx.services.shelf
    shelf.replays.append(request.ctx.is_replay)
    if shelf.failure is not None:
        raise shelf.failure
    return Answer(ThingOut(id=ALICE, name=f"{request.ctx.verifier} {body.name}"))


GROUPS: Sequence[Routes] = (routes, others, verifications.routes)
