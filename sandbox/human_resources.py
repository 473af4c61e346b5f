"""Human resources and social security, pretended from `docs/departments/human-resources.md`: the sharing interface."""

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl_pyx import InvalidValueError, normalize_sm2_public_key, sm2_encrypt

from sandbox.ground.answers import Json, NotAllowed, NotUnderstood, answer, part, read_object, text
from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret, Misconfigured
from sandbox.ground.signing import check_seconds, same, sm3, sm3_hmac
from sandbox.people import People, Person, certificate, dated

_NAME = "human-resources"
_CARD = "social-security-card"
_KEY_LIVES_S = 600.0
# GB/T 36904 wants the code of a type under its ministry's number; the official one is not public, so this is one of a
# department that does not exist (area 999999) with a local sequence.
_TYPE_CODE = "11999999MB0000019T901"
_ROOT = "1.2.156.3005.2"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class NoneHeld(Exception):
    """There is nothing of this kind for this person."""


class HumanResources:
    """Social security cards and insurance, answered encrypted to the caller."""

    def __init__(
        self, *, people: People, caller: AppSecret, sm2_public_key: str, clock: Clock, opened_on: date
    ) -> None:
        self._people = people
        self._caller = caller
        self._clock = clock
        self._opened_on = opened_on
        # The key in use, sealed and open, and since when.
        self._key: tuple[bytes, bytes, float] | None = None
        try:
            self._public_key = normalize_sm2_public_key(sm2_public_key)
        except InvalidValueError:
            message = "human_resources.sm2_public_key is no point of the SM2 curve."
            raise Misconfigured(message) from None

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/sharing/queryCertInfoByHolderCode", self._shares(self._certificate)),
            web.post(f"/{_NAME}/sharing/queryInsurance", self._shares(self._insurance)),
        ]

    def _shares(self, work: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                told = read_object(await request.read())
                data = part(told, "data")
                self._check(part(told, "head"), data)
                return answer(
                    {"head": {"status": 0, "message": "done"}, "data": {"certData": self._seal(await work(data))}}
                )
            except NotAllowed as refusal:
                return _refused(401, str(refusal))
            except NotUnderstood as refusal:
                return _refused(422, str(refusal))
            except NoneHeld:
                return _refused(404, "none held")

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

    async def _certificate(self, data: Json) -> Json:
        if data.get("certTypeCode") != _CARD:
            message = f"certTypeCode must be {_CARD}."
            raise NotUnderstood(message)
        person = self._holder(data)
        card = certificate(person, _CARD, today=self._clock.today(), opened_on=self._opened_on)
        if card is None:
            raise NoneHeld
        return _as_shared(card)

    async def _insurance(self, data: Json) -> Json:
        person = self._holder(data)
        insurance = person.records["insurance"]
        if insurance is None:
            return {"name": person.name, "insured": False}
        told: Json = dated(insurance, self._clock.today())
        return {"name": person.name, "insured": True, **told, "since": told["since"].replace("-", "")}

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


def _refused(status: int, message: str) -> web.Response:
    # The page: HTTP is 200 always, the status stands in the head.
    return answer({"head": {"status": status, "message": message}, "data": {}})


def _as_shared(card: dict[str, Any]) -> Json:
    version = f"{card['version']:03d}"
    body = f"{_TYPE_CODE}{card['issuer_code']}{card['serial']}{version}"
    identifier = ".".join((_ROOT, _TYPE_CODE, card["issuer_code"], card["serial"], version, _check_digit(body)))
    return {
        "cert_identifier": identifier,
        "certno": card["number"],
        "name": card["fields"]["name"],
        "state": card["state"],
        "issue_date": _compact(card["issued_on"]),
        "valid_until": _compact(card["valid_until"]),
        "issuer": card["issuer"],
        "issuer_code": card["issuer_code"],
        "serial": card["serial"],
        "version": card["version"],
        "items": {**card["fields"], "issued_on": _compact(card["fields"]["issued_on"])},
    }


def _compact(day: str | None) -> str | None:
    return None if day is None else re.sub("-", "", day)


def _check_digit(body: str) -> str:
    """Compute the check of a certificate identifier: ISO 7064 MOD 37,36 over its parts without dots (GB/T 36904)."""
    carry = 36
    for character in body:
        carry = (carry + _DIGITS.index(character)) % 36 or 36
        carry = carry * 2 % 37
    return _DIGITS[(37 - carry) % 36]
