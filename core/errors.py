"""Problems: what went wrong, in words a resident understands, and what can be done about it.

A domain declares its problems in `<domain>/errors.py` as subclasses of one of the kinds below. A kind says what the
caller should do; the edge (`api/problems.py`) turns kinds into HTTP statuses. Codes are public, append-only and listed
in `docs/problems.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that has to be mended.

    `pointer` is a JSON pointer into what the caller sent (`/id_number`), `message` a sentence for people without the
    value itself.
    """

    pointer: str
    code: str
    message: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to get the same thing done: a method, a hall, a phone, the family."""

    method: str
    text: str
    text_en: str
    start: str | None = None


@dataclass(frozen=True, slots=True)
class ProblemExtras:
    """What a problem may carry beside its fixed texts. Never personal data."""

    errors: Sequence[FieldError] = ()
    alternatives: Sequence[Alternative] = ()
    retry_after: int | None = None
    members: Mapping[str, object] = field(default_factory=dict)


class Problem(Exception):
    """A foreseen failure. Subclass a kind, not this.

    Class attributes of each concrete problem: `code` (`domain.what-happened`), `title` (Chinese, for the citizen),
    `title_en`, and `plain`, one short spoken sentence for the elder mode. `extras` travels with the instance.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "系统出错了，请稍后再试"
    title_en: ClassVar[str] = "Something broke; please try later"
    plain: ClassVar[str] = "出错了，请过一会儿再试。"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        *,
        errors: Sequence[FieldError] = (),
        alternatives: Sequence[Alternative] = (),
        retry_after: int | None = None,
        **members: object,
    ) -> None:
        self.extras = ProblemExtras(errors, alternatives, retry_after, members)
        super().__init__(self.code)


class Invalid(Problem):
    """Fields have to be mended; `errors` says which."""


class Unauthenticated(Problem):
    """The caller has to log in (again)."""


class Forbidden(Problem):
    """The caller is known and may not do this."""


class NotFound(Problem):
    """No such thing; also: not yours. Both look the same from outside."""


class Conflict(Problem):
    """The state of things forbids it."""


class Gone(Problem):
    """It has run out; start again."""


class Stale(Problem):
    """Somebody changed it meanwhile; read again and repeat."""


class TooMany(Problem):
    """Too many attempts; wait `retry_after` seconds."""

    retryable: ClassVar[bool] = True


class Refused(Problem):
    """An outside system said no, finally."""


class Unavailable(Problem):
    """Something we need is away; trying again later may work, and jobs do so by themselves."""

    retryable: ClassVar[bool] = True
