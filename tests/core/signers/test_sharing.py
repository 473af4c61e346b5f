"""The sharing envelope against its page (docs/departments/human-resources.md), the other side made with gmssl_pyx."""

import base64
import json
import os
from collections.abc import Mapping

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.signers.sharing import SharingEnvelope
from tests.fakes.ground import FixedClock

PUBLIC, PRIVATE = gmssl_pyx.sm2_key_generate()
ANSWER = {"name": "霍明哲", "state": "valid", "items": {"card_number": "C1"}}


def envelope(private: bytes = PRIVATE) -> SharingEnvelope:
    return SharingEnvelope(
        access_id="city-1", secret=SecretStr("shared 密"), private_key=SecretStr(private.hex()), clock=FixedClock()
    )


def sealed(text: bytes, *, key: bytes | None = None, public: bytes = PUBLIC) -> dict[str, str]:
    """What the bureau sends, made by another implementation of SM2 and SM4."""
    key = key or os.urandom(16)
    iv = os.urandom(12)
    cipher, tag = gmssl_pyx.sm4_gcm_encrypt(key, iv, b"", text)
    return {
        "key": base64.b64encode(gmssl_pyx.sm2_encrypt(public, key)).decode(),
        "iv": base64.b64encode(iv).decode(),
        "cipher": base64.b64encode(cipher + tag).decode(),
    }


def sealed_again(key: bytes, text: bytes) -> dict[str, str]:
    """One more answer under a key, with an iv of its own."""
    answer = sealed(text, key=key)
    return {"iv": answer["iv"], "cipher": answer["cipher"]}


def test_a_request_carries_the_pages_token() -> None:
    data = {"holderCode": "999999198503122179", "holderName": "霍明哲", "useCause": "a b"}
    wrapped = envelope().wrap(data)
    seconds = str(int(FixedClock().now().timestamp()))
    compact = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    text = f"city-1.{seconds}.{gmssl_pyx.sm3_hash(compact).hex()}"
    token = gmssl_pyx.sm3_hmac("shared 密".encode(), text.encode()).hex()
    assert wrapped == {"head": {"accessId": "city-1", "accessToken": f"{seconds}.{token}"}, "data": data}


def test_what_the_bureau_seals_for_us_opens() -> None:
    assert envelope().open(sealed(json.dumps(ANSWER).encode())) == ANSWER


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_any_object_comes_back(value: dict[str, str]) -> None:
    assert envelope().open(sealed(json.dumps(value).encode())) == value


def test_a_key_that_serves_many_answers_is_opened_once() -> None:
    ours, key = envelope(), os.urandom(16)
    first, second = (sealed(json.dumps({"n": number}).encode(), key=key) for number in (1, 2))
    assert first["key"] != second["key"]
    second = {**sealed_again(key, b'{"n": 2}'), "key": first["key"]}
    assert [ours.open(each)["n"] for each in (first, second)] == [1, 2]
    assert list(ours._keys) == [first["key"]]


def test_only_the_last_few_keys_are_remembered() -> None:
    ours = envelope()
    answers = [sealed(json.dumps({"n": number}).encode()) for number in range(20)]
    assert [ours.open(answer)["n"] for answer in answers] == list(range(20))
    assert list(ours._keys) == [answer["key"] for answer in answers[-16:]]
    assert ours.open(answers[0])["n"] == 0


def test_what_is_sealed_for_another_does_not_open() -> None:
    other, _ = gmssl_pyx.sm2_key_generate()
    with pytest.raises(ValueError, match=r"."):
        envelope().open(sealed(b"{}", public=other))


@pytest.mark.parametrize("part", ["key", "iv", "cipher"])
def test_every_part_is_needed_as_it_was_sent(part: str) -> None:
    good = sealed(json.dumps(ANSWER).encode())
    for changed in ("", "AAAA", "not base64!", good[part][:-8], good["iv" if part != "iv" else "cipher"]):
        with pytest.raises(ValueError, match=r"."):
            envelope().open(good | {part: changed})
    with pytest.raises(ValueError, match=r"."):
        envelope().open({name: value for name, value in good.items() if name != part})


@pytest.mark.parametrize("text", [b"[1]", b"nothing", b"\xff", b'"text"'])
def test_clear_text_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        envelope().open(sealed(text))


@pytest.mark.parametrize("value", [{}, {"key": 1, "iv": None, "cipher": []}])
def test_another_shape_is_refused(value: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        envelope().open(value)


def test_another_cipher_is_refused() -> None:
    key, iv = os.urandom(16), os.urandom(12)
    answer = {
        "key": base64.b64encode(gmssl_pyx.sm2_encrypt(PUBLIC, key)).decode(),
        "iv": base64.b64encode(iv).decode(),
        "cipher": base64.b64encode(AESGCM(key).encrypt(iv, b"{}", None)).decode(),
    }
    with pytest.raises(ValueError, match="certData"):
        envelope().open(answer)
