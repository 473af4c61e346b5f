"""A whole town as processes: the sandbox and the product, as anybody would start them.

On the embedded default one server does everything; where PostgreSQL and Redis are there, a portal and a worker do.
"""

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen, run

PYTHON = sys.executable
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40.0


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Town:
    """Addresses, folders and processes of one installation."""

    data: Path
    database_url: str = ""
    redis_url: str = "memory://"
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    pause_ms: int = 50
    processes: dict[str, "Popen[bytes]"] = field(default_factory=dict)

    @property
    def portal(self) -> str:
        """The portal's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def roles(self) -> Sequence[str]:
        """What the product runs as here."""
        return ("portal", "worker") if self.database_url.startswith("postgres") else ("server",)

    def environment(self) -> dict[str, str]:
        """Return the product's environment."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ZHIJIAN_", "SANDBOX_"))},
            "ZHIJIAN_PORT": str(self.port),
            "ZHIJIAN_DATA_DIR": str(self.data),
            "ZHIJIAN_DATABASE_URL": self.database_url,
            "ZHIJIAN_REDIS_URL": self.redis_url,
            # A Redis that was killed refuses at once; a slow one is a machine with other things to do.
            "ZHIJIAN_REDIS_TIMEOUT_SECONDS": "2",
            "ZHIJIAN_SANDBOX_URL": self.sandbox,
            "ZHIJIAN_ADDRESS_LIMITS": "off",
            # Journeys are made at any hour: nobody waits for the morning.
            "ZHIJIAN_NOTICES__QUIET_BEGIN": "00:00",
            "ZHIJIAN_NOTICES__QUIET_END": "00:00",
            # A machine that does many things at once holds a loop for longer than a real one would.
            "ZHIJIAN_LOOP_PATIENCE_SECONDS": "60",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def prepare(self) -> None:
        """Make folders, keys, schema and calendar."""
        run([PYTHON, "-m", "scripts.prepare"], cwd=ROOT, env=self.environment(), check=True, stderr=DEVNULL)

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        self.start_sandbox()
        for role in self.roles:
            self.start_role(role)
        self.wait_ready()

    def start_sandbox(self) -> None:
        """Start the sandbox and wait for it."""
        folder = self.data / "sandbox"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ZHIJIAN_", "SANDBOX_"))},
            "SANDBOX_PORT": str(self.sandbox_port),
            "SANDBOX_DATA": str(folder / "sandbox.sqlite3"),
            "SANDBOX_CREDENTIALS": str(folder / "credentials.json"),
            "SANDBOX_PAUSE_MS": str(self.pause_ms),
        }
        self._spawn("sandbox", [PYTHON, "-m", "sandbox"], environment)
        self._wait(f"{self.sandbox}/sandbox/people")

    def start_role(self, role: str) -> None:
        """Start one process of the product."""
        self._spawn(role, [PYTHON, "-m", "api", role], self.environment())

    def wait_ready(self) -> None:
        """Wait until the portal says that it is ready."""
        self._wait(f"{self.portal}/health/ready")

    def kill(self, name: str) -> None:
        """Kill a process as the kernel would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stop everything, politely first."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except Exception:  # noqa: BLE001 — whatever it was, nothing may stay behind
                process.kill()
                process.wait()
        self.processes.clear()

    def log_of(self, name: str) -> str:
        """Return what a process has written."""
        return (self.data / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def errors_of(self, name: str) -> list[str]:
        """Return the lines of a process's log that tell of a mistake in the product."""
        return [line for line in self.log_of(name).splitlines() if '"level": "error"' in line or "Traceback" in line]

    def _spawn(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        logs = self.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self.processes[name] = Popen(
                command, cwd=ROOT, env=dict(environment), stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _wait(self, address: str) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 — loopback
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}: {self.log_of(name)[-2000:]}")
            time.sleep(0.1)
        raise TimeoutError(f"{address} did not answer in {START_SECONDS} s")
