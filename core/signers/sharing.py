"""The sharing interface (GB/T 36906-like): a token in the request's head, answers sealed with SM2 and SM4."""

import base64
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import gmssl_pyx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import SecretStr

from core.clock import Clock
from core.signers.signed_json import digest_hex, hmac_hex

_TAG = 16
# A sender may use one key for some minutes; each opening with SM2 costs half a millisecond in which nothing else runs.
_KEYS_KEPT = 16


class SharingEnvelope:
    """Wraps requests and opens answers of the sharing interface."""

    def __init__(self, *, access_id: str, secret: SecretStr, private_key: SecretStr, clock: Clock) -> None:
        self._access_id = access_id
        self._secret = secret.get_secret_value().encode()
        self._private = bytes.fromhex(private_key.get_secret_value())
        self._clock = clock
        self._keys: OrderedDict[str, bytes] = OrderedDict()

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
            key = self._key(cert_data["key"])
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

    def _key(self, blob: str) -> bytes:
        """Return the SM4 key in a blob; the last few are remembered."""
        key = self._keys.get(blob)
        if key is None:
            key = gmssl_pyx.sm2_decrypt(self._private, base64.b64decode(blob))
            self._keys[blob] = key
            if len(self._keys) > _KEYS_KEPT:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(blob)
        return key
