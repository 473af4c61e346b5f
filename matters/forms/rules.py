"""What a form's definition means: which fields are asked for, what is computed, what is wrong. Pure functions.

A definition is a JSON Schema 2020-12 of an object. Two keywords of ours stand at properties: `x-show-if`, a schema that
the whole form has to fit for the field to be asked for, and `x-computed`, an expression over other fields whose value
nobody types. Every renderer and this server read them alike (`docs/forms.md`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from core.errors import FieldError

SHOW_IF: Final = "x-show-if"
COMPUTED: Final = "x-computed"

_TEXTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "required": ("请填写这一项", "This field is required"),
        "dependentRequired": ("请填写这一项", "This field is required"),
        "enum": ("请从给出的选项里选择", "Choose one of the options"),
        "const": ("需要您同意这一项", "This has to be agreed to"),
        "type": ("内容的类型不对", "Wrong type"),
        "pattern": ("格式不对", "Wrong format"),
        "format": ("格式不对", "Wrong format"),
        "maxLength": ("内容太长了", "Too long"),
        "minLength": ("内容太短了", "Too short"),
        "minimum": ("数值太小了", "Too small"),
        "maximum": ("数值太大了", "Too large"),
        "unknown": ("没有这个字段", "There is no such field"),
        "computed": ("这一项由系统计算，不用填写", "This is computed and not filled in"),
        "locked": (
            "这一项来自部门登记，不能在这里修改",
            "This comes from a department's record and cannot be changed here",
        ),
    },
)
_OTHER: Final = ("格式不对", "Wrong format")
_formats: Final = FormatChecker(formats=("date", "email"))
_LONGEST_DATE: Final = 10
_PREPARED: Final = 1000
_prepared: Final[dict[tuple[int, tuple[str, ...] | None], tuple[Mapping[str, Any], Draft202012Validator]]] = {}


@dataclass(frozen=True, slots=True)
class Shaped:
    """A form as its definition shapes it: without what is not asked for, with what is computed.

    `hidden` are the fields not asked for now, `missing` those that are required and empty.
    """

    form: Mapping[str, object]
    hidden: frozenset[str]
    computed: frozenset[str]
    missing: tuple[str, ...]


def field_error(field: str, code: str) -> FieldError:
    """Return the texts for one field of a form."""
    text, text_en = _TEXTS.get(code, _OTHER)
    return FieldError(f"/form/{field.replace('~', '~0').replace('/', '~1')}", code, text, text_en)


def value_errors(schema: Mapping[str, Any], name: str, value: object) -> list[FieldError]:
    """Return what is wrong with one value, whatever stands in other fields."""
    properties: Mapping[str, Any] = schema["properties"]
    if name not in properties:
        return [field_error(name[:64], "unknown")]
    if COMPUTED in properties[name]:
        return [field_error(name, "computed")]
    if value is None:
        return []
    found = list(_validator(properties[name], defs=schema.get("$defs")).iter_errors(value))
    return [field_error(name, str(error.validator)) for error in found[:1]]


def shape(schema: Mapping[str, Any], form: Mapping[str, object], today: date) -> Shaped:
    """Return a form as its definition shapes it today."""
    now, hidden, computed = _settled(schema, form, today)
    return _shaped(schema, now, hidden, computed, _wrong(schema, hidden, now))


def _settled(
    schema: Mapping[str, Any], form: Mapping[str, object], today: date
) -> tuple[dict[str, object], frozenset[str], frozenset[str]]:
    """Return a form without what is not asked for and with what is computed; what is hidden; what is computed.

    Conditions and computed values may rest on each other: they are gone over until nothing changes, at most once for
    each field.
    """
    properties: Mapping[str, Any] = schema["properties"]
    computed = frozenset(name for name, rule in properties.items() if COMPUTED in rule)
    typed = {name: value for name, value in form.items() if name in properties and name not in computed}
    now: dict[str, object] = dict(typed)
    for _ in range(len(properties) + 1):
        before = now
        shown = [name for name, rule in properties.items() if SHOW_IF not in rule or _fits(schema, rule[SHOW_IF], now)]
        now = {name: typed[name] for name in shown if name in typed}
        for name in shown:
            if name in computed and (value := evaluate(properties[name][COMPUTED], before, today)) is not None:
                now[name] = value
        if now == before:
            break
    return now, frozenset(properties) - frozenset(shown), computed


def form_errors(schema: Mapping[str, Any], form: Mapping[str, object], today: date) -> list[FieldError]:
    """Return what has to be mended before a form can be submitted."""
    return examined(schema, form, today)[1]


def examined(schema: Mapping[str, Any], form: Mapping[str, object], today: date) -> tuple[Shaped, list[FieldError]]:
    """Return a form as its definition shapes it today, and what has to be mended before it can be submitted."""
    now, hidden, computed = _settled(schema, form, today)
    wrong = _wrong(schema, hidden, now)
    unknown = [field_error(name[:64], "unknown") for name in form if name not in schema["properties"]]
    return _shaped(schema, now, hidden, computed, wrong), unknown + [_told(each) for each in sorted(wrong, key=_order)]


def _wrong(schema: Mapping[str, Any], hidden: frozenset[str], form: Mapping[str, object]) -> list[ValidationError]:
    """Return what JSON Schema finds in a form; what is not asked for is not required."""
    asked = tuple(name for name in schema.get("required", ()) if name not in hidden)
    return list(_validator(schema, required=asked).iter_errors(dict(form)))


def _shaped(
    schema: Mapping[str, Any],
    form: Mapping[str, object],
    hidden: frozenset[str],
    computed: frozenset[str],
    wrong: Sequence[ValidationError],
) -> Shaped:
    required = {name for name in schema.get("required", ()) if name not in hidden}
    for error in wrong:
        if error.validator in {"required", "dependentRequired"}:
            required.add(_told(error).pointer.rpartition("/")[2])
    missing = tuple(name for name in schema["properties"] if name in required and name not in form)
    return Shaped(form, hidden, computed, missing)


def _validator(
    rule: Mapping[str, Any], *, required: tuple[str, ...] | None = None, defs: Mapping[str, Any] | None = None
) -> Draft202012Validator:
    """Return what validates by a schema, with other required fields or with the definitions around it.

    A schema is asked again and again, and preparing it costs more than asking: it is prepared once.
    """
    known = _prepared.get((id(rule), required))
    # An id may be given anew once its owner is gone: what is kept holds the schema itself.
    if known is not None and known[0] is rule:
        return known[1]
    if len(_prepared) >= _PREPARED:
        _prepared.clear()
    whole = dict(rule) if defs is None else {"$defs": defs, **rule}
    if required is not None:
        whole["required"] = list(required)
    prepared = Draft202012Validator(whole, format_checker=_formats)
    _prepared[id(rule), required] = (rule, prepared)
    return prepared


def _fits(schema: Mapping[str, Any], condition: Mapping[str, Any], form: Mapping[str, object]) -> bool:
    return _validator(condition, defs=schema.get("$defs")).is_valid(dict(form))


def _order(error: ValidationError) -> tuple[str, ...]:
    return tuple(str(part) for part in error.absolute_path)


def _told(error: ValidationError) -> FieldError:
    path = [str(part) for part in error.absolute_path]
    wanted = error.validator_value
    if error.validator == "required" and isinstance(error.instance, Mapping) and isinstance(wanted, list):
        path.append(next((str(name) for name in wanted if name not in error.instance), ""))
    if error.validator == "dependentRequired" and isinstance(error.instance, Mapping) and isinstance(wanted, Mapping):
        lacking = (
            each for name, needs in wanted.items() if name in error.instance for each in needs
            if each not in error.instance
        )  # fmt: skip
        path.append(next(lacking, ""))
    return field_error(path[0] if path else "", str(error.validator))


# --- computed values ----------------------------------------------------------------------------------------------


def evaluate(expression: Mapping[str, Any], form: Mapping[str, object], today: date) -> object:
    """Return the value of an expression, None when something that it rests on is missing or of another kind."""
    [(operation, rest)] = expression.items()
    if operation == "value":
        return rest
    if operation == "field":
        return form.get(rest)
    if operation == "today":
        return today.isoformat()
    values = [evaluate(each, form, today) for each in rest]
    if any(value is None for value in values):
        return None
    if operation in {"sum", "difference", "product"}:
        return _counted(operation, values)
    if operation == "join":
        return "".join(str(value) for value in values)
    if operation == "count":
        return len(values[0]) if isinstance(values[0], list) else None
    return _between(operation, values)


def _counted(operation: str, values: Sequence[object]) -> int | float | None:
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(values) or not numbers:
        return None
    result = numbers[0]
    for number in numbers[1:]:
        result = {"sum": result + number, "difference": result - number, "product": result * number}[operation]
    return result


def _between(operation: str, values: Sequence[object]) -> int | None:
    """Return whole days or years (as ages are counted) from the first date to the second."""
    try:
        first, last = (date.fromisoformat(str(value)[:_LONGEST_DATE]) for value in values)
    except ValueError:
        return None
    if operation == "days-between":
        return (last - first).days
    return last.year - first.year - ((last.month, last.day) < (first.month, first.day))


_OPERANDS: Final[Mapping[str, int]] = MappingProxyType(
    {"sum": 0, "difference": 2, "product": 0, "join": 0, "count": 1, "days-between": 2, "years-between": 2},
)


# --- whether a definition is in order -----------------------------------------------------------------------------


def findings_of_form(schema: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each thing that is wrong with a definition beyond what JSON Schema itself says."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    found = [f"the form points at {ref}, which is not in it." for ref in _references(schema) if ref[:8] != "#/$defs/"]
    for name, rule in properties.items():
        if not isinstance(rule, Mapping):
            continue
        found += [f"field {name}: {each}" for each in _condition_findings(rule.get(SHOW_IF), properties)]
        if COMPUTED in rule:
            found += [f"field {name}: {each}" for each in _expression_findings(rule[COMPUTED], properties)]
            if name in _rested_on(name, properties):
                found.append(f"field {name}: it is computed from itself.")
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _references(inner)


def _condition_findings(condition: object, properties: Mapping[str, Any]) -> Iterator[str]:
    if condition is None:
        return
    if not isinstance(condition, Mapping):
        yield "its condition is no schema."
        return
    try:
        Draft202012Validator.check_schema(dict(condition))
    except SchemaError:
        yield "its condition is no schema."
        return
    for name in condition.get("properties", {}):
        if name not in properties:
            yield f"its condition asks for {name}, which the form does not have."


def _expression_findings(expression: object, properties: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(expression, Mapping) or len(expression) != 1:
        yield "what is computed is no expression."
        return
    [(operation, rest)] = expression.items()
    if operation in {"value", "today"}:
        return
    if operation == "field":
        if rest not in properties:
            yield f"it is computed from {rest}, which the form does not have."
        return
    if operation not in _OPERANDS or not isinstance(rest, list | tuple):
        yield f"nothing is computed by {operation}."
        return
    if not rest or (_OPERANDS[operation] and len(rest) != _OPERANDS[operation]):
        yield f"{operation} has the wrong number of operands."
    for each in rest:
        yield from _expression_findings(each, properties)


def _rested_on(name: str, properties: Mapping[str, Any]) -> set[str]:
    """Return all fields that a computed field rests on, however far."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        rule = properties.get(waiting.pop(), {})
        for field in _fields_of(rule.get(COMPUTED) if isinstance(rule, Mapping) else None):
            if field not in seen:
                seen.add(field)
                waiting.append(field)
    return seen


def _fields_of(expression: object) -> Iterator[str]:
    if isinstance(expression, Mapping):
        for operation, rest in expression.items():
            if operation == "field":
                yield str(rest)
            elif isinstance(rest, list | tuple):
                for each in rest:
                    yield from _fields_of(each)
