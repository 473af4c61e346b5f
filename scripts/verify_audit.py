"""Check the audit chain of an installation: names every place that was altered, removed, moved or added.

Reads the database of the settings (`ZHIJIAN_DATA_DIR`, `ZHIJIAN_DATABASE_URL`); a running server is not disturbed.
"""

import asyncio
import sys

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.settings import Settings, read_settings
from core.audit.verify import Findings, verify_audit
from core.crypto import KeyRing
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable
from core.settings import UnsafeSettings

console = Console(highlight=False)


async def _verify(settings: Settings) -> Findings:
    ring = KeyRing.load(settings.key_folder)
    await open_database(orm_config(settings, MODELS))
    try:
        return await verify_audit(ring.audit.public_key())
    finally:
        await close_database()


def main() -> int:
    """Run the check; 0 when the chain holds, 1 when it does not."""
    try:
        with console.status("checking every line…"):
            findings = asyncio.run(_verify(read_settings()))
    except UnsafeSettings as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and ZHIJIAN_DATA_DIR.")
        return 3
    if not findings.holds:
        for fault in findings.faults:
            console.print(f"[red]✗[/red] {fault}")
        return 1
    console.print(f"[green]✓[/green] {findings.checked} lines hold; {findings.unsealed} not yet linked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
