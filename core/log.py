"""Structured logs: one JSON object a line, with the request id, without personal data.

Only the fields of an allow-list get through, so nobody can log a person by accident; values of `core.pii` print masked
in any case. An exception is logged as `log.error(…, exc_info=error)`: `log.exception` would also hand its text, which
may quote values, to whatever else listens to the standard library's loggers.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

import structlog

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# What a log line may carry. Ids are ours and name nobody outside.
ALLOWED: Final = frozenset({
    "event", "level", "timestamp", "logger", "request_id",
    "address", "approval", "attempt", "audience", "bytes", "code", "count", "duration_ms", "engine", "error",
    "exception", "job", "job_id", "kind", "lag_ms", "location", "matter", "method", "mode", "name", "operator",
    "outcome", "partner", "path", "pid", "port", "purpose", "reason", "role", "route", "setting", "seq", "signal",
    "state", "status", "system", "version",
})  # fmt: skip
_LONG_NUMBER: Final = re.compile(r"\d{11,}[Xx]?")
# Our own ids may hold a long run of digits by chance.
_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_SHORTEST_NUMBER: Final = 10**10


def current_request_id() -> str:
    """Return the id of the request or job that is being worked on, or an empty text."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Bind the id to everything that follows in this task: logs, audit lines, jobs, calls out.

    It may be the caller's own text and is written where nothing can be taken back, so long numbers are taken out.
    """
    _request_id.set(without_numbers(request_id))


def without_numbers(text: str) -> str:
    """Return a text without numbers as long as a mobile or a citizen's number; an id of ours stays as it is."""
    return text if _UUID.fullmatch(text) else _LONG_NUMBER.sub("[number]", text)


def _scrub(value: object) -> object:
    """Numbers as long as a mobile or a citizen's number do not belong into a log, however they are wrapped."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SHORTEST_NUMBER else "[number]"
    return without_numbers(value if isinstance(value, str) else repr(value))


def _allow(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    dropped = sorted(set(event) - ALLOWED)
    if dropped:
        kept["reason"] = f"dropped fields: {', '.join(dropped)}"
    # One shape for every line: outside a request these are empty.
    kept.setdefault("request_id", _request_id.get())
    kept.setdefault("audience", "")
    kept.setdefault("outcome", "")
    return {key: _scrub(value) for key, value in kept.items()}


def _where(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep of an exception its type and the places it passed, not its text: texts quote values."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        places = []
        trace = info[2]
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["exception"] = info[0].__name__
        event["location"] = " > ".join(places[-8:])
    return event


def _from_stdlib(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    if not event.pop("_from_structlog", False):
        # Libraries append the exception's own text on further lines (asyncio: "future: <Task … exception=…>").
        event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event


def configure_logging(level: str) -> None:
    """Send our lines and those of the libraries to standard error as JSON."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[_from_stdlib, _allow, structlog.processors.JSONRenderer(ensure_ascii=False, default=repr)],
        ),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("sanic.root", "sanic.error", "sanic.server", "sanic.access", "tortoise", "taskiq", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
