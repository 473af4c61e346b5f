"""Asking about somebody's certificate without a code, as the sharing interface of GB/T 36906 has it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints
from sanic.response import HTTPResponse

from api.access import verifier
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import answer_problem
from auth.errors import IdNumberInvalid
from auth.registers.errors import QuotaUsedUp
from certificates.errors import KindUnknown, PurposeRequired, VerifierUnknown
from certificates.sharing.errors import NotAgreed
from certificates.sharing.types import SharedCertificate
from certificates.types import PURPOSE, PURPOSE_LENGTH, Outcome, Value
from core.pii import IdNumber
from core.signers.http_signature import SignatureInvalid

routes = Routes(prefix="/v1/verifiers", tag="verifications")


class QueryIn(Body):
    """Whose certificate of which kind, and for what. Holders are named by the number of their identity card (`111`)."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    holder_type_code: Literal["111"]
    holder_code: Annotated[str, StringConstraints(min_length=18, max_length=18)]
    use_cause: Annotated[str, StringConstraints(max_length=PURPOSE_LENGTH, pattern=PURPOSE)] = ""


class SharedOut(Out):
    """The certificate as far as its holder lets it be read: how it stands, and those fields."""

    disclosure: UUID
    kind: str
    outcome: Outcome
    fields: dict[str, Value | bool]

    @classmethod
    def of(cls, shared: SharedCertificate) -> "SharedOut":
        """Return the answer for a certificate that is shared."""
        return cls(
            disclosure=shared.disclosure_id, kind=shared.kind, outcome=shared.outcome, fields=dict(shared.fields)
        )


@routes.post(
    "/certificate-queries",
    access=verifier(),
    answer=SharedOut,
    idempotency="none",
    problems=(
        SignatureInvalid,
        KindUnknown,
        IdNumberInvalid,
        PurposeRequired,
        VerifierUnknown,
        NotAgreed,
        QuotaUsedUp,
    ),
)
async def ask(request: Request, body: QueryIn) -> Answer | HTTPResponse:
    """Read of a certificate what its holder lets this verifier read for this purpose."""
    if request.ctx.verifier is None:
        raise SignatureInvalid
    try:
        holder = IdNumber.parse(body.holder_code)
    except ValueError as error:
        raise IdNumberInvalid from error
    shared = await request.app.ctx.services.certificates.queries.ask(
        UUID(request.ctx.verifier), body.kind, holder, purpose=body.use_cause
    )
    # The question is counted and stands in the holder's ledger although it is refused.
    if shared is None:
        return answer_problem(
            NotAgreed(), instance=request.ctx.request_id, english=request.ctx.english, elder=request.ctx.elder_words
        )
    return Answer(SharedOut.of(shared))
