"""Transactions end whole whatever happens to their callers, and the pool is idle afterwards."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.sqlite.client import SqliteTransactionWrapper
from tortoise.exceptions import DBConnectionError, OperationalError

from core.database import open_database, orm_config
from core.db import (
    DatabaseUnavailable,
    InsideTransaction,
    IntegrityError,
    OutsideTransaction,
    after_commit,
    as_json,
    as_moment,
    as_uuid,
    connection,
    drain,
    execute,
    fetch,
    fetch_one,
    forbid_inside_transaction,
    in_one_statement,
    in_one_statement_if,
    is_outage,
    is_postgres,
    later,
    require_transaction,
    transaction,
)
from core.server_lock import ServerLock
from core.settings import CoreSettings, UnsafeSettings
from core.sql.together import together_if
from tests.fakes.ground import FixedClock


async def add(name: str, value: int = 1) -> None:
    await fetch("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", name, value)


async def names() -> set[str]:
    return {row["name"] for row in await fetch("SELECT name FROM counter")}


async def pool_is_idle() -> bool:
    """Whether no connection is lent out: on SQLite there is one, and it must be in no transaction."""
    await drain()
    if not is_postgres():
        async with connection().acquire_connection() as raw:
            return not raw.in_transaction
    pool = connection()._pool
    return bool(pool.get_size() == pool.get_idle_size())


async def test_a_transaction_returns_what_its_work_returns(database: Mapping[str, Any]) -> None:
    async def work() -> int:
        await add("a")
        return 7

    assert await transaction(work) == 7
    assert await names() == {"a"}


async def test_a_failure_leaves_nothing_behind_and_reaches_the_caller(database: Mapping[str, Any]) -> None:
    async def work() -> None:
        await add("a")
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        await transaction(work)
    assert await names() == set()


async def test_an_inner_transaction_joins_the_outer_one(database: Mapping[str, Any]) -> None:
    async def inner() -> None:
        await add("inner")

    async def outer() -> None:
        await add("outer")
        await transaction(inner)
        assert await names() == {"inner", "outer"}
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(outer)
    assert await names() == set()


async def test_a_transaction_that_cannot_begin_keeps_no_connection(
    database: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = TransactionWrapper if is_postgres() else SqliteTransactionWrapper

    async def cut(_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("cut while beginning")

    with monkeypatch.context() as patched:
        patched.setattr(wrapper, "begin", cut)
        # More often than the pool has places.
        for name in map(str, range(20)):
            with pytest.raises(DatabaseUnavailable):
                await asyncio.wait_for(transaction(partial(add, name)), 5)
    assert await pool_is_idle()
    await asyncio.wait_for(transaction(lambda: add("after")), 5)
    assert await names() == {"after"}


_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'zhijian'
"""


async def test_connections_that_are_cut_while_transactions_begin_come_back(
    database: Mapping[str, Any], database_url: str
) -> None:
    if not is_postgres():
        pytest.skip("a file has no connections to lose")
    operator = await asyncpg.connect(database_url)
    try:
        for name in map(str, range(40)):
            await operator.execute(_CUT)
            with suppress(DatabaseUnavailable):
                await asyncio.wait_for(transaction(partial(add, name)), 5)
    finally:
        await operator.close()
    assert await pool_is_idle()
    await asyncio.wait_for(transaction(lambda: add("after")), 5)
    assert "after" in await names()


async def test_a_cancelled_callers_transaction_ends_whole(database: Mapping[str, Any]) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await add("first half")
        begun.set()
        await go_on.wait()
        await add("second half")

    caller = asyncio.create_task(transaction(work))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await drain()
    assert await names() == {"first half", "second half"}
    assert await pool_is_idle()


async def test_a_thousand_cancelled_transactions_leave_no_half_row_and_an_idle_pool(
    database: Mapping[str, Any],
) -> None:
    chance = random.Random(7)

    async def pair(number: int) -> None:
        async def work() -> None:
            await add(f"{number} a")
            await asyncio.sleep(0)
            await add(f"{number} b")

        await transaction(work)

    async def give_up(number: int) -> None:
        task = asyncio.create_task(pair(number))
        await asyncio.sleep(chance.uniform(0, 0.004))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for start in range(0, 1000, 50):
        await asyncio.gather(*(give_up(number) for number in range(start, start + 50)))
    assert await pool_is_idle()
    found = await names()
    halves = [name for name in found if f"{name[:-1]}{'ab'[name[-1] == 'a']}" not in found]
    assert halves == []
    async with asyncio.timeout(1):
        await transaction(lambda: add("still works"))


