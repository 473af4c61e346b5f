"""Do the books agree: each statement returns what is half written, and so has to return nothing.

The same statements run on SQLite and on PostgreSQL; ids are compared as text, since SQLite keeps them so. Each reads
its tables once: thousands of applications are looked through after a thousand kills.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final, Protocol

import asyncpg

from tests.journeys.town import Town

_ACTIONS: Final = """
SELECT a.id FROM application a
LEFT JOIN (SELECT application_id, count(*) AS n, min(seq) AS lowest, max(seq) AS highest FROM case_action
           GROUP BY application_id) c ON c.application_id = a.id
WHERE c.n IS NULL OR c.n <> a.actions OR c.lowest <> 1 OR c.highest <> a.actions
"""
_LAST_STEP: Final = """
SELECT a.id FROM application a JOIN case_action c ON c.application_id = a.id AND c.seq = a.actions
WHERE (c.step = 'created') <> (a.state = 'draft') OR (c.step = 'submitted') <> (a.state = 'submitted')
"""
_ONCE: Final = """
SELECT a.id FROM application a
WHERE (SELECT count(*) FROM case_action c WHERE c.application_id = a.id AND c.step = 'created') <> 1
   OR (SELECT count(*) FROM case_action c WHERE c.application_id = a.id AND c.step = 'submitted') > 1
   OR (SELECT count(*) FROM case_action c WHERE c.application_id = a.id AND c.step = 'approved') > 1
   OR CAST(a.id AS TEXT) NOT IN (SELECT object_id FROM audit_line WHERE action = 'matters.drafted'
                                 GROUP BY object_id HAVING count(*) = 1)
"""
_SUBMITTED: Final = """
SELECT a.id FROM application a
WHERE a.state <> 'draft' AND a.state <> 'withdrawn' AND (
      a.number IS NULL OR a.submitted_at IS NULL OR a.query_code_hash = ''
   OR (SELECT count(*) FROM case_action c WHERE c.application_id = a.id AND c.step = 'submitted') <> 1
   OR (SELECT count(*) FROM delivery d WHERE d.application_id = a.id) <> 1
   OR CAST(a.id AS TEXT) NOT IN (SELECT object_id FROM audit_line WHERE action = 'matters.submitted'
                                 GROUP BY object_id HAVING count(*) = 1)
   OR CAST(a.id AS TEXT) NOT IN (SELECT payload ->> 'application_id' FROM job WHERE name = 'matters.deliver'
                                 GROUP BY payload ->> 'application_id' HAVING count(*) = 1))
"""
_STILL_A_DRAFT: Final = """
SELECT a.id FROM application a
WHERE a.state = 'draft' AND (
      a.number IS NOT NULL OR a.submitted_at IS NOT NULL
   OR EXISTS (SELECT 1 FROM delivery d WHERE d.application_id = a.id)
   OR EXISTS (SELECT 1 FROM job j WHERE j.payload ->> 'application_id' = CAST(a.id AS TEXT))
   OR EXISTS (SELECT 1 FROM audit_line l
              WHERE l.action = 'matters.submitted' AND l.object_id = CAST(a.id AS TEXT)))
"""
_NOBODYS: Final = """
SELECT c.id FROM case_action c LEFT JOIN application a ON a.id = c.application_id WHERE a.id IS NULL
UNION ALL SELECT d.id FROM delivery d LEFT JOIN application a ON a.id = d.application_id WHERE a.id IS NULL
UNION ALL SELECT e.id FROM department_event e LEFT JOIN application a ON a.id = e.application_id WHERE a.id IS NULL
UNION ALL SELECT l.id FROM audit_line l LEFT JOIN application a ON CAST(a.id AS TEXT) = l.object_id
          WHERE l.object_kind = 'application' AND l.object_id <> '' AND a.id IS NULL
UNION ALL SELECT j.id FROM job j LEFT JOIN application a ON CAST(a.id AS TEXT) = j.payload ->> 'application_id'
          WHERE j.name = 'matters.deliver' AND a.id IS NULL
"""
_DELIVERED: Final = """
SELECT d.id FROM delivery d JOIN application a ON a.id = d.application_id
WHERE (d.state = 'acknowledged' AND a.state IN ('draft', 'submitted'))
   OR (d.state = 'refused' AND a.state IN ('draft', 'submitted', 'pre_review'))
   OR (d.state IN ('pending', 'sent') AND a.state <> 'submitted')
"""
# News has come in: as an action, in the inbox and in the ledger, or nowhere.
_NEWS: Final = """
SELECT e.id FROM department_event e
WHERE (SELECT count(*) FROM case_action c
       WHERE c.application_id = e.application_id AND c.department_sequence = e.sequence) <> 1
UNION ALL
SELECT a.id FROM application a
LEFT JOIN (SELECT application_id, count(*) AS n FROM department_event GROUP BY application_id) e
       ON e.application_id = a.id
LEFT JOIN (SELECT object_id, count(*) AS n FROM audit_line WHERE action = 'matters.progressed' GROUP BY object_id) l
       ON l.object_id = CAST(a.id AS TEXT)
WHERE COALESCE(e.n, 0) <> COALESCE(l.n, 0)
"""
_PROMISES: Final = """
SELECT j.id FROM job j WHERE (j.state = 'done') <> (j.done_at IS NOT NULL)
UNION ALL
SELECT j.id FROM job j WHERE j.state = 'running' AND (j.lease_until IS NULL OR j.fence IS NULL)
UNION ALL
SELECT j.id FROM job j JOIN delivery d ON CAST(d.application_id AS TEXT) = j.payload ->> 'application_id'
WHERE j.name = 'matters.deliver' AND j.state = 'done' AND d.state IN ('pending', 'sent')
"""
_KEPT_ANSWERS: Final = """
SELECT id FROM kept_answer
WHERE (state = 'done' AND (status IS NULL OR answer_sealed IS NULL))
   OR (state = 'running' AND lease_until IS NULL)
