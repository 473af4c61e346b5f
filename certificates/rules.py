"""What the wallet decides: states, colours, masks, claims, identifiers. Pure functions of values."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from certificates.types import (
    Claim,
    ClaimSource,
    Colour,
    FieldDefinition,
    FieldType,
    Issued,
    Kind,
    Outcome,
    Reading,
    RedRule,
    State,
    Value,
)
from core.pii import IdNumber

# --- identifiers (GB/T 36904) -----------------------------------------------------------------------------------------

IDENTIFIER_ROOT: Final = "1.2.156.3005.2"
_LETTERS_36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTS: Final = re.compile(r"([0-9A-Z]{21})\.([0-9A-Z]{6,18})\.([0-9A-Z]{1,40})\.([0-9]{3,6})\.([0-9A-Z])")


def mod_37_36(body: str) -> str:
    """Return the check character of digits and capital letters (ISO 7064 MOD 37,36)."""
    product = 36
    for character in body:
        product = (product + _LETTERS_36.index(character)) % 36 or 36
        product = product * 2 % 37
    return _LETTERS_36[(37 - product) % 36]


def compose_identifier(*, type_code: str, issuer_code: str, serial: str, version: int) -> str:
    """Return a certificate's identifier: root, type, issuer, serial, version and check, with dots between.

    The check covers the four parts joined without dots, and not the root.

    Raises:
        ValueError: a part has other characters than digits and capital letters, or not its length.
    """
    parts = (type_code, issuer_code, serial.upper(), f"{version:03d}")
    text = ".".join(parts)
    if not _PARTS.fullmatch(f"{text}.0"):
        raise ValueError("identifier")
    return f"{IDENTIFIER_ROOT}.{text}.{mod_37_36(''.join(parts))}"


def identifier_is_right(identifier: str) -> bool:
    """Tell whether an identifier has the shape of GB/T 36904 and its check character is right."""
    found = _PARTS.fullmatch(identifier.removeprefix(f"{IDENTIFIER_ROOT}."))
    if not found or not identifier.startswith(f"{IDENTIFIER_ROOT}."):
        return False
    *parts, check = found.groups()
    return mod_37_36("".join(parts)) == check


def same_certificate(one: str, other: str) -> bool:
    """Tell whether two identifiers differ at most in version and check: the same certificate, changed."""
    return one.rsplit(".", 2)[0] == other.rsplit(".", 2)[0]


# --- what an issuer answered ------------------------------------------------------------------------------------------


def fit_fields(kind: Kind, told: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields of a kind out of what its issuer told; fields the kind does not know are left out.

    Raises:
        ValueError: a required field is missing, or a value is not of its type; the message names the field only.
    """
    fitted: dict[str, Value] = {}
    for each in kind.fields:
        value = told.get(each.name)
        if value is None or value == "":
            if each.required:
                raise ValueError(f"{each.name} is missing")
            fitted[each.name] = None
            continue
        fitted[each.name] = _fit(each, value)
    return fitted


def _fit(definition: FieldDefinition, value: str | int) -> str | int:
    if definition.type is FieldType.INTEGER and isinstance(value, int) and not isinstance(value, bool):
        return value
    if definition.type is FieldType.DATE and (day := _as_date(value)) is not None:
        return day.isoformat()
    if definition.type in {FieldType.TEXT, FieldType.CODE} and isinstance(value, str):
        return value
    raise ValueError(f"{definition.name} is no {definition.type.value}")


def valid_until(kind: Kind, fields: Mapping[str, Value]) -> date | None:
    """Return the last day of validity: the earliest of the kind's dates; None when it has no end."""
    days = [day for name in kind.valid_until if (day := _as_date(fields.get(name))) is not None]
    return min(days, default=None)


def identifier_of(kind: Kind, issued: Issued, *, version: int) -> str:
    """Return the issuer's own identifier, or one made of the kind's type code where the issuer leaves that to us.

    Raises:
        ValueError: the issuer's own is not right, or its parts do not make one.
    """
    if issued.identifier is None:
        return compose_identifier(
            type_code=kind.type_code, issuer_code=issued.issuer_code, serial=issued.serial, version=version
        )
    if not identifier_is_right(issued.identifier):
        raise ValueError("identifier")
    return issued.identifier


def next_version(*, held: int, told: int | None, changed: bool) -> int:
    """Return the version after a fetch: the issuer's count, or one more on change where the issuer does not count."""
    return told if told is not None else held + changed


