"""Rules about codes and vocabularies (GB/T 39046-2020 annex A, and practice where it differs: `docs/catalogue.md`)."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from matters.catalogue import rules
from matters.catalogue.lint.types import Rule, Severity, Surroundings
from matters.catalogue.types import DepartmentEntry, Matter

_BASIC_LENGTH: Final = 12
_IMPLEMENTATION_LENGTH: Final = 31
_USCC_LENGTH: Final = 18
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SLUG_LENGTH: Final = 64
_LIMIT_UNITS: Final = frozenset({"working-day", "hour"})


def _basic_code(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    code = matter.basic_code
    if len(code) != _BASIC_LENGTH or not (code.isascii() and code.isalnum()) or code != code.upper():
        yield "the basic code has 12 digits or capital letters."


def _implementation_code(matter: Matter, department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.code != department.uscc + matter.exercised_at + matter.basic_code:
        yield "the implementation code is the department's code, the level, and the basic code."
    elif len(matter.code) != _IMPLEMENTATION_LENGTH:
        yield "the implementation code has 31 characters."


def _implementing_body(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not rules.is_uscc(matter.code[:_USCC_LENGTH]):
        yield "the first 18 characters of the implementation code are no code with a right check character."


def _item_code(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.item_code[:-2] != matter.code or not matter.item_code[-2:].isdigit():
        yield "the item code is the implementation code and two digits."


def _slug(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if not _SLUG.fullmatch(matter.slug) or len(matter.slug) > _SLUG_LENGTH:
        yield "the slug is words of small letters and digits, joined by hyphens."


def _vocabulary(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    checks: tuple[tuple[str, tuple[str, ...], AbstractSet[str]], ...] = (
        ("kind_of_power", (matter.kind_of_power,), rules.POWERS.keys()),
        ("exercised_at", (matter.exercised_at,), rules.LEVELS.keys()),
        ("subject_nature", (matter.subject_nature,), rules.SUBJECTS.keys()),
        ("serves", matter.serves, rules.SERVES.keys()),
        ("channels", matter.channels, rules.CHANNELS.keys()),
        ("case_kind", (matter.case_kind,), rules.CASE_KINDS.keys()),
        ("online_depth", (matter.online_depth,), rules.DEPTHS.keys()),
        ("range", (matter.range,), rules.RANGES),
        ("level", (matter.level,), rules.APPLICANT_LEVELS),
        ("the unit of a limit", (matter.legal_limit.unit, matter.promised_limit.unit), _LIMIT_UNITS),
    )
    for name, values, allowed in checks:
        if not values or not set(values) <= set(allowed):
            yield f"{name} is not of its vocabulary."
    if not {each.necessity for each in matter.materials} <= rules.NECESSITIES.keys():
        yield "necessity is not of its vocabulary."
    if not {each.kind for each in matter.special_procedures} <= rules.SPECIAL_PROCEDURES.keys():
        yield "the kind of a special procedure is not of its vocabulary."


def _sorting(matter: Matter, _department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    named: tuple[tuple[str, tuple[str, ...], AbstractSet[str]], ...] = (
        ("theme", matter.themes, around.themes),
        ("group", matter.groups, around.groups),
        ("life event", matter.life_events, around.life_events),
        ("other way", tuple(each.method for each in matter.other_ways), around.methods),
        ("certificate", matter.certificates, around.kinds.keys()),
        ("department", matter.involved, around.resources.keys()),
    )
    for what, words, known in named:
        if unknown := sorted(set(words) - set(known)):
            yield f"there is no {what} {', '.join(unknown)}."
    if not matter.themes:
        yield "a matter has a theme."


RULES: Final = (
    Rule("basic-code", Severity.ERROR, "12 characters", _basic_code),
    Rule("implementation-code", Severity.ERROR, "31 characters: body, level, basic code", _implementation_code),
    Rule(
        "implementing-body",
        Severity.ERROR,
        "the body's code has a right check character (GB 32100)",
        _implementing_body,
    ),
    Rule("item-code", Severity.ERROR, "33 characters: implementation code and two digits", _item_code),
    Rule("slug", Severity.ERROR, "a name for addresses", _slug),
    Rule("vocabulary", Severity.ERROR, "coded values are of GB/T 39046's vocabularies", _vocabulary),
    Rule("sorting", Severity.ERROR, "themes, groups, events, ways, kinds and departments are known ones", _sorting),
)
