"""Access tokens: ours pass, everything else is refused, however it was made."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import TokenExpired, TokenInvalid
from auth.settings import SessionSettings
from auth.tokens import Tokens
from core.ids import RandomIds
from core.keyring.ring import Key, KeySet, thumbprint
from tests.fakes.ground import FixedClock

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CITIZEN, SESSION = UUID(int=17), UUID(int=23)
CLOCK = FixedClock()
NOW = int(CLOCK.now().timestamp())
SETTINGS = SessionSettings()
PAYLOAD: dict[str, Any] = {
    "iss": "zhijian",
    "aud": "zhijian-citizen",
    "sub": str(CITIZEN),
    "sid": str(SESSION),
    "jti": "a1",
    "iat": NOW,
    "exp": NOW + 600,
}
KEYS = KeySet.of(Key(thumbprint(KEY.public_key()), KEY))
HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": thumbprint(KEY.public_key())}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RS256 = (padding.PKCS1v15(), hashes.SHA256())
PUBLIC_PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def tokens(clock: FixedClock | None = None, settings: SessionSettings = SETTINGS) -> Tokens:
    return Tokens(keys=lambda: KEYS, settings=settings, clock=clock or FixedClock(), ids=RandomIds())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    return jwk


def made(header: dict[str, Any], payload: dict[str, Any] | bytes, sign: Callable[[bytes], bytes] | None = None) -> str:
    """Make any token by hand, by default with our own key."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(body)}"
    return f"{signed}.{b64((sign or es256(KEY))(signed.encode()))}"


def es256(key: ec.EllipticCurvePrivateKey, *, low: bool = True) -> Callable[[bytes], bytes]:
    """Sign as pyjwt does, with the lower or the higher of the two signatures that are good."""

    def sign(data: bytes) -> bytes:
        signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(data, key)
        s = int.from_bytes(signature[32:])
        return signature[:32] + (min if low else max)(s, ORDER - s).to_bytes(32)

    return sign


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


# What is left when only the signature is looked at.
LOOSE: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PAYLOAD.items() if key != name}


