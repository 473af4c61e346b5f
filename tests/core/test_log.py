"""Log lines are JSON and carry nobody's data."""

import asyncio
import gc
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.log import configure_logging, current_request_id, get_logger, set_request_id
from core.pii import IdNumber

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged so far, each line read as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("info")
    stream = io.StringIO()
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
    set_request_id("")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def fail() -> None:
    raise ValueError("霍明哲 999999198503122179")


def test_a_line_has_its_fields_and_the_request_id(lines: Lines) -> None:
    set_request_id("request-1")
    get_logger("core.test").info("done", job="a.b", count=3)
    (line,) = lines()
    assert line | {"event": "done", "level": "info", "logger": "core.test", "job": "a.b", "count": 3} == line
    assert line["request_id"] == current_request_id() == "request-1"
    assert line["timestamp"].endswith("Z")


def test_fields_that_are_not_on_the_list_are_dropped_and_named(lines: Lines) -> None:
    get_logger("core.test").info("done", person="霍明哲", openid="o-1")
    (line,) = lines()
    assert "霍明哲" not in str(line)
    assert line["reason"] == "dropped fields: openid, person"


@pytest.mark.parametrize(
    "value",
    ["19900000001", "id 999999198503122179.", "99999919820909519X", 19900000001, ["19900000001"], {"a": "19900000001"}],
)
def test_long_numbers_are_scrubbed_however_they_are_wrapped(lines: Lines, value: object) -> None:
    get_logger("core.test").info("to 19900000001", reason=value)
    (line,) = lines()
    assert "199000" not in str(line)
    assert "999999198" not in str(line)
    assert "[number]" in line["event"]
    assert "[number]" in line["reason"]


def test_our_own_ids_stay_readable(lines: Lines) -> None:
    job_id = "0195c1f0-1234-7000-8000-123456789012"
    set_request_id(job_id.replace("-", ""))
    get_logger("core.test").info("done", job_id=job_id)
    (line,) = lines()
    assert (line["job_id"], line["request_id"]) == (job_id, job_id.replace("-", ""))


def test_personal_values_print_masked(lines: Lines) -> None:
    get_logger("core.test").info("done", reason=IdNumber.parse("999999198503122179"))
    assert "9999**********2179" in lines()[0]["reason"]


def test_of_an_exception_the_kind_and_the_place_are_shown_but_not_its_text(lines: Lines) -> None:
    try:
        fail()
    except ValueError:
        get_logger("core.test").exception("broken", job="a.b")
        logging.getLogger("library").exception("broken too")
    ours, theirs = lines()
    for line in (ours, theirs):
        assert line["exception"] == "ValueError"
        assert "fail" in line["location"]
        assert "霍" not in str(line)


def test_a_forgotten_tasks_exception_is_not_quoted(lines: Lines) -> None:
    async def forget() -> None:
        async def work() -> None:
            fail()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(forget())
    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert "霍" not in str(line)


def test_libraries_are_quiet_below_a_warning(lines: Lines) -> None:
    logging.getLogger("sanic.root").info("chatter")
    logging.getLogger("tortoise").debug("SELECT name")
    assert lines() == []


def test_what_json_cannot_hold_is_still_one_line(lines: Lines) -> None:
    get_logger("core.test").info("a\nb", reason=b"\xff", outcome=None, mode=object)
    assert len(lines()) == 1
