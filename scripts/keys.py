"""Change keys while requests run: `python -m scripts.keys list`, `rotate KIND`, `retire KIND`.

KIND is tokens, issuers, index (blind indexes), data (data keys) or kek (the key that wraps data keys). The command
writes into the key folder only; running processes take it up within a second, and workers bring along what stands under
the earlier key. `list` says how far they are. `retire` destroys the earlier key once nothing needs it; in production a
second person has to have approved it (`--approval ID`).
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.rekeying import INDEXED, SEALED
from api.wiring.settings import Settings, read_settings
from core.clock import SystemClock
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable, as_moment, fetch
from core.keyring.data_keys import wraps_all
from core.keyring.folder import SHORTEST_NOTICE, KeyFolder, RotationRefused, Standing
from core.keyring.ring import KeyRing
from core.rekeying.work import Progress, open_works, progress_of
from core.settings import UnsafeSettings

console = Console(highlight=False)

KINDS: Final = {"tokens": "token", "issuers": "issuer", "index": "index", "data": "data", "kek": "kek"}
# Attempts are counted under an index that nobody can make anew; none of them counts longer than this.
COUNTED_FOR: Final = timedelta(hours=24)
EMBEDDED_NOTICE: Final = timedelta(seconds=5)
FILES: Final = "attachment.content"


def require_approval(settings: Settings, kind: str, approval: UUID | None) -> None:
    """See that a second person has approved of destroying a key. The one place that asks for it.

    The embedded mode has one operator and asks nobody. In production this release has no approvals to look into, so
    nothing is destroyed there: it must not look as if somebody had agreed.

    Raises:
        UnsafeSettings: it is production, and there is no approval that can be checked.
    """
    if not settings.is_production:
        return
    if approval is None:
        raise UnsafeSettings(f"Destroying a key ({kind}) needs the approval of a second person: --approval ID.")
    raise UnsafeSettings(
        f"Approval {approval} cannot be checked: this release keeps no approvals. The earlier key stays; that is safe."
    )


async def rotate(settings: Settings, kind: str, notice: timedelta) -> str:
    """Bring a new key of a kind on its way and say what will happen.

    Raises:
        RotationRefused: the last rotation of this kind is not over.
        UnsafeSettings: the key folder cannot be read.
        DatabaseUnavailable: the database cannot be reached.
    """
    folder = KeyFolder(settings.key_folder, clock=SystemClock())
    if kind == "data":
        keys = await _data_keys(settings)
        if len(keys) > 1:
            raise RotationRefused("an earlier data key is not retired yet; do that first (list says when)")
        since = folder.plan_data_key(keys[-1] + 1, notice=notice)
        return f"data key {keys[-1] + 1} seals from {_shown(since)}; workers then seal everything anew"
    # Nothing that was made with an earlier token key lives longer than a token; twice that is taken for good measure.
    grace = timedelta(seconds=2 * settings.auth.sessions.access_seconds) if kind == "token" else None
    made = folder.rotate(kind, notice=notice, grace=grace)
    after = {
        "token": f"tokens of earlier keys are taken until {_shown((made.current_from or _now()) + (grace or notice))}",
        "issuer": "earlier keys stay published until they are retired",
        "index": "workers then make every index anew; look-ups try both meanwhile",
        "kek": "workers then wrap every data key anew",
    }[kind]
    return f"{made.kid} is current from {_shown(made.current_from)}; {after}"


async def retire(settings: Settings, kind: str, *, at_once: bool) -> str:
    """Destroy earlier keys of a kind that nothing needs any more, and say which.

    Raises:
        RotationRefused: something needs them, or there is none.
        UnsafeSettings: the key folder cannot be read.
        DatabaseUnavailable: the database cannot be reached.
    """
    folder = KeyFolder(settings.key_folder, clock=SystemClock())
    if kind == "data":
        newest = await _require_brought_along(settings, "data")
        folder.retire_data_keys(newest)
        return f"data keys below {newest} are destroyed within seconds"
    if kind == "index":
        await _require_brought_along(settings, "index")
        if not at_once:
            _require_not_counted(folder.standings())
    if kind == "kek":
        await _require_wrapped(settings)
    gone = folder.retire(kind, at_once=at_once or kind in {"index", "kek", "issuer"})
    return "destroyed: " + ", ".join(each.kid for each in gone)


async def _require_brought_along(settings: Settings, kind: str) -> int:
    """See that everything stands under the current key; return its number if it is a data key."""
    async with _Database(settings):
        ring = KeyRing.load(settings.key_folder)
        works = [work for work in await open_works(ring, _now()) if work.id.startswith(f"{kind}:")]
        if not works:
            raise RotationRefused("there is no earlier key of this kind")
        done = {each.name: each for each in await progress_of(works[0].id)}
    columns = [*(f"{each.table}.{each.column}" for each in SEALED), FILES] if kind == "data" else [
        f"{each.table}.{each.column}" for each in INDEXED
    ]  # fmt: skip
    behind = [name for name in columns if name not in done or not done[name].is_done]
    if behind:
        raise RotationRefused(f"still brought along: {', '.join(behind)}")
    if failed := [name for name in columns if done[name].failed]:
        raise RotationRefused(f"rows that could not be brought along, see the log: {', '.join(failed)}")
    number = works[0].id.partition(":")[2]
    return int(number) if kind == "data" else 0


def _require_not_counted(standings: Sequence[Standing]) -> None:
    current = next(each for each in standings if each.kind == "index" and each.state == "current")
    until = (current.current_from or _now()) + COUNTED_FOR
    if until > _now():
        raise RotationRefused(
            f"attempts counted under the earlier key count until {_shown(until)}; --now forgets them, which gives "
            "everybody fresh attempts at a real name and a face check",
        )


async def _require_wrapped(settings: Settings) -> None:
    ring = KeyRing.load(settings.key_folder)
    async with _Database(settings):
        if not await wraps_all(ring.keks.current(_now()).secret):
            raise RotationRefused("data keys are still wrapped by the earlier key; workers do that within seconds")


async def _data_keys(settings: Settings) -> list[int]:
    async with _Database(settings):
        rows = await fetch("SELECT id FROM data_key WHERE retired_at IS NULL ORDER BY id")
    if not rows:
        raise RotationRefused("the database has no data key yet; start the service first")
    return [int(row["id"]) for row in rows]


async def show(settings: Settings) -> None:
    """Print how all keys stand, and how far the work on them is.

    Raises:
        UnsafeSettings: the key folder cannot be read.
        DatabaseUnavailable: the database cannot be reached.
    """
    lines = [("kind", "key", "state", "current from", "accepted until")]
    lines.extend(
        (each.kind, each.kid, each.state, _shown(each.current_from), _shown(each.accepted_until))
        for each in KeyFolder(settings.key_folder, clock=SystemClock()).standings()
    )
    async with _Database(settings):
        rows = await fetch("SELECT id, current_from, retired_at FROM data_key ORDER BY id")
        works = [
            (work.id, await progress_of(work.id))
            for work in await open_works(KeyRing.load(settings.key_folder), _now())
        ]
    begun = [int(row["id"]) for row in rows if row["current_from"] is None or as_moment(row["current_from"]) <= _now()]
    for row in rows:
        number = int(row["id"])
        state = (
            "destroyed" if row["retired_at"]
            else "next" if number not in begun
            else "current" if number == begun[-1]
            else "accepted"
        )  # fmt: skip
        since = as_moment(row["current_from"]) if row["current_from"] else None
        lines.append(("data", str(number), state, _shown(since), ""))
    for kind, kid, standing, begins, ends in lines:
        console.print(f"{kind:<8}{kid:<45}{standing:<11}{begins:<27}{ends}".rstrip(), soft_wrap=True)
    for work_id, passes in works:
        console.print(f"\nto {work_id}: {sum(one.is_done for one in passes)} of {len(passes)} brought along")
        for one in passes:
            console.print(f"  {one.name}: {_told(one)}")


def _told(each: Progress) -> str:
    failed = f", {each.failed} failed" if each.failed else ""
    return f"done after {each.passes} passes{failed}" if each.is_done else f"{each.seen} rows seen{failed}"


class _Database:
    """The database of the settings, open for reading while a block runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> None:
        await open_database(orm_config(self._settings, MODELS))

    async def __aexit__(self, *_failure: object) -> None:
        await close_database()


