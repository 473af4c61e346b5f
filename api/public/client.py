"""What a client needs to start."""

from api.access import public
from api.operation import Answer, Out, Request, Routes

routes = Routes(prefix="/v1/public", tag="public")


class DemoOut(Out):
    """Where the demonstration's sandbox is."""

    sandbox_url: str


class ClientOut(Out):
    """What a client needs to start. `elder_hint_scale`: from this font scale on, offer the elder mode."""

    wechat_app_id: str
    elder_hint_scale: float
    demo: DemoOut | None


@routes.get("/client", access=public(), answer=ClientOut)
async def client(request: Request) -> Answer:
    """Tell a client what it needs to start."""
    settings = request.app.ctx.services.settings
    return Answer(
        ClientOut(
            wechat_app_id=settings.auth.wechat.app_id,
            elder_hint_scale=settings.auth.levels.elder_hint_scale,
            demo=DemoOut(sandbox_url=settings.sandbox_url)
            if settings.sandbox_url and not settings.is_production
            else None,
        ),
    )
