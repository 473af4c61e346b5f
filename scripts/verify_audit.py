"""Check the audit chain of an installation: names the first place that was altered, removed, moved or added.

    python -m scripts.verify_audit [--anchors FILE]

With `--anchors` the newest head is written to the end of a file when the chain holds, and all that stand there already
are held against it: run it every day, and keep the file where who keeps the database cannot write. Without one, an end
that was cut off whole cannot be missed. Reads the database of the settings (`ZHIJIAN_DATA_DIR`,
`ZHIJIAN_DATABASE_URL`); a running server is not disturbed.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.settings import Settings, read_settings
from core.audit.verify import Findings, Head, verify_audit
from core.crypto import KeyRing
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable
from core.migrate import without_time_limits
from core.settings import UnsafeSettings

console = Console(highlight=False)
_ANCHOR: Final = re.compile(r"([0-9]{1,18}) ([0-9a-f]{64})")
_MOST: Final = 20  # faults that are written out


def read_anchors(path: Path | None) -> list[Head]:
    """Return the heads of an anchor file; one that is not there yet has none.

    Raises:
        ValueError: a line is none of ours.
    """
    if path is None or not path.exists():
        return []
    found = [_ANCHOR.fullmatch(line) for line in path.read_text(encoding="ascii").splitlines()]
    if not all(found):
        raise ValueError(str(path))
    return [Head(int(each[1]), each[2]) for each in found if each]


def keep_anchor(path: Path, head: Head) -> None:
    """Write a head to the end of an anchor file."""
    with path.open("a", encoding="ascii") as file:
        file.write(f"{head.seq} {head.hash}\n")


async def _verify(settings: Settings, anchors: Sequence[Head]) -> Findings:
    ring = KeyRing.load(settings.key_folder)
    # Lines of years are read, and looked for those that no link has: that takes longer than a request may.
    await open_database(without_time_limits(orm_config(settings, MODELS)))
    try:
        return await verify_audit(ring.audit.public_key(), anchors=anchors)
    finally:
        await close_database()


def main(given: Sequence[str] | None = None) -> int:
    """Run the check; 0 when the chain holds, 1 when it does not."""
    parser = argparse.ArgumentParser(prog="verify_audit", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--anchors", type=Path, metavar="FILE")
    path: Path | None = parser.parse_args(given).anchors
    try:
        anchors = read_anchors(path)
        with console.status("checking every line…"):
            findings = asyncio.run(_verify(read_settings(), anchors))
    except UnsafeSettings as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except (OSError, ValueError):
        console.print("[red]✗[/red] The anchor file cannot be read.")
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and ZHIJIAN_DATA_DIR.")
        return 3
    if not findings.holds:
        console.print(f"[red]✗[/red] The first place that is not as it was sealed: {findings.first}")
        for fault in findings.faults[:_MOST]:
            console.print(f"[red]✗[/red] {fault}")
        if len(findings.faults) > _MOST:
            console.print(f"… and {len(findings.faults) - _MOST} more")
        return 1
    if path is not None and findings.head is not None and findings.head not in anchors:
        keep_anchor(path, findings.head)
    console.print(f"[green]✓[/green] {findings.checked} lines hold; {findings.unsealed} not yet linked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
