"""Tokens field by field: the RFC's own values, and that nothing but what was made is taken."""

import base64
import json
import os
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from certificates.offline.jws import decode, encode, keys_of, read_json, sign
from certificates.offline.sd_jwt import compose, digest, disclosure, looks_like_token, read
from certificates.offline.types import Contents
from certificates.types import Colour, Outcome
from core.keyring.jwk import public_jwk, thumbprint
from core.keyring.ring import Key

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SECRET = ec.generate_private_key(ec.SECP256R1())
KEY = Key(thumbprint(SECRET.public_key()), SECRET)
KEYS = {KEY.kid: SECRET.public_key()}
CONTENTS = Contents(
    issuer="https://zhijian.city.test",
    kind="driving-licence",
    colour=Colour.BLACK,
    issued_at=NOW,
    expires_at=NOW + timedelta(hours=24),
    status_uri="https://zhijian.city.test/v1/public/status-lists/0",
    status_index=4711,
    values={"vehicle_class": "C1", "points": 0, "address": None, "age>=18": True},
)
MUTATIONS = int(os.environ.get("ZHIJIAN_MUTATIONS", "1000"))


def salts() -> Any:
    numbers = iter(range(1000))
    return lambda: f"{next(numbers):022d}"


def token(contents: Contents = CONTENTS, key: Key[ec.EllipticCurvePrivateKey] = KEY) -> str:
    return compose(contents, key=key, salt=salts())


def payload_of(text: str) -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(decode(text.split("~", maxsplit=1)[0].split(".")[1]))
    return parts


def test_a_disclosure_and_its_digest_are_those_of_the_rfc() -> None:
    """RFC 9901, section 4.2.1 and 4.2.3."""
    told = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    ours = disclosure("_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius")
    assert read_json(decode(ours)) == read_json(decode(told)) == ["_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius"]
    assert digest(told) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


def test_what_was_composed_is_read_again() -> None:
    assert read(token(), KEYS) == CONTENTS
    assert "C1" not in repr(CONTENTS)


def test_the_signed_part_holds_digests_and_no_value_that_was_let_out() -> None:
    payload = payload_of(token())
    assert set(payload) == {"iss", "iat", "exp", "vct", "status", "fields"}
    assert len(payload["fields"]["_sd"]) == 4
    assert payload["fields"]["_sd"] == sorted(payload["fields"]["_sd"])
    assert "vehicle_class" not in json.dumps(payload)
    red = replace(CONTENTS, colour=Colour.RED)
    assert payload_of(token(red))["colour"] == "red"
    assert read(token(red), KEYS) == red


def test_a_holder_may_take_disclosures_away() -> None:
    head, *disclosures, end = token().split("~")
    for kept in range(len(disclosures) + 1):
        told = read("~".join([head, *disclosures[:kept], end]), KEYS)
        assert isinstance(told, Contents)
        assert list(told.values) == list(CONTENTS.values)[:kept]
    backwards = read("~".join([head, *reversed(disclosures), end]), KEYS)
    assert isinstance(backwards, Contents)
    assert dict(backwards.values) == dict(CONTENTS.values)


def test_nobody_can_add_change_or_double_a_disclosure() -> None:
    head, first, *rest = token().split("~")
    added = disclosure("0" * 22, "name", "霍明哲")
    changed = disclosure("0" * 22, "vehicle_class", "A1")
    of_another = token(replace(CONTENTS, values={"vehicle_class": "A1"})).split("~")[1]
    for forged in (
        [head, added, first, *rest],
        [head, changed, *rest],
        [head, first, first, *rest],
        [head, of_another, *rest],
    ):
        assert read("~".join(forged), KEYS) is Outcome.BAD_SIGNATURE


def test_a_key_of_others_is_unknown_and_a_stolen_name_is_a_bad_signature() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert read(token(key=Key(thumbprint(other.public_key()), other)), KEYS) is Outcome.UNKNOWN
    assert read(token(key=Key(KEY.kid, other)), KEYS) is Outcome.BAD_SIGNATURE


def forged(header: dict[str, Any], payload: dict[str, Any] | None = None, signature: bytes = b"\0" * 64) -> str:
    parts = (header, payload_of(token()) if payload is None else payload)
    return ".".join([*(encode(json.dumps(part).encode()) for part in parts), encode(signature)]) + "~"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "dc+sd-jwt", "kid": KEY.kid},
        {"alg": "HS256", "typ": "dc+sd-jwt", "kid": KEY.kid},
        {"alg": "ES384", "typ": "dc+sd-jwt", "kid": KEY.kid},
        {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid},
        {"alg": "ES256", "typ": "statuslist+jwt", "kid": KEY.kid},
        {"alg": "ES256", "typ": "dc+sd-jwt"},
        {"alg": "ES256", "typ": "dc+sd-jwt", "kid": 1},
        {"alg": "ES256", "typ": "dc+sd-jwt", "kid": ["x"]},
        {"alg": "ES256", "typ": "dc+sd-jwt", "kid": KEY.kid, "crit": ["x"], "x": 1},
        {"alg": "ES256", "typ": "dc+sd-jwt", "kid": KEY.kid, "jwk": public_jwk(SECRET.public_key())},
        {"alg": "ES256", "typ": "dc+sd-jwt", "kid": KEY.kid, "jku": "https://example.org"},
    ],
)
def test_other_headers_are_not_looked_at(header: dict[str, Any]) -> None:
    assert read(forged(header), KEYS) is Outcome.UNREADABLE


