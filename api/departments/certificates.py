"""News about certificates, told by the department that issues them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.access import department
from api.operation import Answer, Body, Request, Routes
from auth.errors import IdNumberInvalid
from certificates.errors import EventConflict, IssuerUnavailable, MoveForbidden, NotYourKind, StateUnknown
from certificates.types import News
from core.errors import FieldError
from core.pii import IdNumber
from core.signers.http_signature import SignatureInvalid

routes = Routes(prefix="/v1/departments", tag="departments")


class CertificateNewsIn(Body):
    """How a certificate stands now. `version` is the certificate's, and rises with each change; `state` has two digits.

    `reason` is a word of the issuer's, without anything about the person.
    """

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    id_number: Annotated[str, StringConstraints(min_length=15, max_length=18)]
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,40}$")]
    version: Annotated[int, Field(ge=1, le=999_999)]
    state: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,39}$")] = "told"


async def let_in(request: Request, **_path: str) -> None:
    """Count the news before its transaction begins, so that waiting costs no connection."""
    await request.app.ctx.services.certificate_life.let_in(request.ctx.department)


@routes.post(
    "/<department:str>/certificates",
    access=department(),
    status=204,
    problems=(
        SignatureInvalid,
        NotYourKind,
        IdNumberInvalid,
        StateUnknown,
        MoveForbidden,
        EventConflict,
        IssuerUnavailable,
    ),
    idempotency="none",
    prepare=let_in,
)
async def tell(request: Request, body: CertificateNewsIn) -> Answer:
    """Tell how a certificate stands now; the answer is the same whether or not anybody holds it here."""
    try:
        holder = IdNumber.parse(body.id_number)
    except ValueError:
        wrong = FieldError("/id_number", "id-number", "身份证号码有误", "This is not an ID number")
        raise IdNumberInvalid(errors=[wrong]) from None
    if not request.ctx.is_replay:  # An old message again must not undo what was told after it.
        news = News(
            event_id=body.event_id,
            kind=body.kind,
            holder=holder,
            serial=body.serial,
            version=body.version,
            code=body.state,
            reason=body.reason,
        )
        await request.app.ctx.services.certificate_life.hear(request.ctx.department, news)
    return Answer(status=204)
