"""Every file store keeps the contract of its port: a folder, the fake, and the object store against its twin."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.clock import SystemClock
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.signature_v4 import SignatureV4
from matters.adapters.folder import Folder
from matters.adapters.object_store import ObjectStore
from matters.errors import FileStoreUnavailable
from matters.ports import FileStore
from tests.fakes.matters import FakeFileStore
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened

NAME = "ab" * 16


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(tmp_path / "sandbox.sqlite3", Keys(), MovableClock()) as town:
        yield town


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


def object_store(
    town: Town, outbound: Outbound, *, secret: str = "", key: str = "", bucket: str = "zhijian", region: str = ""
) -> ObjectStore:
    told = town.keys.told["object_store"]
    signer = SignatureV4(
        access_key=key or told["app_id"],
        secret_key=SecretStr(secret or told["secret"]),
        region=region or "us-east-1",
        clock=SystemClock(),
    )
    partner = Partner("object-store", f"{town.base}/object-store", 5.0, 2, signer, largest=12 * 2**20)
    return ObjectStore(outbound=outbound, partner=partner, bucket=bucket)


@pytest.fixture(params=["folder", "fake", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path, town: Town, outbound: Outbound) -> FileStore:
    if request.param == "folder":
        return Folder(tmp_path / "files")
    return FakeFileStore() if request.param == "fake" else object_store(town, outbound)


@pytest.mark.parametrize("size", [0, 1, 70_000, 8 * 2**20])
async def test_what_is_put_is_got_and_forgotten(store: FileStore, size: int) -> None:
    content = secrets.token_bytes(size)
    await store.put(NAME, content)
    assert await store.get(NAME) == content
    await store.remove(NAME)
    await store.remove(NAME)
    with pytest.raises(FileStoreUnavailable):
        await store.get(NAME)


async def test_a_name_that_is_put_again_is_replaced(store: FileStore) -> None:
    await store.put(NAME, b"before")
    await store.put(NAME, b"after")
    assert await store.get(NAME) == b"after"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 16, "a" * 31, "ab/" + "c" * 29])
async def test_no_name_is_taken_that_is_not_ours(town: Town, outbound: Outbound, tmp_path: Path, name: str) -> None:
    for store in (Folder(tmp_path / "files"), object_store(town, outbound)):
        with pytest.raises(FileStoreUnavailable):
            await store.put(name, b"x")


@pytest.mark.parametrize(
    "wrong", [{"secret": "another"}, {"key": "somebody"}, {"bucket": "elsewhere"}, {"region": "moon-1"}]
)
async def test_the_twin_takes_nothing_without_the_right_signature(
    town: Town, outbound: Outbound, wrong: dict[str, str]
) -> None:
    with pytest.raises(FileStoreUnavailable):
        await object_store(town, outbound, **wrong).put(NAME, b"x")
    good = object_store(town, outbound)
    with pytest.raises(FileStoreUnavailable):
        await good.get(NAME)


@pytest.mark.parametrize("mode", ["error", "garbage", "drop"])
async def test_every_outage_is_told_alike(town: Town, outbound: Outbound, mode: str) -> None:
    await town.fault("object-store", mode)
    with pytest.raises(FileStoreUnavailable):
        await object_store(town, outbound).put(NAME, b"x")
