"""Make what portals and face nodes show each other: one folder of certificates for the portals, one for each node.

    python -m scripts.face_certificates FOLDER --node face-1.example --node face-2.example

A node is named as it stands in `ZHIJIAN_FACE__NODES`. Carry each folder to where it belongs, name it there by
`ZHIJIAN_FACE__TLS_FOLDER`, and remove it here. The key that signed them is not kept: for another node, or before they
run out, make a new set. An authority of your own does as well (`deploy/README.md`).
"""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from core.clock import SystemClock
from core.signers.mutual_tls import make_identities

console = Console(highlight=False, stderr=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.face_certificates", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to put them; one folder for each party is made in it")
    parser.add_argument("--node", action="append", required=True, metavar="HOST", help="a face node's host name")
    parser.add_argument("--days", type=int, default=730, help="how long they are good (730)")
    parser.add_argument("--unless-there", action="store_true", help="do nothing when the folder has a set already")
    chosen = parser.parse_args(arguments)
    os.umask(0o077)
    if chosen.unless_there and (chosen.folder / "portal").exists():
        return 0
    try:
        made = make_identities(chosen.folder, chosen.node, now=SystemClock().now(), days=chosen.days)
    except OSError as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    for place in made:
        console.print(f"[cyan]▸[/cyan] {place}: for {'the portals' if place.name == 'portal' else place.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
