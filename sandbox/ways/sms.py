"""The provider of short messages, pretended from `docs/departments/sms.md`."""

import re

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, part, text, whole_number
from sandbox.ground.signing import SignedDesk
from sandbox.ways.outbox import Outbox

MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CODE = re.compile(r"[0-9]{6}")
_TEMPLATE = "verification-code"


class Sms:
    """Takes messages by template and shows what each mobile got."""

    def __init__(self, *, desk: SignedDesk, outbox: Outbox) -> None:
        self._desk = desk
        self._outbox = outbox

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the outbox among them."""
        return [
            web.post("/sms/v1/messages", self._desk.takes(self._take)),
            web.get("/sandbox/sms/outbox", self._show),
        ]

    async def _take(self, told: Json) -> Json:
        text(told, "request_id")
        reference, mobile = text(told, "reference", most=80), text(told, "mobile")
        if text(told, "template") != _TEMPLATE:
            message = f"template must be {_TEMPLATE}."
            raise NotUnderstood(message)
        parameters = part(told, "parameters")
        code, minutes = text(parameters, "code"), whole_number(parameters, "minutes", least=1, most=60)
        if not _CODE.fullmatch(code) or minutes is None:
            message = "parameters must be a code of 6 digits and minutes."
            raise NotUnderstood(message)
        if not MOBILE.fullmatch(mobile):
            return {"code": "2001", "message": "no such number"}
        number = await self._outbox.send(
            sender="sms",
            reference=reference,
            mobile=mobile,
            template=_TEMPLATE,
            parameters={"code": code, "minutes": minutes},
            text=f"【指尖办事】验证码{code}，{minutes}分钟内有效。"
            "工作人员为您代办时才可告知对方，其他情况请勿告诉任何人。",
        )
        return {"code": "0000", "message": "taken", "message_id": str(number)}

    async def _show(self, request: web.Request) -> web.Response:
        mobile = request.query.get("mobile", "")
        if not MOBILE.fullmatch(mobile):
            return answer({"error": "mobile must be a mobile number of 11 digits."}, status=422)
        return answer({"items": await self._outbox.to(mobile)})