GOOD = made(HEADER, PAYLOAD)
HEAD, BODY, SIGNATURE = GOOD.split(".")
FORGED: dict[str, str] = {
    "nothing": "",
    "one segment": "abc",
    "two segments": f"{HEAD}.{BODY}",
    "four segments": f"{GOOD}.{SIGNATURE}",
    "five segments": f"{GOOD}.{SIGNATURE}.{SIGNATURE}",
    "empty segments": "..",
    "no signature": f"{HEAD}.{BODY}.",
    "padding": f"{GOOD}==",
    "spaces": f" {GOOD}",
    "a line break": f"{GOOD}\n",
    "not ascii": GOOD.replace("e", "е", 1),
    "a NUL": f"{GOOD}\x00",
    "standard base64": f"{HEAD}.{BODY}.{SIGNATURE[:-2]}+/",
    "another spelling of the signature": f"{HEAD}.{BODY}.{SIGNATURE[:-1]}{chr(ord(SIGNATURE[-1]) + 1)}",
    "the other signature of the same text": made(HEADER, PAYLOAD, es256(KEY, low=False)),
    "a swapped signature": f"{HEAD}.{BODY}.{made(HEADER, {**PAYLOAD, 'jti': 'b2'}).split('.')[2]}",
    "a signature of zeros": f"{HEAD}.{BODY}.{b64(bytes(64))}",
    "a short signature": f"{HEAD}.{BODY}.{b64(bytes(63))}",
    "a DER signature": made(HEADER, PAYLOAD, lambda data: KEY.sign(data, ec.ECDSA(hashes.SHA256()))),
    "alg none": made({**HEADER, "alg": "none"}, PAYLOAD, lambda _data: b""),
    "alg None": made({**HEADER, "alg": "None"}, PAYLOAD, lambda _data: b""),
    "alg none with our signature": made({**HEADER, "alg": "none"}, PAYLOAD),
    "alg empty": made({**HEADER, "alg": ""}, PAYLOAD),
    "alg missing": made({"typ": "at+jwt", "kid": HEADER["kid"]}, PAYLOAD),
    "alg a list": made({**HEADER, "alg": ["ES256"]}, PAYLOAD),
    "alg lower case": made({**HEADER, "alg": "es256"}, PAYLOAD),
    "HS256 with the public key": made({**HEADER, "alg": "HS256"}, PAYLOAD, hs256(PUBLIC_PEM)),
    "HS256 with the key id": made({**HEADER, "alg": "HS256"}, PAYLOAD, hs256(HEADER["kid"].encode())),
    "HS256 with nothing": made({**HEADER, "alg": "HS256"}, PAYLOAD, hs256(b"")),
    "HS512": made({**HEADER, "alg": "HS512"}, PAYLOAD, hs256(PUBLIC_PEM)),
    "ES384": made({**HEADER, "alg": "ES384"}, PAYLOAD),
    "RS256": made({**HEADER, "alg": "RS256"}, PAYLOAD, lambda data: RSA.sign(data, *RS256)),
    "EdDSA": made({**HEADER, "alg": "EdDSA"}, PAYLOAD, ed25519.Ed25519PrivateKey.generate().sign),
    "another key": made(HEADER, PAYLOAD, es256(OTHER)),
    "another key and its id": made({**HEADER, "kid": thumbprint(OTHER.public_key())}, PAYLOAD, es256(OTHER)),
    "no kid": made({"alg": "ES256", "typ": "at+jwt"}, PAYLOAD),
    "kid empty": made({**HEADER, "kid": ""}, PAYLOAD),
    "kid null": made({**HEADER, "kid": None}, PAYLOAD),
    "kid a number": made({**HEADER, "kid": 1}, PAYLOAD),
    "kid a list": made({**HEADER, "kid": [HEADER["kid"]]}, PAYLOAD),
    "kid a path": made({**HEADER, "kid": "../../../../dev/null"}, PAYLOAD, hs256(b"")),
    "kid SQL": made({**HEADER, "kid": "x' UNION SELECT 'secret' --"}, PAYLOAD, hs256(b"secret")),
    "jku": made({**HEADER, "jku": "https://attacker.test/jwks"}, PAYLOAD, es256(OTHER)),
    "x5u": made({**HEADER, "x5u": "https://attacker.test/cert"}, PAYLOAD, es256(OTHER)),
    "jwk": made({**HEADER, "jwk": jwk_of(OTHER)}, PAYLOAD, es256(OTHER)),
    "x5c": made({**HEADER, "x5c": ["MIIB"]}, PAYLOAD, es256(OTHER)),
    "crit": made({**HEADER, "crit": ["exp"]}, PAYLOAD),
    "b64 false": made({**HEADER, "b64": False, "crit": ["b64"]}, PAYLOAD),
    "zip": made({**HEADER, "zip": "DEF"}, PAYLOAD),
    "typ JWT": made({**HEADER, "typ": "JWT"}, PAYLOAD),
    "typ missing": made({"alg": "ES256", "kid": HEADER["kid"]}, PAYLOAD),
    "typ refresh": made({**HEADER, "typ": "rt+jwt"}, PAYLOAD),
    "typ with its prefix": made({**HEADER, "typ": "application/at+jwt"}, PAYLOAD),
    "header a list": f"{b64(b'[]')}.{BODY}.{SIGNATURE}",
    "header no JSON": f"{b64(b'{{')}.{BODY}.{SIGNATURE}",
    "header deep": f"{b64(b'[' * 3000)}.{BODY}.{SIGNATURE}",
    "payload no JSON": made(HEADER, b"{"),
    "payload a list": made(HEADER, b"[]"),
    "payload a number": made(HEADER, b"1"),
    "another audience": made(HEADER, {**PAYLOAD, "aud": "zhijian-staff"}),
    "audiences": made(HEADER, {**PAYLOAD, "aud": ["zhijian-citizen", "other"]}),
    "another issuer": made(HEADER, {**PAYLOAD, "iss": "zhijian-2"}),
    "issued in the future": made(HEADER, {**PAYLOAD, "iat": NOW + 120, "exp": NOW + 700}),
    "too long a life": made(HEADER, {**PAYLOAD, "exp": NOW + 86_400}),
    "exp a text": made(HEADER, {**PAYLOAD, "exp": str(NOW + 600)}),
    "exp a fraction": made(HEADER, {**PAYLOAD, "exp": NOW + 599.5}),
    "exp infinite": made(HEADER, json.dumps({**PAYLOAD, "exp": float("inf")}).encode()),
    "exp true": made(HEADER, {**PAYLOAD, "exp": True}),
    "exp null": made(HEADER, {**PAYLOAD, "exp": None}),
    "sub no id": made(HEADER, {**PAYLOAD, "sub": "somebody"}),
    "sub a number": made(HEADER, {**PAYLOAD, "sub": 17}),
    "sid no id": made(HEADER, {**PAYLOAD, "sid": "' OR 1=1 --"}),
    "sid a number": made(HEADER, {**PAYLOAD, "sid": 23}),
    **{f"no {name}": made(HEADER, without(name)) for name in PAYLOAD},
    "huge": made(HEADER, {**PAYLOAD, "pad": "x" * 8192}),
    "huge nonsense": "A" * 1_000_000,
}  # fmt: skip


