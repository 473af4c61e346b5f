"""What it takes to check what this installation issues without asking it: keys, and lists of what became of it."""

from typing import Literal

from sanic.response import HTTPResponse

from api.access import public
from api.operation import Answer, Out, Request, Routes
from api.problems import RequestNotFound
from certificates.offline.status_list import MEDIA_TYPE

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


class Sm2KeyOut(Out):
    """One public key of SM2, in the same form under a name of our own; it checks the second signature (`gm`)."""

    kty: Literal["EC"]
    crv: Literal["SM2"]
    x: str
    y: str
    alg: Literal["SM2-SM3"]
    use: Literal["sig"]
    kid: str


class KeysOut(Out):
    """A JSON Web Key Set."""

    keys: list[KeyOut]


class IssuerKeysOut(Out):
    """A JSON Web Key Set; keys of SM2 are in it where certificates are signed with them too."""

    keys: list[KeyOut | Sm2KeyOut]


@routes.get("/keys", access=public(), answer=IssuerKeysOut)
async def list_keys(request: Request) -> Answer:
    """List the issuer's public keys."""
    listed = {"keys": request.app.ctx.services.issuer_keys.jwks()}
    return Answer(IssuerKeysOut.model_validate(listed), headers={"Cache-Control": "public, max-age=300"})


@routes.get(
    "/status-lists/<number:int>", access=public(), answer=None, media_type=MEDIA_TYPE, problems=(RequestNotFound,)
)
async def get_status_list(request: Request, number: int) -> HTTPResponse:
    """Fetch a status list: what became of a million certificates, whichever of them one looks at."""
    services = request.app.ctx.services
    token = await services.certificates.status_lists.publish(number)
    if token is None:
        raise RequestNotFound
    seconds = services.settings.certificates.status_list_seconds
    # Anybody may keep it and pass it on: a browser's page, and a verifier's own cache.
    headers = {"Cache-Control": f"public, max-age={seconds}", "Access-Control-Allow-Origin": "*"}
    return HTTPResponse(token, content_type=MEDIA_TYPE, headers=headers)


@well_known.get("/jwks.json", access=public(), answer=KeysOut)
async def list_token_keys(request: Request) -> Answer:
    """List the public keys of access tokens, and of nothing else."""
    keys = [KeyOut.model_validate(key) for key in request.app.ctx.services.tokens.jwks()["keys"]]
    return Answer(KeysOut(keys=keys), headers={"Cache-Control": "public, max-age=300"})
