"""`make run`: the portal with its worker, the pretend back offices beside it, and a page that says how to try them.

Everything it needs is made on the way (the data folder, secrets, migrations, the converted face network). What dies is
started again; Ctrl-C stops all. The data outlives a restart.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from scripts.supervision import FailedToStart, Keeper, Patience, Program
from scripts.welcome import show

HOST = "127.0.0.1"
console = Console(highlight=False)


class CannotRun(Exception):
    """Something at the keyboard has to be put right first; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything of one demonstration stands."""

    port: int
    sandbox_port: int
    data: Path

    @property
    def portal(self) -> str:
        """The portal's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def operator(self) -> Path:
        """Where the demo operator's way in is kept."""
        return self.data / "operator.json"

    @property
    def second_operator(self) -> Path:
        """Where the way in of a second one is kept: some things take two."""
        return self.data / "operator-second.json"

    def portal_environment(self) -> dict[str, str]:
        """Return the environment of the portal and of the commands that prepare it."""
        return os.environ | {
            "ZHIJIAN_HOST": HOST,
            "ZHIJIAN_PORT": str(self.port),
            "ZHIJIAN_DATA_DIR": str(self.data),
            "ZHIJIAN_SANDBOX_URL": self.sandbox,
            "PYTHONUNBUFFERED": "1",
        }

    def sandbox_environment(self) -> dict[str, str]:
        """Return the environment of the sandbox: nothing of the product's but the credentials made for it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("ZHIJIAN_")}
        folder = self.data / "sandbox"
        return own | {
            "SANDBOX_HOST": HOST,
            "SANDBOX_PORT": str(self.sandbox_port),
            "SANDBOX_DATA": str(folder / "sandbox.sqlite3"),
            "SANDBOX_CREDENTIALS": str(folder / "credentials.json"),
            "PYTHONUNBUFFERED": "1",
        }

    def programs(self) -> tuple[Program, Program]:
        """Return what to run, in the order in which it is started."""
        logs = self.data / "logs"
        return (
            Program(
                name="sandbox",
                command=[sys.executable, "-m", "sandbox"],
                environment=self.sandbox_environment(),
                log=logs / "sandbox.log",
                ready=f"{self.sandbox}/sandbox/people",
                alive=f"{self.sandbox}/sandbox/people",
            ),
            Program(
                name="portal",
                command=[sys.executable, "-m", "api", "server"],
                environment=self.portal_environment(),
                log=logs / "portal.log",
                ready=f"{self.portal}/health/ready",
                alive=f"{self.portal}/health/live",
            ),
        )


def refuse_taken_ports(place: Place) -> None:
    """Make sure that both ports are free.

    Raises:
        CannotRun: one of them is taken.
    """
    if place.port == place.sandbox_port:
        raise CannotRun("Portal and sandbox cannot share a port: give PORT and SANDBOX_PORT different values.")
    for port, variable in ((place.port, "PORT"), (place.sandbox_port, "SANDBOX_PORT")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise CannotRun(
                    f"Port {port} cannot be used: {error.strerror}.\n"
                    f"If another `make run` has it, use or stop that one. Or: make run {variable}={port + 1000}",
                ) from error


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a data folder for this run: two would hand the same file to two sandboxes.

    Raises:
        CannotRun: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotRun(
                f"Another `make run` uses the data in {folder}.\nUse or stop that one. Or: make run DATA_DIR=elsewhere",
            ) from error
        yield


async def prepare(place: Place) -> None:
    """Make what the portal needs before it starts, and an operator to try things with; what is there stays.

    Raises:
        CannotRun: it failed; its own words are on the screen.
    """
    code = await _command(place, "scripts.prepare")
    if code:
        raise CannotRun(f"The set-up of {place.data} did not succeed (exit code {code}); the lines above say why.")
    if not place.operator.exists() and await _command(
        place,
        "scripts.create_operator",
        "demo",
        *("--keep", str(place.operator)),
        *("--second", str(place.second_operator)),
    ):
        tell("no operator was made; the lines above say why, everything else goes on")


async def _command(place: Place, module: str, *words: str) -> int:
    """Run one of our commands to its end, and end it when this one is ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, env=place.portal_environment(), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise


async def run(place: Place, keepers: Sequence[Keeper]) -> None:
    """Start everything, show the page, and keep all running until cancelled; nothing is left behind.

    Raises:
        FailedToStart: a program ended before it was ready.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for keeper in keepers:
                group.create_task(keeper.keep())
            with console.status("starting portal and sandbox…"):
                for keeper in keepers:
                    await keeper.ready()
            await asyncio.to_thread(show, console, portal=place.portal, sandbox=place.sandbox, data=place.data)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        tell("stopping")
        # The portal, started last, goes first: what it is still doing may need the back offices.
        for keeper in reversed(keepers):
            await keeper.stop()


async def main(place: Place) -> None:
    """Prepare and run; the first Ctrl-C or SIGTERM drains and ends all, a second one ends all at once.

    Raises:
        CannotRun: a port or the data folder is taken, or the set-up failed.
        FailedToStart: a program ended before it was ready.
    """
    # The data, and the logs of what is started here, are for this user only.
    os.umask(0o077)
    keepers = [Keeper(program, patience=Patience(), tell=tell) for program in place.programs()]
    loop = asyncio.get_running_loop()

    async def whole() -> None:
        with alone_in(place.data):
            refuse_taken_ports(place)
            await prepare(place)
            await run(place, keepers)

    work = asyncio.ensure_future(whole())

    def end() -> None:
        if work.cancelling():
            for keeper in keepers:
                keeper.kill()
        else:
            work.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, end)
    with contextlib.suppress(asyncio.CancelledError):
        await work


def tell(sentence: str) -> None:
    """Say what is being done."""
    console.print(f"[cyan]▸[/] {sentence}")


def read_arguments(words: Sequence[str] | None = None) -> Place:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the portal (default: %(default)s)")
    parser.add_argument(
        "--sandbox-port", type=int, default=8100, help="of the pretend back offices (default: %(default)s)"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".data"), help="where the data lies (default: %(default)s)"
    )
    given = parser.parse_args(words)
    return Place(port=given.port, sandbox_port=given.sandbox_port, data=given.data_dir.absolute())


if __name__ == "__main__":
    try:
        asyncio.run(main(read_arguments()))
    except (CannotRun, FailedToStart) as failure:
        console.print(f"\n[bold red]✗[/] {escape(str(failure))}\n", soft_wrap=True)
        sys.exit(1)
