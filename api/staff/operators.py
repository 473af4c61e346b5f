"""The staff: inviting, roles and their reach, networks, disabling."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.access import staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, encode_cursor
from api.problems import RequestInvalid
from api.reading import field_error
from api.staff.words import GrantOut, Grants, Network, ReasonIn, decode_name, found
from auth.staff.errors import (
    AccountForbids,
    ApprovalNeeded,
    LastHolder,
    NameUnknown,
    NotYourself,
    RolesExclude,
    UsernameTaken,
)
from auth.staff.types import Invitation, OperatorState, OperatorView
from auth.types import Role

PREFIX = "/v1/staff/operators"
routes = Routes(prefix=PREFIX, tag="operators")

Networks = Annotated[list[Network], Field(max_length=20)]


class InvitationIn(Body):
    """Whom to invite, and from where they may come."""

    username: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,62}[a-z0-9]$")]
    networks: Networks = Field(default_factory=list)


class InvitationOut(Out):
    """An invited account. `secret` is told this once and exchanged at `/v1/staff/activations`."""

    id: UUID
    username: str
    secret: str
    until: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationOut":
        """Return the answer for an invitation."""
        return cls(
            id=invitation.operator_id,
            username=invitation.username,
            secret=invitation.secret,
            until=invitation.until,
        )


class RolesIn(Body):
    """All the roles that somebody is to hold."""

    grants: Grants


class NetworksIn(Body):
    """From where somebody may come; none: from anywhere the installation allows."""

    networks: Networks


class StaffMemberOut(Out):
    """An operator as administrators see them."""

    id: UUID
    username: str
    state: OperatorState
    grants: list[GrantOut]
    networks: list[str]
    created_at: datetime
    locked_until: datetime | None

    @classmethod
    def of(cls, view: OperatorView) -> "StaffMemberOut":
        """Return the answer for an operator."""
        return cls(
            id=view.id,
            username=view.username,
            state=view.state,
            grants=[GrantOut.of(grant) for grant in view.grants],
            networks=list(view.networks),
            created_at=view.created_at,
            locked_until=view.locked_until,
        )


@routes.get(
    "",
    access=staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.AUDITOR),
    answer=Page[StaffMemberOut],
)
async def list_operators(request: Request, query: PageQuery) -> Answer:
    """List the staff by name."""
    views = await request.app.ctx.services.operators.list_operators(
        after=decode_name(query.cursor), limit=query.limit + 1
    )
    shown = views[: query.limit]
    return Answer(
        Page[StaffMemberOut](
            items=[StaffMemberOut.of(view) for view in shown],
            next_cursor=encode_cursor([shown[-1].username]) if len(views) > len(shown) else None,
        )
    )


@routes.post(
    "",
    access=staff(Role.SYSTEM_ADMIN),
    status=201,
    answer=InvitationOut,
    problems=(UsernameTaken,),
)
async def invite(request: Request, body: InvitationIn) -> Answer:
    """Invite somebody; once they have activated their account a security administrator says what they may do."""
    try:
        invitation = await request.app.ctx.services.operators.invite(
            body.username, networks=body.networks, caller=request.ctx.operator
        )
    except ValueError as error:
        raise RequestInvalid(errors=[field_error("/username", "string_pattern_mismatch")]) from error
    return Answer(InvitationOut.of(invitation), location=f"{PREFIX}/{invitation.operator_id}")


@routes.get(
    "/<operator_id:uuid>",
    access=staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.AUDITOR),
    answer=StaffMemberOut,
)
async def get(request: Request, operator_id: UUID) -> Answer:
    """Show one of the staff."""
    with found():
        return Answer(StaffMemberOut.of(await request.app.ctx.services.operators.get(operator_id)))


@routes.post(
    "/<operator_id:uuid>/invitations",
    access=staff(Role.SYSTEM_ADMIN),
    status=201,
    answer=InvitationOut,
    problems=(NotYourself, ApprovalNeeded),
)
async def invite_again(request: Request, operator_id: UUID) -> Answer:
    """Invite somebody again who has lost their way in or was disabled; their sessions end, and they hold nothing."""
    with found():
        invitation = await request.app.ctx.services.operators.invite_again(operator_id, caller=request.ctx.operator)
    return Answer(InvitationOut.of(invitation), location=f"{PREFIX}/{operator_id}")


@routes.put(
    "/<operator_id:uuid>/roles",
    access=staff(Role.SECURITY_ADMIN),
    answer=StaffMemberOut,
    problems=(RolesExclude, NameUnknown, NotYourself, AccountForbids, LastHolder, ApprovalNeeded),
)
async def set_roles(request: Request, operator_id: UUID, body: RolesIn) -> Answer:
    """Give somebody exactly these roles; their sessions end. What has a say in what others do takes two people."""
    services = request.app.ctx.services
    with found():
        await services.appointments.set_roles(
            operator_id, [each.grant() for each in body.grants], caller=request.ctx.operator
        )
        return Answer(StaffMemberOut.of(await services.operators.get(operator_id)))


@routes.put(
    "/<operator_id:uuid>/networks",
    access=staff(Role.SECURITY_ADMIN),
    answer=StaffMemberOut,
    problems=(NotYourself, ApprovalNeeded),
)
async def set_networks(request: Request, operator_id: UUID, body: NetworksIn) -> Answer:
    """Say from which networks somebody may come; of who looks at what others do, two people say it."""
    services = request.app.ctx.services
    with found():
        await services.appointments.set_networks(operator_id, body.networks, caller=request.ctx.operator)
        return Answer(StaffMemberOut.of(await services.operators.get(operator_id)))


@routes.post(
    "/<operator_id:uuid>/disablements",
    access=staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
    status=204,
    problems=(NotYourself, AccountForbids, LastHolder, ApprovalNeeded),
)
async def disable(request: Request, operator_id: UUID, body: ReasonIn) -> Answer:
    """Shut somebody out at once: sessions end, what they had asked for is asked for no more."""
    appointments = request.app.ctx.services.appointments
    with found():
        await appointments.disable(operator_id, caller=request.ctx.operator, reason=body.reason)
    return Answer()
