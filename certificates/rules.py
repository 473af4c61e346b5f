"""What the wallet decides: states, colours, masks, claims, identifiers. Pure functions of values."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from jsonschema import Draft202012Validator

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
    Rows,
    State,
    Text,
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


def serial_of(identifier: str) -> str:
    """Return the serial in an identifier."""
    return identifier.split(".")[-3]


def at_version(identifier: str, version: int) -> str:
    """Return the identifier of the same certificate at another version.

    Raises:
        ValueError: there is no such version.
    """
    type_code, issuer_code, serial = identifier.removeprefix(f"{IDENTIFIER_ROOT}.").split(".")[:3]
    return compose_identifier(type_code=type_code, issuer_code=issuer_code, serial=serial, version=version)


def same_certificate(one: str, other: str) -> bool:
    """Tell whether two identifiers differ at most in version and check: the same certificate, changed."""
    return one.rsplit(".", 2)[0] == other.rsplit(".", 2)[0]


# --- what an issuer answered ------------------------------------------------------------------------------------------


def fit_fields(kind: Kind, told: Mapping[str, Value]) -> dict[str, Value]:
    """Return the fields of a kind out of what its issuer told; fields the kind does not know are left out.

    Raises:
        ValueError: a required field is missing, or a value is not what the kind's schema says; the message names the
            field only.
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
    there = {name: value for name, value in fitted.items() if value is not None}
    for wrong in Draft202012Validator(kind.schema).iter_errors(there):
        raise ValueError(f"{'.'.join(map(str, wrong.absolute_path))} is against {wrong.validator}")
    return fitted


def _fit(definition: FieldDefinition, value: str | int | Rows) -> str | int | Rows:
    if definition.type is FieldType.INTEGER and isinstance(value, int) and not isinstance(value, bool):
        return value
    if definition.type is FieldType.DATE and (day := _as_date(value)) is not None:
        return day.isoformat()
    if definition.type is FieldType.MOMENT and isinstance(value, str) and _is_moment(value):
        return value
    if definition.type in {FieldType.TEXT, FieldType.CODE} and isinstance(value, str):
        return value
    if definition.type is FieldType.ROWS and isinstance(value, list):
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


def _as_date(value: Value) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


# --- life -------------------------------------------------------------------------------------------------------------

STATES_TOLD: Final[Mapping[str, State]] = {
    "01": State.ACTIVE,
    "03": State.REVOKED,
    "04": State.CANCELLED,
    "05": State.EXPIRED,
    "06": State.MOVED,
    "07": State.REVOKED,  # withdrawn (吊销): as final as revoked (撤销) for whoever looks at it
    "08": State.FROZEN,
}
"""The states as certificates are exchanged (`docs/departments/README.md`); `99` is something else: it tells nothing."""

_CODES: Final[Mapping[State, str]] = {
    State.ACTIVE: "01",
    State.EXPIRING: "01",
    State.REVOKED: "03",
    State.CANCELLED: "04",
    State.EXPIRED: "05",
    State.MOVED: "06",
    State.FROZEN: "99",  # what is exchanged has no code for it: something else
}
# Where a certificate may go from where it stands. Revoked is for good: only another certificate of the kind is valid
# again. A cancelled one can be restored, one that has moved away can come back.
_MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.ACTIVE: frozenset({State.EXPIRED, State.FROZEN, State.REVOKED, State.CANCELLED, State.MOVED}),
    State.EXPIRED: frozenset({State.ACTIVE, State.FROZEN, State.REVOKED, State.CANCELLED, State.MOVED}),
    State.FROZEN: frozenset({State.ACTIVE, State.EXPIRED, State.REVOKED, State.CANCELLED, State.MOVED}),
    State.CANCELLED: frozenset({State.ACTIVE, State.REVOKED}),
    State.MOVED: frozenset({State.ACTIVE, State.CANCELLED, State.REVOKED}),
    State.REVOKED: frozenset(),
}
_OUT_OF_FORCE: Final = frozenset({State.REVOKED, State.CANCELLED, State.MOVED})


def code_of(state: State) -> str:
    """Return a state as certificates are exchanged."""
    return _CODES[state]


def may_move(before: State, after: State) -> bool:
    """Tell whether the same certificate may go from one state to another; staying is always allowed."""
    return before is after or after in _MOVES.get(before, frozenset())


def next_state(held: State, told: State, *, same: bool) -> State:
    """Return the state after a fetch: what is told, unless this very certificate cannot go there."""
    return told if not same or may_move(held, told) else held


def in_effect(told: State, held_back: str) -> State:
    """Return what holds: a certificate that is held back is frozen, unless it is out of force anyway."""
    return State.FROZEN if held_back and told not in _OUT_OF_FORCE else told


# --- how it stands and how it is shown --------------------------------------------------------------------------------


def state_on(told: State, last_day: date | None, today: date, *, expiring_days: int) -> State:
    """Return where a certificate stands on a day: the issuer's word, and for active ones the calendar's."""
    if told is not State.ACTIVE or last_day is None:
        return told
    if last_day < today:
        return State.EXPIRED
    return State.EXPIRING if last_day <= today + timedelta(days=expiring_days) else State.ACTIVE


def first_reminder(kind: Kind, last_day: date | None, today: date) -> date | None:
    """Return the day on which to remind of a last day that has just become known: today, if one was missed already."""
    if last_day is None or last_day < today:
        return None
    days = [last_day - timedelta(days=before) for before in kind.reminders]
    return today if any(day <= today for day in days) else min(days, default=None)


def next_reminder(kind: Kind, last_day: date | None, today: date) -> date | None:
    """Return the first day after today on which to remind of a last day; None when there is none."""
    if last_day is None:
        return None
    days = [last_day - timedelta(days=before) for before in kind.reminders]
    return min((day for day in days if day > today), default=None)


def may_be_shown(state: State) -> bool:
    """Tell whether a code may be made: expired and frozen ones are shown red, those out of force not at all."""
    return state not in _OUT_OF_FORCE


def colour_of(kind: Kind, state: State, fields: Mapping[str, Value]) -> Colour:
    """Return black for a certificate in force with nothing against it, else red."""
    in_force = state in {State.ACTIVE, State.EXPIRING}
    return Colour.RED if not in_force or reasons_against(kind, fields) else Colour.BLACK


def reasons_against(kind: Kind, fields: Mapping[str, Value]) -> list[Text]:
    """Return what stands against a certificate beside its state, in the words of its kind."""
    return [rule.reason for rule in kind.red_when if _is_red(rule, fields)]


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
