"""Auth on a loop of its own, for machines that play thousands of steps and cannot wait themselves."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from auth.settings import AuthLimits, AuthSettings
from core.audit.record import Audit
from core.cache import Cache, Limits
from core.crypto import KeyRing, Vault, make_keys
from core.database import close_database, open_database
from core.ids import RandomIds
from core.jobs.queue import Jobs
from core.settings import CoreSettings
from tests.conftest import Ground, _config
from tests.fakes.auth import Auth, make_auth
from tests.fakes.ground import FixedClock, NotingCarrier
from tests.privacy import kept_for_others, leaks

T = TypeVar("T")
GENEROUS = AuthSettings(
    limits=AuthLimits(
        login_all="1000000/second",
        login_address="1000000/minute",
        login_account="1000000/minute",
        identity_account="1000000/6 hour",
        identity_number="1000000/6 hour",
    )
)


class Stage:
    """Auth over an open database; `do` plays one step."""

    def __init__(self, auth: Auth, runner: asyncio.Runner) -> None:
        self.auth = auth
        self._runner = runner

    def do(self, step: Coroutine[Any, Any, T]) -> T:
        """Run a step to its end."""
        return self._runner.run(step)

    def tried(self, step: Coroutine[Any, Any, T]) -> T | Exception:
        """Run a step and return what came of it, a problem too."""
        try:
            return self.do(step)
        except Exception as problem:  # noqa: BLE001 — the machine says which it expects
            return problem


@contextmanager
def stage(database_url: str, folder: Path) -> Iterator[Stage]:
    """Open a database on a loop of its own. Limits are in the process: they are not what is tried here."""
    with asyncio.Runner() as runner:
        runner.run(open_database(_in_haste(_config(database_url))))
        try:
            yield Stage(make_auth(runner.run(_ground(database_url, folder)), GENEROUS), runner)
            assert leaks(runner.run(kept_for_others())) == []
        finally:
            runner.run(close_database())


def _in_haste(config: dict[str, Any]) -> dict[str, Any]:
    """Wait for no disk: thousands of commits are played, and none has to outlive the machine."""
    credentials = config["connections"]["default"]["credentials"]
    if "file_path" in credentials:
        credentials["synchronous"] = "OFF"
    else:
        credentials["server_settings"]["synchronous_commit"] = "off"
    return config


async def _ground(database_url: str, folder: Path) -> Ground:
    settings = CoreSettings(data_dir=folder / "stage", database_url=database_url)
    clock, ids, carrier = FixedClock(), RandomIds(), NotingCarrier()
    make_keys(settings.key_folder)
    ring = KeyRing.load(settings.key_folder)
    vault = Vault(ring, clock=clock, ids=ids)
    await vault.load()
    return Ground(
        settings=settings,
        clock=clock,
        ids=ids,
        ring=ring,
        vault=vault,
        audit=Audit(clock=clock, ids=ids),
        jobs=Jobs(clock=clock, ids=ids, carrier=carrier),
        carrier=carrier,
        limits=Limits(settings, clock=clock),
        cache=Cache(settings),
    )
