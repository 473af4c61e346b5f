"""Sealed JSON: a body that only the other side can read, and prove (`docs/departments/health.md`)."""

import base64
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import gmssl_pyx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import SecretStr

from core.clock import Clock
from core.ids import Ids
from core.signers.signed_json import hmac_hex

_KEY: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_PARTS: Final = ("key", "iv", "cipher")


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A body as it leaves, and the word by which its answer is known."""

    body: Mapping[str, str]
    nonce: str


class SealedJson:
    """Seals with SM4 under a fresh key, which is sealed with SM2; proves both with HMAC-SM3."""

    def __init__(
        self, *, app_id: str, secret: SecretStr, private_key: SecretStr, public_key: str, clock: Clock, ids: Ids
    ) -> None:
        """`private_key` is ours, `public_key` theirs: hex, the latter with its leading 04."""
        self._app_id = app_id
        self._secret = secret.get_secret_value().encode()
        self._private = bytes.fromhex(private_key.get_secret_value())
        self._public = bytes.fromhex(public_key.removeprefix("04"))
        self._clock = clock
        self._ids = ids

    def seal(self, value: Mapping[str, object]) -> Sealed:
        """Return a request that only the other side can read."""
        clear = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        key, iv = os.urandom(_KEY), os.urandom(_NONCE)
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(iv)).encryptor()
        cipher = encryptor.update(clear) + encryptor.finalize() + encryptor.tag
        told = {
            "app_id": self._app_id,
            "timestamp": str(int(self._clock.now().timestamp())),
            "nonce": self._ids.uuid().hex,
            "key": base64.b64encode(gmssl_pyx.sm2_encrypt(self._public, key)).decode(),
            "iv": base64.b64encode(iv).decode(),
            "cipher": base64.b64encode(cipher).decode(),
        }
        told["mac"] = self._mac(told["app_id"], told["timestamp"], told["nonce"], *(told[part] for part in _PARTS))
        return Sealed(told, told["nonce"])

    def open(self, answer: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Return what an answer to the request of that nonce says.

        Raises:
            ValueError: it is not theirs, answers something else, is not sealed for us, or not what the page says.
        """
        try:
            key, iv, cipher = (str(answer[part]) for part in _PARTS)
            expected = self._mac("answer", nonce, key, iv, cipher)
            if not hmac.compare_digest(expected.encode(), str(answer["mac"]).encode()):
                raise ValueError("mac")
            sealed = base64.b64decode(cipher)
            opened = gmssl_pyx.sm2_decrypt(self._private, base64.b64decode(key))
            mode = modes.GCM(base64.b64decode(iv), sealed[-_TAG:])
            decryptor = Cipher(algorithms.SM4(opened), mode).decryptor()
            value = json.loads(decryptor.update(sealed[:-_TAG]) + decryptor.finalize())
        except (InvalidTag, KeyError, RecursionError, gmssl_pyx.GmsslInnerError) as error:
            raise ValueError("answer") from error
        if not isinstance(value, dict):
            raise ValueError("answer")  # noqa: TRY004 — the contract says ValueError
        return value

    def _mac(self, *parts: str) -> str:
        return hmac_hex("sm3", self._secret, "\n".join(parts).encode())
