"""How long what a resident keeps here is good, by its kind: read from `retention.json`, changed by settings."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("retention.json")


class Retention:
    """The table of days. Whoever runs the service changes it by `ZHIJIAN_MATTERS__KEEP_MATERIAL_DAYS`, not by code."""

    def __init__(self, changed: Mapping[str, int], *, file: Path = _FILE) -> None:
        told = json.loads(file.read_text(encoding="utf-8"))
        self._default: int = told["default_days"]
        self._days: dict[str, int] = {**told["kinds"], **changed}

    def until(self, kind: str, since: datetime) -> datetime:
        """Return when a material of a kind that was given at a moment is forgotten."""
        return since + timedelta(days=self._days.get(kind, self._default))
