"""Settings of face: defaults that are safe to try, and what production refuses."""

import pytest
from pydantic import ValidationError

from core.settings import Switch
from face.settings import DecisionSettings, FaceSettings, LocalEngineSettings


def test_the_librarys_own_threshold_is_refused() -> None:
    with pytest.raises(ValidationError):
        DecisionSettings(accept=0.6, reject=0.7, threshold_id="mine@1")


def test_another_threshold_needs_a_name_of_its_own() -> None:
    with pytest.raises(ValidationError):
        DecisionSettings(accept=0.4)
    assert DecisionSettings(accept=0.4, threshold_id="mine@1").accept == 0.4


def test_the_nameless_are_not_kept_out_altogether() -> None:
    with pytest.raises(ValidationError):
        LocalEngineSettings(checks_at_once=4, places_kept=4)


def test_production_refuses_what_the_local_engine_cannot_carry() -> None:
    assert len(FaceSettings().unsafe()) == 2
    assert FaceSettings(gives="nothing", elder_sessions=Switch.OFF).unsafe() == []
