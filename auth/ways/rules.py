"""The decisions of the ways: pure functions of values."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from auth.ways.errors import CardNumberInvalid, CheckDecided, CheckExpired, CheckInProgress, CodeRequired, MobileInvalid
from auth.ways.types import AssistanceState, Claim, Method, Reason, State
from core.errors import FieldError, Problem
from core.pii import IdNumber, Mobile, PersonName, Secret

# ISO/IEC 7812: bank cards in China have 16 to 19 digits, the last one a check after Luhn.
_CARD: Final = re.compile(r"\d{16,19}")
_WITH_CODE: Final = frozenset({Method.SMS, Method.BANK_CARD})
_LARGEST_DIGIT: Final = 9


def told_as(check_id: UUID) -> UUID:
    """Return the name under which a check for a login is told to others: whoever holds its id collects the session."""
    return UUID(bytes=hashlib.sha256(b"login-check:" + check_id.bytes).digest()[:16])


def takes_code(method: Method) -> bool:
    """Say whether somebody has to type in a code, which could be guessed."""
    return method in _WITH_CODE


def parse_card_number(text: str) -> Secret:
    """Read the number of a bank card as people type it.

    Raises:
        CardNumberInvalid: it cannot be one.
    """
    value = re.sub(r"[ -]", "", text)
    if not value.isascii() or not _CARD.fullmatch(value) or _luhn(value) % 10:
        raise CardNumberInvalid(
            errors=[FieldError("/card_number", "card-number", "银行卡号填写有误", "This is not a card number")]
        )
    return Secret(value)


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - _LARGEST_DIGIT if value > _LARGEST_DIGIT else value
    return total


def claim_of(
    method: Method,
    name: PersonName,
    id_number: IdNumber,
    *,
    mobile: str | None,
    card_number: str | None,
    known_mobile: Mobile | None = None,
) -> Claim:
    """Return the claim with what the method needs; `known_mobile` stands in where no mobile is given.

    Raises:
        MobileInvalid: a mobile is needed and none that can be one is there.
        CardNumberInvalid: a card number is needed and none that can be one is there.
    """
    if method not in _WITH_CODE:
        return Claim(name, id_number)
    try:
        parsed = known_mobile if mobile is None else Mobile.parse(mobile)
    except ValueError:
        parsed = None
    if parsed is None:
        # Not chained: the first failure must not show what was typed.
        raise MobileInvalid(
            errors=[FieldError("/mobile", "mobile", "请填写11位手机号码", "A mainland mobile number is needed")]
        ) from None
    if method is Method.SMS:
        return Claim(name, id_number, parsed)
    return Claim(name, id_number, parsed, parse_card_number(card_number or ""))


def check_code(method: Method, code: str | None) -> str | None:
    """Return the code that goes with the method, None where it has none.

    Raises:
        CodeRequired: the method has one and none came.
    """
    if not takes_code(method):
        return None
    if not code:
        raise CodeRequired(errors=[FieldError("/code", "missing", "请输入验证码", "The code is needed")])
    return code


def order_ways(order: Sequence[Method], first: Sequence[Method] = ()) -> tuple[Method, ...]:
    """Return the methods of `order`, those of `first` before the others."""
    return tuple(sorted(dict.fromkeys(order), key=lambda method: _place(method, first)))


def _place(method: Method, first: Sequence[Method]) -> int:
    return first.index(method) if method in first else len(first)


def why_not_taken(state: str, expires_at: datetime, now: datetime) -> Problem:
    """Return why a check could not be taken for another look."""
    if state == "done":
        return CheckDecided()
    return CheckExpired() if expires_at <= now else CheckInProgress()


def state_of(state: str, outcome: str, reason: Reason | None, expires_at: datetime, now: datetime) -> State:
    """Return how a check stands in its owner's history."""
    if state != "done":
        return State.OPEN if expires_at > now else State.EXPIRED
    return State.REVOKED if reason is Reason.REVOKED else State(outcome)


def assistance_state_of(state: str, expires_at: datetime, now: datetime) -> AssistanceState:
    """Return how an officer's request stands: what was not used in time has run out."""
    is_over = expires_at <= now and state != AssistanceState.USED
    return AssistanceState.EXPIRED if is_over else AssistanceState(state)
