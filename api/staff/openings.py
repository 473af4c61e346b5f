"""Residents' data for staff: masked to look at, opened for a purpose and a case, which the resident sees."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from api.access import Reach, scopes_of, staff
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from api.staff.words import Masked, Reason, found
from auth.staff.errors import TooManyOpenings
from auth.staff.types import PersonField
from auth.types import EVERYWHERE, Role, StaffScope
from core.pii import IdNumber, Mobile
from matters.applications.concerned import whom_it_concerns

routes = Routes(prefix="/v1/staff", tag="personal data")


def _is_personal(text: str) -> bool:
    for kind in (IdNumber, Mobile):
        with suppress(ValueError):
            kind.parse(text)
            return True
    return False


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
    fields: Annotated[list[PersonField], Field(min_length=1, max_length=len(PersonField))]
    purpose: Reason
    case: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_-]{3,63}$")]

    @model_validator(mode="after")
    def _one_of_them(self) -> "OpeningIn":
        if (self.subject is None) == (self.application is None):
            raise ValueError("one of subject and application is needed")
        if _is_personal(self.case):
            # It is written down for good, and somebody's number is no case.
            raise ValueError("a person's number is no case")
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


# Not repeatable under a key: no kept answer tells the values again.
@routes.post(
    "/openings",
    access=staff(Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    answer=OpenedOut,
    idempotency="none",
    problems=(TooManyOpenings,),
)
async def open_person(request: Request, body: OpeningIn) -> Answer:
    """Open personal values for a purpose and a case; the resident sees who did, and why."""
    subject, concerned = body.subject, EVERYWHERE
    with found():
        if body.application is not None:
            about = await whom_it_concerns(body.application)
            if about.number != body.case:
                raise RequestNotFound
            subject = about.citizen_id
            concerned = StaffScope(department=about.department, matter=about.matter)
        values = await request.app.ctx.services.openings.open_person(
            request.ctx.operator,
            scopes_of(request),
            subject,
            body.fields,
            purpose=body.purpose,
            case=body.case,
            concerned=concerned,
        )
    return Answer(OpenedOut.model_validate({"subject": subject, "values": values}))
