"""JSON signed with SM2 on both sides: an answer counts for its question alone."""

import base64
import json

import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.ids import RandomIds
from core.keyring.sm2 import Sm2PrivateKey
from core.signers.signed_json import digest_hex
from core.signers.sm2_json import Proven, Sm2Json

OURS, THEIRS = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
SIGNER = Sm2Json(
    app_id="us",
    private_key=SecretStr(OURS.text().decode()),
    public_key="04" + THEIRS.public.point.hex(),
    clock=SystemClock(),
    ids=RandomIds(),
)
ANSWER = json.dumps({"acceptance": "CL1"}).encode()


def answered(proven: Proven, *, status: int = 200, body: bytes = ANSWER) -> dict[str, str]:
    text = "\n".join(("answer", str(status), proven.nonce, digest_hex("sm3", body)))
    return {"X-Signature": base64.b64encode(THEIRS.sign(text.encode())).decode()}


async def test_a_request_is_signed_as_the_page_says() -> None:
    proven = await SIGNER.prove("POST", "/v1/cases", {"name": "封刚毅"})
    told = proven.headers
    text = "\n".join(("POST", "/v1/cases", told["X-Timestamp"], told["X-Nonce"], digest_hex("sm3", proven.body)))
    assert OURS.public.holds(base64.b64decode(told["X-Signature"]), text.encode())
    assert json.loads(proven.body) == {"name": "封刚毅"}
    again = await SIGNER.prove("POST", "/v1/cases", {"name": "封刚毅"})
    assert again.nonce != proven.nonce


async def test_an_answer_is_read_only_as_it_was_signed() -> None:
    proven = await SIGNER.prove("POST", "/v1/cases", {})
    other = await SIGNER.prove("POST", "/v1/cases", {})
    headers = answered(proven)
    assert await SIGNER.open(200, headers, ANSWER, proven.nonce) == {"acceptance": "CL1"}
    for status, told, body, nonce in (
        (201, headers, ANSWER, proven.nonce),
        (200, headers, ANSWER + b" ", proven.nonce),
        (200, headers, ANSWER, other.nonce),
        (200, {}, ANSWER, proven.nonce),
        (200, {"X-Signature": "é"}, ANSWER, proven.nonce),
        (200, answered(proven, body=b"[]"), b"[]", proven.nonce),
        (200, answered(proven, body=b"nonsense"), b"nonsense", proven.nonce),
    ):
        with pytest.raises(ValueError, match=r".*"):
            await SIGNER.open(status, told, body, nonce)
