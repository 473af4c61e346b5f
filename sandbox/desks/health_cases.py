"""The case desk of health, pretended from `docs/departments/health.md`: sealed JSON."""

import base64
import binascii
import json
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl_pyx import GmsslInnerError, InvalidValueError, normalize_sm2_public_key, sm2_decrypt, sm2_encrypt

from sandbox.desks.called_back import CalledBackCases
from sandbox.ground.answers import Json, NotAllowed, NotUnderstood, answer, part, read_object, read_supplement, text
from sandbox.ground.callbacks import Callbacks
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, listed
from sandbox.ground.settings import Misconfigured, SealedCaller
from sandbox.ground.signing import Nonces, check_seconds, same, sm3_hmac
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People, Person

_NAME = "health"
_NONCE = re.compile(r"[0-9a-f]{32}")
_LONGEST = 1_000_000
_TAG = 16


class HealthCases:
    """Opens one case for a reference. What it says, only the caller can read."""

    def __init__(
        self,
        *,
        people: People,
        caller: SealedCaller,
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
            self._their_key = normalize_sm2_public_key(caller.public_key)
            self._our_key = bytes.fromhex(caller.private_key)
        except (InvalidValueError, ValueError):
            message = "A key of health_cases is not one of SM2."
            raise Misconfigured(message) from None

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/v1/sealed/cases", self._receive),
            web.post(f"/{_NAME}/v1/sealed/status", self._sealed(self._tell)),
            web.post(f"/{_NAME}/v1/sealed/supplements", self._sealed(self._supplement)),
            web.post(f"/{_NAME}/v1/sealed/withdrawals", self._sealed(self._withdraw)),
        ]

    def _sealed(self, work: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on a question that comes sealed and whose answer goes sealed."""

        async def handle(request: web.Request) -> web.Response:
            try:
                told = read_object(await request.read())
                clear = self._opened(told)
                return answer(self._closed(await work(clear), text(told, "nonce")))
            except NotAllowed as refusal:
                return answer({"code": "4010", "message": str(refusal)}, status=401)
            except NotUnderstood as refusal:
                return answer({"code": "4000", "message": str(refusal)})

        return handle

    async def _receive(self, request: web.Request) -> web.Response:
        caller_left = False

        async def receive(told: Json) -> Json:
            nonlocal caller_left
            applicant, url = part(told, "applicant"), text(told, "callback_url", most=2000)
            if not self._callbacks.may_go_to(url) or not isinstance(told.get("at_once"), bool):
                message = "callback_url must be an address that may be called back, at_once true or false."
                raise NotUnderstood(message)
            person = self._people.find_named(text(applicant, "id_number"), text(applicant, "name"))
            if person is not None and person.ending == "hangs" and not await self._faults.hang(request, _NAME):
                caller_left = True
                return {}
            reference, files = text(told, "reference"), listed(told, "files")
            text(told, "matter")
            text(told, "submitted_at")
            await self._filing.collect(_NAME, reference, files)
            mode = await self._faults.meet_callbacks(_NAME)
            taken = await self._store.run(partial(self._take_in, told=told, person=person, mode=mode))
            self._callbacks.wake()
            return taken

        response = await self._sealed(receive)(request)
        return hang_up(request) if caller_left else response

    def _take_in(self, db: sqlite3.Connection, *, told: Json, person: Person | None, mode: Mode) -> Json:
        earlier = earlier_answer(db, department=_NAME, reference=told["reference"])
        if earlier is not None:
            return earlier
        received_at, reason = self._clock.stamp(), None
        if not isinstance(told.get("form"), dict):
            reason = "incomplete"
        if person is None or person.ending == "refuses":
            reason = "not-eligible"
        if reason is not None:
            taken: Json = {"code": "2422", "reason": reason, "message": "不予受理 / Not taken."}
        else:
            taken = self._open_case(db, told, received_at, mode)
        take(
            db,
            department=_NAME,
            reference=told["reference"],
            matter=told["matter"],
            at=received_at,
            outcome="accepted" if reason is None else "refused",
            answer=taken,
        )
        return taken

    def _open_case(self, db: sqlite3.Connection, told: Json, received_at: str, mode: Mode) -> Json:
        number = f"WJ{secrets.token_hex(6).upper()}"
        result = self._cases.open(
            db,
            department=_NAME,
            reference=told["reference"],
            receipt_number=number,
            url=told["callback_url"],
            mode=mode,
            at_once=told["at_once"],
        )
        taken = {"code": "0000", "message": "received", "receipt_number": number, "received_at": received_at}
        return {**taken, "decision": {"state": "approved", "result": result}} if told["at_once"] else taken

    async def _tell(self, told: Json) -> Json:
        reference = text(told, "reference")
        case = await self._store.run(partial(self._cases.find, department=_NAME, reference=reference))
        if case is None:
            return {"code": "1404", "message": "unknown"}
        return {"code": "0000", "message": "done", "receipt_number": case[0], "state": case[1]}

    async def _supplement(self, told: Json) -> Json:
        reference, key, at = text(told, "reference"), read_supplement(told), self._clock.stamp()
        taken = partial(self._cases.supplement, department=_NAME, reference=reference, key=key, at=at)
        return await self._store.run(taken)

    async def _withdraw(self, told: Json) -> Json:
        reference = text(told, "reference")
        taken = partial(self._cases.take_back, department=_NAME, reference=reference)
        return {"code": await self._store.run(taken), "message": "done, decided, or unknown"}

    def _opened(self, told: Json) -> Json:
        names = ("app_id", "timestamp", "nonce", "key", "iv", "cipher")
        parts = [text(told, name, most=_LONGEST) for name in names]
        app_id, timestamp, nonce, key, iv, cipher = parts
        check_seconds(timestamp, self._clock)
        expected = sm3_hmac(self._caller.secret, "\n".join(parts).encode("utf-8", "surrogatepass"))
        if not same(self._caller.app_id, app_id) or not same(expected, text(told, "mac", most=64)):
            message = "The caller is unknown or the mac is wrong."
            raise NotAllowed(message)
        if not _NONCE.fullmatch(nonce) or not self._nonces.use(app_id, nonce):
            message = "The nonce is not 32 lower-case hex digits, or was used before."
            raise NotAllowed(message)
        try:
            sealed = base64.b64decode(cipher, validate=True)
            opened = sm2_decrypt(self._our_key, base64.b64decode(key, validate=True))
            mode = modes.GCM(base64.b64decode(iv, validate=True), sealed[-_TAG:])
            decryptor = Cipher(algorithms.SM4(opened), mode).decryptor()
            return read_object(decryptor.update(sealed[:-_TAG]) + decryptor.finalize())
        except (binascii.Error, GmsslInnerError, InvalidTag, ValueError):
            message = "It is not sealed as the page says."
            raise NotUnderstood(message) from None

    def _closed(self, clear: Json, nonce: str) -> Json:
        key, iv = secrets.token_bytes(16), secrets.token_bytes(12)
        sealer = Cipher(algorithms.SM4(key), modes.GCM(iv)).encryptor()
        cipher = sealer.update(json.dumps(clear, ensure_ascii=False).encode()) + sealer.finalize() + sealer.tag
        sealed = {"key": sm2_encrypt(self._their_key, key), "iv": iv, "cipher": cipher}
        told = {name: base64.b64encode(value).decode() for name, value in sealed.items()}
        signed = "\n".join(("answer", nonce, told["key"], told["iv"], told["cipher"]))
        return {**told, "mac": sm3_hmac(self._caller.secret, signed.encode())}
