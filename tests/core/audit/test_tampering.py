# ruff: noqa: S608, ISC004 — what tampers with a database is made of pieces of SQL
"""Thousands of tamperings, each of them found at the first place that is not as it was sealed.

150 of them in every run; `ZHIJIAN_TAMPERINGS=5000` tries as many.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import pytest

from core.audit.actors import Actor
from core.audit.seal import Sealer
from core.audit.verify import Findings, Head, verify_audit
from core.db import connection, fetch, is_postgres, transaction
from scripts.verify_audit import keep_anchor, read_anchors
from tests.conftest import Ground
from tests.core.audit.test_audit import CITIZEN

TAMPERINGS: Final = int(os.environ.get("ZHIJIAN_TAMPERINGS", "150"))
LINES: Final = 24
# One head for each of so many lines.
BATCH: Final = 4
TABLES: Final = ("audit_line", "audit_link", "audit_head")
COLUMNS: Final[Mapping[str, str]] = {
    "at": "'2026-03-10 02:00:00.000007+00:00'",
    "actor_kind": "'operator'",
    "actor_id": "'x'",
    "subject_id": "NULL",
    "on_behalf_of": "'00000000-0000-0000-0000-000000000009'",
    "action": "'test.other'",
    "purpose": "'other'",
    "object_kind": "'other'",
    "object_id": "'other'",
    "field_names": "'[\"other\"]'",
    "outcome": "'other'",
    "request_id": "'other'",
}
_LINE = "(SELECT line_id FROM audit_link WHERE seq = {})"


async def script(sql: str) -> None:
    """Do it as who owns the database can: past the triggers."""
    if is_postgres():
        sql = f"SET session_replication_role = replica; {sql}; RESET session_replication_role"
    await connection().execute_script(sql)


async def prepare(ground: Ground) -> None:
    """Seal lines in batches, a minute apart, and keep a copy of all tables."""
    for number in range(LINES):

        async def work(number: int = number) -> None:
            await ground.audit.record(
                f"test.{number}", actor=Actor.citizen(CITIZEN), subject_id=CITIZEN, purpose="为了测试", object_id="1"
            )

        await transaction(work)
        ground.clock.move(timedelta(minutes=1))
    await Sealer(ring=ground.ring, clock=ground.clock).seal_all(at_most=BATCH)
    if not is_postgres():
        rows = await fetch("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
        await script("".join(f"DROP TRIGGER {row['name']};" for row in rows))
    await script("".join(f"CREATE TABLE copy_{table} AS SELECT * FROM {table};" for table in TABLES))


async def restore() -> None:
    await script("".join(f"DELETE FROM {each}; INSERT INTO {each} SELECT * FROM copy_{each};" for each in TABLES))


def altered(random: Random) -> tuple[str, int]:
    place, column = random.randint(1, LINES), random.choice(sorted(COLUMNS))
    return f"UPDATE audit_line SET {column} = {COLUMNS[column]} WHERE id = {_LINE.format(place)}", place


def altered_link(random: Random) -> tuple[str, int]:
    place = random.randint(1, LINES)
    return f"UPDATE audit_link SET hash = '{random.randbytes(32).hex()}' WHERE seq = {place}", place


def removed_line(random: Random) -> tuple[str, int]:
    place = random.randint(1, LINES)
    return f"DELETE FROM audit_line WHERE id = {_LINE.format(place)}", place


def removed_link(random: Random) -> tuple[str, int]:
    place = random.randint(1, LINES)
    return f"DELETE FROM audit_link WHERE seq = {place}", place


def removed_whole(random: Random) -> tuple[str, int]:
    place = random.randint(1, LINES)
    return f"DELETE FROM audit_line WHERE id = {_LINE.format(place)}; DELETE FROM audit_link WHERE seq = {place}", place


def moved_lines(random: Random) -> tuple[str, int]:
    """Two lines change places, and their links stay."""
    one, other = sorted(random.sample(range(1, LINES + 1), 2))
    return (
        f"CREATE TABLE swap AS SELECT seq, line_id FROM audit_link WHERE seq IN ({one}, {other});"
        f"DELETE FROM audit_link WHERE seq IN ({one}, {other});"
        "INSERT INTO audit_link (seq, line_id, hash, sealed_at) "
        f"SELECT CASE s.seq WHEN {one} THEN {other} ELSE {one} END, s.line_id, c.hash, c.sealed_at FROM swap s "
        f"JOIN copy_audit_link c ON c.seq = CASE s.seq WHEN {one} THEN {other} ELSE {one} END; DROP TABLE swap",
        one,
    )


def moved_links(random: Random) -> tuple[str, int]:
    """Two links change places, with their lines."""
    one, other = sorted(random.sample(range(1, LINES + 1), 2))
    return (
        f"UPDATE audit_link SET seq = -1 WHERE seq = {one}; UPDATE audit_link SET seq = {one} WHERE seq = {other};"
        f"UPDATE audit_link SET seq = {other} WHERE seq = -1",
        one,
    )


def _copied_line(place: int, identity: str) -> str:
    columns = ", ".join(["at", *(name for name in COLUMNS if name != "at")])
    return (
        f"INSERT INTO audit_line (id, {columns}) SELECT '{identity}', {columns} FROM copy_audit_line "
        f"WHERE id = (SELECT line_id FROM copy_audit_link WHERE seq = {place})"
    )


NEW: Final = "0195c1f0-0000-7000-8000-00000000ffff"


def added_line(random: Random) -> tuple[str, int]:
    """A line as if it had been there for long, without a link; what is newer, the sealer would take up."""
    return _copied_line(random.randint(1, LINES - 11), NEW), LINES + 1


def added_link(random: Random) -> tuple[str, int]:
    """A line with a link at the end of the chain, for which nobody has signed."""
    return (
        f"{_copied_line(random.randint(1, LINES), NEW)}; INSERT INTO audit_link (seq, line_id, hash, sealed_at) "
        f"SELECT {LINES + 1}, '{NEW}', '{random.randbytes(32).hex()}', sealed_at FROM copy_audit_link WHERE seq = 1",
        LINES + 1,
    )


def inserted(random: Random) -> tuple[str, int]:
    """A line with a link in the middle; all that follow move on by one."""
    place = random.randint(1, LINES)
    return (
        f"{_copied_line(random.randint(1, LINES), NEW)};"
        f"UPDATE audit_link SET seq = -seq WHERE seq >= {place}; UPDATE audit_link SET seq = 1 - seq WHERE seq < 0;"
        "INSERT INTO audit_link (seq, line_id, hash, sealed_at) "
        f"SELECT {place}, '{NEW}', '{random.randbytes(32).hex()}', sealed_at FROM copy_audit_link WHERE seq = 1",
        place,
    )


def cut_links(random: Random) -> tuple[str, int]:
    place = random.randint(1, LINES)
    return f"DELETE FROM audit_link WHERE seq >= {place}", place


def cut_off(random: Random) -> tuple[str, int]:
    """The whole end, with its lines, links and heads: only an anchor kept elsewhere tells."""
    place = random.randrange(1, LINES + 1, BATCH)
    return (
        f"DELETE FROM audit_line WHERE id IN (SELECT line_id FROM audit_link WHERE seq >= {place});"
        f"DELETE FROM audit_link WHERE seq >= {place}; DELETE FROM audit_head WHERE seq >= {place}",
        place,
    )


def forged_head(random: Random) -> tuple[str, int]:
    place = random.randrange(BATCH, LINES + 1, BATCH)
    column, size = random.choice([("hash", 32), ("signature", 64)])
    return f"UPDATE audit_head SET {column} = '{random.randbytes(size).hex()}' WHERE seq = {place}", place


KINDS: Final[list[Callable[[Random], tuple[str, int]]]] = [
    altered, altered_link, removed_line, removed_link, removed_whole, moved_lines, moved_links, added_line, added_link,
    inserted, cut_links, cut_off, forged_head,
]  # fmt: skip


async def look(ground: Ground, *anchors: Head) -> Findings:
    return await verify_audit(ground.ring.audit.public_key(), anchors=anchors)


async def test_every_tampering_is_found_at_its_first_place(ground: Ground) -> None:
    await prepare(ground)
    whole = await look(ground)
    assert (whole.holds, whole.checked) == (True, LINES)
    assert whole.head is not None
    random, missed = Random(5), []
    for number in range(TAMPERINGS):
        how = KINDS[number % len(KINDS)]
        sql, first = how(random)
        await script(sql)
        findings = await look(ground, whole.head)
        if findings.first != first:
            missed.append((how.__name__, first, findings.first, findings.faults))
        await restore()
    assert missed == []
    assert (await look(ground, whole.head)).holds


async def test_without_an_anchor_an_end_that_was_cut_off_is_not_missed(ground: Ground) -> None:
    await prepare(ground)
    head = (await look(ground)).head
    assert head is not None
    await script(cut_off(Random(1))[0])
    assert (await look(ground)).holds
    assert not (await look(ground, head)).holds
    assert not (await look(ground, Head(head.seq, "0" * 64))).holds


def test_anchors_are_kept_in_a_file_and_read_again(tmp_path: Path) -> None:
    path, heads = tmp_path / "anchors", [Head(4, "ab" * 32), Head(123, "cd" * 32)]
    assert read_anchors(None) == read_anchors(path) == []
    for head in heads:
        keep_anchor(path, head)
    assert read_anchors(path) == heads
    path.write_text("4 tampered\n")
    with pytest.raises(ValueError, match="anchors"):
        read_anchors(path)
