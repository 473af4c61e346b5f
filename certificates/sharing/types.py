"""The words of sharing: what a holder agrees to, and what is answered on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from certificates.types import Outcome, Text, Value

ONCE_HOURS: Final = 24
"""How long a consent for one time waits to be used."""
LONGEST_DAYS: Final = 366
"""How far ahead a consent may reach."""


class Standing(StrEnum):
    """What a consent is worth now."""

    OPEN = "open"
    USED = "used"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A holder's consent: one verifier, one kind, one purpose, these fields and claims; once, or until a time.

    `purpose_title` is what the verifier's registration calls the purpose, None once it is not registered for it.
    """

    id: UUID
    verifier_id: UUID
    verifier: str
    kind: str
    field_names: tuple[str, ...]
    claims: tuple[str, ...]
    purpose: str
    once: bool
    standing: Standing
    given_at: datetime
    expires_at: datetime
    purpose_title: Text | None = None


@dataclass(frozen=True, slots=True, repr=False)
class SharedCertificate:
    """What a verifier is told: the state as an outcome, and the fields that the holder lets it read.

    Prints nothing of what it holds.
    """

    disclosure_id: UUID
    kind: str
    outcome: Outcome
    fields: Mapping[str, Value | bool]

    def __repr__(self) -> str:
        return f"<SharedCertificate {self.kind} {self.outcome.value}>"
