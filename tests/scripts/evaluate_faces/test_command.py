"""The commands as an operator runs them: pictures in, a page, its curves and the file that settings read out."""

import os
from pathlib import Path

import pytest

from face.evaluation import Evaluation, read_evaluation
from face.settings import DecisionSettings
from face.types import Method
from sandbox import faces
from scripts.evaluate_faces.__main__ import main as evaluate
from scripts.evaluate_faces.labels import read_labels
from scripts.make_cohort import main as make_cohort

DATA = os.environ.get("ZHIJIAN_FACE_DATA", "")
PEOPLE = 130


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIJIAN_DATA_DIR", str(tmp_path / "data"))
    # Also where the machine does other things: nothing is timed here.
    monkeypatch.setenv("ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_PER_FRAME", "10")
    monkeypatch.setenv("ZHIJIAN_FACE__LOCAL_ENGINE__SECONDS_TO_START", "120")


def outcome(folder: Path, *more: str) -> tuple[str, Evaluation]:
    """Run the evaluation and return its page and its result."""
    page, result = folder / "page.md", folder / "result.json"
    told = [str(folder), "--data", "made up", "--page", str(page), "--result", str(result), *more]
    assert evaluate(told) == 0
    assert page.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
    return page.read_text(encoding="utf-8"), read_evaluation(result)


def two_people(folder: Path) -> list[str]:
    """Write pictures of the two faces that packages ship, and the list of their pairs."""
    names = []
    for person, style in (("a", "genuine"), ("b", "other_person")):
        (folder / person).mkdir()
        for at, picture in enumerate(faces.make_frames("huomingzhe", [], style, 6)[:3]):
            names.append(f"{person}/{at}.jpg")
            (folder / names[-1]).write_bytes(picture)
    pairs = [f"{one},{other},{int(one[0] == other[0])}" for at, one in enumerate(names) for other in names[at + 1 :]]
    (folder / "pairs_two.csv").write_text("\n".join(["a,b,same", *pairs]))
    return names


def test_two_people_are_told_apart_and_support_no_claim(tmp_path: Path) -> None:
    two_people(tmp_path)
    recordings = tmp_path / "recordings"
    faces.write_recordings(recordings, each=2, count=6)
    page, result = outcome(tmp_path, "--recordings", str(recordings))
    (point,) = result.points
    assert (point.method, point.groups["two"].false_matches.trials) == (Method.RAW, 9)
    assert point.groups["two"].false_matches.errors == 0
    # Nine pairs without an error show nothing below a third.
    assert point.supported_rate() == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="supports a claimed_rate"):
        DecisionSettings(evaluation=tmp_path / "result.json")
    attacks = {attack.kind: attack for attack in result.attacks}
    assert attacks.keys() == {*faces.STYLES, faces.REPLAYED}
    assert all(attack.made for attack in attacks.values())
    refused = ("still", "replayed", "swapped", "reordered", "other_person")
    assert [(attacks[kind].errors.errors, attacks[kind].errors.trials) for kind in refused] == [(0, 2)] * 5
    assert "not shown" in page
    assert "never their average" in page
    assert str(tmp_path) not in page


def test_what_cannot_be_evaluated_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate([str(tmp_path), "--data", "none"]) == 2
    assert "pairs_*.csv" in capsys.readouterr().err


def test_two_people_make_no_cohort(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_people(tmp_path)
    assert make_cohort([str(tmp_path), str(tmp_path / "cohort.npz")]) == 2
    assert "2 people" in capsys.readouterr().err
    assert not (tmp_path / "cohort.npz").exists()


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="ZHIJIAN_FACE_DATA names no folder of labelled pictures")
def test_a_cohort_is_made_of_some_people_and_used_on_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = read_labels(Path(DATA))
    asian = labels.groups["east_asian"]
    tried = [*[pair for pair in asian if pair.same][::12], *[pair for pair in asian if not pair.same][::60]]
    known = {labels.person[name] for pair in tried for name in (pair.one, pair.other)}
    others = {person: name for name, person in labels.person.items() if person not in known}
    for number, person in enumerate(sorted(others)[:PEOPLE]):
        (tmp_path / "people" / f"{number}").mkdir(parents=True)
        (tmp_path / "people" / f"{number}" / "1.jpg").write_bytes((Path(DATA) / others[person]).read_bytes())
    cohort = tmp_path / "cohort.npz"
    assert make_cohort([str(tmp_path / "people"), str(cohort), "--seed", "1"]) == 0
    digest = capsys.readouterr().out.strip()
    for name in {name for pair in tried for name in (pair.one, pair.other)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((Path(DATA) / name).read_bytes())
    lines = [f"{pair.one},{pair.other},{int(pair.same)}" for pair in tried]
    (tmp_path / "pairs_asian.csv").write_text("\n".join(["a,b,same", *lines]))
    _, result = outcome(tmp_path, "--cohort", str(cohort), "--rate", "0.05")
    raw, normalised = result.points
    assert [(point.method, point.cohort) for point in (raw, normalised)] == [(Method.RAW, ""), (Method.AS_NORM, digest)]
    assert normalised.accept < 0 < raw.accept
