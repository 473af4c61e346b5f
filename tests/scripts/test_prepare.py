"""Bringing an installation's database up, whoever uses it meanwhile."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.wiring.settings import Settings, read_settings
from core.server_lock import ServerLock
from core.settings import UnsafeSettings
from scripts.prepare import bring_up


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation that has no database yet."""
    monkeypatch.setenv("ZHIJIAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ZHIJIAN_DATABASE_URL", "")
    return read_settings()


def test_a_database_is_not_migrated_under_a_running_server(settings: Settings) -> None:
    server = ServerLock.of_database(settings.effective_database_url)
    server.take()
    with pytest.raises(UnsafeSettings, match="Another server"):
        asyncio.run(bring_up(settings))
    server.release()
    asyncio.run(bring_up(settings))


def test_a_running_server_whose_database_is_up_to_date_is_left_alone(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(bring_up(settings))
    server = ServerLock.of_database(settings.effective_database_url)
    server.take()
    capsys.readouterr()
    asyncio.run(bring_up(settings))
    assert "left as it is" in capsys.readouterr().err.replace("\n", " ")
    server.release()
    server.take()
    server.release()


def test_what_is_made_is_for_this_user_only(tmp_path: Path) -> None:
    keys = tmp_path / "new" / "keys"
    # A process of its own: the mask is one for a whole process.
    made = subprocess.run(
        [sys.executable, "-m", "scripts.prepare", "--keys", str(keys)], check=False, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    for path in (tmp_path / "new", keys, *keys.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
