"""The decisions of auth, for all values."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.errors import ConsentRequired, IdNumberInvalid, NameInvalid, NoSuchConsent
from auth.rules import (
    FreshFor,
    effective_level,
    fresh_until,
    is_elder,
    may_repeat,
    parse_consent,
    parse_person,
)
from auth.types import Level
from core.pii import IdNumber, id_check_digit

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
POLICY = FreshFor(timedelta(minutes=10), timedelta(minutes=30), 60)
GRACE = timedelta(seconds=10)


@given(st.sampled_from(Level), st.integers(-3600, 3600))
def test_presence_lifts_a_real_name_while_it_lasts_and_nothing_else(base: Level, seconds: int) -> None:
    level = effective_level(base, NOW + timedelta(seconds=seconds), NOW)
    lifted = seconds > 0 and base is not Level.LINKED
    assert level is (Level.PRESENT if lifted else base)


def test_levels_are_in_their_order() -> None:
    assert sorted(Level, key=lambda level: level.rank) == [Level.LINKED, Level.REAL_NAME, Level.PRESENT]


def test_presence_lasts_longer_for_elders() -> None:
    assert fresh_until(NOW, elder=False, policy=POLICY) == NOW + timedelta(minutes=10)
    assert fresh_until(NOW, elder=True, policy=POLICY) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("day", "chosen", "elder"),
    [
        (date(2009, 10, 3), False, False),
        (date(2009, 10, 4), False, True),
        (date(2000, 1, 1), False, False),
        (date(2000, 1, 1), True, True),
    ],
)
def test_an_elder_is_sixty_on_their_birthday_or_says_so(day: date, chosen: bool, elder: bool) -> None:
    born_1949_10_04 = "99999919491004724"
    number = IdNumber.parse(born_1949_10_04 + id_check_digit(born_1949_10_04))
    assert is_elder(number, chosen=chosen, day=day, policy=POLICY) is elder


def test_somebody_without_a_number_is_an_elder_by_choice_only() -> None:
    assert not is_elder(None, chosen=False, day=NOW.date(), policy=POLICY)
    assert is_elder(None, chosen=True, day=NOW.date(), policy=POLICY)


@given(st.integers(0, 40), st.integers(0, 6), st.floats(0, 20))
def test_only_the_token_before_the_newest_is_repeated_and_only_for_moments(
    newest: int, behind: int, seconds: float
) -> None:
    allowed = may_repeat(
        used_at=NOW - timedelta(seconds=seconds), now=NOW, grace=GRACE, generation=newest - behind, newest=newest
    )
    assert allowed is (behind == 1 and timedelta(seconds=seconds) < GRACE)


def test_a_person_is_read_as_typed() -> None:
    name, number = parse_person("  霍明哲 ", "99999919820909519x")
    assert name.reveal() == "霍明哲"
    assert number.reveal() == "99999919820909519X"


def test_both_fields_are_named_when_both_are_wrong() -> None:
    with pytest.raises(IdNumberInvalid) as caught:
        parse_person("", "123")
    assert [error.pointer for error in caught.value.extras.errors] == ["/name", "/id_number"]
    with pytest.raises(NameInvalid) as named:
        parse_person("<b>", "999999198503122179")
    assert [error.pointer for error in named.value.extras.errors] == ["/name"]


@given(st.text(min_size=6, max_size=24))
def test_a_wrong_number_is_refused_without_being_quoted(text: str) -> None:
    assume(not _is_number(text))
    # What every refusal says, with any text in it by chance.
    with pytest.raises(IdNumberInvalid) as always:
        parse_person("霍明哲", "123")
    assume(text not in repr(always.value.extras))
    with pytest.raises(IdNumberInvalid) as caught:
        parse_person("霍明哲", text)
    assert text not in repr(caught.value.extras)
    assert caught.value.__cause__ is None


def _is_number(text: str) -> bool:
    try:
        IdNumber.parse(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "text", ["", "face", "face@", "face@2", "face@01", "face@1 ", "face@1@1", "@1", "x@1", "real-name@1"]
)
def test_only_the_text_in_force_is_a_consent(text: str) -> None:
    with pytest.raises(ConsentRequired) as caught:
        parse_consent(text, purpose="face")
    assert caught.value.extras.members == {"consent": "face@1"}


def test_a_consent_names_its_purpose_and_version() -> None:
    assert parse_consent("face@1") == ("face", 1)
    with pytest.raises(NoSuchConsent):
        parse_consent("unheard-of@1")
