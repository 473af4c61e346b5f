"""Personal values that print themselves masked.

A name, number or mobile travels through the product as one of these types. `str()`, `repr()`, format strings, logs and
tracebacks show the mask; `.reveal()` is the only way to the value, and is easy to find in a review.
"""

import re
from dataclasses import dataclass
from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID_18 = re.compile(r"[1-9]\d{16}[\dX]")
_ID_15 = re.compile(r"[1-9]\d{14}")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_NAME_LIMIT = 50


def id_check_digit(first_17: str) -> str:
    """Return the 18th character of a citizen's number (GB 11643, ISO 7064 MOD 11-2)."""
    return _ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True, slots=True, repr=False)
class _Masked:
    _value: str

    def reveal(self) -> str:
        """Return the value itself. Every caller of this is a disclosure to think about."""
        return self._value

    def masked(self) -> str:
        """Return what may be shown."""
        return "*" * len(self._value)

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.masked()}>"


class PersonName(_Masked):
    """A person's name; shown as the first character and stars (`霍**`)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "PersonName":
        """Read a name as people type it.

        Raises:
            ValueError: empty, too long, or with characters that no name has.
        """
        name = " ".join(text.split())
        if not name or len(name) > _NAME_LIMIT or not all(char.isalpha() or char in "·.' -" for char in name):
            raise ValueError("name")
        return cls(name)

    def masked(self) -> str:
        """Return the first character and a star for each further one."""
        return self._value[:1] + "*" * (len(self._value) - 1)


class IdNumber(_Masked):
    """A citizen's number of 18 characters (GB 11643), checked; shown as `9999**********2179`.

    Area codes are never refused: those of dissolved counties stay valid for their holders. Numbers beginning 81, 82, 83
    (residents from Hong Kong, Macau, Taiwan) and 9 (permanent residents) have the same shape and check.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "IdNumber":
        """Read 18 characters, or an old number of 15 digits, which is widened.

        Raises:
            ValueError: wrong shape, no such birth date, or a wrong check digit.
        """
        value = text.strip().upper()
        if _ID_15.fullmatch(value):
            first_17 = value[:6] + "19" + value[6:]
            value = first_17 + id_check_digit(first_17)
        if not value.isascii() or not _ID_18.fullmatch(value) or id_check_digit(value[:17]) != value[17]:
            raise ValueError("id number")
        number = cls(value)
        if number.born_on.year < 1850:  # noqa: PLR2004 — older than anybody alive: a typing error
            raise ValueError("id number")
        return number

    @property
    def born_on(self) -> date:
        """The birth date that the number carries."""
        return date(int(self._value[6:10]), int(self._value[10:12]), int(self._value[12:14]))

    @property
    def is_female(self) -> bool:
        """Whether the sequence is even, which GB 11643 gives to women."""
        return int(self._value[16]) % 2 == 0

    def age_on(self, day: date) -> int:
        """Return the completed years of life on `day`."""
        born = self.born_on
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def masked(self) -> str:
        """Return the first and last four characters with ten stars between."""
        return f"{self._value[:4]}{'*' * 10}{self._value[-4:]}"


class Mobile(_Masked):
    """A mainland mobile number of 11 digits; shown as `199****0001`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Mobile":
        """Read 11 digits.

        Raises:
            ValueError: not a mainland mobile number.
        """
        value = text.strip()
        if not value.isascii() or not _MOBILE.fullmatch(value):
            raise ValueError("mobile")
        return cls(value)

    def masked(self) -> str:
        """Return the first three and last four digits with four stars between."""
        return f"{self._value[:3]}****{self._value[-4:]}"


class Secret(_Masked):
    """Any other value that must not be shown: an openid, a key, an address; shown as `******`."""

    __slots__ = ()

    def masked(self) -> str:
        """Return six stars, whatever the length."""
        return "******"