async def test_hooks_run_after_the_commit_and_see_its_rows(database: Mapping[str, Any]) -> None:
    told: list[str] = []

    async def work() -> None:
        await add("a")
        after_commit(lambda: told.append("first"))
        after_commit(lambda: told.append("second"))
        assert told == []

    await transaction(work)
    assert told == ["first", "second"]


async def test_hooks_do_not_run_after_a_rollback(database: Mapping[str, Any]) -> None:
    told: list[str] = []

    async def work() -> None:
        after_commit(lambda: told.append("never"))
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(work)
    assert told == []


async def test_hooks_of_an_inner_transaction_wait_for_the_outer_commit(database: Mapping[str, Any]) -> None:
    told: list[str] = []

    async def inner() -> None:
        after_commit(lambda: told.append("inner"))

    async def outer() -> None:
        await transaction(inner)
        assert told == []

    await transaction(outer)
    assert told == ["inner"]


async def test_a_hook_needs_a_transaction(database: Mapping[str, Any]) -> None:
    with pytest.raises(OutsideTransaction):
        after_commit(lambda: None)


async def test_what_belongs_into_a_transaction_is_refused_outside_and_the_other_way(
    database: Mapping[str, Any],
) -> None:
    forbid_inside_transaction()
    with pytest.raises(OutsideTransaction):
        require_transaction()

    async def work() -> None:
        require_transaction()
        with pytest.raises(InsideTransaction):
            forbid_inside_transaction()

    await transaction(work)


async def test_concurrent_compare_and_set_has_one_winner_each_round(database: Mapping[str, Any]) -> None:
    await transaction(lambda: add("turn", 0))
    # Keyword arguments of the lambda: the loop's variable would have moved on.
    for turn in range(10):
        won = await asyncio.gather(
            *(
                transaction(
                    lambda turn=turn: execute(  # type: ignore[misc]
                        "UPDATE counter SET value = value + 1 WHERE name = 'turn' AND value = $1", turn
                    )
                )
                for _ in range(10)
            )
        )
        assert sorted(won) == [0] * 9 + [1]


async def test_a_broken_constraint_is_told_as_such(database: Mapping[str, Any]) -> None:
    await transaction(lambda: add("a"))
    with pytest.raises(IntegrityError):
        await transaction(lambda: add("a"))
    assert await pool_is_idle()


async def test_values_come_back_as_they_went_in(database: Mapping[str, Any]) -> None:
    clock = FixedClock()
    job_id = UUID("0195c1f0-0000-7000-8000-000000000001")

    async def work() -> None:
        await fetch(
            "INSERT INTO job (id, name, payload, state, run_at, attempts, last_error, request_id, created_at, "
            "lane) VALUES ($1, 'a.b', $2, 'ready', $3, 0, '', '', $3, '') RETURNING id",
            job_id,
            {"名": "值"},
            clock.now(),
        )

    await transaction(work)
    row = await fetch_one("SELECT id, payload, run_at FROM job WHERE id = $1 AND run_at <= $2", job_id, clock.now())
    assert row is not None
    assert as_uuid(row["id"]) == job_id
    assert as_json(row["payload"]) == {"名": "值"}
    assert as_moment(row["run_at"]) == clock.now()
    assert await fetch_one("SELECT id FROM job WHERE name = $1", "none") is None


async def test_an_outage_is_told_from_a_mistake_of_ours(database: Mapping[str, Any]) -> None:
    away = [
        OSError(),
        TimeoutError(),
        DBConnectionError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DiskFullError(),
        asyncpg.AdminShutdownError(),
        asyncpg.DeadlockDetectedError(),
        OperationalError("database is locked"),
        OperationalError("database or disk is full"),
    ]
    assert [error for error in away if not is_outage(error)] == []
    ours = [ValueError(), OperationalError("no such column: x"), IntegrityError("UNIQUE"), asyncpg.DataError()]
    assert [error for error in ours if is_outage(error)] == []


