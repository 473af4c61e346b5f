"""Every kind of key is changed by command while residents come and go: nobody is refused, nobody is not found."""

import asyncio
import base64
import json
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any, Final
from uuid import UUID

import pytest

from auth.settings import SessionSettings
from auth.tokens import Tokens
from core.clock import SystemClock
from core.ids import RandomIds
from core.keyring.folder import KeyFolder
from core.keyring.ring import Key, KeyRing, KeySet
from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.neighbours import Neighbours
from tests.journeys.resident import Resident
from tests.journeys.town import PYTHON, ROOT, Town
from tests.privacy import leaks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

ROTATIONS: Final = 10
NOTICE: Final = timedelta(seconds=3)
SLUGS: Final = ("huomingzhe", "wanqiushi", "fenggangyi")
PERSONS: Final = "SELECT count(*) FROM citizen WHERE id_number_hash IS NOT NULL"
SHAPE: Final = {"timestamp", "level", "logger", "event", "request_id", "audience", "outcome"}


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found({"ZHIJIAN_KEYS__SETTLE_SECONDS": "1", "ZHIJIAN_LOG_REQUESTS": "all"})


@dataclass
class Load:
    """Residents who come in, are looked up and read, all the while."""

    done: int = 0
    wrong: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self, who: Resident, citizen_id: str) -> None:
        """Log in (found by account), read (found by token), bind again (found by number), renew."""
        while not self.stop.is_set():
            entered = await who.log_in()
            self.note("log-in", entered.status == 201 and entered.body["citizen"]["id"] == citizen_id, entered.text)
            shown = await who.ask("GET", "/v1/citizen/me")
            self.note("me", shown.status == 200 and shown.body["level"] == "real_name", shown.text)
            bound = await who.identify()
            self.note("identity", bound.status == 200, bound.text)
            renewed = await who.ask(
                "POST", "/v1/citizen/sessions/renewals", {"refresh_token": who.refresh_token}, token=""
            )
            self.note("renewal", renewed.status == 201, renewed.text)
            await asyncio.sleep(0.05)

    def note(self, what: str, is_right: bool, told: str) -> None:
        self.done += 1
        if not is_right:
            self.wrong.append(f"{what}: {told[:200]}")


