"""The key folder: what each step leaves can be read, and is what running processes take up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core.clock import Clock
from core.crypto import KeyRing, make_keys, private_pem
from core.keyring.folder import KeyFolder, RotationRefused
from core.keyring.ring import PLAN_FILE
from core.settings import UnsafeSettings
from tests.fakes.ground import FixedClock

SOON, LATER = timedelta(seconds=5), timedelta(seconds=60)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    make_keys(tmp_path / "keys")
    yield tmp_path / "keys"
    # Whatever was done to it, it can be read, and nobody else may.
    KeyRing.load(tmp_path / "keys")
    assert {each.stat().st_mode & 0o077 for each in (tmp_path / "keys").iterdir()} == {0}


def folder(path: Path, clock: Clock) -> KeyFolder:
    return KeyFolder(path, clock=clock)


@pytest.mark.parametrize("kind", ["token", "issuer", "sm2", "index", "kek"])
def test_a_new_key_is_known_at_once_and_current_at_its_time(path: Path, clock: FixedClock, kind: str) -> None:
    ring = KeyRing.load(path)

    def keys() -> list[str]:
        return {
            "token": [key.kid for key in ring.tokens.keys],
            "issuer": [key.kid for key in ring.issuers.keys],
            "sm2": [key.kid for key in ring.sm2.keys],
            "index": [key.kid for key in ring.indexes.keys],
            "kek": [key.kid for key in ring.keks.keys],
        }[kind]

    def current() -> str:
        now = clock.now()
        return {
            "token": ring.tokens.current(now).kid,
            "issuer": ring.issuers.current(now).kid,
            "sm2": ring.sm2.current(now).kid,
            "index": ring.indexes.current(now).kid,
            "kek": ring.keks.current(now).kid,
        }[kind]

    [first] = keys()
    assert not ring.refresh()
    made = folder(path, clock).rotate(kind, notice=SOON)
    assert ring.refresh()
    assert keys() == [first, made.kid]
    clock.move(SOON - timedelta(seconds=1))
    assert current() == first
    clock.move(timedelta(seconds=1))
    assert current() == made.kid
    gone = folder(path, clock).retire(kind, at_once=True)
    assert [each.kid for each in gone] == [first]
    assert ring.refresh()
    assert keys() == [made.kid]
    assert make_keys(path) == []


def test_an_earlier_token_key_is_accepted_until_its_grace_is_over(path: Path, clock: FixedClock) -> None:
    ring = KeyRing.load(path)
    first = ring.tokens.current(clock.now()).kid
    made = folder(path, clock).rotate("token", notice=SOON, grace=LATER)
    ring.refresh()
    clock.move(SOON + LATER - timedelta(seconds=1))
    assert {key.kid for key in ring.tokens.accepted(clock.now())} == {first, made.kid}
    with pytest.raises(RotationRefused):
        folder(path, clock).retire("token")
    clock.move(timedelta(seconds=1))
    assert {key.kid for key in ring.tokens.accepted(clock.now())} == {made.kid}
    assert [each.kid for each in folder(path, clock).retire("token")] == [first]


def test_what_is_not_over_is_not_begun_again(path: Path, clock: FixedClock) -> None:
    room = folder(path, clock)
    with pytest.raises(RotationRefused):
        room.rotate("token", notice=timedelta(seconds=2))
    room.rotate("token", notice=SOON)
    with pytest.raises(RotationRefused):
        room.rotate("token", notice=SOON)
    room.rotate("index", notice=SOON)
    clock.move(LATER)
    room.rotate("token", notice=SOON)
    # Rows stand under two keys at the most.
    with pytest.raises(RotationRefused):
        room.rotate("index", notice=SOON)
    with pytest.raises(RotationRefused):
        room.retire("issuer")


def test_a_folder_that_cannot_be_read_leaves_a_process_with_the_keys_it_has(path: Path) -> None:
    ring = KeyRing.load(path)
    before = ring.tokens
    plan = path / PLAN_FILE
    plan.write_text("{")
    plan.chmod(0o600)
    assert not ring.refresh()
    assert ring.tokens is before
    with pytest.raises(UnsafeSettings):
        KeyRing.load(path)
    plan.unlink()


def test_a_key_under_another_name_is_refused(path: Path, clock: FixedClock) -> None:
    made = folder(path, clock).rotate("token", notice=SOON)
    right = (path / made.file).read_bytes()
    (path / made.file).write_bytes((path / "token.pem").read_bytes())
    with pytest.raises(UnsafeSettings, match="is not the one"):
        KeyRing.load(path)
    (path / made.file).write_bytes(right)


WRONG = {
    "another curve": private_pem(ec.generate_private_key(ec.SECP384R1())),
    "the public half": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "nothing": b"",
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_following_key_of_another_kind_is_refused(path: Path, clock: FixedClock, wrong: str) -> None:
    following = path / folder(path, clock).rotate("token", notice=SOON).file
    right = following.read_bytes()
    following.write_bytes(WRONG[wrong])
    with pytest.raises(UnsafeSettings, match=following.name):
        KeyRing.load(path)
    following.write_bytes(right)


def test_a_following_key_that_others_may_read_is_refused(path: Path, clock: FixedClock) -> None:
    following = path / folder(path, clock).rotate("token", notice=SOON).file
    following.chmod(0o644)
    with pytest.raises(UnsafeSettings, match=following.name):
        KeyRing.load(path)
    following.chmod(0o600)


def test_a_file_that_the_plan_does_not_name_is_no_key(path: Path, clock: FixedClock) -> None:
    (path / "token-next.pem").write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
    (path / "token-next.pem").chmod(0o600)
    assert len(KeyRing.load(path).tokens.accepted(clock.now())) == 1
