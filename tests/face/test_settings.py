"""Settings of face: defaults that are safe to try, and what production refuses."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from core.settings import Switch
from face.evaluation import Attack, Counted, Evaluation, Group, Point
from face.settings import (
    DecisionSettings,
    EnginePolicy,
    EngineWorth,
    FaceSettings,
    LocalEngineSettings,
    PassiveSettings,
)
from face.types import Method
from tests.fakes.face import NO_LOCAL


def evaluation(folder: Path, *points: Point) -> Path:
    path = folder / "evaluated.json"
    path.write_bytes(msgspec.json.encode(Evaluation("net/weights/1", "made up", list(points))))
    return path


def point(false_matches: int, pairs: int, *, method: Method = Method.RAW, cohort: str = "") -> Point:
    good = Group(Counted(0, 1_000_000), Counted(0, 100))
    tried = Group(Counted(false_matches, pairs), Counted(0, 100))
    return Point("mine@1", method, cohort, 0.4, 0.5, {"one": good, "another": tried})


def test_a_claim_holds_for_the_group_it_is_worst_for(tmp_path: Path) -> None:
    path = evaluation(tmp_path, point(9, 10_000))
    assert DecisionSettings(evaluation=path, threshold_id="mine@1", claimed_rate=0.002).limits().claimed_rate == 0.002
    with pytest.raises(ValidationError, match="supports a claimed_rate"):
        DecisionSettings(evaluation=path, threshold_id="mine@1", claimed_rate=0.0009)


def test_no_error_among_few_pairs_supports_little(tmp_path: Path) -> None:
    path = evaluation(tmp_path, point(0, 1000))
    with pytest.raises(ValidationError, match=r"0\.003 or more"):
        DecisionSettings(evaluation=path, threshold_id="mine@1", claimed_rate=0.001)


def test_the_librarys_own_threshold_cannot_be_claimed_into_use(tmp_path: Path) -> None:
    path = evaluation(tmp_path, point(330, 1000))
    for rate in (0.01, 0.4):
        with pytest.raises(ValidationError):
            DecisionSettings(evaluation=path, threshold_id="mine@1", claimed_rate=rate)


def test_an_operating_point_that_was_not_evaluated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no operating point"):
        DecisionSettings(threshold_id="mine@1")
    with pytest.raises(ValidationError, match="is no evaluation"):
        DecisionSettings(evaluation=tmp_path / "absent.json")


def test_a_cohort_and_its_evaluation_go_together(tmp_path: Path) -> None:
    digest = "a" * 64
    path = evaluation(tmp_path, point(0, 10_000, method=Method.AS_NORM, cohort=digest))
    mine: Any = {"evaluation": path, "threshold_id": "mine@1"}
    assert DecisionSettings(**mine, cohort=tmp_path / "c.npz", cohort_sha256=digest).limits().method is Method.AS_NORM
    with pytest.raises(ValidationError, match="go together"):
        DecisionSettings(**mine)
    with pytest.raises(ValidationError, match="another cohort"):
        DecisionSettings(**mine, cohort=tmp_path / "c.npz", cohort_sha256="b" * 64)
    with pytest.raises(ValidationError, match="go together"):
        DecisionSettings(cohort=tmp_path / "c.npz", cohort_sha256=digest)


def test_the_nameless_are_not_kept_out_altogether() -> None:
    with pytest.raises(ValidationError):
        LocalEngineSettings(checks_at_once=4, places_kept=4)


def test_production_takes_the_engine_when_an_evaluation_shows_that_it_stops_spoofs(tmp_path: Path) -> None:
    def settings(*attacks: Attack, passive: str = "a" * 64) -> FaceSettings:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        evaluated = Evaluation("net/weights/1", "made up", [point(0, 10_000)], list(attacks), passive)
        path.write_bytes(msgspec.json.encode(evaluated))
        return FaceSettings(
            elder_sessions=Switch.OFF,
            engines=EnginePolicy(local=EngineWorth(gives="present", reason="evaluated with our own recordings")),
            decision=DecisionSettings(evaluation=path),
            passive=PassiveSettings(file=tmp_path / "net.onnx", sha256="a" * 64),
        )

    honest = Attack("genuine", made=False, errors=Counted(3, 100))
    prints, screens = (Attack(kind, made=False, errors=Counted(0, 100)) for kind in ("print", "screen"))
    assert settings(honest, prints, screens).unsafe() == []
    for attacks in (
        [honest],
        [honest, prints, Attack("mask", made=False, errors=Counted(8, 100))],
        [honest, prints, Attack("mask", made=False, errors=Counted(0, 20))],
        [honest, Attack("print", made=True, errors=Counted(0, 1000))],
    ):
        assert len(settings(*attacks).unsafe()) == 1
    assert len(settings(honest, prints, passive="b" * 64).unsafe()) == 1


def test_who_lets_the_engine_count_in_production_says_why(tmp_path: Path) -> None:
    path = tmp_path / "evaluated.json"
    attacks = [Attack("print", made=False, errors=Counted(0, 100))]
    path.write_bytes(msgspec.json.encode(Evaluation("net/weights/1", "made up", [point(0, 10_000)], attacks, "a" * 64)))
    settings = FaceSettings(
        elder_sessions=Switch.OFF,
        decision=DecisionSettings(evaluation=path),
        passive=PassiveSettings(file=tmp_path / "net.onnx", sha256="a" * 64),
    )
    [sentence] = settings.unsafe()
    assert "REASON" in sentence


@pytest.mark.parametrize(
    "engines",
    [
        {"tencent": {"gives": "present", "reason": "an engine that there is not"}},
        {"wechat": {"gives": "real_name", "reason": "a level that no face gives"}},
        {"wechat": {"gives": "present"}},
        {"wechat": {"gives": "present", "reason": ""}},
        {"local": {"reason": "a reason for nothing"}},
    ],
)
def test_a_policy_with_an_unknown_engine_or_level_or_without_a_reason_is_refused(engines: Any) -> None:
    with pytest.raises(ValidationError):
        FaceSettings.model_validate({"engines": engines})


def test_one_engine_is_set_and_the_other_stays_as_it_was() -> None:
    set_one = FaceSettings.model_validate({"engines": {"wechat": {"gives": "present", "reason": "granted in March"}}})
    assert (set_one.engines.local.gives, set_one.engines.wechat.gives) == ("present", "present")
    assert FaceSettings().engines.wechat.gives == "nothing"


def test_production_refuses_what_the_local_engine_cannot_carry() -> None:
    assert len(FaceSettings().unsafe()) == 2
    assert FaceSettings(engines=NO_LOCAL, elder_sessions=Switch.OFF).unsafe() == []
