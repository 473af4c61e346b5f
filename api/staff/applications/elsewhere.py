"""How many cases windows take that belong elsewhere (通办率)."""

from datetime import datetime
from typing import Final

from api.access import Reach, scopes_of, staff
from api.operation import Answer, Out, Request, Routes
from api.staff.applications.ratings import USUAL, SpanQuery
from auth.types import Role
from matters.routing.elsewhere import Share

routes = Routes(prefix="/v1/staff", tag="exchange")

_WHO: Final = staff(Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.AUDITOR, scope=Reach.ROWS)


class ShareOut(Out):
    """How many cases windows took, how many of them belong elsewhere, and the share."""

    taken: int
    elsewhere: int
    rate: float | None

    @classmethod
    def of(cls, share: Share) -> "ShareOut":
        """Return the answer for a share."""
        return cls(
            taken=share.taken, elsewhere=share.elsewhere, rate=None if share.rate is None else round(share.rate, 4)
        )


class SharesOut(Out):
    """Shares over all that the operator may see, and by matter."""

    since: datetime
    until: datetime
    whole: ShareOut
    matters: dict[str, ShareOut]


@routes.get("/elsewhere-rates", access=_WHO, answer=SharesOut)
async def count_elsewhere(request: Request, query: SpanQuery) -> Answer:
    """Count cases that windows took for residents, and those of them that belong elsewhere."""
    services = request.app.ctx.services
    until = query.until or services.clock.now()
    since = query.since or until - USUAL
    whole, matters = await services.matters.elsewhere.shares(since=since, until=until, scopes=scopes_of(request))
    return Answer(
        SharesOut(
            since=since,
            until=until,
            whole=ShareOut.of(whole),
            matters={matter: ShareOut.of(share) for matter, share in matters.items()},
        )
    )
