"""Check a case's package for the archive without any connection: that it is whole, and signed by a published key.

    python -m scripts.verify_archive PACKAGE --keys keys.json

`PACKAGE` is what `GET /v1/staff/applications/{id}/archive` gave, `keys.json` what `GET /v1/public/keys` answered. Exit
codes: 0 whole, 1 something is wrong with it (each thing is named), 2 a file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from certificates.offline.jws import keys_of, read_json
from matters.results.packing import wrong_with

console = Console(highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    """Run the check; 0 when the package is whole, 1 when it is not."""
    parser = argparse.ArgumentParser(prog="verify_archive", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", type=Path, metavar="PACKAGE")
    parser.add_argument("--keys", type=Path, required=True, metavar="FILE")
    named = parser.parse_args(given)
    try:
        keys = keys_of(read_json(named.keys.read_bytes()))
        content = named.package.read_bytes()
    except (OSError, ValueError):
        console.print("[red]✗[/red] A file cannot be read, or the keys are none.")
        return 2
    found = wrong_with(content, keys)
    for sentence in found:
        console.print(f"[red]✗[/red] {sentence}", markup=True)
    if not found:
        console.print("[green]✓[/green] whole and signed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
