"""After all migrations the database holds what the models and the guards promise.

Tortoise says OK to a conditional unique constraint on SQLite and makes nothing, and a later change of a column remakes
the table and drops indexes and triggers silently. So what is there is compared with what was promised, on the database
at hand.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pytest
from tortoise.indexes import Index
from tortoise.models import Model

from core.db import execute, fetch, is_postgres, transaction
from core.migrate import guards_of, indexes
from tests.architecture.tree import DOMAINS, ROOT
from tests.conftest import models_that_exist

ON_SQLITE = """
SELECT tables.name AS table_name, listed.name AS index_name, listed."unique" AS is_unique,
       (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(listed.name) ORDER BY seqno)) AS columns
FROM sqlite_master AS tables JOIN pragma_index_list(tables.name) AS listed WHERE tables.type = 'table'
"""
ON_POSTGRES = """
SELECT tables.relname AS table_name, listed.relname AS index_name, made.indisunique AS is_unique,
       (SELECT string_agg(part.attname, ',' ORDER BY place.nth)
          FROM unnest(made.indkey) WITH ORDINALITY AS place(number, nth)
          JOIN pg_attribute AS part ON part.attrelid = tables.oid AND part.attnum = place.number) AS columns
FROM pg_index AS made JOIN pg_class AS tables ON tables.oid = made.indrelid
JOIN pg_class AS listed ON listed.oid = made.indexrelid
JOIN pg_namespace AS space ON space.oid = tables.relnamespace WHERE space.nspname = current_schema()
"""

MADE = re.compile(r'CREATE (?:OR REPLACE )?(?:UNIQUE )?(?:TRIGGER|INDEX)(?: IF NOT EXISTS)? "?(\w+)')


class Promise(NamedTuple):
    """An index that a model asks for."""

    table: str
    columns: str
    is_unique: bool


def models() -> list[type[Model]]:
    names = [module for modules in models_that_exist().values() for module in modules]
    members = (member for name in names for member in vars(importlib.import_module(name)).values())
    return [
        member for member in members if isinstance(member, type) and issubclass(member, Model) and member is not Model
    ]


def test_no_table_is_described_with_a_semicolon() -> None:
    """What a model says of itself becomes a comment in its migration, and scripts are cut at semicolons."""

    def cut(given: Iterable[type[Model]]) -> list[str]:
        return [model.__name__ for model in given if ";" in model._meta.table_description]

    class Planted(Model):
        """One thing; another thing."""

    assert models()
    assert cut(models()) == []
    assert cut([Planted])


def promises(of: Iterable[type[Model]]) -> set[Promise]:
    found = set()
    for model in of:
        meta = model._meta
        columns = dict(meta.fields_db_projection)
        # Relations are given by name and kept as a column.
        columns |= {
            name: field.source_field for name, field in meta.fields_map.items() if field.source_field is not None
        }

        def promise(
            names: Iterable[str], *, is_unique: bool, table: str = meta.db_table, columns: Mapping[str, str] = columns
        ) -> Promise:
            return Promise(table, ",".join(columns.get(name, name) for name in names), is_unique)

        for index in meta.indexes:
            found.add(promise(index.fields if isinstance(index, Index) else index, is_unique=False))
        for names in meta.unique_together:
            found.add(promise(names, is_unique=True))
        for name, field in meta.fields_map.items():
            if name in columns and not field.pk and (field.unique or field.index):
                found.add(promise([name], is_unique=bool(field.unique)))
    return found


async def held() -> set[Promise]:
    rows = await fetch(ON_POSTGRES if is_postgres() else ON_SQLITE)
    exact = {Promise(str(row["table_name"]), str(row["columns"]), bool(row["is_unique"])) for row in rows}
    # A unique index does for one that need not be.
    return exact | {promise._replace(is_unique=False) for promise in exact}


@pytest.mark.usefixtures("database")
async def test_every_index_that_a_model_asks_for_exists() -> None:
    wanted = promises(models())
    assert wanted
    assert wanted - await held() == set()
    assert Promise("job", "state,run_at", is_unique=True) not in await held()


def guarded() -> set[str]:
    """The triggers and indexes that the guards of all domains make on the open database."""
    statements = [sql for app in ("core", *DOMAINS) for sqls in guards_of(app).values() for sql in sqls]
    return {match[1] for sql in statements for match in MADE.finditer(sql)}


@pytest.mark.usefixtures("database")
async def test_every_guard_is_laid_on() -> None:
    names = guarded()
    assert any(name.startswith("audit_line") for name in names)
    assert names - await indexes() == set()


@pytest.mark.usefixtures("database")
async def test_a_guard_that_vanished_is_missed() -> None:
    name = next(name for name in guarded() if name.startswith("audit_line"))

    async def remove() -> None:
        await execute(f"DROP TRIGGER {name}" + (" ON audit_line" if is_postgres() else ""))

    await transaction(remove)
    assert name in guarded() - await indexes()


def test_every_domain_with_tables_has_its_migrations() -> None:
    lacking = [app for app in models_that_exist() if not list((ROOT / "migrations" / app).glob("0001_*.py"))]
    assert lacking == []
