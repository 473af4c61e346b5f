"""The command of the catalogue: what it says, and with what it ends."""

import json
import shutil
from pathlib import Path

import pytest

from matters.catalogue.life.types import NO_LISTS
from matters.catalogue.loading import LIFE, PUBLISHED, read_lists
from scripts.catalogue import main


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_the_shipped_catalogue_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "155 matters of 11 departments" in said(capsys)


def test_the_figures_are_those_that_were_promised(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures"]) == 0
    told = said(capsys)
    for words in ("155 · 72", "30 · 9", "20 · 52", "20 · 13", "certificates: 10", "zone: 3", "127 · 100"):
        assert words in told


@pytest.mark.parametrize("form", ["out", "out.csv"])
def test_what_goes_out_comes_back_the_same(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path / form)]) == 0
    assert main(["import", str(tmp_path / form), str(tmp_path / "back")]) == 0
    assert main(["diff", str(tmp_path / "back")]) == 0
    assert "They say the same" in said(capsys)
    # A spreadsheet has a line for each matter, and none for the lists over them.
    assert read_lists(tmp_path / "back") == (read_lists() if form == "out" else NO_LISTS)


def test_what_breaks_a_rule_is_named_and_not_taken_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in PUBLISHED.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    file = json.loads((PUBLISHED / "taxation.json").read_text())
    file["matters"][0]["aliases"] = ["退税", "退税"]
    (tmp_path / "taxation.json").write_text(json.dumps(file))
    assert main(["check", str(tmp_path)]) == 0
    assert "1 × advice" in said(capsys)
    file["matters"][0]["promised_limit"] = {"days": 99}
    (tmp_path / "taxation.json").write_text(json.dumps(file))
    assert main(["check", str(tmp_path)]) == 1
    assert "promised-limit" in said(capsys)
    assert main(["import", str(tmp_path), str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()
    assert main(["diff", str(tmp_path)]) == 1
    assert "promised_limit/days" in said(capsys)


def test_lists_of_a_life_over_what_is_not_published_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taxation.json").write_text((PUBLISHED / "taxation.json").read_text())
    assert main(["check", str(tmp_path)]) == 0
    shutil.copytree(PUBLISHED / LIFE, tmp_path / LIFE)
    assert main(["check", str(tmp_path)]) == 1
    assert "life-matters" in said(capsys)


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "There is no catalogue" in said(capsys)
    assert main(["import", str(tmp_path / "none.csv"), str(tmp_path)]) == 2
    assert "cannot be read" in said(capsys)


def test_the_power_list_is_replayed_to_what_it_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay"]) == 0
    assert "1280 → 1007 matters of 37 departments" in said(capsys)