def _now() -> datetime:
    return SystemClock().now()


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.keys", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("list", help="how all keys stand, and how far the work on them is")
    step = steps.add_parser("rotate", help="bring a new key on its way")
    step.add_argument("kind", choices=KINDS)
    step.add_argument(
        "--in", dest="notice", type=int, metavar="SECONDS",
        help=f"when it becomes current, at least {SHORTEST_NOTICE.seconds}; it must have reached every machine by then",
    )  # fmt: skip
    step = steps.add_parser("retire", help="destroy earlier keys that nothing needs any more")
    step.add_argument("kind", choices=KINDS)
    step.add_argument("--now", action="store_true", help="also while what they made would still be taken")
    step.add_argument(
        "--approval", type=UUID, metavar="ID", help="what a second person has approved; production asks for it"
    )
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    chosen = _arguments(words)
    try:
        settings = read_settings()
        if chosen.step == "list":
            asyncio.run(show(settings))
            return 0
        kind = KINDS[chosen.kind]
        if chosen.step == "rotate":
            usual = timedelta(seconds=settings.keys.notice_seconds) if settings.is_production else EMBEDDED_NOTICE
            notice = usual if chosen.notice is None else timedelta(seconds=chosen.notice)
            told = asyncio.run(rotate(settings, kind, notice))
        else:
            require_approval(settings, kind, chosen.approval)
            told = asyncio.run(retire(settings, kind, at_once=chosen.now))
    except (UnsafeSettings, OSError) as error:
        console.print(f"[red]✗[/red] {error}", soft_wrap=True)
        return 2
    except RotationRefused as refused:
        console.print(f"[red]✗[/red] {refused.why}", soft_wrap=True)
        return 1
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and ZHIJIAN_DATA_DIR.")
        return 3
    console.print(f"[green]✓[/green] {told}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
