"""JSON signed with SM2 on both sides: each proves with its own key (`docs/departments/disabled-persons.md`)."""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from core.clock import Clock
from core.ids import Ids
from core.keyring.sm2 import Sm2PrivateKey, Sm2PublicKey
from core.signers.signed_json import digest_hex

_SIGNATURE: Final = "X-Signature"


@dataclass(frozen=True, slots=True, repr=False)
class Proven:
    """A request as it leaves, and the word by which its answer is known."""

    body: bytes
    headers: Mapping[str, str]
    nonce: str


class Sm2Json:
    """Signs what we ask, and reads only answers that the other side has signed for that question."""

    def __init__(self, *, app_id: str, private_key: SecretStr, public_key: str, clock: Clock, ids: Ids) -> None:
        """`private_key` is ours, both halves in base64; `public_key` theirs in hex with its leading 04."""
        self._app_id = app_id
        self._private = private_key
        self._public = public_key
        self._clock = clock
        self._ids = ids
        self._keys: tuple[Sm2PrivateKey, Sm2PublicKey] | None = None

    async def prove(self, method: str, path: str, value: Mapping[str, object]) -> Proven:
        """Return a request with its proof; `path` stands below the system's address.

        Raises:
            ValueError: a key is none.
        """
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp, nonce = str(int(self._clock.now().timestamp())), self._ids.uuid().hex
        signed = "\n".join((method, path, timestamp, nonce, digest_hex("sm3", body)))
        ours, _ = self._read_keys()
        signature = await asyncio.to_thread(ours.sign, signed.encode())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-App-Id": self._app_id,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            _SIGNATURE: base64.b64encode(signature).decode(),
        }
        return Proven(body, headers, nonce)

    async def open(self, status: int, headers: Mapping[str, str], body: bytes, nonce: str) -> dict[str, Any]:
        """Return what an answer to the request of that nonce says.

        Raises:
            ValueError: it is not theirs, answers something else, or is no JSON object.
        """
        try:
            signature = base64.b64decode(headers.get(_SIGNATURE, ""), validate=True)
        except binascii.Error as error:
            raise ValueError("signature") from error
        signed = "\n".join(("answer", str(status), nonce, digest_hex("sm3", body)))
        _, theirs = self._read_keys()
        if not await asyncio.to_thread(theirs.holds, signature, signed.encode()):
            raise ValueError("signature")
        try:
            value = json.loads(body)
        except RecursionError as error:
            raise ValueError("answer") from error
        if not isinstance(value, dict):
            raise ValueError("answer")  # noqa: TRY004 — the contract says ValueError
        return value

    def _read_keys(self) -> tuple[Sm2PrivateKey, Sm2PublicKey]:
        if self._keys is None:
            ours = Sm2PrivateKey.from_text(self._private.get_secret_value().encode())
            self._keys = ours, Sm2PublicKey(bytes.fromhex(self._public)[1:])
        return self._keys
