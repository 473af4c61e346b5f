import sqlite3
from functools import partial
from pathlib import Path

import pytest

from sandbox.ground.store import Store, remembered


async def test_work_that_fails_leaves_nothing_behind(data: Path) -> None:
    store = await Store.open(data)

    def half_way(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO facts VALUES ('a', '1')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.run(half_way)
    assert await store.run(lambda db: db.execute("SELECT count(*) FROM facts").fetchone()[0]) == 0
    await store.close()


async def test_a_fact_is_made_up_once_and_kept(data: Path) -> None:
    for first in ("one", "two"):
        store = await Store.open(data)
        assert await store.run(partial(remembered, name="salt", first=partial(str, first))) == "one"
        await store.close()


async def test_what_is_written_is_on_the_disk(data: Path) -> None:
    store = await Store.open(data)
    assert await store.run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
    assert await store.run(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    await store.close()
