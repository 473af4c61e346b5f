"""The command that checks a token without a connection: it runs where there is none, and says what it knows."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from certificates.offline.types import Mark
from certificates.types import Outcome
from core.keyring.jwk import public_jwk
from scripts import verify_offline
from tests.architecture.tree import ROOT
from tests.certificates.offline.test_checking import LIVES, listed
from tests.certificates.offline.test_sd_jwt import CONTENTS, KEY, NOW, SECRET, token

# As with a cable pulled out: whatever opens a socket ends the process.
NO_NETWORK = """
import runpy, sys
sys.addaudithook(lambda event, _: sys.exit("network!") if event.startswith("socket.") else None)
runpy.run_module("scripts.verify_offline", run_name="__main__")
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    keys, status_list = tmp_path / "keys.json", tmp_path / "list.jwt"
    keys.write_text(json.dumps({"keys": [{**public_jwk(SECRET.public_key()), "kid": KEY.kid}]}))
    status_list.write_text(listed(age=timedelta(minutes=90)) + "\n")
    return ["--keys", str(keys), "--status-list", str(status_list), "--at", NOW.isoformat()]


def test_it_needs_no_network_no_settings_and_no_database(files: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, "-", *files],
        cwd=ROOT,
        input=token(),
        env={"PATH": "", "PYTHONIOENCODING": "utf-8", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "有效：签名真实，未被吊销。  [ok]",
        "吊销信息是 1 小时 30 分前的（较旧，有网络时请更新）。",
        "  driving-licence  black",
        '  vehicle_class = "C1"',
        "  points = 0",
        "  address = null",
        "  age>=18 = true",
    ]


@pytest.mark.parametrize(
    ("mark", "age", "told"),
    [
        (Mark.VALID, timedelta(0), (0, "最新")),
        (Mark.INVALID, timedelta(0), (4, "已吊销")),
        (Mark.SUSPENDED, timedelta(0), (5, "已冻结")),
        (Mark.VALID, LIVES, (6, "太旧")),
    ],
)
def test_each_outcome_has_its_code_and_words(
    mark: Mark, age: timedelta, told: tuple[int, str], files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files[3]).write_text(listed(mark, age=age))
    assert verify_offline.main([token(), *files]) == told[0]
    assert told[1] in capsys.readouterr().out


def test_what_cannot_be_vouched_for_is_no_zero(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    late = (CONTENTS.expires_at).isoformat()
    assert verify_offline.main([token(), *files[:-1], late]) == 3
    assert verify_offline.main([token(), *files[:2], *files[4:]]) == 6
    assert verify_offline.main([token().replace(".", "x", 1), *files]) == 8
    head, _, tail = token().partition("~")
    assert verify_offline.main([f"{head[:-4]}AAAA~{tail}", *files]) == 7
    assert "霍" not in capsys.readouterr().out


def test_files_that_cannot_be_used_are_told_in_words(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, keys, strange = tmp_path / "picture.png", Path(files[1]), tmp_path / "none"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    for at, (name, told) in enumerate(
        [
            (strange, (9, "找不到文件")),
            (tmp_path, (10, "读不了")),
            (picture, (10, "不是文本")),
            (Path("a\0b"), (10, "读不了")),
        ]
    ):
        for given in ([*files[:1], str(name)], [*files[:3], str(name)]):
            assert verify_offline.main([token(), *given]) == told[0], at
            out, err = capsys.readouterr()
            assert (out, told[1] in err) == ("", True)
            assert not re.search("Error|Errno|Traceback", err)
    for text in (
        "[]",
        "{",
        "[" * 100_000,
        '{"keys": [{"kty": "EC", "crv": "P-256", "x": "?"}]}',
        '{"keys": 1, "keys": 2}',
    ):
        keys.write_text(text)
        assert verify_offline.main([token(), *files]) == 11
        assert "不是公钥文件" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["2026-03-10", "yesterday", "2026-03-10T10:00:00", "0001-01-01T00:00:00+14:00", ""])
def test_a_time_that_is_none_is_told_in_words(files: list[str], at: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        verify_offline.main([token(), *files[:-1], at])
    assert caught.value.code == 2
    assert "时间要带时区" in capsys.readouterr().err


def test_what_is_no_text_at_all_is_no_token(files: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.verify_offline", "-", *files],
        cwd=ROOT, input=b"\xff\xfe\x00~", capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (8, b"")


def test_every_outcome_has_a_code_of_its_own_and_words() -> None:
    # A token may be looked at as often as it lives, by whom its holder shows it.
    told = set(Outcome) - {Outcome.USED, Outcome.OTHER_VERIFIER}
    assert set(verify_offline._CODES) == set(verify_offline._WORDS) == told
    assert len(set(verify_offline._CODES.values())) == len(told)
    assert [code for outcome, code in verify_offline._CODES.items() if code == 0] == [0]
