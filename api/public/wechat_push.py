"""The address that WeChat pushes to: tried with GET, told with POST."""

from typing import Annotated, Any

from pydantic import StringConstraints
from sanic.response import HTTPResponse

from api.access import public
from api.operation import Query, Request, Routes
from notices.errors import PushRefused

routes = Routes(prefix="/v1/wechat", tag="wechat")

Told = Annotated[str, StringConstraints(max_length=128)]


class PushQuery(Query):
    """What WeChat proves itself by (`docs/departments/wechat-messages.md`)."""

    signature: Told = ""
    timestamp: Told = ""
    nonce: Told = ""
    echostr: Told = ""
    openid: Told = ""
    encrypt_type: Told = ""
    msg_signature: Told = ""


def _text(text: str) -> HTTPResponse:
    return HTTPResponse(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def _proof(query: PushQuery) -> dict[str, Any]:
    return query.model_dump()


@routes.get("/push", access=public(), media_type="text/plain", problems=(PushRefused,))
async def echo(request: Request, query: PushQuery) -> HTTPResponse:
    """Tell WeChat that this address is ours."""
    return _text(request.app.ctx.services.pushes.echo(_proof(query)))


@routes.post(
    "/push",
    access=public(),
    media_type="text/plain",
    problems=(PushRefused,),
    idempotency="none",
    raw=("text/xml", "application/xml", "application/json"),
)
async def push(request: Request, query: PushQuery) -> HTTPResponse:
    """Take a push in; the same one again is answered and has no effect."""
    await request.app.ctx.services.pushes.take(_proof(query), request.body)
    return _text("success")