def test_a_token_says_who_and_in_which_session() -> None:
    room = tokens()
    claims = room.check(room.issue(CITIZEN, SESSION))
    assert (claims.citizen_id, claims.session_id, claims.expires) == (CITIZEN, SESSION, NOW + 600)


def test_every_token_has_the_lower_signature_and_its_twin_is_refused() -> None:
    room = tokens()
    for _ in range(20):
        text, _, last = room.issue(CITIZEN, SESSION).rpartition(".")
        signature = base64.urlsafe_b64decode(last + "==")
        s = int.from_bytes(signature[32:])
        assert s <= ORDER // 2
        twin = f"{text}.{b64(signature[:32] + (ORDER - s).to_bytes(32))}"
        assert jwt.decode(twin, KEY.public_key(), algorithms=["ES256"], options=LOOSE)
        with pytest.raises(TokenInvalid):
            room.check(twin)


def test_a_token_made_by_hand_with_our_key_is_good_so_that_the_table_tests_what_it_says() -> None:
    assert tokens().check(GOOD).session_id == SESSION


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(name: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens().check(FORGED[name])


def test_the_table_of_forgeries_is_long() -> None:
    assert len(FORGED) >= 60
    assert len(set(FORGED.values())) == len(FORGED)


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_bit_of_a_token_may_flip(bit: int) -> None:
    flipped = bytearray(GOOD.encode())
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TokenInvalid):
        tokens().check(flipped.decode("latin-1"))


def test_a_token_runs_out_to_the_second_also_when_it_was_checked_before() -> None:
    clock = FixedClock()
    room = tokens(clock)
    token = room.issue(CITIZEN, SESSION)
    clock.move(timedelta(seconds=599))
    room.check(token)
    clock.move(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        room.check(token)
    with pytest.raises(TokenExpired):
        tokens(clock).check(token)


def test_checked_tokens_are_remembered_but_not_without_bound() -> None:
    room = tokens(settings=SessionSettings(verified_tokens=3))
    issued = [room.issue(CITIZEN, SESSION) for _ in range(5)]
    for token in issued:
        room.check(token)
    assert len(room._verified) == 3
    assert [room.check(token).session_id for token in issued] == [SESSION] * 5


def test_a_token_of_the_earlier_key_is_taken_after_a_rotation() -> None:
    token = tokens().issue(CITIZEN, SESSION)
    later = Key(thumbprint(OTHER.public_key()), OTHER, FixedClock().now())
    rotated = Tokens(keys=lambda: KeySet.of(*KEYS.keys, later), settings=SETTINGS, clock=FixedClock(), ids=RandomIds())
    assert rotated.check(token).citizen_id == CITIZEN
    assert len(rotated.jwks()["keys"]) == 2


def test_the_published_key_checks_our_tokens_and_holds_nothing_secret() -> None:
    room = tokens()
    [key] = room.jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    token = room.issue(CITIZEN, SESSION)
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=["ES256"],
        audience="zhijian-citizen",
        options={"verify_exp": False, "verify_iat": False},
    )


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    [key] = tokens().jwks()["keys"]
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{key["x"]}","y":"{key["y"]}"}}'
    assert key["kid"] == b64(hashlib.sha256(canonical.encode()).digest())
