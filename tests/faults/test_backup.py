"""A backup beside a running service, and a restore after which nothing is doubled and nothing of the backup is lost."""

import asyncio
import json
import shutil
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any, Final

import pytest

from tests.faults.books import books_of
from tests.faults.conftest import Found
from tests.faults.installation import ready, services_are_meant, terminate
from tests.faults.neighbours import PENSION, Acknowledged, Neighbours, ask_for, reached, received
from tests.journeys.resident import Resident
from tests.journeys.town import PYTHON, ROOT, Town
from tests.privacy import leaks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(
        services_are_meant() and shutil.which("pg_dump") is None, reason="pg_dump of PostgreSQL is not installed here"
    ),
]

HUMAN_RESOURCES: Final = "human-resources"


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found()


async def backup(town: Town, *words: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(
        run, [PYTHON, "-m", "scripts.backup", *words], cwd=ROOT, env=town.environment(),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def stop(town: Town) -> None:
    for role in reversed(town.roles):
        assert (await terminate(town, role))[0] == 0


async def start(town: Town) -> None:
    for role in town.roles:
        town.start_role(role)
    await ready(town)


async def restores(town: Town) -> int:
    """How many restores the audit names: the town is that of every test here, in whatever order they run."""
    async with books_of(town) as books:
        return await books.count("SELECT count(*) FROM audit_line WHERE action = 'core.restored'")


async def test_a_restore_doubles_nothing_at_departments_and_loses_nothing_of_the_backup(
    town: Town, neighbours: Neighbours, acknowledged: Acknowledged, tmp_path: Path
) -> None:
    elder = await neighbours.elder()
    done = await reached(elder, await ask_for(elder, PENSION, acknowledged))
    # Submitted and on its way when the backup is made: the department is away.
    await elder.tell_sandbox("PUT", f"/sandbox/faults/{HUMAN_RESOURCES}", {"mode": "error"})
    waiting = [await ask_for(elder, PENSION, acknowledged) for _ in range(3)]

    before = await restores(town)
    made = await backup(town, "create", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    assert "NOT in it" in made.stderr
    keys = await backup(town, "keys", str(tmp_path / "keys"))
    assert keys.returncode == 0, keys.stderr
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert not any(name.endswith((".key", ".pem")) for name in manifest["files"])
    assert leaks([(tmp_path / "backup" / name).read_bytes().decode("latin-1") for name in manifest["files"]]) == []

    # Life goes on: what waited goes out, and more is asked for.
    await elder.tell_sandbox("PUT", f"/sandbox/faults/{HUMAN_RESOURCES}", {"mode": "ok"})
    for application in waiting:
        await reached(elder, application)
    lost = [await reached(elder, await ask_for(elder, PENSION, acknowledged)) for _ in range(2)]
    arrived = {item["reference"]: item["count"] for item in await received(elder, HUMAN_RESOURCES)}
    assert len(arrived) == 6

    running = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert running.returncode == 2
    assert "stop" in running.stderr
    await stop(town)
    refused = await backup(town, "restore", str(tmp_path / "backup"))
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    restored = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert restored.returncode == 0, restored.stderr
    await start(town)

    # Everybody logs in again: a logout since the backup must not be undone.
    assert (await elder.ask("GET", "/v1/citizen/me")).status == 401
    neighbours.pockets.clear()
    elder = await neighbours.elder()
    for application in waiting:
        assert (await reached(elder, application))["state"] == "approved"
    assert (await elder.ask("GET", f"/v1/citizen/applications/{done['id']}")).body["number"] == done["number"]
    for gone in lost:
        assert (await elder.ask("GET", f"/v1/citizen/applications/{gone['id']}")).status == 404
    # A number that was given since the backup is not given again: the department knows it as somebody else's.
    fresh = await reached(elder, await ask_for(elder, PENSION, acknowledged))
    assert fresh["number"] not in arrived
    items = await received(elder, HUMAN_RESOURCES)
    assert {item["count"] for item in items} == {1}
    assert {item["reference"] for item in items} == {*arrived, fresh["number"]}
    async with books_of(town) as books:
        assert await books.damage() == {}
    assert await restores(town) == before + 1


async def shown(who: Resident, count: int) -> list[dict[str, Any]]:
    """Wait until WeChat shows so many messages to somebody, and return those."""
    for _ in range(300):
        items: list[dict[str, Any]] = (await who.tell_sandbox("GET", f"/sandbox/wechat/messages?person={who.slug}"))[
            "items"
        ]
        if len(items) >= count:
            return items
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(items)} messages of {count}")


async def test_a_restore_sends_nobody_a_second_message_of_what_was_on_its_way(
    town: Town, neighbours: Neighbours, tmp_path: Path
) -> None:
    me, other = await neighbours.named("lieyunqi"), neighbours.stranger("wujinglan")
    assert (await other.log_in()).status == 201
    topics = {each["topic"]: each for each in (await me.ask("GET", "/v1/citizen/notice-settings")).body["topics"]}
    tap = {
        "person": me.slug,
        "template": topics["security"]["template_ids"][0],
        "status": "accept",
        "tell": f"{me.portal}/v1/wechat/push",
    }
    assert (await me.tell_sandbox("POST", "/sandbox/wechat/subscriptions", tap))["answered"] == 200

    # Somebody enters this person's number while WeChat is away: the message waits for its next try.
    await me.tell_sandbox("PUT", "/sandbox/faults/wechat", {"mode": "error"})
    person = await me.person()
    tried = {"name": person["name"], "id_number": person["id_number"], "consent": "real-name@1"}
    assert (await other.ask("PUT", "/v1/citizen/me/identity", tried)).status == 409
    async with books_of(town) as books:
        for _ in range(100):
            if await books.count("SELECT count(*) FROM notice_delivery WHERE state = 'temporary-failure'") == 1:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("the message was never tried")
    made = await backup(town, "create", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    await me.tell_sandbox("PUT", "/sandbox/faults/wechat", {"mode": "ok"})
    before = await shown(me, 1)

    await stop(town)
    restored = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert restored.returncode == 0, restored.stderr
    assert "1 notices may have been sent since" in restored.stderr
    await start(town)
    neighbours.pockets.clear()
    me = await neighbours.named("lieyunqi")
    inbox = (await me.ask("GET", "/v1/citizen/notices")).body["items"]
    assert [item["event"] for item in inbox].count("auth.identity-tried") == 1
    # What is due is done within moments of the start: the job has ended, and WeChat has shown nothing more.
    async with books_of(town) as books:
        for _ in range(100):
            if await books.count("SELECT count(*) FROM job WHERE name = 'notices.send' AND state <> 'done'") == 0:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("a job of a notice goes on")
        assert await books.count("SELECT count(*) FROM notice_delivery WHERE reason = 'restored'") == 1
    assert await shown(me, 1) == before


async def test_a_backup_that_was_touched_or_is_not_finished_is_not_restored(town: Town, tmp_path: Path) -> None:
    made = await backup(town, "create", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    again = await backup(town, "create", str(tmp_path / "backup"))
    assert again.returncode == 2
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    database = next(name for name in manifest["files"] if name.startswith("database"))
    whole = (tmp_path / "backup" / database).read_bytes()
    for changed in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        (tmp_path / "backup" / database).write_bytes(changed)
        refused = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
        assert (refused.returncode, database in refused.stderr) == (2, True)
    (tmp_path / "backup" / database).write_bytes(whole)
    (tmp_path / "backup" / "manifest.json").unlink()
    refused = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert (refused.returncode, "no finished backup" in refused.stderr) == (2, True)
    assert "Traceback" not in refused.stderr


async def test_nothing_is_served_on_a_restore_that_broke_off_until_one_has_ended(town: Town, tmp_path: Path) -> None:
    files = town.data / "files"
    files.mkdir(exist_ok=True)
    attachment = files / "attachment"
    attachment.write_bytes(b"sealed")
    made = await backup(town, "create", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    await stop(town)
    mark = town.data / "restore-under-way"
    for role in town.roles:
        mark.touch()
        refused = await asyncio.to_thread(
            run, [PYTHON, "-m", "api", role], cwd=ROOT, env=town.environment(),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (refused.returncode, "restore is under way" in refused.stderr) == (2, True), refused.stderr
    # Refused before it changes anything: the one that broke off is no better for it.
    again = await backup(town, "restore", str(tmp_path / "backup"))
    assert (again.returncode, mark.exists()) == (2, True)
    # There is no room where the attachments go: the database is back, and nothing of it is settled.
    files.rename(tmp_path / "files")
    files.write_text("in the way", encoding="utf-8")
    broken = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert (broken.returncode, mark.exists()) == (2, True), broken.stderr
    files.unlink()
    (tmp_path / "files").rename(files)
    whole = await backup(town, "restore", str(tmp_path / "backup"), "--replace")
    assert (whole.returncode, mark.exists()) == (0, False), whole.stderr
    assert attachment.read_bytes() == b"sealed"
    attachment.unlink()
    await start(town)


async def test_a_backup_is_not_restored_under_other_keys_nor_into_the_key_folder(town: Town, tmp_path: Path) -> None:
    made = await backup(town, "create", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    within = await backup(town, "create", str(town.data / "keys" / "backup"))
    assert (within.returncode, "one in the other" in within.stderr) == (2, True)
    await asyncio.to_thread(
        run, [PYTHON, "-m", "scripts.prepare", "--keys", str(tmp_path / "other")], cwd=ROOT, check=True, stderr=-3
    )
    refused = await asyncio.to_thread(
        run, [PYTHON, "-m", "scripts.backup", "restore", str(tmp_path / "backup"), "--replace"], cwd=ROOT,
        env={**town.environment(), "ZHIJIAN_KEYS__FOLDER": str(tmp_path / "other")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (refused.returncode, "keys of that time" in refused.stderr) == (2, True)
