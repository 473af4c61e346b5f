"""Reading departments' answers: a failed call or a strange answer becomes `DepartmentUnavailable`, nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.log import get_logger
from core.outbound import Unreachable
from matters.errors import DepartmentUnavailable
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import Details

log = get_logger(__name__)

_DETAILS: Final = 20
_YEARS: Final = range(2000, 2100)
_DETAIL_LENGTH: Final = 200
_MOST_EVENTS: Final = 100_000
_DONE: Final = "0000"
_NO_OPEN_CASE: Final = frozenset({"1404", "1409"})
_NOTHING_TAKEN: Final = ("4000", "4010", "1404", "5030", 400, 401, 403, 404, 405, 413, 415, 422, 429)


@contextmanager
def as_department(name: str) -> Iterator[None]:
    """Tell a failed call in the words of matters.

    Raises:
        DepartmentUnavailable: in place of `Unreachable`, keeping whether the request may have arrived; also for an
            answer that is not as its page says, which leaves open what the department did.
    """
    try:
        yield
    except Unreachable as error:
        raise DepartmentUnavailable(name, ambiguous=error.ambiguous, retry_after=error.extras.retry_after) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("an answer is not as its page says", partner=name, error=type(error).__name__)
        raise DepartmentUnavailable(name, ambiguous=True, retry_after=30) from error


def refused_question(name: str, code: object) -> DepartmentUnavailable:
    """Return the failure for an answer that blames our question or our credentials: an operator has to look.

    Only a code of the pages, or a status that blames us, says that nothing was taken; anything else may be somebody's
    garbage in front of a department that has taken it.
    """
    log.error("a department refused the question", partner=name, code=str(code)[:8])
    return DepartmentUnavailable(name, ambiguous=code not in _NOTHING_TAKEN, retry_after=60)


def require_done(name: str, code: object, declined: type[SupplementDeclined | WithdrawalDeclined]) -> None:
    """Read the code of an answer to what follows a dossier, as the pages with signed or sealed JSON have it.

    Raises:
        SupplementDeclined, WithdrawalDeclined: `declined`: the case has been decided, or is not known there.
        DepartmentUnavailable: any other code than that it is done.
    """
    if isinstance(code, str) and code in _NO_OPEN_CASE:
        raise declined
    if code != _DONE:
        raise refused_question(name, code)


def text(told: Mapping[str, Any], name: str, *, most: int = 64) -> str:
    """Read a text that must be there.

    Raises:
        ValueError: it is missing, empty, too long, or no text.
    """
    value = told.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ValueError(name)
    return value


def day(value: object) -> date | None:
    """Read a date written `YYYY-MM-DD` that may be missing.

    Raises:
        ValueError: it is something else.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("date")  # noqa: TRY004 — the contract says ValueError
    return date.fromisoformat(value)


def moment(value: object) -> datetime:
    """Read a time of this century, written after ISO 8601 with its offset.

    Raises:
        ValueError: it is something else.
    """
    read = datetime.fromisoformat(value) if isinstance(value, str) else None
    if read is None or read.tzinfo is None or read.year not in _YEARS:
        raise ValueError("time")
    return read


def place(value: object) -> int:
    """Read which event of a case one is: 1, 2, ….

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_MOST_EVENTS)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_EVENTS:
        raise ValueError("sequence")
    return value


def details(value: object) -> Details | None:
    """Read what a decision gave, which may be missing.

    Raises:
        ValueError: it is no mapping of names to plain values, or too large.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) > _DETAILS:
        raise ValueError("result")
    for name, each in value.items():
        plain = each is None or isinstance(each, bool | int) or (isinstance(each, str) and len(each) <= _DETAIL_LENGTH)
        if not plain or not isinstance(name, str) or len(name) > _DETAIL_LENGTH:
            raise ValueError("result")
    return dict(value)


def read_xml(content: bytes) -> Element:
    """Read an XML document without any DTD: no entities, nothing fetched.

    Raises:
        ValueError: it is none, or in an encoding that nobody knows.
    """
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError("xml") from error
    return root
