"""The privacy canary: nothing of the cast may turn up in logs, job payloads, audit lines or error bodies."""

import json
import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tortoise.exceptions import OperationalError

from core.db import fetch

_PEOPLE = Path(__file__).resolve().parents[1] / "sandbox" / "people.json"


@cache
def secrets_of_the_cast() -> frozenset[str]:
    """Names, numbers and mobiles of everybody in the cast."""
    people = json.loads(_PEOPLE.read_text(encoding="utf-8"))
    listed = people["people"] if isinstance(people, dict) else people
    return frozenset(str(person[name]) for person in listed for name in ("name", "id_number", "mobile"))


def leaks(texts: Iterable[str]) -> list[str]:
    """Return the texts that hold something of the cast, shortened."""
    return [text[:200] for text in texts if any(secret in text for secret in secrets_of_the_cast())]


class Listener(logging.Handler):
    """Keeps what is logged, as it would be written, arguments and exceptions included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        # Libraries at debug level log statements with their values; those levels are never switched on.
        if record.levelno >= logging.INFO:
            self.lines.append(self.format(record))


async def kept_for_others() -> list[str]:
    """What the open database keeps for jobs and for the audit, as text."""
    found: list[str] = []
    for statement in ("SELECT payload, last_error FROM job", "SELECT * FROM audit_line"):
        try:
            rows: list[dict[str, Any]] = await fetch(statement)
        except OperationalError:  # A test of migrations may have no such table.
            continue
        found += [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    return found
