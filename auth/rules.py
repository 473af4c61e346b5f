"""The decisions of auth: pure functions of values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from auth.errors import ConsentRequired, IdNumberInvalid, NameInvalid, NoSuchConsent
from auth.texts.consents import IN_FORCE
from auth.types import Level
from core.errors import FieldError
from core.pii import IdNumber, PersonName

# The text that is in force for each purpose. A new text is a new number, and asks again.
CONSENTS: Final[Mapping[str, int]] = {purpose: text.version for purpose, text in IN_FORCE.items()}


@dataclass(frozen=True, slots=True)
class FreshFor:
    """How long a proof of presence counts, and from which age on people get the elder profile."""

    usual: timedelta
    elder: timedelta
    elder_age: int


def effective_level(base: Level, present_until: datetime | None, now: datetime) -> Level:
    """Return the level of a session now: `present` runs out, what is below it stays."""
    if present_until is not None and present_until > now and base.rank >= Level.REAL_NAME.rank:
        return Level.PRESENT
    return base


def fresh_until(now: datetime, *, elder: bool, policy: FreshFor) -> datetime:
    """Return until when a proof of presence given now counts."""
    return now + (policy.elder if elder else policy.usual)


def is_elder(id_number: IdNumber | None, *, chosen: bool, day: date, policy: FreshFor) -> bool:
    """Say whether somebody gets the elder profile: by their choice, or by the birth date in their number."""
    return chosen or (id_number is not None and id_number.age_on(day) >= policy.elder_age)


def may_repeat(*, used_at: datetime, now: datetime, grace: timedelta, generation: int, newest: int) -> bool:
    """Say whether a used refresh token may get its successor once more.

    Only the one before the newest, and only for moments: its holder's answer may have got lost. An older one within
    the same moments is a theft all the same (`security.md` T5).
    """
    return now - used_at < grace and generation == newest - 1


def parse_person(name: str, id_number: str) -> tuple[PersonName, IdNumber]:
    """Read what somebody typed into the form for their real name.

    Raises:
        IdNumberInvalid: the number's shape, birth date or check digit is wrong; wrong names are listed beside it.
        NameInvalid: the name alone is wrong.
    """
    errors: list[FieldError] = []
    parsed_name: PersonName | None = None
    try:
        parsed_name = PersonName.parse(name)
    except ValueError:
        errors.append(FieldError("/name", "name", "姓名填写有误", "This is not a name"))
    try:
        parsed_number = IdNumber.parse(id_number)
    except ValueError:
        errors.append(FieldError("/id_number", "id-number", "身份证号码填写有误", "This is not an ID number"))
        # Not chained: the first failure must not show what was typed.
        raise IdNumberInvalid(errors=errors) from None
    if parsed_name is None:
        raise NameInvalid(errors=errors)
    return parsed_name, parsed_number


def parse_consent(text: str, *, purpose: str = "") -> tuple[str, int]:
    """Read a consent such as `face@1` and return its purpose and version.

    Raises:
        ConsentRequired: it is for another purpose than the one that is asked for, or for a text that is not in force.
        NoSuchConsent: where no purpose is asked for: no such text is in force.
    """
    given, _, version = text.partition("@")
    wanted = purpose or given
    if wanted in CONSENTS and text == f"{wanted}@{CONSENTS[wanted]}":
        return given, int(version)
    if purpose:
        raise consent_required(purpose)
    raise NoSuchConsent(consent=f"{given}@{CONSENTS[given]}") if given in CONSENTS else NoSuchConsent


def consent_required(purpose: str) -> ConsentRequired:
    """Return the problem that names the text to agree to."""
    return ConsentRequired(consent=f"{purpose}@{CONSENTS[purpose]}") if purpose in CONSENTS else ConsentRequired()
