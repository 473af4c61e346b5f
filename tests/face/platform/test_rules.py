"""What residents are told for every reason a platform may give."""

from datetime import UTC, datetime, timedelta

from face.platform.rules import advice_for, waits_until
from face.platform.types import Reason
from tests.architecture.test_plain_words import unspoken

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def test_every_reason_has_words_in_both_languages_and_a_spoken_sentence() -> None:
    advice = {reason: advice_for(reason) for reason in Reason}
    assert all(each.text and each.text_en for each in advice.values())
    assert unspoken({reason: each.plain for reason, each in advice.items()}) == []


def test_a_check_waits_no_longer_than_either_side_lets_it() -> None:
    assert waits_until(NOW, timedelta(minutes=5), 3600) == NOW + timedelta(minutes=5)
    assert waits_until(NOW, timedelta(minutes=5), 60) == NOW + timedelta(minutes=1)
