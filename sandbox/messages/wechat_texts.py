"""WeChat's look at texts, pretended from `docs/departments/wechat.md`.

What it thinks stands in the text itself: `[risk]` and `[review]` make it say so, `[inactive]` makes it not know the
account any more; every other text passes.
"""

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, read_object
from sandbox.people import People
from sandbox.wechat import WeChat

_LONGEST = 2500
_SCENES = (1, 2, 3, 4)


class WechatTexts:
    """Looks at texts that accounts of the mini program have written, and keeps none."""

    def __init__(self, *, wechat: WeChat, people: People) -> None:
        self._wechat = wechat
        self._people = people
        self.looked = 0

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/wechat/wxa/msg_sec_check", self._check)]

    async def _check(self, request: web.Request) -> web.Response:
        if refusal := await self._wechat.refuse_token(request.query.get("access_token", "")):
            return refusal
        try:
            told = read_object(await request.read())
        except NotUnderstood:
            return _error(47001, "data format error")
        content = told.get("content")
        if not isinstance(content, str) or not content:
            return _error(44002, "empty content")
        if told.get("version") != 2 or told.get("scene") not in _SCENES or len(content) > _LONGEST:  # noqa: PLR2004 — the page
            return _error(40129, "invalid scene or content")
        if not await self._knows(told) or "[inactive]" in content:
            return _error(61010 if "[inactive]" in content else 40003, "openid is not active")
        self.looked += 1
        suggest, label = ("risk", 20001) if "[risk]" in content else ("pass", 100)
        if "[review]" in content and suggest == "pass":
            suggest, label = "review", 20003
        return answer(
            {"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": label}, "trace_id": "sandbox"}
        )

    async def _knows(self, told: Json) -> bool:
        openids = {await self._wechat.openid_of(person.slug) for person in self._people}
        return told.get("openid") in openids


def _error(errcode: int, errmsg: str) -> web.Response:
    return answer({"errcode": errcode, "errmsg": errmsg})