def is_outdated(*, held: int, told: int | None, same: bool) -> bool:
    """Tell whether an answer is older than what is held: two refreshes may overtake each other."""
    return same and told is not None and told < held


def next_state(held: State, told: State, *, same: bool) -> State:
    """Return the state after a fetch. Revoked is for good: only another certificate of the kind is valid again."""
    return State.REVOKED if held is State.REVOKED and same else told


def _as_date(value: Value) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


# --- how it stands and how it is shown --------------------------------------------------------------------------------


def state_on(told: State, last_day: date | None, today: date, *, expiring_days: int) -> State:
    """Return where a certificate stands on a day: the issuer's word, and for active ones the calendar's."""
    if told is not State.ACTIVE or last_day is None:
        return told
    if last_day < today:
        return State.EXPIRED
    return State.EXPIRING if last_day <= today + timedelta(days=expiring_days) else State.ACTIVE


def may_be_shown(state: State) -> bool:
    """Tell whether a code may be made: expired and frozen ones are shown red, those out of force not at all."""
    return state not in {State.REVOKED, State.CANCELLED, State.MOVED}


def colour_of(kind: Kind, state: State, fields: Mapping[str, Value]) -> Colour:
    """Return black for a certificate in force with nothing against it, else red."""
    in_force = state in {State.ACTIVE, State.EXPIRING}
    return Colour.RED if not in_force or any(_is_red(rule, fields) for rule in kind.red_when) else Colour.BLACK


def _is_red(rule: RedRule, fields: Mapping[str, Value]) -> bool:
    value = fields.get(rule.field)
    if rule.at_least is not None:
        return not isinstance(value, int) or value >= rule.at_least
    return value not in rule.other_than


def outcome_of(state: State) -> Outcome:
    """Return what a verifier learns of a certificate in this state, when the code itself is good."""
    if state in {State.ACTIVE, State.EXPIRING}:
        return Outcome.OK
    if state is State.EXPIRED:
        return Outcome.EXPIRED
    return Outcome.FROZEN if state is State.FROZEN else Outcome.REVOKED


_LONG: Final = 12


def mask_number(number: str) -> str:
    """Return a number with its middle hidden: four characters stay at each end of a long one, two of a short one."""
    keep = 4 if len(number) >= _LONG else 2
    if len(number) <= 2 * keep:
        return "*" * len(number)
    return f"{number[:keep]}{'*' * (len(number) - 2 * keep)}{number[-keep:]}"


def mask_name(name: str) -> str:
    """Return the first character of a name and a star for each further one."""
    return name[:1] + "*" * (len(name) - 1)


# --- claims -----------------------------------------------------------------------------------------------------------

_CLAIM: Final = re.compile(r"([a-z][a-z-]{0,30})(>=|<=|=)([A-Za-z0-9]{1,12})")
_CLASS: Final = re.compile(r"[A-Z][0-9]?")


def find_claim(kind: Kind, text: str) -> Claim | None:
    """Read a claim as it is written: a name, `>=`, `<=` or `=`, and what to compare with.

    None when it is not written like one, or when certificates of the kind cannot support it, whether it holds or not.
    """
    found = _CLAIM.fullmatch(text)
    source = kind.claims.get(found[1]) if found else None
    if not found or source is None:
        return None
    claim = Claim(found[1], found[2], found[3])
    if source.reads is Reading.CLASSES:
        return claim if claim.operator == "=" and _CLASS.fullmatch(claim.operand) else None
    return claim if claim.operand.isdecimal() else None


def holds(source: ClaimSource, claim: Claim, fields: Mapping[str, Value], today: date) -> bool:
    """Tell whether a claim holds on a day. What cannot be read does not hold."""
    value = fields.get(source.field)
    if source.reads is Reading.CLASSES:
        return isinstance(value, str) and claim.operand in _classes(value, source.covers)
    number = _number(source.reads, value, today)
    if number is None:
        return False
    wanted = int(claim.operand)
    return {">=": number >= wanted, "<=": number <= wanted, "=": number == wanted}[claim.operator]


def _classes(text: str, covers: Mapping[str, tuple[str, ...]]) -> set[str]:
    written = _CLASS.findall(text)
    return {*written, *(further for each in written for further in covers.get(each, ()))}


def _number(reads: Reading, value: Value, today: date) -> int | None:
    if reads is Reading.NUMBER:
        return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None
    if reads is Reading.BIRTH_DATE:
        born = _as_date(value)
        return None if born is None else today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    try:
        return IdNumber.parse(str(value)).age_on(today)
    except ValueError:
        return None
