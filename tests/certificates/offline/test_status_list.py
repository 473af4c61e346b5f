"""Status lists: the draft's own vectors, and that nothing but a good list is believed."""

import zlib
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.offline.jws import encode, sign
from certificates.offline.status_list import SIZE, compose, deflate, inflate, read_status_list
from certificates.offline.types import Freshness, StatusList
from certificates.types import Outcome
from core.keyring.jwk import thumbprint
from core.keyring.ring import Key

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
SECRET = ec.generate_private_key(ec.SECP256R1())
KEY = Key(thumbprint(SECRET.public_key()), SECRET)
KEYS = {KEY.kid: SECRET.public_key()}
URI = "https://zhijian.city.test/v1/public/status-lists/0"


def made(lst: str, *, now: datetime = NOW) -> str:
    return compose(lst, uri=URI, now=now, ttl=timedelta(minutes=5), lives=timedelta(hours=24), key=KEY)


@pytest.mark.parametrize(
    ("bits", "marks", "octets", "lst"),
    [
        (1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], b"\xb9\xa3", "eNrbuRgAAhcBXQ"),
        (2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], b"\xc9\x44\xf9", "eNo76fITAAPfAgc"),
    ],
)
def test_a_list_is_written_as_in_the_draft(bits: int, marks: list[int], octets: bytes, lst: str) -> None:
    """Token Status List, section 4.1 and 4.2: the octets, and the same compressed."""
    assert deflate(enumerate(marks), size=len(marks), bits=bits) == lst
    assert inflate(lst) == octets
    listed = StatusList(URI, NOW, NOW, timedelta(), bits, octets)
    assert [listed.at(index) for index in range(len(marks))] == marks
    assert listed.at(len(marks)) is None
    assert listed.at(-1) is None


def test_a_signed_list_is_read_again() -> None:
    random = Random(1)
    marks = {random.randrange(SIZE): random.choice([1, 2]) for _ in range(1000)}
    listed = read_status_list(made(deflate(marks.items())), KEYS)
    assert isinstance(listed, StatusList)
    assert (listed.uri, listed.issued_at, listed.bits, len(listed.octets)) == (URI, NOW, 2, SIZE // 4)
    assert all(listed.at(index) == mark for index, mark in marks.items())
    assert listed.at(next(index for index in range(SIZE) if index not in marks)) == 0


def test_a_million_entries_of_which_one_in_a_hundred_is_revoked_fit_into_twenty_kilobytes() -> None:
    random = Random(2)
    lst = deflate((index, 1) for index in random.sample(range(SIZE), SIZE // 100))
    assert len(lst) * 3 // 4 <= 20_000


@pytest.mark.parametrize(
    ("age", "freshness"),
    [
        (timedelta(0), Freshness.FRESH),
        (timedelta(minutes=5), Freshness.FRESH),
        (timedelta(minutes=5, seconds=1), Freshness.STALE),
        (timedelta(hours=24) - timedelta(seconds=1), Freshness.STALE),
        (timedelta(hours=24), Freshness.EXPIRED),
    ],
)
def test_a_list_ages(age: timedelta, freshness: Freshness) -> None:
    listed = read_status_list(made(deflate([])), KEYS)
    assert isinstance(listed, StatusList)
    assert listed.freshness(NOW + age) is freshness


def test_a_bomb_and_a_torn_list_are_refused() -> None:
    bomb = encode(zlib.compress(bytes(11_000_000), 9))
    whole = zlib.compress(bytes(1000), 9)
    for lst in (bomb, encode(whole[:-3]), encode(whole + b"x"), encode(b"nothing"), "", "==", deflate([])[:-2]):
        with pytest.raises(ValueError):  # noqa: PT011 — of several kinds
            inflate(lst)
        assert read_status_list(made(lst), KEYS) is Outcome.UNREADABLE


def test_who_signed_a_list_counts() -> None:
    text, other = made(deflate([])), ec.generate_private_key(ec.SECP256R1())
    assert read_status_list(text, {}) is Outcome.UNKNOWN
    assert read_status_list(text, {KEY.kid: other.public_key()}) is Outcome.BAD_SIGNATURE
    assert read_status_list(text[:-5] + "AAAAA", KEYS) is Outcome.BAD_SIGNATURE
    for wrong in ("", "a.b.c", "x" * 5_000_000, text + "~"):
        assert read_status_list(wrong, KEYS) is Outcome.UNREADABLE


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"sub": URI, "iat": 1, "exp": 2, "ttl": -1, "status_list": {"bits": 2, "lst": deflate([], size=8)}},
        {"sub": URI, "iat": 1, "exp": 2, "ttl": 1, "status_list": {"bits": 3, "lst": deflate([], size=8)}},
        {"sub": URI, "iat": 1, "exp": 2, "ttl": 1, "status_list": {"bits": 2, "lst": 5}},
        {"sub": URI, "iat": "1", "exp": 2, "ttl": 1, "status_list": {"bits": 2, "lst": deflate([], size=8)}},
        {"sub": URI, "iat": 1, "exp": 2, "ttl": 1, "status_list": 5},
    ],
)
def test_a_list_of_another_shape_is_unreadable(payload: dict[str, object]) -> None:
    assert read_status_list(sign(payload, SECRET, key_id=KEY.kid, typ="statuslist+jwt"), KEYS) is Outcome.UNREADABLE
