"""Reading what was sent and writing what is answered, the same for every system."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from aiohttp import web

Json = dict[str, Any]


class NotUnderstood(Exception):
    """The request is not what the page says; the message says in what."""


class NotAllowed(Exception):
    """The caller did not prove itself; the message says by what."""


def answer(body: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """Write a JSON answer in UTF-8, Chinese unescaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return web.Response(text=text, status=status, content_type="application/json")


def read_object(body: bytes) -> Json:
    """Read a JSON object.

    Raises:
        NotUnderstood: it is something else.
    """
    try:
        told = json.loads(body, parse_constant=_refuse_constant)
        # Half of a surrogate pair is valid JSON but no text: it can be neither stored nor answered.
        json.dumps(told, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        message = "The body is not JSON in UTF-8."
        raise NotUnderstood(message) from None
    if not isinstance(told, dict):
        message = "The body is not a JSON object."
        raise NotUnderstood(message)
    return told


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def text(told: Mapping[str, Any], key: str, *, most: int = 64) -> str:
    """Read a text that must be there.

    Raises:
        NotUnderstood: it is missing, empty, too long, or no text.
    """
    value = told.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        message = f"{key} must be a text of 1 to {most} characters."
        raise NotUnderstood(message)
    return value


def part(told: Mapping[str, Any], key: str) -> Json:
    """Read an object that must be there.

    Raises:
        NotUnderstood: it is missing or something else.
    """
    value = told.get(key)
    if not isinstance(value, dict):
        message = f"{key} must be a JSON object."
        raise NotUnderstood(message)
    return value


def read_supplement(told: Mapping[str, Any], *, key: str = "supplement", form: str = "form") -> str:
    """Read what was missing in a case and has come; return its key.

    Raises:
        NotUnderstood: it is not as the pages say.
    """
    files = told.get("files")
    if not isinstance(told.get(form), dict | list) or not isinstance(files, list):
        message = f"{form} and files must be there."
        raise NotUnderstood(message)
    for each in files:
        if not isinstance(each, dict):
            message = "Each file must be a JSON object."
            raise NotUnderstood(message)
        text(each, "material")
        text(each, "sha256")
        text(each, "media_type")
        whole_number(each, "size", least=0, most=10**9)
    return text(told, key)


def whole_number(told: Mapping[str, Any], key: str, *, least: int, most: int) -> int | None:
    """Read a whole number that may be absent.

    Raises:
        NotUnderstood: it is there and no whole number from `least` to `most`.
    """
    value = told.get(key)
    if value is None:
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        message = f"{key} must be a whole number from {least} to {most}."
        raise NotUnderstood(message)
    return value
