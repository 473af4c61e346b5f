"""Sealed values open only where they were sealed; keys that are weak or lie open are refused."""

import asyncio
import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.crypto import (
    AUDIT_FILE,
    INDEX_FILE,
    ISSUER_FILE,
    KEK_FILE,
    MARK_FILE,
    TOKEN_FILE,
    KeyRing,
    RecordUnreadable,
    Vault,
    destroy_person_key,
    make_keys,
    private_pem,
    sha256_hex,
)
from core.db import OutsideTransaction, fetch, transaction
from core.ids import RandomIds
from core.keyring.ring import SM2_FILE
from core.settings import UnsafeSettings
from tests.conftest import Ground
from tests.fakes.ground import FixedClock

ROW = UUID("0195c1f0-0000-7000-8000-000000000001")
OTHER = UUID("0195c1f0-0000-7000-8000-000000000002")
FILES = {KEK_FILE, INDEX_FILE, MARK_FILE, TOKEN_FILE, ISSUER_FILE, SM2_FILE, AUDIT_FILE}


def ring_in(folder: Path) -> KeyRing:
    make_keys(folder)
    return KeyRing.load(folder)


async def vault(ring: KeyRing, cipher: str = "A256GCM") -> Vault:
    made = Vault(ring, clock=FixedClock(), ids=RandomIds(), cipher=cipher)
    await made.load()
    return made


@pytest.mark.parametrize("cipher", ["A256GCM", "SM4GCM"])
async def test_a_value_opens_at_its_place_and_nowhere_else(
    database: Mapping[str, Any], tmp_path: Path, cipher: str
) -> None:
    sealing = await vault(ring_in(tmp_path / "keys"), cipher)
    sealed = sealing.seal("citizen.name", ROW, "霍明哲")
    assert sealing.open("citizen.name", ROW, sealed) == "霍明哲"
    assert "霍明哲".encode() not in sealed
    for column, row in [("citizen.name", OTHER), ("citizen.mobile", ROW)]:
        with pytest.raises(RecordUnreadable):
            sealing.open(column, row, sealed)


@pytest.mark.parametrize("cipher", ["A256GCM", "SM4GCM"])
async def test_every_changed_byte_is_found(database: Mapping[str, Any], tmp_path: Path, cipher: str) -> None:
    sealing = await vault(ring_in(tmp_path / "keys"), cipher)
    sealed = sealing.seal("a.b", ROW, "text")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(RecordUnreadable):
            sealing.open("a.b", ROW, changed)
    for short in range(len(sealed)):
        with pytest.raises(RecordUnreadable):
            sealing.open("a.b", ROW, sealed[:short])


async def test_either_suite_opens_what_the_other_sealed(database: Mapping[str, Any], tmp_path: Path) -> None:
    ring = ring_in(tmp_path / "keys")
    west, east = await vault(ring, "A256GCM"), await vault(ring, "SM4GCM")
    assert east.open("a.b", ROW, west.seal("a.b", ROW, "one")) == "one"
    assert west.open("a.b", ROW, east.seal("a.b", ROW, "two")) == "two"


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text())
async def test_any_text_comes_back(ground: Ground, text: str) -> None:
    assert ground.vault.open("a.b", ROW, ground.vault.seal("a.b", ROW, text)) == text


async def test_the_same_text_never_looks_the_same(ground: Ground) -> None:
    assert len({ground.vault.seal("a.b", ROW, "text") for _ in range(100)}) == 100


async def test_another_key_encryption_key_does_not_open_the_database(
    database: Mapping[str, Any], tmp_path: Path
) -> None:
    await vault(ring_in(tmp_path / "one"))
    with pytest.raises(RecordUnreadable):
        await vault(ring_in(tmp_path / "two"))


async def test_the_data_key_lies_in_the_database_wrapped_and_outlives_a_restart(
    database: Mapping[str, Any], tmp_path: Path
) -> None:
    ring = ring_in(tmp_path / "keys")
    first = await vault(ring)
    sealed = first.seal("a.b", ROW, "text")
    again = await vault(ring)
    assert again.open("a.b", ROW, sealed) == "text"
    rows = await fetch("SELECT wrapped FROM data_key")
    assert len(rows) == 1
    assert ring.keks.keys[0].secret not in bytes(rows[0]["wrapped"])


async def test_the_index_is_stable_keyed_and_other_for_each_column(ground: Ground, tmp_path: Path) -> None:
    index = ground.vault.index("citizen.id_number", "999999198503122179")
    assert index == ground.vault.index("citizen.id_number", "999999198503122179")
    assert len(index) == 32
    assert int(index, 16) >= 0
    assert index != ground.vault.index("citizen.mobile", "999999198503122179")
    assert index != ground.vault.index("citizen.id_number", "999999199011053335")
    other = Vault(ring_in(tmp_path / "other"), clock=FixedClock(), ids=RandomIds())
    assert index != other.index("citizen.id_number", "999999198503122179")


def test_made_keys_are_private_and_stay(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert set(make_keys(folder)) == FILES
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / TOKEN_FILE).unlink()
    assert make_keys(folder) == [TOKEN_FILE]
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name for name in FILES if before[name] != after[name]} == {TOKEN_FILE}


def test_two_installations_share_no_key(tmp_path: Path) -> None:
    one, two = ring_in(tmp_path / "one"), ring_in(tmp_path / "two")
    assert one.keks != two.keks
    assert one.indexes != two.indexes
    assert one.keks.keys[0].secret != one.indexes.keys[0].secret


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path / "keys")
    (tmp_path / "keys" / name).chmod(0o640)
    with pytest.raises(UnsafeSettings, match="chmod 600"):
        KeyRing.load(tmp_path / "keys")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_key_is_told_with_what_to_do(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path / "keys")
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(UnsafeSettings, match="--keys"):
        KeyRing.load(tmp_path / "keys")


