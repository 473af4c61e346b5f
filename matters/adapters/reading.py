"""Reading departments' answers: a failed call or a strange answer becomes `DepartmentUnavailable`, nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from core.log import get_logger
from core.outbound import Unreachable
from matters.errors import DepartmentUnavailable

log = get_logger(__name__)


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
    """Return the failure for an answer that blames our question or our credentials: an operator has to look."""
    log.error("a department refused the question", partner=name, code=str(code)[:8])
    return DepartmentUnavailable(name, ambiguous=False, retry_after=60)


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
