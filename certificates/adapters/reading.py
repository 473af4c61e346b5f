"""Reading issuers' answers: a failed call or a strange answer becomes `IssuerUnavailable`, nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from certificates.errors import IssuerUnavailable
from core.log import get_logger
from core.outbound import unavailable_as

log = get_logger(__name__)

_MOST_VERSIONS: Final = 999_999
_TEXT_LENGTH: Final = 120


@contextmanager
def as_issuer(name: str) -> Iterator[None]:
    """Tell a failed call, and an answer that is not as its page says, in the words of the wallet.

    Raises:
        IssuerUnavailable: in place of either.
    """
    try:
        with unavailable_as(IssuerUnavailable):
            yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.warning("the issuer's answer is not as its page says", issuer=name, error=type(error).__name__)
        raise IssuerUnavailable from error


def refused_question(name: str, code: object) -> IssuerUnavailable:
    """Return the failure for an answer that blames our question or our credentials: an operator has to look."""
    log.error("the issuer refused the question", issuer=name, code=str(code)[:8])
    return IssuerUnavailable()


def text(told: Mapping[str, Any], name: str) -> str:
    """Read a text that must be there.

    Raises:
        ValueError: it is empty, too long, or no text.
        KeyError: it is missing.
    """
    value = told[name]
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LENGTH:
        raise ValueError(name)
    return value


def version(value: object) -> int:
    """Read a version that must be there.

    Raises:
        ValueError: it is no whole number from 1.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_VERSIONS:
        raise ValueError("version")
    return value


def compact_day(value: object) -> str | None:
    """Return a date written `YYYYMMDD` as ISO 8601; None when there is none.

    Raises:
        ValueError: it is something else.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) != len("YYYYMMDD"):
        raise ValueError("date")
    return date.fromisoformat(value).isoformat()
