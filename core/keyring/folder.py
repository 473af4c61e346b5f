"""Writing the key folder: what `python -m scripts.keys` does. Every running process sees it within a second.

Each step leaves a folder that can be read: a key's file comes before the plan names it, and goes after.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.clock import Clock
from core.errors import Conflict
from core.keyring.ring import FIRST_FILES, PLAN_FILE, KeyRing, fresh_key, key_id, read_plan, write_key

_LOCK_FILE: Final = "keys.lock"
# Every process looks once a second: a key is known everywhere well before it is used.
SHORTEST_NOTICE: Final = timedelta(seconds=3)


class RotationRefused(Conflict):
    """The key folder does not allow this step now; `why` says it to the operator."""

    code = "core.rotation-refused"
    title = "现在不能更换密钥"
    title_en = "The keys cannot be changed this way now"
    plain = "现在不能换。"

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Standing:
    """How one key stands. `state`: next, current, accepted (an earlier one), expired."""

    kind: str
    kid: str
    file: str
    state: str
    current_from: datetime | None
    accepted_until: datetime | None


class KeyFolder:
    """The key folder of an installation, for whoever may change it."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def rotate(self, kind: str, *, notice: timedelta, grace: timedelta | None = None) -> Standing:
        """Put a new key beside the present one; it becomes current after `notice`. Return how it stands.

        What the earlier keys have made is taken for another `grace` after that; None: until they are retired.

        Raises:
            RotationRefused: the notice is too short, or the last rotation of this kind has not come to its end.
            UnsafeSettings: the folder cannot be read.
        """
        _require_notice(notice)
        with self._locked():
            now = self._clock.now()
            plan = self._plan()
            entries = plan[kind]
            if any(_moment(entry["current_from"]) > now for entry in entries.values()):
                raise RotationRefused("the next key is announced and not yet current; wait until it is")
            if kind in {"index", "kek"} and len(entries) > 1:
                raise RotationRefused("the earlier key of this kind is not retired yet; do that first (list says when)")
            stem, _, ending = FIRST_FILES[kind].partition(".")
            draft = self._folder / f".{stem}-new.{ending}"
            draft.unlink(missing_ok=True)
            write_key(draft, fresh_key(kind))
            kid = key_id(draft)
            name = f"{stem}-{kid}.{ending}"
            draft.replace(self._folder / name)
            current_from = now + notice
            for entry in entries.values():
                if grace is not None and entry["accepted_until"] is None:
                    entry["accepted_until"] = (current_from + grace).isoformat()
            entries[kid] = {"file": name, "current_from": current_from.isoformat(), "accepted_until": None}
            self._write(plan)
            return Standing(kind, kid, name, "next", current_from, None)

    def plan_data_key(self, newest: int, *, notice: timedelta) -> datetime:
        """Have the processes make data key number `newest`; return from when it seals.

        Raises:
            RotationRefused: the notice is too short, or that number or a later one is planned already.
            UnsafeSettings: the folder cannot be read.
        """
        _require_notice(notice)
        with self._locked():
            plan = self._plan()
            data = plan.get("data") or {"newest": 0, "current_from": None, "retired_below": 0}
            if int(data["newest"]) >= newest:
                raise RotationRefused(f"data key {data['newest']} is planned already and not made yet")
            current_from = self._clock.now() + notice
            plan["data"] = {**data, "newest": newest, "current_from": current_from.isoformat()}
            self._write(plan)
            return current_from

    def retire_data_keys(self, below: int) -> None:
        """Have the processes destroy the data keys below a number. They see for themselves that nothing needs them.

        Raises:
            UnsafeSettings: the folder cannot be read.
        """
        with self._locked():
            plan = self._plan()
            data = plan.get("data") or {"newest": below, "current_from": None, "retired_below": 0}
            plan["data"] = {**data, "retired_below": max(below, int(data["retired_below"]))}
            self._write(plan)

    def retire(self, kind: str, *, at_once: bool = False) -> list[Standing]:
        """Take the earlier keys of a kind away and return them; with `at_once` also those that are still accepted.

        Whether anything still needs an earlier key of blind indexes or a key-encryption key is the caller's to know.

        Raises:
            RotationRefused: there is none, or it is accepted for a while yet.
            UnsafeSettings: the folder cannot be read.
        """
        with self._locked():
            plan = self._plan()
            now = self._clock.now()
            before = [each for each in self._standings(plan, now) if each.kind == kind]
            earlier = [each for each in before if each.state in {"accepted", "expired"}]
            going = earlier if at_once else [each for each in earlier if each.state == "expired"]
            if not earlier:
                raise RotationRefused("there is no earlier key of this kind")
            if not going:
                raise RotationRefused(
                    "what the earlier key has made is still taken; wait until then, or end it at once"
                )
            for each in going:
                del plan[kind][each.kid]
                plan.setdefault("retired", {})[f"{kind}:{each.kid}"] = now.isoformat()
            self._write(plan)
            for each in going:
                (self._folder / each.file).unlink(missing_ok=True)
            return going

    def standings(self) -> list[Standing]:
        """Return how every key of the folder stands.

        Raises:
            UnsafeSettings: the folder cannot be read.
        """
        return self._standings(self._plan(), self._clock.now())

    def _standings(self, plan: dict[str, Any], now: datetime) -> list[Standing]:
        found = []
        for kind in FIRST_FILES:
            entries = plan[kind]
            begun = [kid for kid, entry in entries.items() if _moment(entry["current_from"]) <= now]
            current = max(begun, key=lambda kid: _moment(entries[kid]["current_from"]), default="")
            for kid, entry in entries.items():
                until = entry["accepted_until"] and _moment(entry["accepted_until"])
                state = (
                    "current" if kid == current
                    else "next" if kid not in begun
                    else "expired" if until and until <= now
                    else "accepted"
                )  # fmt: skip
                since = entry["current_from"] and _moment(entry["current_from"])
                found.append(Standing(kind, kid, entry["file"], state, since or None, until or None))
        return found

    def _plan(self) -> dict[str, Any]:
        """Return the plan with an entry for every key, also those that it need not name yet."""
        KeyRing(self._folder)
        plan = read_plan(self._folder)
        for kind, first in FIRST_FILES.items():
            if not plan.get(kind):
                kid = key_id(self._folder / first)
                plan[kind] = {kid: {"file": first, "current_from": None, "accepted_until": None}}
        return plan

    def _write(self, plan: dict[str, Any]) -> None:
        draft = self._folder / f".{PLAN_FILE}.draft"
        draft.unlink(missing_ok=True)
        write_key(draft, json.dumps(plan, indent=2).encode() + b"\n")
        draft.replace(self._folder / PLAN_FILE)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one command change the folder at a time."""
        file = os.open(self._folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _require_notice(notice: timedelta) -> None:
    if notice < SHORTEST_NOTICE:
        raise RotationRefused(f"a new key is announced at least {SHORTEST_NOTICE.seconds} seconds before it is used")


def _moment(text: str | None) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if text is None else datetime.fromisoformat(text)