async def test_an_outage_inside_a_transaction_becomes_a_problem(database: Mapping[str, Any]) -> None:
    async def work() -> None:
        raise OperationalError("database or disk is full")

    with pytest.raises(DatabaseUnavailable) as caught:
        await transaction(work)
    assert caught.value.retryable
    assert caught.value.extras.retry_after == 2


async def test_a_database_that_is_away_is_told_when_opening() -> None:
    config = orm_config(CoreSettings(database_url="postgres://nobody@127.0.0.1:1/none"), {"core": ["core.models"]})
    with pytest.raises(DatabaseUnavailable):
        await open_database(config)


def test_the_address_of_the_database_is_read_whole() -> None:
    settings = CoreSettings(database_url="postgres://a%40b:p%2Fw@db.test:5433/name?sslmode=require")
    credentials = orm_config(settings, {})["connections"]["default"]["credentials"]
    wanted = {"host": "db.test", "port": 5433, "user": "a@b", "password": "p/w", "database": "name", "ssl": "require"}
    assert {key: credentials[key] for key in wanted} == wanted


def test_every_domain_is_an_app_with_migrations_of_its_own() -> None:
    config = orm_config(CoreSettings(), {app: [f"{app}.models"] for app in ("core", "auth")})
    assert {app["migrations"] for app in config["apps"].values()} == {f"migrations.{app}" for app in ("core", "auth")}


def test_a_second_server_on_the_same_data_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    first, second = ServerLock(tmp_path / "data" / "server.lock"), ServerLock(tmp_path / "data" / "server.lock")
    first.take()
    with pytest.raises(UnsafeSettings, match="ZHIJIAN_DATA_DIR"):
        second.take()
    first.release()
    second.take()
    second.release()
    second.release()


def test_the_lock_is_that_of_the_database_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    first = ServerLock.of_database(f"sqlite:///{tmp_path}/data/zhijian.sqlite3")
    second = ServerLock.of_database(f"sqlite:///{tmp_path}/link/../link/zhijian.sqlite3")
    other = ServerLock.of_database(f"sqlite:///{tmp_path}/data/other.sqlite3")
    first.take()
    with pytest.raises(UnsafeSettings, match="Another server"):
        second.take()
    other.take()
    other.release()
    first.release()


@pytest.mark.usefixtures("database")
async def test_rows_that_nobody_reads_back_are_there_after_the_transaction() -> None:
    numbers = range(5)

    async def work() -> None:
        for number in numbers:
            await later("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", f"later-{number}", number)
            await fetch("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", f"now-{number}", number)

    await transaction(work)
    rows = await fetch("SELECT name, value FROM counter WHERE name LIKE 'later-%' ORDER BY name")
    assert [(row["name"], int(row["value"])) for row in rows] == [(f"later-{number}", number) for number in numbers]


@pytest.mark.usefixtures("database")
async def test_rows_for_later_go_with_their_transaction() -> None:
    async def work() -> None:
        await later("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", "later-lost", 1)
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(work)
    assert await fetch("SELECT name FROM counter WHERE name = 'later-lost'") == []
    with pytest.raises(OutsideTransaction):
        await later("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", "later-out", 1)


@pytest.mark.usefixtures("database")
async def test_a_row_for_later_is_there_for_whoever_reads_it_back() -> None:
    async def work() -> list[int]:
        row = "INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name"
        change = "UPDATE counter SET value = $2 WHERE name = $1 RETURNING name"
        seen = []
        for sql, value in ((row, 1), (change, 2)):
            await later(sql, "later-read", value, read_from="counter")
            [found] = await fetch("SELECT value FROM counter WHERE name = 'later-read'")
            seen.append(int(found["value"]))
        return seen

    assert await transaction(work) == [1, 2]
    assert await fetch("SELECT value FROM counter WHERE name = 'later-read'")


@pytest.mark.usefixtures("database")
async def test_a_row_for_later_that_is_forbidden_ends_the_whole_transaction() -> None:
    async def work() -> None:
        await fetch("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", "before", 1)
        for _ in range(2):
            await later("INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name", "twice", 1)

    with pytest.raises(IntegrityError):
        await transaction(work)
    assert await fetch("SELECT name FROM counter WHERE name IN ('before', 'twice')") == []


_COUNT = "INSERT INTO counter (name, value) VALUES ($1, $2) RETURNING name"


