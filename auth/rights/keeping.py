"""What outlives an account, on what ground and for how long: read from `kept.json`, changed by settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from auth.settings import RightsSettings
from auth.types import Kept
from core.settings import UnsafeSettings

_FILE: Final = Path(__file__).with_name("kept.json")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One entry of the table. `days` counts from when the thing has ended; none: it is not erased by the day."""

    kept: Kept
    days: int | None


class Keeping:
    """The table of what is kept. An installation replaces days and grounds by settings, never by code."""

    def __init__(self, settings: RightsSettings, *, file: Path = _FILE) -> None:
        """Read the table.

        Raises:
            UnsafeSettings: a setting names something that the table does not have.
        """
        entries = json.loads(file.read_text(encoding="utf-8"))["kept"]
        self._rules = {entry["what"]: _rule(entry, settings) for entry in entries}
        unknown = sorted({*settings.keep_days, *settings.keep_laws} - self._rules.keys())
        if unknown:
            raise UnsafeSettings(f"ZHIJIAN_AUTH__RIGHTS: nothing of this name is kept: {', '.join(unknown)}.")

    @property
    def all(self) -> tuple[Kept, ...]:
        """Every entry, without its date."""
        return tuple(rule.kept for rule in self._rules.values())

    def kept(self, what: str, *, since: datetime | None) -> Kept:
        """Return what is said about one thing that is kept; `since` is when it ended, None while it has not."""
        rule = self._rules[what]
        until = None if since is None or rule.days is None else since + timedelta(days=rule.days)
        held = rule.kept
        return replace(held, until=until)

    def due_before(self, what: str, now: datetime) -> datetime | None:
        """Return the moment such that what had ended by then need no longer be kept at `now`; None when it stays."""
        days = self._rules[what].days
        return None if days is None else now - timedelta(days=days)


def _rule(entry: Mapping[str, Any], settings: RightsSettings) -> _Rule:
    what = entry["what"]
    law = settings.keep_laws.get(what)
    days = settings.keep_days.get(what, entry["days"])
    return _Rule(
        Kept(
            what=what,
            title=entry["title"]["zh"],
            title_en=entry["title"]["en"],
            law=law or entry["law"]["zh"],
            law_en=law or entry["law"]["en"],
            is_configured=entry["configured"] or law is not None,
            is_for_good=days is None,
            until=None,
        ),
        days,
    )
