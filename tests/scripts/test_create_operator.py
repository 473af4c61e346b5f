"""Making the first operator at the keyboard."""

import json
import re
import stat
from pathlib import Path

import pyotp
import pytest

from core.crypto import make_keys
from core.server_lock import ServerLock
from scripts.create_operator import main


@pytest.fixture
def installation(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    data = tmp_path / "data"
    make_keys(data / "keys")
    monkeypatch.setenv("ZHIJIAN_DATA_DIR", str(data))
    monkeypatch.setenv("ZHIJIAN_DATABASE_URL", database_url)
    return data


def test_an_operator_is_made_and_shown_once(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["an.operator"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^username  an\.operator$", shown, re.MULTILINE)
    assert re.search(r"^secret    [A-Za-z0-9_-]{43}$", shown, re.MULTILINE)
    assert "otpauth" not in shown
    assert main(["an.operator"]) == 2
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "already" in refused.err


def test_somebody_who_lost_their_way_in_is_invited_once_more(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def secret() -> str:
        found = re.search(r"^secret    (\S+)$", capsys.readouterr().out, re.MULTILINE)
        assert found
        return found[1]

    assert main(["an.operator"]) == 0
    first = secret()
    assert main(["an.operator", "--again"]) == 0
    assert secret() != first
    assert main(["nobody", "--again"]) == 2
    assert "no operator" in capsys.readouterr().err


def test_a_second_one_is_made_for_what_takes_two(installation: Path) -> None:
    first, second = installation / "operator.json", installation / "operator-second.json"
    assert main(["demo", "--keep", str(first), "--second", str(second)]) == 0
    assert [json.loads(path.read_text())["username"] for path in (first, second)] == ["demo", "demo-second"]
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_an_operator_is_kept_in_a_file_for_this_user_only_and_has_a_code(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = installation / "operator.json"
    assert main(["an.operator", "--keep", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    assert set(kept) == {"username", "password", "otpauth_uri"}
    assert main(["an.operator", "--keep", str(path)]) == 0
    assert json.loads(path.read_text()) == kept
    capsys.readouterr()
    assert main(["--code", str(path)]) == 0
    code = capsys.readouterr().out.strip()
    parsed = pyotp.parse_uri(kept["otpauth_uri"])
    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.verify(code, valid_window=1)


def test_a_name_that_cannot_be_one_is_told_so(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["No Such Name"]) == 2
    assert "lower-case" in capsys.readouterr().err


def test_a_file_that_keeps_no_operator_gives_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert main(["--code", str(path)]) == 2
    assert main(["--code", str(tmp_path / "missing.json")]) == 2
    assert capsys.readouterr().out == ""


def test_a_server_on_the_same_file_is_not_disturbed(
    installation: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not database_url.startswith("sqlite:"):
        pytest.skip("PostgreSQL takes several processes")
    lock = ServerLock.of_database(database_url)
    lock.take()
    try:
        assert main(["an.operator"]) == 2
    finally:
        lock.release()
    assert "Another server" in capsys.readouterr().err
