"""The sharing interface, pretended from `docs/departments/human-resources.md`: tokens in, sealed answers out."""

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl_pyx import InvalidValueError, normalize_sm2_public_key, sm2_encrypt

from sandbox.ground.answers import Json, NotAllowed, NotUnderstood, answer, part, read_object, text
from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret, Misconfigured
from sandbox.ground.signing import check_seconds, same, sm3, sm3_hmac
from sandbox.people import People, Person

_KEY_LIVES_S = 600.0


class NoneHeld(Exception):
    """There is nothing of this kind for this person."""


class NotConfirmed(Exception):
    """There is something on record that is not confirmed."""


class SharingDesk:
    """One department's end of the sharing interface: answers are encrypted to the caller."""

    def __init__(
        self, *, department: str, people: People, caller: AppSecret, sm2_public_key: str, clock: Clock
    ) -> None:
        self._people = people
        self._caller = caller
        self._clock = clock
        # The key in use, sealed and open, and since when.
        self._key: tuple[bytes, bytes, float] | None = None
        try:
            self._public_key = normalize_sm2_public_key(sm2_public_key)
        except InvalidValueError:
            message = f"{department}.sm2_public_key is no point of the SM2 curve."
            raise Misconfigured(message) from None

    def shares(
        self, work: Callable[[Person, Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on a holder and the data of a question, whose answer is sealed."""
        return self.tells(lambda data: work(self._holder(data), data))

    def tells(self, work: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler of work on the data of a question that names no holder, whose answer is sealed."""

        async def handle(request: web.Request) -> web.Response:
            try:
                told = read_object(await request.read())
                data = part(told, "data")
                self._check(part(told, "head"), data)
                clear = await work(data)
                return answer({"head": {"status": 0, "message": "done"}, "data": {"certData": self._seal(clear)}})
            except NotAllowed as refusal:
                return _refused(401, str(refusal))
            except NotUnderstood as refusal:
                return _refused(422, str(refusal))
            except NoneHeld:
                return _refused(404, "none held")
            except NotConfirmed:
                return _refused(409, "on record, not confirmed")

        return handle

    def _check(self, head: Json, data: Json) -> None:
        access_id, token = text(head, "accessId"), text(head, "accessToken", most=200)
        seconds, _, code = token.partition(".")
        check_seconds(seconds, self._clock)
        compact = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        expected = sm3_hmac(self._caller.secret, f"{self._caller.app_id}.{seconds}.{sm3(compact)}".encode())
        if not same(self._caller.app_id, access_id) or not same(expected, code):
            message = "The caller is unknown or the token is wrong."
            raise NotAllowed(message)

    def _holder(self, data: Json) -> Person:
        text(data, "useCause", most=200)
        if data.get("holderTypeCode") != "111":
            message = "holderTypeCode must be 111."
            raise NotUnderstood(message)
        person = self._people.find_named(text(data, "holderCode"), text(data, "holderName"))
        if person is None:
            raise NoneHeld
        return person

    def _seal(self, clear: Json) -> Json:
        (key, sealed_key), iv = self._current_key(), secrets.token_bytes(12)
        sealer = Cipher(algorithms.SM4(key), modes.GCM(iv)).encryptor()
        text_ = json.dumps(clear, ensure_ascii=False).encode()
        cipher = sealer.update(text_) + sealer.finalize() + sealer.tag
        sealed = {"key": sealed_key, "iv": iv, "cipher": cipher}
        return {name: base64.b64encode(value).decode() for name, value in sealed.items()}

    def _current_key(self) -> tuple[bytes, bytes]:
        """Give the SM4 key and what it looks like sealed; a new one every ten minutes, as the page allows."""
        now = self._clock.seconds()
        if self._key is None or not 0 <= now - self._key[2] < _KEY_LIVES_S:
            key = secrets.token_bytes(16)
            self._key = (key, sm2_encrypt(self._public_key, key), now)
        return self._key[:2]


def check_type(data: Json, *known: str) -> None:
    """Hold the type that is asked for against those that there are.

    Raises:
        NotUnderstood: it is another one.
    """
    if data.get("certTypeCode") not in known:
        message = f"certTypeCode must be {' or '.join(known)}."
        raise NotUnderstood(message)


def compact(day: str | None) -> str | None:
    """Write a day as this interface does: `YYYYMMDD`."""
    return None if day is None else re.sub("-", "", day)


def _refused(status: int, message: str) -> web.Response:
    # The page: HTTP is 200 always, the status stands in the head.
    return answer({"head": {"status": status, "message": message}, "data": {}})
