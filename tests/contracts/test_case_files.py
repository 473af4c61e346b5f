"""Every department that takes dossiers gets the files of a case, and holds each against what it was told of it."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from core.clock import SystemClock
from core.errors import Unauthenticated
from core.outbound import Outbound
from core.settings import OutboundSettings
from core.signers.http_signature import SignatureChecker, TrustedKey
from matters.errors import DepartmentUnavailable, FileStoreUnavailable, QuestionRefused
from matters.types import DossierFile
from tests.contracts.test_departments import TAKERS, dossier, notary
from tests.fakes.matters import FakeContents
from tests.sandbox.town import Caller as Town
from tests.sandbox.town import Keys, MovableClock, opened, served

# The pension desk takes no files: its one question is put to a face.
TAKING = sorted(TAKERS.keys() - {"human-resources"})
FETCHING = sorted(set(TAKING) - {"notary"})
CONTENT = FakeContents.content


@dataclass
class Shelf:
    """Whoever asks for a file and signs as that department gets it."""

    keys: Keys
    base: str = ""
    came: list[tuple[str, str]] = field(default_factory=list)

    def checker(self, department: str) -> SignatureChecker:
        told = self.keys.told
        own = told["department_desk"]["callbacks"].get(department)
        key_id = own["key_id"] if own else told["public_security"]["callback_key_id"]
        key = TrustedKey(department, self.keys.callback_public)
        return SignatureChecker({key_id: key}, clock=SystemClock())

    async def give(self, request: web.Request) -> web.Response:
        department, name = request.match_info["department"], request.match_info["name"]
        try:
            signed = await self.checker(department).check(
                method=request.method,
                target_uri=self.base + request.raw_path,
                headers={each.lower(): value for each, value in request.headers.items()},
                body=await request.read(),
            )
        except Unauthenticated:
            return web.Response(status=401)
        self.came.append((signed.party, name))
        if name == "gone":
            return web.Response(status=404)
        return web.Response(body=CONTENT if name == "good" else CONTENT[::-1], content_type="application/pdf")

    def file(self, name: str, department: str) -> DossierFile:
        return DossierFile(
            id=uuid4(),
            material=f"paper-{name}",
            name=f"{name}-1.pdf",
            media_type="application/pdf",
            size=len(CONTENT),
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            address=f"{self.base}/v1/departments/{department}/cases/1/files/{name}",
            expires_at=datetime.now(UTC),
        )


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def town(tmp_path: Path, keys: Keys) -> AsyncIterator[Town]:
    async with opened(tmp_path / "sandbox.sqlite3", keys, MovableClock()) as town:
        yield town


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    door = Outbound(OutboundSettings(connect_seconds=10), clock=SystemClock(), production=False)
    await door.open()
    yield door
    await door.close()


@pytest.fixture
async def shelf(keys: Keys) -> AsyncIterator[Shelf]:
    shelf, app = Shelf(keys), web.Application()
    app.router.add_get("/v1/departments/{department}/cases/1/files/{name}", shelf.give)
    async with served(app) as base:
        shelf.base = base
        yield shelf


@pytest.mark.parametrize("name", TAKING)
async def test_a_file_arrives_as_it_was_told_of(name: str, town: Town, outbound: Outbound, shelf: Shelf) -> None:
    system, build, taken = TAKERS[name]
    sent = replace(dossier(taken), department=system, files=(shelf.file("good", system),))
    await build(town, outbound).submit(sent)
    [item] = await town.received(system)
    [file] = item["files"]
    assert file == {
        "name": "good-1.pdf",
        "material": "paper-good",
        "media_type": "application/pdf",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "outcome": "same",
    }
    assert shelf.came == ([] if name == "notary" else [(system, "good")])


@pytest.mark.parametrize("name", FETCHING)
async def test_a_department_sees_that_a_file_is_another_one_or_gone(
    name: str, town: Town, outbound: Outbound, shelf: Shelf
) -> None:
    system, build, taken = TAKERS[name]
    files = tuple(shelf.file(each, system) for each in ("gone", "other"))
    await build(town, outbound).submit(replace(dossier(taken), department=system, files=files))
    [item] = await town.received(system)
    outcomes = {file["name"]: file["outcome"] for file in item["files"]}
    assert outcomes == {"gone-1.pdf": "HTTP 404", "other-1.pdf": "differs"}


async def test_what_is_brought_comes_before_its_case_and_is_not_brought_twice(
    town: Town, outbound: Outbound, shelf: Shelf
) -> None:
    office = notary(town, outbound)
    sent = replace(dossier(TAKERS["notary"][2]), department="notary", files=(shelf.file("good", "notary"),))
    await town.fault("notary", "accept_then_drop")
    with pytest.raises(DepartmentUnavailable):
        await office.submit(sent)
    await town.fault("notary", "ok")
    await office.submit(sent)
    await office.submit(sent)
    [item] = await town.received("notary")
    assert [file["outcome"] for file in item["files"]] == ["same"]


async def test_a_case_is_not_taken_without_the_files_that_it_names(
    town: Town, outbound: Outbound, shelf: Shelf
) -> None:
    other = replace(shelf.file("good", "notary"), size=len(CONTENT) + 1)
    with pytest.raises(QuestionRefused):
        await notary(town, outbound).submit(replace(dossier(TAKERS["notary"][2]), files=(other,)))
    assert await town.received("notary") == []


async def test_a_file_that_cannot_be_read_keeps_its_case_back(
    town: Town, outbound: Outbound, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_self: FakeContents, _file_id: object) -> bytes:
        raise FileStoreUnavailable(retry_after=3)

    monkeypatch.setattr(FakeContents, "read", away)
    with pytest.raises(DepartmentUnavailable) as refusal:
        await notary(town, outbound).submit(replace(dossier(TAKERS["notary"][2]), files=(shelf.file("good", "x"),)))
    assert not refusal.value.ambiguous
    assert await town.received("notary") == []
