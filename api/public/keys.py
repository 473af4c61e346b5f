"""The keys to check what this installation issues, without asking it."""

from typing import Literal

from api.access import public
from api.operation import Answer, Out, Request, Routes

routes = Routes(prefix="/v1/public", tag="keys")
well_known = Routes(prefix="/.well-known", tag="keys")


class KeyOut(Out):
    """One public key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    alg: Literal["ES256"]
    use: Literal["sig"]
    kid: str


class KeysOut(Out):
    """A JSON Web Key Set."""

    keys: list[KeyOut]


@routes.get("/keys", access=public(), answer=KeysOut)
async def list_keys(request: Request) -> Answer:
    """List the issuer's public keys."""
    keys = [KeyOut.model_validate(key) for key in request.app.ctx.services.issuer_keys.jwks()]
    return Answer(KeysOut(keys=keys), headers={"Cache-Control": "public, max-age=300"})


@well_known.get("/jwks.json", access=public(), answer=KeysOut)
async def list_token_keys(request: Request) -> Answer:
    """List the public keys of access tokens, and of nothing else."""
    keys = [KeyOut.model_validate(key) for key in request.app.ctx.services.tokens.jwks()["keys"]]
    return Answer(KeysOut(keys=keys), headers={"Cache-Control": "public, max-age=300"})
