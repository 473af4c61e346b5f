"""The case desk of the disabled persons' federation, pretended from its page: JSON that both sides sign with SM2."""

import asyncio
import base64
import binascii
import json
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from gmssl_pyx import GmsslInnerError, InvalidValueError, normalize_sm2_public_key, sm2_sign, sm2_verify

from sandbox.desks.called_back import CalledBackCases
from sandbox.ground.answers import Json, NotAllowed, NotUnderstood, part, read_object, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.settings import Misconfigured, Sm2Caller
from sandbox.ground.signing import Nonces, check_seconds, same, sm3
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People, Person

_NAME = "disabled-persons"
_NONCE = re.compile(r"[0-9a-f]{32}")
_HALF = 32
Work = Callable[[Json], Awaitable[tuple[int, Json]]]


class DisabledPersonsCases:
    """Opens one case for a reference. Every answer to a caller that it knows is signed."""

    def __init__(
        self,
        *,
        people: People,
        caller: Sm2Caller,
        store: Store,
        faults: Faults,
        callbacks: Callbacks,
        filing: Filing,
        clock: Clock,
        nonces: Nonces,
    ) -> None:
        self._people = people
        self._caller = caller
        self._store = store
        self._faults = faults
        self._callbacks = callbacks
        self._cases = CalledBackCases(callbacks)
        self._filing = filing
        self._clock = clock
        self._nonces = nonces
        try:
            self._their_key = normalize_sm2_public_key(bytes.fromhex(caller.public_key)[1:])
            both = base64.b64decode(caller.private_key, validate=True)
        except (InvalidValueError, GmsslInnerError, ValueError):
            message = "A key of disabled_persons_cases is not one of SM2."
            raise Misconfigured(message) from None
        self._our_secret, self._our_point = both[:_HALF], both[_HALF:]

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/v1/cases", self._receive),
            web.post(f"/{_NAME}/v1/cases/status", self._proven(self._tell)),
            web.post(f"/{_NAME}/v1/cases/withdrawals", self._proven(self._withdraw)),
        ]

    def _proven(self, work: Work) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on a question that is signed and whose answer is."""

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            try:
                nonce = await self._check(request, body)
            except NotAllowed as refusal:
                return _written(401, {"message": str(refusal)})
            try:
                status, told = await work(read_object(body))
            except NotUnderstood as refusal:
                status, told = 400, {"message": str(refusal)}
            return await self._signed(_written(status, told), nonce)

        return handle

    async def _receive(self, request: web.Request) -> web.Response:
        caller_left = False

        async def receive(told: Json) -> tuple[int, Json]:
            nonlocal caller_left
            person_told, url = part(told, "person"), text(told, "tell", most=2000)
            reference, service = text(told, "reference"), text(told, "service")
            text(told, "applied_at")
            if not self._callbacks.may_go_to(url):
                message = "tell must be an address that may be called."
                raise NotUnderstood(message)
            person = self._people.find_named(text(person_told, "id_number"), text(person_told, "name"))
            if person is not None and person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return 200, {}
            await self._filing.collect(_NAME, reference, listed(told, "files"))
            reason = None if isinstance(told.get("answers"), dict) else "incomplete"
            mode = await self._faults.meet_callbacks(_NAME)
            taken = await self._store.run(
                partial(
                    self._take_in,
                    reference=reference,
                    service=service,
                    url=url,
                    reason=_why_not(person) or reason,
                    mode=mode,
                )
            )
            self._callbacks.wake()
            return taken

        response = await self._proven(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(
        self, db: sqlite3.Connection, *, reference: str, service: str, url: str, reason: str | None, mode: Mode
    ) -> tuple[int, Json]:
        earlier = earlier_answer(db, department=_NAME, reference=reference)
        if earlier is not None:
            return 422 if "reason" in earlier else 200, earlier
        received_at = self._clock.stamp()
        answer: Json = {"reason": reason, "message": "不予受理 / Not taken."}
        if reason is None:
            number = f"CL{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
            self._cases.open(db, department=_NAME, reference=reference, receipt_number=number, url=url, mode=mode)
            answer = {"acceptance": number, "received_at": received_at}
        take(
            db,
            department=_NAME,
            reference=reference,
            matter=service,
            at=received_at,
            outcome="accepted" if reason is None else "refused",
            answer=answer,
        )
        return 201 if reason is None else 422, answer

    async def _tell(self, told: Json) -> tuple[int, Json]:
        reference = text(told, "reference")
        case = await self._store.run(partial(self._cases.find, department=_NAME, reference=reference))
        return (404, {}) if case is None else (200, {"acceptance": case[0], "state": case[1]})

    async def _withdraw(self, told: Json) -> tuple[int, Json]:
        taken = partial(self._cases.take_back, department=_NAME, reference=text(told, "reference"))
        return {"0000": 200, "1409": 409, "1404": 404}[await self._store.run(taken)], {}

    async def _check(self, request: web.Request, body: bytes) -> str:
        """Check who asks; the nonce of the question.

        Raises:
            NotAllowed: an unknown caller, an old timestamp, a used nonce or a wrong signature.
        """
        app_id, nonce = request.headers.get("X-App-Id", ""), request.headers.get("X-Nonce", "")
        timestamp = request.headers.get("X-Timestamp", "")
        check_seconds(timestamp, self._clock)
        below = request.raw_path.removeprefix(f"/{_NAME}")
        signed = "\n".join((request.method, below, timestamp, nonce, sm3(body)))
        try:
            told = base64.b64decode(request.headers.get("X-Signature", ""), validate=True)
            r, s = int.from_bytes(told[:_HALF]), int.from_bytes(told[_HALF:])
            key, message = self._their_key, signed.encode("utf-8", "surrogateescape")
            holds = await asyncio.to_thread(sm2_verify, key, message, encode_dss_signature(r, s))
        except (binascii.Error, GmsslInnerError, ValueError):
            holds = False
        if not holds or not same(self._caller.app_id, app_id):
            message_ = "The caller is unknown or the signature is wrong."
            raise NotAllowed(message_)
        if not _NONCE.fullmatch(nonce) or not self._nonces.use(app_id, nonce):
            message_ = "The nonce is not 32 lower-case hex digits, or was used before."
            raise NotAllowed(message_)
        return nonce

    async def _signed(self, response: web.Response, nonce: str) -> web.Response:
        body = response.body if isinstance(response.body, bytes) else b""
        signed = "\n".join(("answer", str(response.status), nonce, sm3(body)))
        der = await asyncio.to_thread(sm2_sign, self._our_secret, self._our_point, signed.encode())
        r, s = decode_dss_signature(der)
        response.headers["X-Signature"] = base64.b64encode(r.to_bytes(_HALF) + s.to_bytes(_HALF)).decode()
        return response


def _why_not(person: Person | None) -> str | None:
    return "not-eligible" if person is None or person.ending == "refuses" else None


def _written(status: int, told: Json) -> web.Response:
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, content_type="application/json")
