"""Personal values are read strictly and print themselves masked."""

import pickle
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pii import IdNumber, Mobile, PersonName, Secret, id_check_digit

# The example of GB 11643, and made-up people of an area code that was never assigned.
GOOD = ["11010519491231002X", "999999198503122179", "99999919820909519X", "999999194910017247"]

dates = st.dates(min_value=date(1850, 1, 1), max_value=date(2026, 12, 31))


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    area = draw(st.integers(100000, 999999))
    first_17 = f"{area}{draw(dates):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first_17 + id_check_digit(first_17)


@pytest.mark.parametrize("number", GOOD)
def test_good_numbers_are_read(number: str) -> None:
    assert IdNumber.parse(number).reveal() == number


def test_a_small_x_and_spaces_around_are_forgiven() -> None:
    assert IdNumber.parse(" 11010519491231002x ").reveal() == "11010519491231002X"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "999999198503122178",  # check digit
        "999999198502302179",  # 30 February
        "999999098503122179",
        "99999919850312217",
        "9999991985031221790",
        "09999919850312217X",
        "９９９９９９198503122179",  # full-width digits
        "999999198503122179\n9",
        "99999X198503122179",
    ],
)
def test_bad_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        IdNumber.parse(text)


def test_nobody_is_born_before_1850() -> None:
    first_17 = "99999917000101001"
    with pytest.raises(ValueError, match="id number"):
        IdNumber.parse(first_17 + id_check_digit(first_17))


def test_an_old_number_of_15_digits_is_widened() -> None:
    assert IdNumber.parse("110105491231002").reveal() == "11010519491231002X"


@given(id_numbers())
def test_every_number_with_its_check_digit_is_read_and_masked(number: str) -> None:
    parsed = IdNumber.parse(number)
    shown = f"{parsed} {parsed!r} {parsed!s} {[parsed]}"
    assert number[4:14] not in shown
    assert parsed.masked() == number[:4] + "**********" + number[-4:]
    assert f"{parsed.born_on:%Y%m%d}" == number[6:14]
    assert parsed.is_female == (int(number[16]) % 2 == 0)


@given(id_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, place: int, by: int) -> None:
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    with pytest.raises(ValueError, match=r"."):
        IdNumber.parse(wrong)


@given(id_numbers(), st.integers(0, 200))
def test_age_goes_up_on_the_birthday(number: str, days: int) -> None:
    person = IdNumber.parse(number)
    day = date(2026, 1, 1) + timedelta(days=days)
    had_birthday = (day.month, day.day) >= (person.born_on.month, person.born_on.day)
    assert person.age_on(day) == 2026 - person.born_on.year - (not had_birthday)


@pytest.mark.parametrize(
    ("text", "kept", "shown"),
    [
        ("霍明哲", "霍明哲", "霍**"),
        ("  买买提·艾力 ", "买买提·艾力", "买*****"),
        ("Anna-Maria  O'Neil", "Anna-Maria O'Neil", "A" + "*" * 16),
        ("李", "李", "李"),
    ],
)
def test_names_are_read_and_masked(text: str, kept: str, shown: str) -> None:
    name = PersonName.parse(text)
    assert name.reveal() == kept
    assert str(name) == name.masked() == shown


@pytest.mark.parametrize("text", ["", "   ", "霍\x00明", "霍<b>", "R2D2", "名" * 51, "霍\u202e明", "😀"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name"):
        PersonName.parse(text)


def test_mobiles_are_read_and_masked() -> None:
    mobile = Mobile.parse(" 19900000001 ")
    assert mobile.reveal() == "19900000001"
    assert str(mobile) == "199****0001"


@pytest.mark.parametrize("text", ["", "1990000000", "199000000011", "29900000001", "12900000001", "１9900000001"])
def test_what_is_no_mobile_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="mobile"):
        Mobile.parse(text)


def test_a_secret_hides_even_its_length() -> None:
    assert f"{Secret('a')}{Secret('a' * 40)!r}" == "******<Secret ******>"


@given(st.text(min_size=1))
def test_the_value_itself_is_kept_and_compared(text: str) -> None:
    assert Secret(text).reveal() == text
    assert Secret(text) == Secret(text)
    assert hash(Secret(text)) == hash(Secret(text))


def test_an_error_message_does_not_quote_the_value() -> None:
    with pytest.raises(ValueError, match=r"\Aid number\Z"):
        IdNumber.parse("999999198503122178")


def test_values_survive_the_way_to_another_process() -> None:
    number = IdNumber.parse(GOOD[0])
    assert pickle.loads(pickle.dumps(number)) == number  # noqa: S301 — our own bytes
