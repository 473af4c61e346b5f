"""Access tokens: ours pass, everything else is refused, however it was made."""

import base64
import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import TokenExpired, TokenInvalid
from auth.settings import SessionSettings
from auth.tokens import Tokens
from core.ids import RandomIds
from core.keyring.jwk import thumbprint
from core.keyring.ring import Key, KeySet
from tests.fakes.forgeries import ORDER, b64, es256, forgeries, made
from tests.fakes.ground import FixedClock

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
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


def tokens(clock: FixedClock | None = None, settings: SessionSettings = SETTINGS) -> Tokens:
    return Tokens(keys=lambda: KEYS, settings=settings, clock=clock or FixedClock(), ids=RandomIds())


GOOD = made(HEADER, PAYLOAD, es256(KEY))
FORGED = forgeries(KEY, PAYLOAD)
# What is left when only the signature is looked at.
LOOSE: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}


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
