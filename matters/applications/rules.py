"""Decisions about asking: numbers, forms and what is wrong with them, what may be shown, which files are taken."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from core.errors import FieldError
from matters.catalogue.types import Material, Prefill, Way
from matters.forms.rules import field_error, value_errors

_LAST_DECIMAL: Final = 9999
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST_LETTERED: Final = 10 * 36**3
LAST_SERIAL: Final = _LAST_DECIMAL + 36**4 - _FIRST_LETTERED
_SERIAL_LENGTH: Final = 4

_SHOWN_OF_A_TEXT: Final = 6
_ID_LENGTH: Final = 18
_MOBILE_LENGTH: Final = 11


# --- numbers ------------------------------------------------------------------------------------------------------


def serial_text(serial: int) -> str:
    """Return the four characters of a day's serial: `0001` to `9999`, then `A000` to `ZZZZ` in base 36.

    Raises:
        ValueError: more than there is room for, or fewer than one.
    """
    if not 1 <= serial <= LAST_SERIAL:
        raise ValueError("serial")
    if serial <= _LAST_DECIMAL:
        return f"{serial:04d}"
    value = _FIRST_LETTERED + serial - _LAST_DECIMAL - 1
    text = ""
    for _ in range(_SERIAL_LENGTH):
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text


def application_number(code: str, day: date, serial: int) -> str:
    """Return a number of 43 characters: implementation code 31, date 8, serial 4 (practice of 办件编号).

    Raises:
        ValueError: the day's serials are used up.
    """
    return f"{code}{day:%Y%m%d}{serial_text(serial)}"


# --- forms --------------------------------------------------------------------------------------------------------


def change_errors(
    schema: Mapping[str, Any],
    prefill: Mapping[str, Prefill],
    changes: Mapping[str, object],
    *,
    filled: AbstractSet[str],
) -> list[FieldError]:
    """Return what is wrong with changes to a draft; null empties a field, missing fields are no matter yet.

    `filled` are the fields that hold a prefilled value now: of those, the locked ones stay as they are.
    """
    errors: list[FieldError] = []
    for name, value in changes.items():
        if name in filled and name in prefill and prefill[name].locked:
            errors.append(field_error(name, "locked"))
        else:
            errors += value_errors(schema, name, value)
    return errors


def shown(value: object, *, full: bool) -> tuple[object, bool]:
    """Return a sensitive value as it may be shown, and whether something of it is hidden."""
    if full or not isinstance(value, str):
        return value, False
    if len(value) == _ID_LENGTH and value.isascii():
        return f"{value[:4]}{'*' * 10}{value[-4:]}", True
    if len(value) == _MOBILE_LENGTH and value.isascii() and value.isdigit():
        return f"{value[:3]}****{value[-4:]}", True
    kept = min(_SHOWN_OF_A_TEXT, max(1, len(value) // 3))
    return value[:kept] + "*" * (len(value) - kept), True


# --- materials and files ------------------------------------------------------------------------------------------

_MAGIC: Final[Mapping[str, bytes]] = MappingProxyType(
    {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-"},
)
_ENDS: Final[Mapping[str, tuple[bytes, ...]]] = MappingProxyType(
    {"image/jpeg": (b"\xff\xd9",), "image/png": (b"IEND\xaeB`\x82",), "application/pdf": (b"%%EOF",)},
)
_TAIL: Final = 1024


def media_type_of(content: bytes) -> str | None:
    """Return what a file is by its content, or None when it is nothing that is taken, or was cut short."""
    for media_type, magic in _MAGIC.items():
        if content.startswith(magic) and any(end in content[-_TAIL:] for end in _ENDS[media_type]):
            return media_type
    return None


def material_of(materials: Sequence[Material], named: str | None) -> tuple[str, list[FieldError]]:
    """Return which material a file is for, or what is wrong with the name.

    No name is needed where only one material can be meant. What a department shares or a real name proves is asked of
    nobody, and is not meant as long as there is another.
    """
    if named is not None:
        if named in {each.code for each in materials}:
            return named, []
        return "", [FieldError("/material", "unknown", "这个事项没有这项材料", "This matter has no such material")]
    uploads = [each for each in materials if any(way.way is Way.UPLOAD for way in each.ways)]
    asked_for = [each for each in uploads if not any(way.way in {Way.SHARED, Way.VERIFIED} for way in each.ways)]
    meant = asked_for or uploads
    if len(meant) == 1:
        return meant[0].code, []
    return "", [FieldError("/material", "missing", "请填写这一项", "This field is required")]
