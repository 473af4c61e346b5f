"""The sharing interface (GB/T 36906-like): a token in the request's head, answers sealed with SM2 and SM4."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import gmssl_pyx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import SecretStr

from core.clock import Clock
from core.signers.signed_json import digest_hex, hmac_hex

_TAG = 16


class SharingEnvelope:
    """Wraps requests and opens answers of the sharing interface."""

    def __init__(self, *, access_id: str, secret: SecretStr, private_key: SecretStr, clock: Clock) -> None:
        self._access_id = access_id
        self._secret = secret.get_secret_value().encode()
        self._private = bytes.fromhex(private_key.get_secret_value())
        self._clock = clock

    def wrap(self, data: Mapping[str, str]) -> dict[str, Any]:
        """Return the whole request: head with a fresh token, and the data."""
        seconds = str(int(self._clock.now().timestamp()))
        compact = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        text = f"{self._access_id}.{seconds}.{digest_hex('sm3', compact)}"
        token = f"{seconds}.{hmac_hex('sm3', self._secret, text.encode())}"
        return {"head": {"accessId": self._access_id, "accessToken": token}, "data": dict(data)}

    def open(self, cert_data: Mapping[str, str]) -> dict[str, Any]:
        """Return the clear text of `certData`.

        Raises:
            ValueError: it is not sealed for us, or not what the page says.
        """
        try:
            key = gmssl_pyx.sm2_decrypt(self._private, base64.b64decode(cert_data["key"]))
            sealed = base64.b64decode(cert_data["cipher"])
            nonce = base64.b64decode(cert_data["iv"])
            decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
            text = decryptor.update(sealed[:-_TAG]) + decryptor.finalize()
            value = json.loads(text)
        except (InvalidTag, KeyError, TypeError, gmssl_pyx.GmsslInnerError) as error:
            raise ValueError("certData") from error
        if not isinstance(value, dict):
            raise ValueError("certData")  # noqa: TRY004 — the contract says ValueError
        return value