WEAK = {
    "short": base64.b64encode(os.urandom(16)),
    "zeros": base64.b64encode(bytes(32)),
    "pattern": base64.b64encode(b"abcd" * 8),
    "text": b"not base64 at all!",
    "empty": b"",
}


@pytest.mark.parametrize("name", [KEK_FILE, INDEX_FILE, MARK_FILE])
@pytest.mark.parametrize("weak", sorted(WEAK))
def test_a_weak_symmetric_key_is_refused(tmp_path: Path, name: str, weak: str) -> None:
    make_keys(tmp_path / "keys")
    (tmp_path / "keys" / name).write_bytes(WEAK[weak])
    with pytest.raises(UnsafeSettings, match=name):
        KeyRing.load(tmp_path / "keys")


WRONG = {
    "another curve": private_pem(ec.generate_private_key(ec.SECP384R1())),
    "garbage": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", [TOKEN_FILE, ISSUER_FILE, AUDIT_FILE])
@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_signing_key_of_another_kind_is_refused(tmp_path: Path, name: str, wrong: str) -> None:
    make_keys(tmp_path / "keys")
    (tmp_path / "keys" / name).write_bytes(WRONG[wrong])
    with pytest.raises(UnsafeSettings, match=name):
        KeyRing.load(tmp_path / "keys")


def test_the_kinds_of_signing_keys_are_not_mixed_up(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    (tmp_path / "keys" / TOKEN_FILE).write_bytes(private_pem(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(UnsafeSettings, match="P-256"):
        KeyRing.load(tmp_path / "keys")


def test_a_ring_prints_no_key(tmp_path: Path) -> None:
    ring = ring_in(tmp_path / "keys")
    assert repr(ring) == str(ring) == "<KeyRing>"


def test_the_digest_is_sha_256() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("cipher", ["A256GCM", "SM4GCM"])
async def test_a_persons_key_opens_what_is_theirs_and_nothing_else(
    database: Mapping[str, Any], tmp_path: Path, cipher: str
) -> None:
    sealing = await vault(ring_in(tmp_path / "keys"), cipher)
    mine, theirs = [await transaction(lambda who=who: sealing.ensure_person(who)) for who in (ROW, OTHER)]  # type: ignore[misc]
    sealed = mine.seal("citizen.name", ROW, "霍明哲")
    assert mine.open("citizen.name", ROW, sealed) == "霍明哲"
    for opening, column, row in [
        (theirs, "citizen.name", ROW), (mine, "citizen.name", OTHER), (mine, "citizen.mobile", ROW),
        (sealing, "citizen.name", ROW), (sealing.of_person(ROW, None), "citizen.name", ROW),
    ]:  # fmt: skip
        with pytest.raises(RecordUnreadable):
            opening.open(column, row, sealed)  # type: ignore[attr-defined]
    for place in range(len(sealed)):
        with pytest.raises(RecordUnreadable):
            mine.open("citizen.name", ROW, sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
        with pytest.raises(RecordUnreadable):
            mine.open("citizen.name", ROW, sealed[:place])


async def test_a_persons_key_is_bound_to_the_person(ground: Ground) -> None:
    mine = await transaction(lambda: ground.vault.ensure_person(ROW))
    sealed = mine.seal("a.b", ROW, "text")
    [row] = await fetch("SELECT wrapped FROM person_key WHERE person_id = $1", ROW)
    assert ground.vault.of_person(ROW, row["wrapped"]).open("a.b", ROW, sealed) == "text"
    with pytest.raises(RecordUnreadable):
        ground.vault.of_person(OTHER, row["wrapped"]).open("a.b", ROW, sealed)
    with pytest.raises(RecordUnreadable):
        ground.vault.of_person(OTHER, row["wrapped"]).seal("a.b", ROW, "text")


async def test_a_destroyed_key_opens_nothing_any_more(ground: Ground) -> None:
    sealed = (await transaction(lambda: ground.vault.ensure_person(ROW))).seal("a.b", ROW, "text")
    older = ground.vault.seal("a.b", ROW, "from before there was a key")
    assert await transaction(lambda: destroy_person_key(ROW))
    assert not await transaction(lambda: destroy_person_key(ROW))
    gone = await ground.vault.find_person(ROW)
    with pytest.raises(RecordUnreadable):
        gone.open("a.b", ROW, sealed)
    assert gone.open("a.b", ROW, older) == "from before there was a key"
    new = await transaction(lambda: ground.vault.ensure_person(ROW))
    with pytest.raises(RecordUnreadable):
        new.open("a.b", ROW, sealed)


async def test_a_persons_key_is_made_once_however_many_ask(ground: Ground) -> None:
    made = await asyncio.gather(*(transaction(lambda: ground.vault.ensure_person(ROW)) for _ in range(10)))
    sealed = made[0].seal("a.b", ROW, "text")
    assert {each.open("a.b", ROW, sealed) for each in made} == {"text"}
    assert len(await fetch("SELECT person_id FROM person_key")) == 1


async def test_a_key_is_made_and_destroyed_in_a_transaction_only(ground: Ground) -> None:
    for work in (ground.vault.ensure_person(ROW), destroy_person_key(ROW)):
        with pytest.raises(OutsideTransaction):
            await work


def test_what_seals_for_a_person_prints_nothing(tmp_path: Path) -> None:
    person = Vault(ring_in(tmp_path / "keys"), clock=FixedClock(), ids=RandomIds()).of_person(ROW, b"wrapped")
    assert repr(person) == "<PersonVault>"
