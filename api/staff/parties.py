"""The register of parties outside: verifiers, departments with their keys, devices. What is new comes by approvals."""

from datetime import datetime
from typing import Final
from uuid import UUID

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, encode_cursor
from api.staff.words import ReasonIn, decode_name, found
from auth.registers.errors import KeyWithdrawn, PartySuspended
from auth.registers.types import KeyView, PartyKind, PartyState, PartyView
from auth.types import Role

routes = Routes(prefix="/v1/staff", tag="registers")

_READING: Final = staff(
    Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER, Role.OPERATOR, Role.AUDITOR
)
# Trusting somebody less takes one person, and no time.
_STOPPING: Final = staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)


class PartyKeyOut(Out):
    """A public key of a party."""

    id: UUID
    key_id: str
    public_key: str
    active: bool
    added_at: datetime
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, view: KeyView) -> "PartyKeyOut":
        """Return the answer for a key."""
        return cls(
            id=view.id,
            key_id=view.key_id,
            public_key=view.public_key,
            active=view.active,
            added_at=view.added_at,
            withdrawn_at=view.withdrawn_at,
        )


class PartyLineOut(Out):
    """A party as a list shows it; what does not belong to its kind is empty."""

    id: UUID
    kind: PartyKind
    slug: str
    state: PartyState
    title: str
    networks: list[str]
    purposes: dict[str, list[str]]
    purpose_titles: dict[str, dict[str, str]]
    quota_per_day: int
    place: str
    matters: list[str]
    registered_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, view: PartyView) -> "PartyLineOut":
        """Return the line of a party."""
        return cls(
            id=view.id,
            kind=view.kind,
            slug=view.slug,
            state=view.state,
            title=view.name,
            networks=list(view.networks),
            purposes={purpose: list(fields) for purpose, fields in view.purposes.items()},
            purpose_titles={code: {"zh": term.zh, "en": term.en} for code, term in view.purpose_titles.items()},
            quota_per_day=view.quota_per_day,
            place=view.place,
            matters=list(view.matters),
            registered_at=view.registered_at,
            changed_at=view.changed_at,
        )


class PartyOut(PartyLineOut):
    """A party that is looked at: whom to call there, and its keys."""

    contact: str | None
    keys: list[PartyKeyOut]

    @classmethod
    def whole(cls, view: PartyView) -> "PartyOut":
        """Return the answer for a party."""
        return cls(
            **PartyLineOut.of(view).model_dump(),
            contact=view.contact,
            keys=[PartyKeyOut.of(key) for key in view.keys],
        )


async def _list(request: Request, query: PageQuery, kind: PartyKind) -> Answer:
    views = await request.app.ctx.services.parties.list_parties(
        kind, after=decode_name(query.cursor), limit=query.limit + 1
    )
    shown = views[: query.limit]
    return Answer(
        Page[PartyLineOut](
            items=[PartyLineOut.of(view) for view in shown],
            next_cursor=encode_cursor([shown[-1].slug]) if len(views) > len(shown) else None,
        )
    )


async def _get(request: Request, kind: PartyKind, party_id: UUID) -> Answer:
    with found():
        return Answer(PartyOut.whole(await request.app.ctx.services.parties.get(kind, party_id)))


async def _suspend(request: Request, kind: PartyKind, party_id: UUID, reason: str) -> Answer:
    with found():
        await request.app.ctx.services.parties.suspend(request.ctx.operator, kind, party_id, reason=reason)
    return Answer()


@routes.get("/verifiers", access=_READING, answer=Page[PartyLineOut])
async def list_verifiers(request: Request, query: PageQuery) -> Answer:
    """List the registered verifiers."""
    return await _list(request, query, PartyKind.VERIFIER)


@routes.get("/verifiers/<verifier_id:uuid>", access=_READING, answer=PartyOut)
async def get_verifier(request: Request, verifier_id: UUID) -> Answer:
    """Show a verifier with its keys and whom to call there."""
    return await _get(request, PartyKind.VERIFIER, verifier_id)


@routes.post("/verifiers/<verifier_id:uuid>/suspensions", access=_STOPPING, status=204, problems=(PartySuspended,))
async def suspend_verifier(request: Request, verifier_id: UUID, body: ReasonIn) -> Answer:
    """Take no request of a verifier any more; it comes back by an approval."""
    return await _suspend(request, PartyKind.VERIFIER, verifier_id, body.reason)


@routes.get("/departments", access=_READING, answer=Page[PartyLineOut])
async def list_departments(request: Request, query: PageQuery) -> Answer:
    """List the departments with registered keys."""
    return await _list(request, query, PartyKind.DEPARTMENT)


@routes.get("/departments/<party_id:uuid>", access=_READING, answer=PartyOut)
async def get_department(request: Request, party_id: UUID) -> Answer:
    """Show a department with the keys by which it signs."""
    return await _get(request, PartyKind.DEPARTMENT, party_id)


@routes.get("/devices", access=_READING, answer=Page[PartyLineOut])
async def list_devices(request: Request, query: PageQuery) -> Answer:
    """List the registered kiosks and officers' devices."""
    return await _list(request, query, PartyKind.DEVICE)


@routes.get("/devices/<device_id:uuid>", access=_READING, answer=PartyOut)
async def get_device(request: Request, device_id: UUID) -> Answer:
    """Show a device with its keys and whom to call about it."""
    return await _get(request, PartyKind.DEVICE, device_id)


@routes.post("/devices/<device_id:uuid>/suspensions", access=_STOPPING, status=204, problems=(PartySuspended,))
async def suspend_device(request: Request, device_id: UUID, body: ReasonIn) -> Answer:
    """Take no request of a device any more; it comes back by an approval."""
    return await _suspend(request, PartyKind.DEVICE, device_id, body.reason)


@routes.post("/keys/<key_id:uuid>/withdrawals", access=_STOPPING, status=204, problems=(KeyWithdrawn,))
async def withdraw_key(request: Request, key_id: UUID, body: ReasonIn) -> Answer:
    """Take no signature of a party's key any more, within a second."""
    with found():
        await request.app.ctx.services.parties.withdraw_key(request.ctx.operator, key_id, reason=body.reason)
    return Answer()
