"""Reading requests strictly: whatever comes from outside is decoded, bounded, and refused with a problem that helps.

Sanic turns invalid UTF-8 into U+FFFD, takes malformed multipart as an empty form and an empty body as null; so bodies,
queries and forms are read here, not there (`security.md` F5, F6, 4.1).
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartParser,
    ParserLimitReached,
    parse_options_header,
)
from pydantic import BaseModel, ValidationError
from sanic import Request
from sanic.exceptions import SanicException

from api.problems import (
    AddressTooLong,
    BodyRequired,
    HeadersTooLarge,
    Malformed,
    MediaType,
    NotAcceptable,
    RequestInvalid,
    RequestNotFound,
    TooLarge,
)
from core.errors import FieldError

M = TypeVar("M", bound=BaseModel)

JSON_BYTES: Final = 64 * 1024
ADDRESS_BYTES: Final = 4096
HEADER_BYTES: Final = 8192
DEPTH: Final = 32
_TEXT_BYTES: Final = 1024
_BODY_BYTES: Final = 16 * 1024 * 1024
LARGEST_INTEGER: Final = 2**53 - 1
_LONGEST_INTEGER: Final = 20
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
# Marks that stand on a letter, and what has no width or is a gap. What Unicode has no name for yet may be a rare name.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})
# What turns the direction of everything after it: a text would read otherwise than it is written.
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Letters and signs that are drawn as nothing, and what is never to be drawn (Default_Ignorable_Code_Point, UAX 44).
_BLANK: Final = re.compile("[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\U0001d159\U000e0000-\U000e0fff]")
_NOT_IN_HEAD: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_ACTION: Final = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")
_HOST: Final = re.compile(r"[A-Za-z0-9.\-\[\]:_]{1,255}")

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("请填写这一项", "This field is required"),
    "extra_forbidden": ("没有这个字段", "There is no such field"),
    "string_too_long": ("内容太长了", "Too long"),
    "string_too_short": ("内容太短了", "Too short"),
    "string_pattern_mismatch": ("格式不对", "Wrong format"),
    "string_type": ("应当是文字", "A string is expected"),
    "int_type": ("应当是整数", "An integer is expected"),
    "bool_type": ("应当是真或假", "true or false is expected"),
    "literal_error": ("不在可选的范围内", "Not one of the allowed values"),
    "enum": ("不在可选的范围内", "Not one of the allowed values"),
    "greater_than_equal": ("数值太小了", "Too small"),
    "less_than_equal": ("数值太大了", "Too large"),
    "too_long": ("数量太多了", "Too many items"),
    "too_short": ("数量太少了", "Too few items"),
    "network_too_wide": ("网络范围太大，等于没有限制", "So wide that it limits nobody"),
    "timezone_aware": ("时间要带时区", "A time with its offset is expected"),
    "window_too_long": ("时间范围太长，最多 31 天", "At most 31 days at a time"),
    "time_order": ("开始时间要早于结束时间", "It has to begin before it ends"),
    "uuid_parsing": ("编号不对", "Not an id of ours"),
    "unreadable": ("请用文字写清楚", "Please write it in words"),
    "personal_number": ("这里不能写个人的号码", "No person's number may stand here"),
    "one_of": ("请填写其中一项，且只填一项", "Exactly one of them is needed"),
    "not_confirmed": ("请先阅读并确认", "Please read it and confirm"),
    "doubled": ("同一项写了两遍", "Given twice"),
}
_CHARACTER: Final = ("含有不允许的字符", "Contains characters that are not allowed")
_NOTHING_SEEN: Final = ("这里没有看得见的文字，请重新填写", "There is nothing to see in it; please write it again")
_OTHER: Final = ("格式不对", "Wrong format")


def field_error(pointer: str, code: str) -> FieldError:
    """Return the texts for a field that has to be mended."""
    text, text_en = _TEXTS.get(code, _OTHER)
    return FieldError(pointer, code, text, text_en)


def seen(text: str) -> str:
    """Return what somebody who reads a text sees of it: its letters, digits, signs; no gaps, marks alone, fillers."""
    return "".join(each for each in _BLANK.sub("", text) if unicodedata.category(each) not in _UNSEEN)


def _check_text(pointer: str, text: str) -> Sequence[FieldError]:
    """Return what is wrong with a text wherever it stands: nothing here can hold it, or nobody could read it.

    An empty one is the matter of its field, which may do without.
    """
    if _CONTROL.search(text):
        return [FieldError(pointer, "character", *_CHARACTER)]
    if (text.isspace() or not text.isascii()) and not seen(text):
        return [FieldError(pointer, "unseen", *_NOTHING_SEEN)]
    if _TURNING.search(text):
        return [FieldError(pointer, "character", *_CHARACTER)]
    return []


def check_head(request: Request) -> None:
    """Refuse requests whose head is not in order.

    Raises:
        EdgeProblem: address or headers too long, no proper Host, an address or a header that is not UTF-8.
        RequestNotFound: a path with control characters, which no address of ours has.
        RequestInvalid: a query with control characters.
    """
    if len(request.raw_url) > ADDRESS_BYTES:
        raise AddressTooLong
    head: bytes = request.head or b""
    if len(head) > HEADER_BYTES + len(request.raw_url):
        raise HeadersTooLarge
    hosts = request.headers.getall("host", [])
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise Malformed
    text = ""
    try:
        # Sanic keeps bytes that are no UTF-8 as lone surrogates, which nothing after this could write down.
        if not head.isascii():
            head.decode("utf-8")
        if b"%" in request.raw_url:
            text = unquote_to_bytes(request.raw_url).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed from error
    if _NOT_IN_HEAD.search(head):
        raise Malformed
    if text and _CONTROL.search(text):
        path, _, _ = request.raw_url.partition(b"?")
        if _CONTROL.search(unquote_to_bytes(path).decode("utf-8")):
            raise RequestNotFound
        raise RequestInvalid(errors=[FieldError("", "character", *_CHARACTER)])


def check_accept(request: Request, *media_types: str) -> None:
    """Refuse when the caller accepts none of the types.

    Raises:
        NotAcceptable: so it is.
    """
    accept = request.headers.get("accept")
    if not accept or accept == "*/*" or accept in media_types:
        return
    try:
        wanted = request.accept
        matches = (wanted.match(media_type) for media_type in media_types)
        if any(match.header and match.header.q > 0 for match in matches):
            return
    except (SanicException, ValueError):
        pass
    raise NotAcceptable


def check_media_type(request: Request, media_types: Sequence[str]) -> None:
    """Refuse a body of another kind than those that are taken.

    Raises:
        MediaType: so it is, or it does not say of what kind it is.
    """
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() not in media_types or "utf-8" not in (parameters.lower() or "utf-8"):
        raise MediaType


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _refuse(name: str) -> float:
    raise ValueError(name)


def _check_values(value: object, pointer: str, found: list[FieldError], depth: int = 0) -> None:
    if depth > DEPTH:
        raise Malformed
    if isinstance(value, str):
        found += _check_text(pointer, value)
    elif isinstance(value, int | float):
        # NaN is refused before; 1e999 arrives as infinity.
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            found.append(FieldError(pointer, "range", "数值超出范围", "Out of range"))
    elif isinstance(value, list | dict):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            name = _escape(str(key))
            if _CONTROL.search(name):
                found.append(FieldError(pointer, "character", *_CHARACTER))
            _check_values(inner, f"{pointer}/{_CONTROL.sub('?', name)}", found, depth + 1)


def _integer(digits: str) -> int:
    """Python refuses to read very long integers; they are out of range like shorter ones."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else LARGEST_INTEGER + 1


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")[:64]


