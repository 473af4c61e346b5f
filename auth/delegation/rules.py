"""The decisions of delegation: pure functions of values."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from auth.delegation.errors import MandateInvalid, TooYoung, UsccInvalid
from auth.delegation.types import MandateState, Terms
from auth.types import Scope
from core.errors import FieldError
from core.pii import IdNumber

# Full capacity for civil acts (民法典 17, 18).
ADULT_AGE: Final = 18
MOST_IN_SCOPE: Final = 50
_CHINA: Final = timezone(timedelta(hours=8))
_WORD: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_USCC_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_LENGTH: Final = 18


def uscc_is_right(code: str) -> bool:
    """Tell whether a unified social credit code has its length, letters and check character (GB 32100)."""
    if len(code) != _USCC_LENGTH or any(letter not in _USCC_LETTERS for letter in code):
        return False
    total = sum(_USCC_LETTERS.index(letter) * weight for letter, weight in zip(code, _USCC_WEIGHTS, strict=False))
    return _USCC_LETTERS[(31 - total % 31) % 31] == code[-1]


def parse_uscc(text: str) -> str:
    """Read a unified social credit code as people type it.

    Raises:
        UsccInvalid: it cannot be one.
    """
    code = text.strip().upper()
    if not uscc_is_right(code):
        wrong = FieldError("/uscc", "uscc", "统一社会信用代码填写有误", "This is not a unified social credit code")
        raise UsccInvalid(errors=[wrong])
    return code


def parse_organisation_name(text: str) -> str:
    """Read an organisation's name as people type it: no spaces around it, full-width brackets as in the register."""
    return " ".join(text.split()).replace("(", "（").replace(")", "）")


def require_adult(id_number: IdNumber, day: date) -> None:
    """See that somebody is of age.

    Raises:
        TooYoung: they are not.
    """
    if id_number.age_on(day) < ADULT_AGE:
        raise TooYoung


def birthday(id_number: IdNumber, age: int) -> datetime:
    """Return the moment in China at which somebody is `age` years old; who was born on 29 February is on 1 March."""
    born = id_number.born_on
    try:
        day = born.replace(year=born.year + age)
    except ValueError:
        day = date(born.year + age, 3, 1)
    return datetime(day.year, day.month, day.day, tzinfo=_CHINA).astimezone(UTC)


def check_terms(terms: Terms, now: datetime, *, longest: timedelta) -> None:
    """See that a mandate covers something and ends in time.

    Raises:
        MandateInvalid: the scope is empty, too long or has words that no kind and no matter is called by, or the end
            is over or too far away.
    """
    errors: list[FieldError] = []
    scope = terms.scope
    if scope.certificates == frozenset() and scope.matters == frozenset():
        errors.append(FieldError("/scope", "empty", "请选择授权办理的事项或证照", "Say what the mandate is to cover"))
    for name, words in (("certificates", scope.certificates), ("matters", scope.matters)):
        if words and (len(words) > MOST_IN_SCOPE or not all(_WORD.fullmatch(word) for word in words)):
            errors.append(FieldError(f"/scope/{name}", "unknown", "没有这个事项或证照", "There is no such thing"))
    if not now < terms.ends_at <= now + longest:
        errors.append(
            FieldError(
                "/ends_at",
                "out-of-range",
                f"授权期限应晚于现在，并在{longest.days}天以内",
                f"The end has to lie ahead, within {longest.days} days",
            )
        )
    if errors:
        raise MandateInvalid(errors=errors)


def state_now(state: MandateState, ends_at: datetime, now: datetime) -> MandateState:
    """Return where a mandate stands at this moment: its end needs nobody to write it down."""
    is_over = state in {MandateState.OFFERED, MandateState.ACTIVE} and ends_at <= now
    return MandateState.ENDED if is_over else state


def is_usable(state: MandateState, ends_at: datetime, now: datetime) -> bool:
    """Tell whether somebody may act or, once it is used up, read under a mandate."""
    return state in {MandateState.ACTIVE, MandateState.USED} and now < ends_at


def scope_columns(scope: Scope) -> tuple[Sequence[str] | None, Sequence[str] | None]:
    """Return a scope as its two columns keep it: a sorted list, or None for everything."""
    return (
        None if scope.certificates is None else sorted(scope.certificates),
        None if scope.matters is None else sorted(scope.matters),
    )
