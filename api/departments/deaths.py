"""Deaths, told by the keeper of the population registry."""

from datetime import date
from typing import Annotated, Final

from pydantic import StringConstraints

from api.access import NotYourCase, department
from api.operation import Answer, Body, Request, Routes
from auth.errors import IdNumberInvalid
from core.audit.actors import Actor
from core.errors import FieldError
from core.pii import IdNumber
from core.signers.http_signature import SignatureInvalid

routes = Routes(prefix="/v1/departments", tag="departments")

# Whose register it is; nobody else is believed.
_KEEPER: Final = "public-security"


class DeathIn(Body):
    """Who has died, and when; null: they were told dead by mistake."""

    id_number: Annotated[str, StringConstraints(min_length=15, max_length=18)]
    died_on: date | None


@routes.post(
    "/<department:str>/deaths",
    access=department(),
    status=204,
    problems=(SignatureInvalid, NotYourCase, IdNumberInvalid),
    idempotency="none",
)
async def tell(request: Request, body: DeathIn) -> Answer:
    """Tell that somebody has died, or lives after all; the answer is the same whether or not they have an account."""
    if request.ctx.department != _KEEPER:
        raise NotYourCase
    try:
        number = IdNumber.parse(body.id_number)
    except ValueError:
        wrong = FieldError("/id_number", "id-number", "身份证号码有误", "This is not an ID number")
        raise IdNumberInvalid(errors=[wrong]) from None
    if not request.ctx.is_replay:  # An old message again must not undo what was told after it.
        deaths, actor = request.app.ctx.services.deaths, Actor.department(_KEEPER)
        await (deaths.take_back(number, actor=actor) if body.died_on is None else deaths.record(number, actor=actor))
    return Answer(status=204)
