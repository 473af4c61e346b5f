"""Several statements in one, and the two ways to write a parameter."""

import re
from functools import lru_cache
from typing import Final

_PARAMETER: Final = re.compile(r"\$(\d+)")


@lru_cache(maxsize=512)
def for_sqlite(sql: str) -> str:
    """`$1` is PostgreSQL's way to write a parameter; SQLite's is `?1`."""
    return sql.replace("$", "?")


@lru_cache(maxsize=512)
def together(statements: tuple[tuple[str, int], ...]) -> str:
    """Return one statement that does several: each text with the number of its parameters, which are shifted."""
    moved, shift = [], 0
    for sql, count in statements:
        moved.append(_shifted(sql, shift))
        shift += count
    named = [f"w{number} AS ({sql})" for number, sql in enumerate(moved[:-1])]
    return f"WITH {', '.join(named)} {moved[-1]}" if named else moved[-1]


_ROW: Final = re.compile(r"VALUES \((.*)\)\s+RETURNING", re.DOTALL)


@lru_cache(maxsize=64)
def together_if(taken: str, count: int, statements: tuple[tuple[str, int], ...]) -> str:
    """Return one statement that writes rows where the first touches one, and returns what that does.

    Raises:
        ValueError: a text is not `INSERT … VALUES (…) RETURNING …`.
    """
    named, shift = [f"taken AS ({taken})"], count
    for number, (sql, more) in enumerate(statements):
        row, found = _ROW.subn(r"SELECT \1 WHERE EXISTS (SELECT 1 FROM taken) RETURNING", _shifted(sql, shift))
        if found != 1:
            raise ValueError("a row that is written on a condition is one INSERT … VALUES")
        named.append(f"w{number} AS ({row})")
        shift += more
    return f"WITH {', '.join(named)} SELECT * FROM taken"  # noqa: S608 — constant texts


def _shifted(sql: str, by: int) -> str:
    """Return a text with its parameters counted on from `by`."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