def read_json(request: Request) -> Any:  # noqa: ANN401 — JSON is what it is
    """Return the body as JSON, strictly.

    Raises:
        MediaType: it is not declared as JSON in UTF-8.
        BodyRequired: it is empty.
        TooLarge: over 64 KB.
        Malformed: no JSON, doubled keys, NaN, or too deep.
        RequestInvalid: characters or numbers that nothing here can hold.
    """
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() != "application/json" or "utf-8" not in (parameters.lower() or "utf-8"):
        raise MediaType
    if not request.body:
        raise BodyRequired
    if len(request.body) > JSON_BYTES:
        raise TooLarge
    try:
        value = json.loads(
            request.body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    found: list[FieldError] = []
    _check_values(value, "", found)
    if found:
        raise RequestInvalid(errors=found)
    return value


def read_body(request: Request, model: type[M]) -> M:
    """Return the JSON body as a model of ours.

    Raises:
        Problem: as `read_json`; RequestInvalid with one entry for each field to mend.
    """
    read_json(request)
    try:
        return model.model_validate_json(request.body, strict=True)
    except ValidationError as error:
        raise invalid(error) from error


def read_query(request: Request, model: type[M]) -> M:
    """Return the query as a model of ours.

    Raises:
        RequestInvalid: unknown or doubled parameters, or values out of range.
    """
    arguments = request.get_args(keep_blank_values=True)
    doubled = [field_error(f"/{_escape(name)}", "doubled") for name, values in arguments.items() if len(values) > 1]
    unread = [each for name, (value, *_) in arguments.items() for each in _check_text(f"/{_escape(name)}", value)]
    if wrong := doubled + unread:
        raise RequestInvalid(errors=wrong)
    try:
        return model.model_validate({name: values[0] for name, values in arguments.items()}, strict=False)
    except ValidationError as error:
        raise invalid(error) from error


def refuse_query(request: Request) -> None:
    """Refuse any query where none is known.

    Raises:
        RequestInvalid: there is one.
    """
    if request.query_string:
        names = list(request.get_args(keep_blank_values=True)) or [""]
        raise RequestInvalid(errors=[field_error(f"/{_escape(name)}", "extra_forbidden") for name in names[:50]])


def invalid(error: ValidationError) -> RequestInvalid:
    """Return a validation failure as a problem, without the values."""
    return RequestInvalid(
        errors=[
            field_error("".join(f"/{_escape(str(part))}" for part in _place(item["loc"])), item["type"])
            for item in error.errors(include_input=False, include_url=False, include_context=False)[:50]
        ],
    )


def _place(parts: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return where a value stands in what was sent: pydantic also names which of several shapes it was read as.

    Such a shape is named by an action (`verifiers.register`) right after the field that holds it; a name that a map
    does not take stands before the word `[key]`.
    """
    if parts and parts[-1] == "[key]":
        parts = parts[:-1]
    return parts[:1] + parts[2:] if len(parts) > 1 and _ACTION.fullmatch(str(parts[1])) else parts


def media_of(request: Request) -> tuple[str, Mapping[str, str]]:
    """Return the media type of the body and its parameters."""
    media, options = parse_options_header(request.headers.get("content-type", ""))
    return str(media), options


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body: the files of its one field in order, and the texts beside them."""

    files: list[bytes]
    texts: Mapping[str, str]


def read_files(request: Request, *, field: str, at_most: int, max_bytes: int) -> list[bytes]:
    """Return the files of one field of a multipart body, in order.

    Raises:
        Problem: as `read_form`.
    """
    return read_form(request, field=field, at_most=at_most, max_bytes=max_bytes).files


def read_form(request: Request, *, field: str, at_most: int, max_bytes: int, texts: Sequence[str] = ()) -> Form:
    """Return the files of one field of a multipart body, and the texts of further fields that may stand beside it.

    Raises:
        MediaType: it is not multipart.
        BodyRequired: it is empty.
        Malformed: the parts cannot be told apart.
        RequestInvalid: other fields, too many files, or none; a text twice, too long, or with strange characters.
        TooLarge: a file is over `max_bytes`.
    """
    media, options = media_of(request)
    if media != "multipart/form-data" or not options.get("boundary"):
        raise MediaType
    if not request.body:
        raise BodyRequired
    files: list[bytes] = []
    told: dict[str, str] = {}
    try:
        for part in MultipartParser(
            BytesIO(request.body),
            options["boundary"],
            content_length=len(request.body),
            strict=True,
            part_limit=at_most + len(texts) + 1,
            spool_limit=_BODY_BYTES,
            memory_limit=_BODY_BYTES,
        ):
            if part.name in texts:
                told[part.name] = _text_of(part.name, part.raw, known=told)
                continue
            if part.name != field:
                raise RequestInvalid(errors=[field_error(f"/{_escape(part.name or '')}", "extra_forbidden")])
            if part.size > max_bytes:
                raise TooLarge
            files.append(part.raw)
    except ParserLimitReached as error:
        raise RequestInvalid(errors=[field_error(f"/{field}", "too_long")]) from error
    except (MultipartError, ValueError) as error:
        raise Malformed from error
    if not 0 < len(files) <= at_most:
        raise RequestInvalid(errors=[field_error(f"/{field}", "too_long" if files else "missing")])
    return Form(files, told)


def _text_of(name: str, content: bytes, *, known: Mapping[str, str]) -> str:
    if name in known:
        raise RequestInvalid(errors=[field_error(f"/{name}", "doubled")])
    if len(content) > _TEXT_BYTES:
        raise RequestInvalid(errors=[field_error(f"/{name}", "string_too_long")])
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed from error
    if wrong := _check_text(f"/{name}", text):
        raise RequestInvalid(errors=wrong)
    return text