async def command(town: Town, *words: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(
        run, [PYTHON, "-m", "scripts.keys", *words], cwd=ROOT, env=town.environment(),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def eventually(town: Town, *words: str, seconds: float = 60) -> None:
    """Repeat a command until it is allowed."""
    async with asyncio.timeout(seconds):
        while (done := await command(town, *words)).returncode != 0:
            assert done.returncode == 1, done.stdout + done.stderr
            await asyncio.sleep(0.5)


async def test_keys_change_while_residents_come_and_go(town: Town, neighbours: Neighbours) -> None:
    load, people = Load(), []
    for slug in SLUGS:
        who = await neighbours.named(slug)
        me = (await who.ask("GET", "/v1/citizen/me")).body["id"]
        people.append(asyncio.create_task(load.live(who, me)))
    async with books_of(town) as books:
        persons = await books.count(PERSONS)
    try:
        for kind in ("index", "data", "kek", "issuers"):
            begun = await command(town, "rotate", kind, "--in", "3")
            assert begun.returncode == 0, begun.stdout + begun.stderr
        dead = await rotate_tokens(town)
        for kind in ("data", "kek"):
            await eventually(town, "retire", kind)
        for kind in ("index", "tokens"):
            await eventually(town, "retire", kind, "--now")
        before = load.done
        await asyncio.sleep(3)
    finally:
        load.stop.set()
        await asyncio.gather(*people)
    assert load.wrong == []
    assert load.done > before > 100
    await none_is_taken(town, neighbours, dead)
    listed = await command(town, "list")
    assert listed.returncode == 0, listed.stderr
    assert "accepted" not in "".join(line for line in listed.stdout.splitlines() if line.startswith("token"))
    async with books_of(town) as books:
        assert await books.damage() == {}
        assert await books.count("SELECT count(*) FROM data_key WHERE retired_at IS NOT NULL") == 1
        told = await books.rows("SELECT DISTINCT outcome FROM audit_line WHERE action = 'core.key-changed'")
        assert {row["outcome"] for row in told} >= {"taken-up", "destroyed", "made", "wrapped"}
        assert await books.count(PERSONS) == persons
    for role in town.roles:
        assert town.errors_of(role) == []


async def rotate_tokens(town: Town) -> list[Key[Any]]:
    """Change the token key ten times and return the keys that are not current any more."""
    folder = KeyFolder(town.data / "keys", clock=SystemClock())
    grace = timedelta(seconds=2 * SessionSettings().access_seconds)
    for _ in range(ROTATIONS):
        folder.rotate("token", notice=NOTICE, grace=grace)
        await asyncio.sleep(NOTICE.total_seconds() + 0.2)
    return list(KeyRing.load(town.data / "keys").tokens.keys[:-1])


async def none_is_taken(town: Town, neighbours: Neighbours, dead: list[Key[Any]]) -> None:
    """Ask with a token that is right in everything but that its key is retired."""
    who = neighbours.stranger(SLUGS[0])
    await who.log_in()
    assert (await who.ask("GET", "/v1/citizen/me")).status == 200
    claims = json.loads(_payload(who.access_token))
    assert len(dead) == ROTATIONS
    for key in dead:
        thief = Tokens(
            keys=lambda key=key: KeySet.of(key),  # type: ignore[misc]
            settings=SessionSettings(), clock=SystemClock(), ids=RandomIds(),
        )  # fmt: skip
        stolen = thief.issue(UUID(claims["sub"]), UUID(claims["sid"]))
        assert (await who.ask("GET", "/v1/citizen/me", token=stolen)).status == 401


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_every_line_that_a_process_writes_has_the_one_shape_and_nobodys_data(
    town: Town, neighbours: Neighbours
) -> None:
    who = neighbours.stranger("lieyunqi")
    await who.log_in()
    await who.identify()
    await who.ask("GET", "/v1/citizen/applications/00000000-0000-7000-8000-000000000000")
    await who.ask("GET", "/v1/nothing/19900000001")
    written = [line for role in town.roles for line in town.log_of(role).splitlines()]
    lines = [json.loads(line) for line in written]
    assert [line for line in lines if not line.keys() >= SHAPE] == []
    requests = [line for line in lines if line["event"] == "request"]
    assert {(line["audience"], line["outcome"]) for line in requests} >= {
        ("citizen", "ok"), ("public", "ok"), ("citizen", "refused"), ("other", "refused"),
    }  # fmt: skip
    for line in requests:
        assert line["request_id"]
        assert line["audience"]
        assert line["outcome"] in {"ok", "refused", "failed"}
        assert isinstance(line["duration_ms"], int | float)
        # The route as it is declared, never the path that was asked for.
        assert not any(character.isdigit() for character in line["route"].replace("v1", ""))
    assert leaks(written) == []


async def test_production_destroys_no_key_without_a_second_person(town: Town, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    shutil.copytree(town.data / "keys", keys)
    environment = {**town.environment(), "ZHIJIAN_ENV": "production", "ZHIJIAN_KEYS__FOLDER": str(keys)}
    before = sorted(path.name for path in keys.iterdir())
    for approval, code in (([], 2), (["--approval", "0195c1f0-0000-7000-8000-000000000001"], 1)):
        refused = await asyncio.to_thread(
            run, [PYTHON, "-m", "scripts.keys", "retire", "tokens", "--now", *approval], cwd=ROOT, env=environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (refused.returncode, "pproval" in refused.stdout) == (code, True)
    assert sorted(path.name for path in keys.iterdir()) == before
