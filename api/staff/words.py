"""What staff says and is told, shared by its routes: roles and their reach, masked values, reasons."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.operation import Body, Out, bad_cursor, decode_cursor
from api.problems import RequestNotFound
from api.reading import seen
from auth.types import Role, RoleGrant, StaffScope
from core.errors import NotFound
from core.pii import IdNumber, Mobile
from core.signers.networks import limits_nothing

_NAME: Final = re.compile(r"[a-z0-9.-]{1,64}")
SLUG: Final = r"^[a-z0-9][a-z0-9-]{1,46}[a-z0-9]$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]


def _readable(text: str) -> str:
    if sum(each.isalnum() for each in seen(text)) < _LEAST_READABLE:
        raise PydanticCustomError("unreadable", "nothing that can be read")
    return text


_LEAST_READABLE: Final = 2
# It is shown to whom it concerns, who must be able to read it.
Reason = Annotated[
    str, StringConstraints(min_length=4, max_length=200, strip_whitespace=True), AfterValidator(_readable)
]


def _each_once(items: list[Any]) -> list[Any]:
    if any(item in items[:place] for place, item in enumerate(items)):
        raise PydanticCustomError("doubled", "given twice")
    return items


# For lists in which nothing stands twice; its schema has to say so: `Field(…, json_schema_extra=UNIQUE)`.
EachOnce = AfterValidator(_each_once)
UNIQUE: Final[JsonDict] = {"uniqueItems": True}


def _network(text: str) -> str:
    if limits_nothing(text):
        raise PydanticCustomError("network_too_wide", "as wide as everywhere")
    return str(ip_network(text, strict=False))


def _masked(text: str) -> str:
    if text and "*" not in text:
        raise ValueError("not masked")
    return text


def _is_personal(text: str) -> bool:
    for kind in (IdNumber, Mobile):
        with suppress(ValueError):
            kind.parse(text)
            return True
    return False


def _no_person(text: str) -> str:
    if _is_personal(text):  # It is written down for good, and somebody's number is no case.
        raise PydanticCustomError("personal_number", "a person's number is no case")
    return text


Case = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_-]{3,63}$"), AfterValidator(_no_person)]
Network = Annotated[str, StringConstraints(max_length=49), AfterValidator(_network)]
# A personal value as staff may see it without opening it: an answer that is not masked is not given.
Masked = Annotated[str, AfterValidator(_masked)]


class GrantIn(Body):
    """A role and how far it reaches. Empty parts are not limited."""

    role: Role
    region: Annotated[str, StringConstraints(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})?$")] = ""
    department: Annotated[str, StringConstraints(pattern=r"^([a-z0-9-]{2,32})?$")] = ""
    matter: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9-]{2,64})?$")] = ""

    def grant(self) -> RoleGrant:
        """Return the grant that is meant."""
        return RoleGrant(self.role, StaffScope(self.region, self.department, self.matter))


Grants = Annotated[list[GrantIn], Field(min_length=1, max_length=20, json_schema_extra=UNIQUE), EachOnce]


class GrantOut(Out):
    """A role and how far it reaches."""

    role: Role
    region: str
    department: str
    matter: str

    @classmethod
    def of(cls, grant: RoleGrant) -> "GrantOut":
        """Return the answer for a grant."""
        scope = grant.scope
        return cls(role=grant.role, region=scope.region, department=scope.department, matter=scope.matter)


class ReasonIn(Body):
    """Why something is done."""

    reason: Reason


def decode_name(cursor: str | None) -> str:
    """Return the name after which a list sorted by names goes on; empty at its beginning.

    Raises:
        RequestInvalid: the text is none of ours.
    """
    parts = decode_cursor(cursor, parts=1)
    if parts is None:
        return ""
    if not _NAME.fullmatch(parts[0]):
        raise bad_cursor()
    return parts[0]


@contextmanager
def found() -> Iterator[None]:
    """Answer whatever is not there with the one body for it.

    Raises:
        RequestNotFound: something is not there.
    """
    try:
        yield
    except NotFound as error:
        raise RequestNotFound from error
