"""Signed JSON against its page (docs/departments/README.md), recomputed by hand with other code."""

import hashlib
import hmac

import gmssl_pyx
import pytest
from pydantic import SecretStr

from core.outbound import Outgoing
from core.signers.signed_json import Digest, SignedJson, digest_hex, hmac_hex
from tests.fakes.ground import FixedClock, FixedIds

SECRET = "the shared secret 密"
BODY = '{"name":"值"}'.encode()


def request(
    body: bytes = BODY, base: str = "https://bureau.test/base", target: str = "/v1/cases?a=%E4%B8%AD"
) -> Outgoing:
    return Outgoing("POST", base, target, body, {"X-Request-Id": "r-1"})


def signer(digest: Digest = "sha256") -> SignedJson:
    return SignedJson(app_id="app-1", secret=SecretStr(SECRET), clock=FixedClock(), ids=FixedIds(), digest=digest)


async def test_the_signature_is_the_pages() -> None:
    signed = await signer().sign(request())
    timestamp = str(int(FixedClock().now().timestamp()))
    nonce = signed.headers["X-Nonce"]
    text = f"POST\n/base/v1/cases?a=%E4%B8%AD\n{timestamp}\n{nonce}\n{hashlib.sha256(BODY).hexdigest()}"
    assert dict(signed.headers) == {
        "X-Request-Id": "r-1",
        "X-App-Id": "app-1",
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Signature": hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest(),
    }
    assert len(nonce) == 32
    assert int(nonce, 16) > 0
    assert (signed.method, signed.base, signed.target, signed.body) == (
        "POST",
        "https://bureau.test/base",
        "/v1/cases?a=%E4%B8%AD",
        BODY,
    )


async def test_with_sm3_both_hashes_are_sm3() -> None:
    signed = await signer("sm3").sign(request())
    timestamp, nonce = signed.headers["X-Timestamp"], signed.headers["X-Nonce"]
    text = f"POST\n/base/v1/cases?a=%E4%B8%AD\n{timestamp}\n{nonce}\n{gmssl_pyx.sm3_hash(BODY).hex()}"
    assert signed.headers["X-Signature"] == gmssl_pyx.sm3_hmac(SECRET.encode(), text.encode()).hex()


async def test_an_empty_body_is_signed_as_the_digest_of_nothing() -> None:
    signed = await signer().sign(request(b"", base="http://bureau.test", target="/v1/x"))
    timestamp, nonce = signed.headers["X-Timestamp"], signed.headers["X-Nonce"]
    text = f"POST\n/v1/x\n{timestamp}\n{nonce}\n{hashlib.sha256(b'').hexdigest()}"
    assert signed.headers["X-Signature"] == hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()


async def test_a_nonce_is_never_the_same_twice() -> None:
    ours = signer()
    assert len({(await ours.sign(request())).headers["X-Nonce"] for _ in range(50)}) == 50


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(256)) * 9])
def test_sm3_agrees_with_another_implementation(data: bytes) -> None:
    assert digest_hex("sm3", data) == gmssl_pyx.sm3_hash(data).hex()
    assert hmac_hex("sm3", b"key", data) == gmssl_pyx.sm3_hmac(b"key", data).hex()


def test_the_digests_agree_with_published_vectors() -> None:
    # GB/T 32905 annex A, example 1; FIPS 180-4.
    assert digest_hex("sm3", b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest_hex("sha256", b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