@pytest.mark.usefixtures("database")
async def test_what_is_written_in_one_statement_is_there_whole_and_its_hooks_have_run() -> None:
    told: list[str] = []

    async def work() -> str:
        for number in range(3):
            await later(_COUNT, f"one-{number}", number)
        after_commit(lambda: told.append("committed"))
        require_transaction()
        return "done"

    assert await in_one_statement(work) == "done"
    assert told == ["committed"]
    assert len(await fetch("SELECT name FROM counter WHERE name LIKE 'one-%'")) == 3


@pytest.mark.usefixtures("database")
async def test_one_statement_with_a_forbidden_row_writes_none_and_runs_no_hook() -> None:
    told: list[str] = []

    async def work() -> None:
        for _ in range(2):
            await later(_COUNT, "same", 1)
        after_commit(lambda: told.append("committed"))

    with pytest.raises(IntegrityError):
        await in_one_statement(work)
    assert (told, await fetch("SELECT name FROM counter WHERE name = 'same'")) == ([], [])


@pytest.mark.usefixtures("database")
async def test_one_statement_goes_to_its_end_when_its_caller_has_gone() -> None:
    going = asyncio.create_task(in_one_statement(lambda: later(_COUNT, "gone", 1)))
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await drain()
    assert await fetch("SELECT name FROM counter WHERE name = 'gone'")


@pytest.mark.usefixtures("database")
async def test_inside_a_transaction_one_statement_joins_it_and_goes_with_it() -> None:
    await add("place", 1)

    async def both(*, fails: bool) -> None:
        await in_one_statement(lambda: later(_COUNT, "inside", 1))
        await in_one_statement_if((_TAKE, "place", 1), lambda: later(_COUNT, "behind", 1))
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        await transaction(lambda: both(fails=True))
    assert await names() == {"place"}
    await transaction(lambda: both(fails=False))
    assert await names() == {"place", "inside", "behind"}
    assert [row["value"] for row in await fetch("SELECT value FROM counter WHERE name = 'place'")] == [2]

    async def late() -> str | None:
        return await in_one_statement_if((_TAKE, "place", 1), _told)

    assert await transaction(late) is None


async def _told() -> str:
    return "told"


@pytest.mark.usefixtures("database")
async def test_one_statement_reads_nothing() -> None:
    if is_postgres():
        for doing in (lambda: fetch("SELECT 1"), lambda: execute("DELETE FROM counter")):
            with pytest.raises(OutsideTransaction):
                await in_one_statement(doing)


_TAKE = "UPDATE counter SET value = value + 1 WHERE name = $1 AND value = $2 RETURNING name"


@pytest.mark.usefixtures("database")
async def test_behind_a_compare_and_set_rows_are_written_by_the_one_that_takes_and_by_nobody_else() -> None:
    await add("place", 1)
    told: list[str] = []

    async def once(number: int) -> str | None:
        async def work() -> str:
            for part in ("a", "b"):
                await later(_COUNT, f"{part}-{number}", number)
            after_commit(lambda: told.append("committed"))
            return f"done-{number}"

        return await in_one_statement_if((_TAKE, "place", 1), work)

    done = await asyncio.gather(*(once(number) for number in range(20)))
    [winner] = [each for each in done if each is not None]
    number = winner.removeprefix("done-")
    assert await names() >= {"place", f"a-{number}", f"b-{number}"}
    assert len(await fetch("SELECT name FROM counter WHERE name LIKE 'a-%' OR name LIKE 'b-%'")) == 2
    assert told == ["committed"]
    assert await pool_is_idle()


@pytest.mark.usefixtures("database")
async def test_a_forbidden_row_behind_a_compare_and_set_takes_nothing() -> None:
    await add("place", 1)

    async def work() -> None:
        await later(_COUNT, "place", 2)

    with pytest.raises(IntegrityError):
        await in_one_statement_if((_TAKE, "place", 1), work)
    assert [row["value"] for row in await fetch("SELECT value FROM counter WHERE name = 'place'")] == [1]


def test_only_a_plain_row_can_wait_for_a_condition() -> None:
    with pytest.raises(ValueError, match="INSERT"):
        together_if("UPDATE a SET b = $1 RETURNING b", 1, (("UPDATE c SET d = $1 RETURNING d", 1),))
