"""The page that `make run` ends with: addresses, the cast, lines to try, the operator's way in."""

import json
import shlex
import sys
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table

from scripts.supervision import answers

JOURNEY = Path(__file__).with_name("try.sh")


def show(console: Console, *, portal: str, sandbox: str, data: Path) -> None:
    """Print the page."""
    console.print()
    console.print(Rule("[bold]指尖办事 · zhijian[/] is ready", style="cyan"))
    _addresses(console, portal, sandbox)
    _cast(console, sandbox)
    _lines(console, portal, sandbox)
    _operator(console, portal, data / "operator.json")
    console.print(f"[dim]logs: {escape(_short(data / 'logs'))} · data: {escape(_short(data))} · Ctrl-C stops all[/]\n")


def _addresses(console: Console, portal: str, sandbox: str) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]portal[/]", f"[link={portal}/docs]{portal}[/]", "/docs shows every operation")
    table.add_row("[bold]sandbox[/]", sandbox, "WeChat, the registry and the departments, pretended")
    for path, what in (("/", "for residents"), ("/console/", "for operators")):
        if answers(portal + path, within=2):
            table.add_row("", portal + path, what)
    console.print(table)


def _cast(console: Console, sandbox: str) -> None:
    table = Table(
        title="The cast: made-up people, each shows something", title_justify="left", title_style="bold", box=None
    )
    for column in ("person", "name", "ID number", "what happens"):
        table.add_column(column, style={"person": "cyan"}.get(column), no_wrap=column != "what happens")
    for person in _people(sandbox):
        table.add_row(
            person["slug"], person["name"], person["id_number"], escape(person.get("story_en") or person["story"])
        )
    console.print()
    console.print(table)


def _people(sandbox: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{sandbox}/sandbox/people", timeout=5) as answer:  # noqa: S310 — our own loopback address
        return list(json.load(answer)["items"])


def _lines(console: Console, portal: str, sandbox: str) -> None:
    # Everything but comments goes out as it is, unwrapped: a terminal's own wrapping does not break what is copied.
    first, *steps = JOURNEY.read_text(encoding="utf-8").split("\n\n")
    prelude = "\n".join(line for line in first.splitlines() if not line.startswith("#"))
    console.print("\n[bold]Five lines to try[/], one after the other in one shell; first this:\n")
    console.out(prelude.replace("${1:-http://127.0.0.1:8000}", portal).replace("${2:-http://127.0.0.1:8100}", sandbox))
    for number, step in enumerate(steps, start=1):
        title, _, line = step.partition("\n")
        console.print(f"\n[cyan]{number}[/] {title.removeprefix('# ')}")
        console.out(line.strip(), highlight=False)


def _operator(console: Console, portal: str, file: Path) -> None:
    console.print("\n[bold]The operator's way in[/]")
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        name, password = kept["username"], kept["password"]
    except (OSError, ValueError, KeyError):
        console.print("  none was made; with everything stopped: python -m scripts.create_operator NAME")
        return
    console.print(
        f"  [cyan]{escape(name)}[/] · {escape(password)} · the code of the moment comes from the command inside\n"
    )
    body = f'{{\\"username\\":\\"{name}\\",\\"password\\":\\"{password}\\",\\"otp\\":\\"$CODE\\"}}'
    command = shlex.join([_short(Path(sys.executable)), "-m", "scripts.create_operator", "--code", _short(file)])
    console.out(
        f'CODE=$({command}); curl -sS -H "Content-Type: application/json" -d "{body}" {portal}/v1/staff/sessions',
        highlight=False,
    )
    second = file.with_name("operator-second.json")
    if second.exists():
        console.print(
            f"  What takes two people is approved by the one in {escape(_short(second))}, a security administrator."
        )
    console.print()


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