@pytest.mark.parametrize("signature", [b"\0" * 64, b"\xff" * 64, b"\1" * 64, b"\0" * 63 + b"\1", b"\1" + b"\0" * 63])
def test_impossible_signatures_are_bad(signature: bytes) -> None:
    header = {"alg": "ES256", "typ": "dc+sd-jwt", "kid": KEY.kid}
    assert read(forged(header, signature=signature), KEYS) is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": -1}, {"exp": 10**18}, {"exp": "soon"}, {"exp": True}, {"vct": "other"}, {"vct": 1}, {"colour": "green"},
        {"status": {}}, {"status": 5}, {"status": {"status_list": {"idx": -1, "uri": "x"}}},
        {"status": {"status_list": {"idx": 1.5, "uri": "x"}}}, {"status": {"status_list": {"idx": True, "uri": "x"}}},
    ],
)  # fmt: skip
def test_a_signed_part_of_another_shape_is_unreadable(changes: dict[str, Any]) -> None:
    signed = sign({**payload_of(token()), **changes}, SECRET, key_id=KEY.kid, typ="dc+sd-jwt")
    assert read(f"{signed}~", KEYS) is Outcome.UNREADABLE


def test_a_field_may_be_called_like_a_claim_of_the_token_but_not_like_a_word_of_the_format() -> None:
    told = read(token(replace(CONTENTS, values={"status": "normal", "exp": 5})), KEYS)
    assert isinstance(told, Contents)
    assert (dict(told.values), told.expires_at) == ({"status": "normal", "exp": 5}, CONTENTS.expires_at)
    for name in ("_sd", "...", "_sd_alg"):
        assert read(token(replace(CONTENTS, values={name: "x"})), KEYS) is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("fields", [None, [], {}, {"_sd": 5}, {"_sd": [5]}, {"_sd": [], "name": "x"}])
def test_digests_stand_in_one_place(fields: Any) -> None:
    signed = sign({**payload_of(token()), "fields": fields}, SECRET, key_id=KEY.kid, typ="dc+sd-jwt")
    assert read(f"{signed}~{token().split('~')[1]}~", KEYS) is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize(
    "text",
    ["", "~", "~~", "a.b.c~", "..~", "霍.霍.霍~", token()[:-1], token() + "x", "x~" + token(), token() + "~",
     token().replace("~", "~~", 1), "A" * 9000, token() + "A~" * 4000, "[" * 5000 + "~",
     token() + "W10~", token() + "MQ~"],
)  # fmt: skip
def test_what_is_no_token_is_unreadable(text: str) -> None:
    assert read(text, KEYS) is Outcome.UNREADABLE


@given(st.text(max_size=200))
def test_any_text_has_an_outcome(text: str) -> None:
    assert read(text, KEYS) in set(Outcome)


def mutated(text: str, random: Random) -> str:
    place = random.randrange(len(text))
    letters = string.ascii_letters + string.digits + "-_.~=+/ \n\0"
    letter = random.choice(letters.replace(text[place], ""))
    other = random.randrange(len(text))
    return random.choice(
        [
            text[:place] + letter + text[place + 1 :],
            text[:place] + letter + text[place:],
            text[:place] + text[place + 1 :],
            text[:place] + chr(ord(text[place]) ^ 1 << random.randrange(7)) + text[place + 1 :],
            text[:place] + text[place:][::-1],
            text[: min(place, other)] + text[max(place, other) :],
        ]
    )


def test_no_mutated_token_says_what_was_never_signed() -> None:
    """A token with disclosures taken away is a good one; no other change of it is."""
    whole, random = token(), Random(20261128)
    parts = whole.split("~")
    good = {"~".join([parts[0], *(p for n, p in enumerate(parts[1:-1]) if kept >> n & 1), ""]) for kept in range(16)}
    tried = 0
    while tried < MUTATIONS:
        text = mutated(whole, random)
        if text in good:
            continue
        tried += 1
        assert read(text, KEYS) in {Outcome.UNREADABLE, Outcome.UNKNOWN, Outcome.BAD_SIGNATURE}, text


def test_only_what_is_meant_as_a_token_is_taken_for_one() -> None:
    assert looks_like_token(token())
    assert not any(looks_like_token(text) for text in ("A" * 22, "a.b.c", "~", "A" * 9000 + ".~"))


def test_base64_has_one_form() -> None:
    assert decode(encode(b"\xfb\xff")) == b"\xfb\xff"
    for text in ("_-8=", "+/8", "_-9", "_", "_-8\n", "霍"):
        with pytest.raises(ValueError, match="base64url"):
            decode(text)


def test_json_is_read_strictly() -> None:
    for text in (b'{"a": 1, "a": 2}', b"NaN", b"\xff", b"", b"[" * 100_000):
        with pytest.raises(ValueError):  # noqa: PT011 — of several kinds
            read_json(text)


def test_a_key_set_is_read_and_what_is_none_is_refused() -> None:
    jwk = {**public_jwk(SECRET.public_key()), "kid": KEY.kid}
    assert list(keys_of({"keys": [jwk, {"kty": "RSA"}, 5]})) == [KEY.kid]
    wrong: list[Any] = [None, [], {}, {"keys": 5}, {"keys": [{**jwk, "x": 1}]}, {"keys": [{**jwk, "x": jwk["y"]}]}]
    wrong.append({"keys": [{key: value for key, value in jwk.items() if key != "kid"}]})
    for given_set in wrong:
        with pytest.raises(ValueError):  # noqa: PT011 — of several kinds
            keys_of(given_set)
    assert base64.urlsafe_b64decode(jwk["x"] + "=") != b""
