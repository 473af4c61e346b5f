"""Change keys while requests run: `python -m scripts.keys list`, `rotate KIND`, `retire KIND`.

KIND is tokens, issuers, sm2 (issuers where SM2 stands beside ES256), index (blind indexes), data (data keys) or kek
(the key that wraps data keys). The command writes into the key folder only; running processes take it up within a
second, and workers bring along what stands under the earlier key. `list` says how far they are. `retire` destroys the
earlier key once nothing needs it. In production both take two people: ask for `keys.rotate` or `keys.retire` at
`/v1/staff/approvals`, have it approved by somebody else, and give its id (`--approval ID`).
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.rekeying import INDEXED, SEALED
from api.wiring.settings import Settings, read_settings
from auth.staff.approvals import Approvals
from auth.staff.errors import NotApproved
from auth.staff.papers import Papers
from core.audit.record import Audit
from core.clock import SystemClock
from core.crypto import Vault
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable, as_moment, fetch, transaction
from core.ids import RandomIds
from core.keyring.data_keys import wraps_all
from core.keyring.folder import SHORTEST_NOTICE, KeyFolder, RotationRefused, Standing
from core.keyring.ring import KeyRing
from core.rekeying.work import Progress, open_works, progress_of
from core.settings import UnsafeSettings

console = Console(highlight=False)

KINDS: Final = {"tokens": "token", "issuers": "issuer", "sm2": "sm2", "index": "index", "data": "data", "kek": "kek"}
# Attempts are counted under an index that nobody can make anew; none of them counts longer than this.
COUNTED_FOR: Final = timedelta(hours=24)
EMBEDDED_NOTICE: Final = timedelta(seconds=5)
FILES: Final = "attachment.content"


async def approved(settings: Settings, chosen: argparse.Namespace, step: Callable[[], Awaitable[str]]) -> str:
    """Take a step that two people have agreed on, and use their approval up with it; the embedded mode asks nobody.

    The key folder is no database: when the step is refused the approval stays good, and when the approval could not be
    written down as used the step was taken all the same.

    Raises:
        UnsafeSettings: it is production, and no approval is named.
        NotApproved: nobody has approved exactly this, it was done before, or the approval has run out.
        RotationRefused: the step cannot be taken now.
        DatabaseUnavailable: the database cannot be reached.
    """
    if not settings.is_production:
        return await step()
    if chosen.approval is None:
        raise UnsafeSettings(f"To {chosen.step} {chosen.kind} takes the approval of a second person: --approval ID.")
    clock, ids = SystemClock(), RandomIds()
    vault = Vault(KeyRing.load(settings.key_folder), clock=clock, ids=ids)
    await vault.load()
    approvals = Approvals(
        deeds={},
        checks={},
        papers=Papers(vault=vault),
        audit=Audit(clock=clock, ids=ids),
        clock=clock,
        ids=ids,
        settings=settings.auth.operators,
    )

    async def work() -> str:
        await approvals.spend(chosen.approval, f"keys.{chosen.step}", {"key_set": chosen.kind})
        return await step()

    return await transaction(work)


async def rotate(settings: Settings, kind: str, notice: timedelta) -> str:
    """Bring a new key of a kind on its way and say what will happen.

    Raises:
        RotationRefused: the last rotation of this kind is not over.
        UnsafeSettings: the key folder cannot be read.
        DatabaseUnavailable: the database cannot be reached.
    """
    folder = KeyFolder(settings.key_folder, clock=SystemClock())
    if kind == "data":
        keys = await _data_keys()
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
        "sm2": "earlier keys stay published until they are retired",
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
    gone = folder.retire(kind, at_once=at_once or kind in {"index", "kek", "issuer", "sm2"})
    return "destroyed: " + ", ".join(each.kid for each in gone)


async def _require_brought_along(settings: Settings, kind: str) -> int:
    """See that everything stands under the current key; return its number if it is a data key."""
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
    if not await wraps_all(ring.keks.current(_now()).secret):
        raise RotationRefused("data keys are still wrapped by the earlier key; workers do that within seconds")


async def _data_keys() -> list[int]:
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
    rows = await fetch("SELECT id, current_from, retired_at FROM data_key ORDER BY id")
    works = [
        (work.id, await progress_of(work.id)) for work in await open_works(KeyRing.load(settings.key_folder), _now())
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


async def take(settings: Settings, chosen: argparse.Namespace) -> str:
    """Take a step over the open database and return what there is to say of it.

    Raises:
        NotApproved: nobody has approved exactly this.
        RotationRefused: the step cannot be taken now.
        UnsafeSettings: the key folder cannot be read, or no approval is named.
        DatabaseUnavailable: the database cannot be reached.
    """
    await open_database(orm_config(settings, MODELS))
    try:
        if chosen.step == "list":
            await show(settings)
            return ""
        kind = KINDS[chosen.kind]
        if chosen.step == "retire":
            return await approved(settings, chosen, lambda: retire(settings, kind, at_once=chosen.now))
        usual = timedelta(seconds=settings.keys.notice_seconds) if settings.is_production else EMBEDDED_NOTICE
        notice = usual if chosen.notice is None else timedelta(seconds=chosen.notice)
        return await approved(settings, chosen, lambda: rotate(settings, kind, notice))
    finally:
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
    for each in ("rotate", "retire"):
        steps.choices[each].add_argument(
            "--approval", type=UUID, metavar="ID", help="what a second person has approved; production asks for it"
        )
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    chosen = _arguments(words)
    try:
        told = asyncio.run(take(read_settings(), chosen))
    except (UnsafeSettings, OSError) as error:
        console.print(f"[red]✗[/red] {error}", soft_wrap=True)
        return 2
    except NotApproved:
        console.print(
            f"[red]✗[/red] Approval {chosen.approval} is not for this, was used before, or has run out.", soft_wrap=True
        )
        return 1
    except RotationRefused as refused:
        console.print(f"[red]✗[/red] {refused.why}", soft_wrap=True)
        return 1
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and ZHIJIAN_DATA_DIR.")
        return 3
    if told:
        console.print(f"[green]✓[/green] {told}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