"""
_PEOPLE: Final = """
SELECT c.id FROM citizen c
WHERE c.id_number_hash IS NULL AND NOT EXISTS (SELECT 1 FROM wechat_account w WHERE w.citizen_id = c.id)
UNION ALL
SELECT c.id FROM citizen c
WHERE c.id_number_hash IS NOT NULL AND (
      c.name_sealed IS NULL OR c.id_number_sealed IS NULL
   OR NOT EXISTS (SELECT 1 FROM audit_line l
                  WHERE l.action = 'auth.identity-bound' AND l.outcome = 'ok' AND l.subject_id = c.id))
"""
_SESSIONS: Final = """
SELECT s.id FROM citizen_session s
WHERE (SELECT count(*) FROM audit_line l
       WHERE l.action = 'auth.session-opened' AND l.object_id = CAST(s.id AS TEXT)) <> 1
   OR NOT EXISTS (SELECT 1 FROM refresh_token t WHERE t.session_id = s.id)
UNION ALL
SELECT l.id FROM audit_line l LEFT JOIN citizen_session s ON CAST(s.id AS TEXT) = l.object_id
WHERE l.action = 'auth.session-opened' AND s.id IS NULL
"""
_FACE_CHECKS: Final = """
SELECT f.id FROM face_check f
WHERE (SELECT count(*) FROM audit_line l
       WHERE l.action = 'face.check-started' AND l.object_id = CAST(f.id AS TEXT)) <> 1
UNION ALL
SELECT l.id FROM audit_line l LEFT JOIN face_check f ON CAST(f.id AS TEXT) = l.object_id
WHERE l.action = 'face.check-started' AND f.id IS NULL
"""
_CERTIFICATES: Final = """
SELECT c.id FROM certificate c
WHERE NOT EXISTS (SELECT 1 FROM audit_line l
                  WHERE l.action = 'certificates.fetched' AND l.object_id = CAST(c.id AS TEXT))
"""
STATEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "an application counts other actions than it has": _ACTIONS,
        "an application is not where its last action brought it": _LAST_STEP,
        "something happened to an application twice": _ONCE,
        "a submission lacks a part": _SUBMITTED,
        "a draft has a part of a submission": _STILL_A_DRAFT,
        "a part of an application that does not exist": _NOBODYS,
        "a delivery and its application disagree": _DELIVERED,
        "a department's news is half taken in": _NEWS,
        "a promise is neither kept nor open": _PROMISES,
        "a kept answer has no answer": _KEPT_ANSWERS,
        "a person is half there": _PEOPLE,
        "a session lacks a part": _SESSIONS,
        "a face check is not in the ledger": _FACE_CHECKS,
        "a certificate is not in the ledger": _CERTIFICATES,
    },
)
_OPEN_JOBS: Final = "SELECT name, state, attempts, last_error FROM job WHERE state <> 'done'"


class Books:
    """The database of a town, read beside the product."""

    def __init__(self, look: "_Look") -> None:
        self._look = look

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        return await self._look.rows(statement)

    async def count(self, statement: str) -> int:
        """Return the one number of a statement."""
        return int(next(iter((await self.rows(statement))[0].values())))

    async def damage(self) -> dict[str, list[str]]:
        """Return what is half written, by what is wrong with it."""
        found = {name: [str(row["id"]) for row in await self.rows(sql)] for name, sql in STATEMENTS.items()}
        return {name: ids for name, ids in found.items() if ids}

    async def open_jobs(self) -> list[dict[str, Any]]:
        """Return the promises that are not kept yet."""
        return await self.rows(_OPEN_JOBS)

    async def break_(self, statement: str) -> None:
        """Do harm, to show that it is found; what is harmed is a copy or is undone."""
        await self._look.break_(statement)


class _Look(Protocol):
    async def rows(self, statement: str) -> list[dict[str, Any]]: ...
    async def break_(self, statement: str) -> None: ...


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.row_factory = sqlite3.Row

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(statement).fetchall()]

    async def break_(self, statement: str) -> None:
        self._connection.execute(statement)


class _Postgres:
    def __init__(self, connection: "asyncpg.Connection") -> None:
        self._connection = connection

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self._connection.fetch(statement)]

    async def break_(self, statement: str) -> None:
        await self._connection.execute(statement)


@asynccontextmanager
async def books_of(town: Town) -> AsyncIterator[Books]:
    """Open the books of a town for reading."""
    if not town.database_url:
        connection = sqlite3.connect(f"file:{town.data / 'zhijian.sqlite3'}?mode=ro", uri=True, timeout=10)
        try:
            yield Books(_Sqlite(connection))
        finally:
            connection.close()
        return
    database = await asyncpg.connect(town.database_url)
    try:
        yield Books(_Postgres(database))
    finally:
        await database.close()


@asynccontextmanager
async def harmless(town: Town) -> AsyncIterator[Books]:
    """Open books that may be harmed: a copy of the SQLite file, a transaction that is undone on PostgreSQL."""
    if not town.database_url:
        source = sqlite3.connect(f"file:{town.data / 'zhijian.sqlite3'}?mode=ro", uri=True, timeout=10)
        copy = sqlite3.connect(":memory:", isolation_level=None)
        try:
            source.backup(copy)
            yield Books(_Sqlite(copy))
        finally:
            copy.close()
            source.close()
        return
    database = await asyncpg.connect(town.database_url)
    undone = database.transaction()
    await undone.start()
    try:
        yield Books(_Postgres(database))
    finally:
        await undone.rollback()
        await database.close()
