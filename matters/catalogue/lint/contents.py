"""Rules about what a matter asks for and decides by: texts, materials, sharing, conditions, form, checks."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from matters.catalogue.conditions.rules import FACTS, FORM, OPERATORS
from matters.catalogue.lint.types import Rule, Severity, Surroundings
from matters.catalogue.terms.types import Condition, Offer, Wording
from matters.catalogue.types import DepartmentEntry, Handling, Matter, Way
from matters.forms.rules import findings_of_form

_REAL_NAME: Final = "real-name"
_CERTIFICATE: Final = "certificate:"
_REAL_NAME_ITEMS: Final = frozenset({"name", "id_number", "mobile"})
_ISSUED: Final = "政府部门核发"
_OUTCOMES: Final = frozenset({"passed", "failed", "unclear"})
_QUANTITIES: Final = frozenset({"all", "any"})
_DECISIONS: Final = frozenset({"approved", "rejected"})
_OF_RECORDS: Final = frozenset({"is", "in", "within-months"})
_WITH_A_LIST: Final = frozenset({"in", "not-in"})
_WITH_A_NUMBER: Final = frozenset({"at-least", "below", "within-months"})


def _texts(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    texts: list[Wording] = [
        matter.title,
        matter.summary,
        matter.result,
        *matter.basis,
        *matter.conditions,
        *matter.steps,
    ]
    texts += [each.text for each in matter.other_ways] + [each.text for each in matter.requirements]
    texts += [text for each in matter.questions for text in (each.question, each.answer)]
    for material in matter.materials:
        texts += [material.title, *(way.text for way in material.ways)]
    if any(not text.zh.strip() or not text.en.strip() for text in texts):
        yield "a text is empty, or has only one of the two languages."
    if any("{" in text.zh or "{" in text.en for text in texts):
        yield "a text has a word in braces that nothing was put for."
    if not matter.basis:
        yield "the legal basis is not said."


def _materials(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    codes = [material.code for material in matter.materials]
    if len(set(codes)) != len(codes):
        yield "two materials have one code."
    for material in matter.materials:
        if not material.ways:
            yield f"material {material.code} has no way to satisfy it."
        if material.copies < 0:
            yield f"material {material.code}: copies are counted from 0."
        for way in material.ways:
            if (way.way is Way.CERTIFICATE) != (way.certificate is not None):
                yield f"material {material.code}: a certificate's kind belongs to the way `certificate`."
            if (way.way is Way.SHARED) != (way.department is not None):
                yield f"material {material.code}: a department belongs to the way `shared`."
            if way.valid_days is not None and (way.way is not Way.ALREADY_GIVEN or way.valid_days < 1):
                yield f"material {material.code}: days of validity belong to the way `already-given`."


def _sharing(matter: Matter, _department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    for material in matter.materials:
        for way in material.ways:
            if way.way is not Way.SHARED:
                continue
            shared = around.resources.get(way.department or "")
            if shared is None:
                yield f"material {material.code}: department {way.department} shares nothing."
            elif way.resource not in shared:
                yield f"material {material.code}: {way.department} does not share {way.resource}."


def _kinds(matter: Matter, _department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    named = {way.certificate for material in matter.materials for way in material.ways if way.certificate}
    if matter.refreshes_certificate:
        named.add(matter.refreshes_certificate)
    if unknown := sorted(named - around.kinds.keys()):
        yield f"there is no kind of certificate {', '.join(unknown)}."


def _shareable(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    for material in matter.materials:
        if material.source == _ISSUED and {way.way for way in material.ways} == {Way.UPLOAD}:
            yield f"material {material.code} is issued by the government, and people have to bring it."


def _form(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    form = matter.form
    if form.get("type") != "object" or form.get("additionalProperties") is not False:
        yield "the form is an object without additional properties."
    properties: Any = form.get("properties")
    if not isinstance(properties, dict):
        yield "the form has properties."
        return
    if unknown := sorted(set(form.get("required", ())) - properties.keys()):
        yield f"the form asks for {', '.join(unknown)}, which it does not have."
    untitled = [name for name, each in properties.items() if not (isinstance(each, dict) and each.get("title"))]
    if untitled:
        yield f"{', '.join(untitled)} of the form has no title."
    yield from findings_of_form(form)


def _prefill(matter: Matter, _department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    properties = matter.form.get("properties", {})
    for name, prefill in matter.prefill.items():
        if name not in properties:
            yield f"prefill of {name}, which the form does not have."
        kind = prefill.source.removeprefix(_CERTIFICATE)
        if prefill.source == _REAL_NAME:
            if prefill.item not in _REAL_NAME_ITEMS:
                yield f"prefill of {name}: a real name has no {prefill.item}."
        elif kind == prefill.source or kind not in around.kinds:
            yield f"prefill of {name} from an unknown source."
        elif prefill.item not in around.kinds[kind]:
            yield f"prefill of {name}: a {kind} has no {prefill.item}."


def _conditions(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    fields = {FORM + name for name in matter.form.get("properties", {})}
    asked = [condition for each in matter.requirements for condition in (*each.when, *each.needs)]
    asked += [condition for material in matter.materials for condition in material.when]
    for condition in asked:
        if condition.fact not in FACTS | fields:
            yield f"a condition asks about {condition.fact}, which nobody knows."
    names = [each.name for each in matter.requirements]
    if len(set(names)) != len(names):
        yield "two requirements have one name."
    if any(not each.needs for each in matter.requirements):
        yield "a requirement needs nothing."
    yield from _readable(asked)


def _readable(conditions: Iterable[Condition]) -> Iterator[str]:
    for each in conditions:
        listed = isinstance(each.value, tuple)
        counted = isinstance(each.value, int) and not isinstance(each.value, bool)
        if each.op not in OPERATORS:
            yield f"a condition about {each.fact}: an unknown outcome or operator."
        elif listed != (each.op in _WITH_A_LIST) or (each.op in _WITH_A_NUMBER and not counted):
            yield f"a condition about {each.fact}: {each.op} cannot be asked of such a value."


def _decisions(matter: Matter, _department: DepartmentEntry, around: Surroundings) -> Iterator[str]:
    if matter.handling is Handling.RULES and (not matter.checks or matter.decision is None):
        yield "what rules decide needs checks and rules."
    if matter.handling is not Handling.RULES and (matter.checks or matter.decision is not None):
        yield "checks and rules decide nothing here."
    for check in matter.checks:
        if check.department not in around.resources:
            yield f"check {check.name}: department {check.department} shares nothing."
        for finding in check.findings:
            if finding.outcome not in _OUTCOMES or not {each.op for each in finding.when} <= _OF_RECORDS:
                yield f"check {check.name}: an unknown outcome or operator."
            yield from _readable(each for each in finding.when if each.op in OPERATORS)
    for rule in matter.decision.rules if matter.decision is not None else ():
        if rule.quantity not in _QUANTITIES or rule.outcome not in _OUTCOMES or rule.then not in _DECISIONS:
            yield f"rule {rule.name} cannot be read."


def _form_needed(matter: Matter, _department: DepartmentEntry, _around: Surroundings) -> Iterator[str]:
    if matter.offer is Offer.HANDLING and not matter.form.get("properties"):
        yield "there is no form: nobody can say what they want."


RULES: Final = (
    Rule("texts", Severity.ERROR, "texts in both languages, and a legal basis", _texts),
    Rule("materials", Severity.ERROR, "materials can be told apart and satisfied", _materials),
    Rule("sharing", Severity.ERROR, "what is said to be shared is on the sharing catalogue", _sharing),
    Rule("kinds", Severity.ERROR, "certificates are of kinds that there are", _kinds),
    Rule("form", Severity.ERROR, "the form is closed, titled and asks for what it has", _form),
    Rule("form-needed", Severity.ERROR, "what is handled has a form", _form_needed),
    Rule("prefill", Severity.ERROR, "prefilled values come from where they can", _prefill),
    Rule("condition", Severity.ERROR, "conditions ask about what is known, and can be read", _conditions),
    Rule("decision", Severity.ERROR, "rules have checks to decide by", _decisions),
    Rule("shareable", Severity.WARNING, "what the government issues is not asked of people (国令716)", _shareable),
)
