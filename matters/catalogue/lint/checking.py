"""Holding files of the catalogue against all rules."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from matters.catalogue.lint import codes, contents, practice
from matters.catalogue.lint.types import Defect, Rule, Severity, Surroundings
from matters.catalogue.rules import is_uscc
from matters.catalogue.types import CatalogueFile, DepartmentEntry, Matter

_SHOWN: Final = 80
_DEPARTMENT: Final = "department"
_DOUBLED: Final = "doubled"
_FORM_SCHEMA: Final = "form-schema"


class Forms:
    """Tells whether forms are JSON Schema 2020-12; a field that many forms share is looked at once."""

    def __init__(self) -> None:
        self._seen: dict[str, str | None] = {}

    def wrong_with(self, form: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a form, or None."""
        properties = form.get("properties")
        if not isinstance(properties, dict):
            return self._look(dict(form))
        rest = {name: value for name, value in form.items() if name != "properties"}
        return next((wrong for each in (rest, *properties.values()) if (wrong := self._look(each))), None)

    def _look(self, schema: object) -> str | None:
        text = json.dumps(schema, sort_keys=True)
        if text not in self._seen:
            try:
                Draft202012Validator.check_schema(json.loads(text))
            except SchemaError as error:
                self._seen[text] = error.message[:_SHOWN]
            else:
                self._seen[text] = None
        return self._seen[text]


class Lint:
    """All rules, applied to matters and whole files."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._forms = Forms()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule about a matter."""
        form_schema = Rule(_FORM_SCHEMA, Severity.ERROR, "the form is JSON Schema 2020-12", self._form_schema)
        return (*codes.RULES, *practice.RULES, *contents.RULES, form_schema)

    def of_matter(self, matter: Matter, department: DepartmentEntry) -> list[Defect]:
        """Return what is wrong with a matter; none for a good one."""
        return [
            Defect(department.slug, matter.slug, rule.severity, rule.name, text)
            for rule in self.rules
            for text in rule.broken(matter, department, self._around)
        ]

    def of_files(
        self, files: Sequence[CatalogueFile], *, tell: Callable[[CatalogueFile], None] = lambda _file: None
    ) -> list[Defect]:
        """Return what is wrong with files that are published together; `tell` hears of each that is done."""
        found = [*_doubled(files)]
        for file in files:
            found += _of_department(file)
            for matter in file.matters:
                found += self.of_matter(matter, file.department)
            tell(file)
        return sorted(found)

    def _form_schema(self, matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
        if wrong := self._forms.wrong_with(matter.form):
            yield f"the form is no JSON Schema 2020-12 ({wrong})."


def errors_of(defects: Iterable[Defect]) -> list[Defect]:
    """Return those with which nothing is published."""
    return [defect for defect in defects if defect.severity is Severity.ERROR]


def _of_department(file: CatalogueFile) -> Iterator[Defect]:
    slug = file.department.slug
    if not is_uscc(file.department.uscc):
        text = "the code of the department has a wrong check character."
        yield Defect(slug, "", Severity.ERROR, _DEPARTMENT, text)
    if not file.matters:
        yield Defect(slug, "", Severity.ERROR, _DEPARTMENT, "no matters.")


def _doubled(files: Sequence[CatalogueFile]) -> Iterator[Defect]:
    for name in ("code", "slug", "item_code"):
        seen: set[str] = set()
        for file in files:
            for matter in file.matters:
                value = getattr(matter, name)
                if value in seen:
                    text = f"the {name.replace('_', ' ')} {value} stands twice."
                    yield Defect(file.department.slug, matter.slug, Severity.ERROR, _DOUBLED, text)
                seen.add(value)
