"""Audit lines are written once, linked in order, and every tampering is found."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tortoise.exceptions import BaseORMException

from core.audit.actors import NOBODY, SYSTEM, Actor
from core.audit.chain import GENESIS, canonical, link
from core.audit.ledger import lines_of
from core.audit.seal import Sealer, plain_line
from core.audit.verify import Findings, verify_audit
from core.db import OutsideTransaction, as_json, connection, fetch, fetch_one, is_postgres, transaction
from core.log import set_request_id
from tests.conftest import Ground

CITIZEN = UUID("0195c1f0-0000-7000-8000-00000000000a")
REFUSED = (BaseORMException, asyncpg.RaiseError)
APPEND_ONLY = ["audit_line", "audit_link", "audit_head"]


async def write(ground: Ground, count: int = 1, *, action: str = "test.done", subject: UUID = CITIZEN) -> None:
    async def work() -> None:
        for _ in range(count):
            await ground.audit.record(action, actor=Actor.citizen(subject), subject_id=subject, purpose="为了测试")

    await transaction(work)


async def seal_all(ground: Ground, *, at_most: int = 200) -> int:
    return await Sealer(ring=ground.ring, clock=ground.clock).seal_all(at_most=at_most)


async def test_a_backlog_is_sealed_batch_after_batch_within_a_bound(ground: Ground) -> None:
    await write(ground, 25)
    sealer = Sealer(ring=ground.ring, clock=ground.clock)
    assert await sealer.seal_all(at_most=5, batches=3) == 15
    assert await sealer.seal_all(at_most=4) == 10
    assert await sealer.seal_all() == 0
    assert (await verify(ground)).holds


async def verify(ground: Ground) -> Findings:
    return await verify_audit(ground.ring.audit.public_key())


def outcome_of(findings: Findings) -> tuple[int, int, tuple[str, ...]]:
    return findings.checked, findings.unsealed, findings.faults


async def behind_the_guards(sql: str) -> None:
    """Change what must not be changed, as somebody who owns the database could."""
    if is_postgres():
        await connection().execute_script(
            f"SET session_replication_role = replica; {sql}; RESET session_replication_role"
        )
        return
    rows = await fetch("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
    await connection().execute_script("".join(f"DROP TRIGGER {row['name']};" for row in rows) + sql)


async def test_a_line_is_written_with_its_change_or_not_at_all(ground: Ground) -> None:
    async def work() -> None:
        await ground.audit.record("test.done", actor=SYSTEM)
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(work)
    assert await fetch("SELECT id FROM audit_line") == []
    with pytest.raises(OutsideTransaction):
        await ground.audit.record("test.done", actor=NOBODY)


async def test_a_line_says_who_did_what_to_whom_and_why(ground: Ground) -> None:
    set_request_id("request-77")

    async def work() -> None:
        await ground.audit.record(
            "certificates.opened",
            actor=Actor.department("public-security"),
            subject_id=CITIZEN,
            purpose="x" * 300,
            object_kind="certificate",
            object_id=CITIZEN,
            field_names=["name", "number"],
            outcome="refused",
        )

    await transaction(work)
    row = await fetch_one("SELECT * FROM audit_line")
    assert row is not None
    assert (row["actor_kind"], row["actor_id"], row["action"]) == (
        "department",
        "public-security",
        "certificates.opened",
    )
    assert (row["object_id"], row["outcome"], row["request_id"]) == (str(CITIZEN), "refused", "request-77")
    assert len(row["purpose"]) == 200
    assert as_json(row["field_names"]) == ["name", "number"]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("为 999999198503122179 办理", "为 [number] 办理"),
        ("99999919820909519X", "[number]"),
        ("call 199 0000 0001 or 199-0000-0002", "call [number] or [number]"),
        ("1" * 43, "[number]"),
        ("办理于 2026-11-05，第 12 号", "办理于 2026-11-05，第 12 号"),
    ],
)
async def test_long_numbers_do_not_get_into_what_can_never_be_erased(ground: Ground, told: str, kept: str) -> None:
    set_request_id(f"me-{'9' * 18}")

    async def work() -> None:
        await ground.audit.record("test.done", actor=SYSTEM, purpose=told)
        await ground.jobs.enqueue("test.job")

    await transaction(work)
    row, job = await fetch_one("SELECT * FROM audit_line"), await fetch_one("SELECT request_id FROM job")
    assert row is not None
    assert job is not None
    assert (row["purpose"], row["request_id"], job["request_id"]) == (kept, "me-[number]", "me-[number]")


async def test_an_id_of_ours_is_kept_whatever_digits_it_has(ground: Ground) -> None:
    own = "01234567890123456789012345678901"
    set_request_id(own)
    await write(ground)
    row = await fetch_one("SELECT request_id FROM audit_line")
    assert row is not None
    assert row["request_id"] == own


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET {}", "DELETE FROM {}"])
async def test_the_database_itself_refuses_changes(ground: Ground, table: str, change: str) -> None:
    await write(ground)
    await seal_all(ground)
    column = {"audit_line": "outcome = 'other'", "audit_link": "hash = 'x'", "audit_head": "hash = 'x'"}[table]
    with pytest.raises(REFUSED, match="append-only"):
        await connection().execute_query(change.format(table, column))
    assert (await verify(ground)).holds


async def test_postgres_refuses_to_empty_the_tables(ground: Ground) -> None:
    if not is_postgres():
        pytest.skip("TRUNCATE is PostgreSQL's")
    with pytest.raises(REFUSED, match="append-only"):
        await connection().execute_query("TRUNCATE audit_line")


async def test_lines_are_linked_once_and_in_order(ground: Ground) -> None:
    for _ in range(7):
        await write(ground)
        ground.clock.move(timedelta(seconds=1))
    sealer = Sealer(ring=ground.ring, clock=ground.clock)
    assert [await sealer.seal(at_most=3) for _ in range(4)] == [3, 3, 1, 0]
    rows = await fetch(
        "SELECT l.seq, l.hash, a.* FROM audit_link l JOIN audit_line a ON a.id = l.line_id ORDER BY l.seq"
    )
    previous = GENESIS
    for place, row in enumerate(rows, start=1):
        assert row["seq"] == place
        previous = link(previous, place, plain_line({key: row[key] for key in row if key not in {"seq", "hash"}}))
        assert row["hash"] == previous
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert outcome_of(await verify(ground)) == (7, 0, ())


async def test_many_sealers_at_once_link_each_line_once(ground: Ground) -> None:
    await write(ground, 40)
    sealers = [Sealer(ring=ground.ring, clock=ground.clock) for _ in range(8)]
    linked = await asyncio.gather(*(sealer.seal(at_most=200) for sealer in sealers))
    assert sum(linked) == 40
    assert (await verify(ground)).holds


async def test_a_backlog_older_than_any_transaction_is_linked_to_its_end(ground: Ground) -> None:
    for _ in range(5):
        await write(ground)
        ground.clock.move(timedelta(minutes=20))
    assert await seal_all(ground, at_most=2) == 5
    assert (await verify(ground)).unsealed == 0


async def test_a_line_that_commits_late_is_still_linked(ground: Ground) -> None:
    await write(ground)
    late = ground.clock.now()
    ground.clock.move(timedelta(seconds=5))
    await write(ground)
    assert await seal_all(ground) == 2
    now = ground.clock.now()
    ground.clock.set(late)
    await write(ground)
    ground.clock.set(now)
    assert await seal_all(ground) == 1
    assert (await verify(ground)).holds


async def test_the_unsealed_tail_is_named_and_is_no_fault(ground: Ground) -> None:
    await write(ground, 2)
    await seal_all(ground)
    await write(ground, 3)
    assert outcome_of(await verify(ground)) == (2, 3, ())


async def test_an_empty_chain_holds(ground: Ground) -> None:
    assert await verify(ground) == Findings(checked=0, unsealed=0, faults=(), first=None, head=None)


LINE_4 = "(SELECT line_id FROM audit_link WHERE seq = 4)"
TAMPERINGS = {
    "a changed outcome": "UPDATE audit_line SET outcome = 'ok!' WHERE id = LINE_4",
    "another person": "UPDATE audit_line SET subject_id = '00000000-0000-0000-0000-000000000009' WHERE id = LINE_4",
    "another purpose": "UPDATE audit_line SET purpose = '' WHERE id = LINE_4",
    "a line taken out": "DELETE FROM audit_line WHERE id = LINE_4",
    "a link taken out": "DELETE FROM audit_link WHERE seq = 4",
    "the newest links taken out": "DELETE FROM audit_link WHERE seq > 4",
    "the newest head taken out": "DELETE FROM audit_head WHERE seq > 4",
    "a changed hash": "UPDATE audit_link SET hash = '00' WHERE seq = 8",
    "a changed head": "UPDATE audit_head SET hash = '00' WHERE seq = 8",
    "a forged signature": "UPDATE audit_head SET signature = '00' WHERE seq = 8",
    "a signature that is no hex": "UPDATE audit_head SET signature = 'xx' WHERE seq = 8",
}


@pytest.mark.parametrize("how", sorted(TAMPERINGS))
async def test_every_tampering_is_found(ground: Ground, how: str) -> None:
    for _ in range(2):
        await write(ground, 4)
        await seal_all(ground)
        ground.clock.move(timedelta(seconds=1))
    assert (await verify(ground)).holds
    await behind_the_guards(TAMPERINGS[how].replace("LINE_4", LINE_4))
    findings = await verify(ground)
    assert not findings.holds
    assert len(findings.faults) <= 4


async def test_swapped_lines_are_found(ground: Ground) -> None:
    await write(ground, 1, action="test.first")
    ground.clock.move(timedelta(seconds=1))
    await write(ground, 1, action="test.second")
    await seal_all(ground)
    await behind_the_guards(
        "UPDATE audit_line SET action = CASE action WHEN 'test.first' THEN 'test.second' ELSE 'test.first' END"
    )
    assert len((await verify(ground)).faults) == 2


async def test_the_chain_is_checked_over_many_pages(ground: Ground) -> None:
    await write(ground, 1100)
    assert await seal_all(ground) == 1100
    assert outcome_of(await verify(ground)) == (1100, 0, ())


async def test_another_key_has_signed_nothing_here(ground: Ground) -> None:
    await write(ground)
    await seal_all(ground)
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    assert (await verify_audit(other)).faults == ("the signature of head 1 does not hold",)


def test_the_canonical_form_is_one_and_pure() -> None:
    line = {
        "id": "i", "at": "t", "actor_kind": "k", "actor_id": "a", "subject_id": None, "on_behalf_of": None,
        "action": "x", "purpose": "霍", "object_kind": "", "object_id": "", "field_names": ["b", "a"], "outcome": "ok",
        "request_id": "",
    }  # fmt: skip
    assert canonical(line) == canonical(dict(reversed(line.items())))
    assert json.loads(canonical(line))[7] == "霍"
    changes: list[Callable[[], bool]] = [
        lambda key=key: canonical(line | {key: "other"}) != canonical(line)  # type: ignore[misc]
        for key in line
    ]
    assert all(change() for change in changes)


async def test_the_ledger_pages_through_the_lines_of_one_person(ground: Ground) -> None:
    for number in range(7):
        await write(ground, 1, action=f"test.{number}")
        if number % 2:
            ground.clock.move(timedelta(seconds=1))
    await write(ground, 2, subject=UUID(int=5))
    seen: list[str] = []
    before = None
    while page := await lines_of(CITIZEN, before=before, limit=3):
        seen += [line.action for line in page]
        before = (page[-1].at, page[-1].id)
    assert sorted(seen) == [f"test.{number}" for number in range(7)]
    assert [int(action[-1]) // 2 for action in seen] == [3, 2, 2, 1, 1, 0, 0]


async def test_the_ledger_shows_names_of_fields_and_no_values(ground: Ground) -> None:
    await write(ground)
    (line,) = await lines_of(CITIZEN, before=None, limit=10)
    assert (line.actor_kind, line.actor_id, line.purpose) == ("citizen", str(CITIZEN), "为了测试")
    assert line.at == ground.clock.now()
    assert line.field_names == ()
