"""Residents' data for staff: masked to look at, opened for a purpose and a case; the resident sees every attempt."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.access import Reach, scopes_of, staff
from api.operation import Answer, Body, Out, Request, Routes
from api.staff.words import UNIQUE, Case, EachOnce, Masked, Reason, found
from auth.staff.errors import TooManyOpenings
from auth.staff.types import OpeningReason, PersonField
from auth.types import Role
from matters.applications.concerned import whom_it_concerns
from matters.reach import scope_of

routes = Routes(prefix="/v1/staff", tag="personal data")


class ResidentOut(Out):
    """A resident as staff sees them: everything masked."""

    id: UUID
    name: Masked | None
    id_number: Masked | None
    mobile: Masked | None


class OpeningIn(Body):
    """Whose data, by the resident or by an application; which fields, for what, under which case."""

    subject: UUID | None = None
    application: UUID | None = None
    fields: Annotated[
        list[PersonField], Field(min_length=1, max_length=len(PersonField), json_schema_extra=UNIQUE), EachOnce
    ]
    purpose: Reason
    case: Case

    @model_validator(mode="after")
    def _one_of_them(self) -> "OpeningIn":
        if (self.subject is None) == (self.application is None):
            raise PydanticCustomError("one_of", "one of subject and application is needed")
        return self


class OpenedOut(Out):
    """What was asked for, told this once. Each field is there; null where nothing is known."""

    subject: UUID
    values: dict[PersonField, str | None]


@routes.get(
    "/residents/<resident_id:uuid>",
    access=staff(Role.OPERATOR, Role.ACCEPTOR, Role.AUDITOR, Role.AUDIT_ADMIN),
    answer=ResidentOut,
)
async def look(request: Request, resident_id: UUID) -> Answer:
    """Show a resident, masked."""
    with found():
        values = await request.app.ctx.services.openings.look(request.ctx.operator, resident_id)
    return Answer(ResidentOut(id=resident_id, **{field.value: value for field, value in values.items()}))


@routes.post(
    "/openings",
    access=staff(Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    answer=OpenedOut,
    problems=(TooManyOpenings,),
)
async def open_person(request: Request, body: OpeningIn) -> Answer:
    """Open personal values for a purpose and a case; the resident sees who did, and why."""
    subject, reason = body.subject, OpeningReason(body.purpose, body.case)
    with found():
        if body.application is not None:
            about = await whom_it_concerns(body.application)
            subject = about.citizen_id
            reason = replace(
                reason,
                concerned=scope_of(about),
                is_of_the_case=about.number == body.case,
            )
        values = await request.app.ctx.services.openings.open_person(
            request.ctx.operator, scopes_of(request), subject, body.fields, reason
        )
    return Answer(OpenedOut.model_validate({"subject": subject, "values": values}))
