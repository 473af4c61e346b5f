"""Repeating a request without repeating its effect, whatever happens in between."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.problems import InProgress, RequestInvalid, RequestNotFound, RequestStale
from auth.errors import ConsentRequired, RegistryRefused, TokenExpired
from core.cache import TooManyRequests
from core.db import drain, fetch, fetch_one
from core.errors import Problem, Unavailable
from face.errors import CheckExpired
from tests.api.edge import Edge, Told
from tests.api.service import StateForbids

HONOURED, REQUIRED, SLOW = "/v1/citizen/things", "/v1/citizen/certain-things", "/v1/citizen/slow-things"
BOTH = pytest.mark.parametrize("path", [HONOURED, REQUIRED])


async def make(edge: Edge, path: str, key: str = "key-1", name: str = "a", **more: Any) -> Told:
    return await edge.ask("POST", path, {"name": name}, Idempotency_Key=key, **more)


async def kept() -> list[str]:
    return [row["state"] for row in await fetch("SELECT state FROM kept_answer")]


async def test_where_a_key_is_needed_a_request_without_one_is_refused(edge: Edge) -> None:
    told = await edge.ask("POST", REQUIRED, {"name": "a"})
    assert (told.status, told.code) == (400, "request.idempotency-key-required")
    assert (await edge.ask("POST", HONOURED, {"name": "a"})).status == 201


@BOTH
async def test_the_first_answer_is_given_again(edge: Edge, path: str) -> None:
    first, second = await make(edge, path), await make(edge, path)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for name in ("location", "etag", "content-type", "cache-control"):
        assert first.headers.get(name) == second.headers.get(name)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert edge.shelf.calls == 1
    assert await edge.rows() == (1, 1)


@BOTH
async def test_the_same_json_written_differently_is_the_same_request(edge: Edge, path: str) -> None:
    first = await edge.ask("POST", path, raw=b'{"name":"a","size":1}', Idempotency_Key="k")
    second = await edge.ask("POST", path, raw=b'{ "size" : 1, "name" : "\\u0061" }', Idempotency_Key="k")
    assert (first.status, second.headers.get("idempotent-replayed")) == (201, "true")


@BOTH
async def test_the_same_key_with_another_payload_is_refused(edge: Edge, path: str) -> None:
    await make(edge, path)
    told = await make(edge, path, name="b")
    assert (told.status, told.code) == (422, "request.idempotency-key-reused")
    assert edge.shelf.calls == 1


async def test_while_the_first_is_running_the_second_is_told_to_wait(edge: Edge) -> None:
    first = asyncio.create_task(make(edge, SLOW))
    await edge.shelf.entered.wait()
    second = await make(edge, SLOW)
    assert (second.status, second.code) == (409, "request.idempotency-in-progress")
    assert second.headers["retry-after"] == "1"
    assert second.json["retryable"] is True
    edge.shelf.go_on.set()
    assert (await first).status == 201
    assert (await make(edge, SLOW)).headers["idempotent-replayed"] == "true"
    assert edge.shelf.calls == 1


@BOTH
async def test_of_twenty_at_once_one_works_and_the_others_wait_or_repeat(edge: Edge, path: str) -> None:
    told = await asyncio.gather(*(make(edge, path) for _ in range(20)))
    assert {each.status for each in told} <= {201, 409}
    assert len({each.body for each in told if each.status == 201}) == 1
    assert edge.shelf.calls == 1
    assert (await make(edge, path)).headers["idempotent-replayed"] == "true"


async def test_keys_belong_to_who_sends_them_and_to_where(edge: Edge) -> None:
    for told in (
        await make(edge, HONOURED),
        await make(edge, HONOURED, token="bob-linked"),
        await make(edge, REQUIRED),
    ):
        assert told.status == 201
        assert "idempotent-replayed" not in told.headers
    assert edge.shelf.calls == 3


@BOTH
async def test_another_session_of_the_same_person_has_keys_of_its_own(edge: Edge, path: str) -> None:
    await make(edge, path, token="alice-linked-1")
    told = await make(edge, path, token="alice-linked-2")
    assert (told.status, told.headers.get("idempotent-replayed")) == (201, None)
    assert edge.shelf.calls == 2


@BOTH
async def test_an_answer_is_not_given_again_while_the_session_is_less_sure_of_who_is_there(
    edge: Edge, path: str
) -> None:
    await make(edge, path, token="alice-present")
    lower = await make(edge, path, token="alice-real_name")
    assert (lower.status, lower.code, lower.json["required"]) == (403, "auth.level-too-low", "present")
    assert (await make(edge, path, token="alice-present")).headers["idempotent-replayed"] == "true"
    assert edge.shelf.calls == 1


async def test_a_session_that_became_surer_gets_the_first_answer(edge: Edge) -> None:
    await make(edge, HONOURED, token="alice-linked")
    assert (await make(edge, HONOURED, token="alice-present")).headers["idempotent-replayed"] == "true"


async def test_the_query_belongs_to_the_request(edge: Edge) -> None:
    edge.shelf.go_on.set()
    first = await edge.ask("POST", "/v1/public/sums?size=1", Idempotency_Key="1")
    again = await edge.ask("POST", "/v1/public/sums?size=1", Idempotency_Key="1")
    other = await edge.ask("POST", "/v1/public/sums?size=2", Idempotency_Key="1")
    assert (first.status, again.headers.get("idempotent-replayed")) == (200, "true")
    assert (other.status, other.code) == (422, "request.idempotency-key-reused")


async def test_a_form_sent_again_with_another_boundary_is_the_same_request(edge: Edge) -> None:
    def form(boundary: str, content: str) -> dict[str, Any]:
        disposition = 'Content-Disposition: form-data; name="frames"; filename="f"'
        raw = f"--{boundary}\r\n{disposition}\r\n\r\n{content}\r\n--{boundary}--\r\n".encode()
        return {"raw": raw, "Content_Type": f"multipart/form-data; boundary={boundary}", "Idempotency_Key": "1"}

    large = "a" * 99_000
    first = await edge.ask("POST", "/v1/citizen/pictures", **form("one", large))
    again = await edge.ask("POST", "/v1/citizen/pictures", **form("another", large))
    other = await edge.ask("POST", "/v1/citizen/pictures", **form("one", "b" * 99_000))
    assert (first.status, again.status, again.headers.get("idempotent-replayed")) == (200, 200, "true")
    assert (other.status, other.code) == (422, "request.idempotency-key-reused")


FINAL = [RequestInvalid(), RequestNotFound(), StateForbids(), CheckExpired(), RegistryRefused()]
PASSING = [TooManyRequests(), Unavailable(), TokenExpired(), ConsentRequired(), RequestStale(), InProgress()]


@BOTH
@pytest.mark.parametrize("problem", FINAL, ids=lambda problem: problem.code)
async def test_a_problem_that_stays_is_kept_and_nothing_of_its_work(edge: Edge, path: str, problem: Problem) -> None:
    edge.shelf.failure = problem
    first = await make(edge, path)
    edge.shelf.failure = None
    again = await make(edge, path)
    assert first.code == problem.code
    assert (again.status, again.body) == (first.status, first.body)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert again.headers["content-type"] == first.headers["content-type"]
    assert edge.shelf.calls == 1
    assert await kept() == ["done"]
    if path == REQUIRED:
        assert await edge.rows() == (0, 0)


@BOTH
@pytest.mark.parametrize("problem", PASSING, ids=lambda problem: problem.code)
async def test_a_problem_that_may_pass_is_not_kept(edge: Edge, path: str, problem: Problem) -> None:
    edge.shelf.failure = problem
    assert (await make(edge, path)).code == problem.code
    assert await kept() == []
    edge.shelf.failure = None
    told = await make(edge, path)
    assert (told.status, told.headers.get("idempotent-replayed")) == (201, None)


async def test_unknown_callers_of_one_address_are_told_apart_by_their_device(edge: Edge) -> None:
    edge.shelf.go_on.set()
    path, one, two = "/v1/public/failures", "device-0000000001", "device-0000000002"
    first = await edge.ask("POST", path, token=None, Idempotency_Key="1", X_Device_Id=one)
    again = await edge.ask("POST", path, token=None, Idempotency_Key="1", X_Device_Id=one)
    other = await edge.ask("POST", path, token=None, Idempotency_Key="1", X_Device_Id=two)
    replayed = [told.headers.get("idempotent-replayed") for told in (first, again, other)]
    assert replayed == [None, "true", None]


@pytest.mark.parametrize("key", ["x" * 256, "\u00e9", "霍"])
async def test_a_key_that_is_no_key_is_invalid(edge: Edge, key: str) -> None:
    told = await make(edge, HONOURED, key)
    assert (told.status, told.code) == (422, "request.invalid")
    assert told.pointers == ["/headers/Idempotency-Key"]


@BOTH
async def test_a_failure_is_not_kept_and_may_be_repeated(edge: Edge, path: str) -> None:
    edge.shelf.failure = Unavailable()
    assert (await make(edge, path)).status == 503
    edge.shelf.failure = None
    told = await make(edge, path)
    assert (told.status, told.headers.get("idempotent-replayed")) == (201, None)


async def test_where_a_key_is_needed_effect_and_kept_answer_are_one_transaction(edge: Edge) -> None:
    edge.shelf.failure = ValueError()
    assert (await make(edge, REQUIRED)).status == 500
    assert await edge.rows() == (0, 0)
    assert await kept() == []
    edge.shelf.failure = None
    assert (await make(edge, REQUIRED)).status == 201
    assert await edge.rows() == (1, 1)
    assert await kept() == ["done"]


async def hang_up(edge: Edge, path: str) -> None:
    """Send a request and go away as soon as its effect is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(edge.request("POST", path, {"name": "a"}, Idempotency_Key="key-1"))
    await edge.shelf.entered.wait()
    writer.transport.abort()
    del reader


@pytest.mark.parametrize("path", [SLOW, REQUIRED])
async def test_a_caller_that_hung_up_gets_the_one_true_answer_later(edge: Edge, path: str) -> None:
    await hang_up(edge, path)
    await asyncio.sleep(0.05)
    edge.shelf.go_on.set()
    async with asyncio.timeout(2):
        while await kept() != ["done"]:
            await asyncio.sleep(0.01)
    told = await make(edge, path)
    assert (told.status, told.headers["idempotent-replayed"]) == (201, "true")
    assert edge.shelf.calls == 1
    assert await edge.rows() == (1, 1)


async def crash_between(edge: Edge) -> None:
    """Leave what a server leaves that dies between the effect and the kept answer."""
    assert (await make(edge, HONOURED)).status == 201
    from core.db import execute, transaction  # noqa: PLC0415 — only to play the dead server

    lease = edge.ground.clock.now() + timedelta(seconds=60)
    await transaction(
        lambda: execute(
            "UPDATE kept_answer SET state = 'running', lease_until = $1, status = NULL, answer_sealed = NULL", lease
        )
    )


async def test_a_dead_servers_claim_holds_until_its_lease_runs_out(edge: Edge) -> None:
    await crash_between(edge)
    assert (await make(edge, HONOURED)).code == "request.idempotency-in-progress"
    edge.ground.clock.move(timedelta(seconds=61))
    other = await make(edge, HONOURED, name="b")
    assert (other.status, other.code) == (422, "request.idempotency-key-reused")
    told = await make(edge, HONOURED)
    assert (told.status, told.headers.get("idempotent-replayed")) == (201, None)
    assert (await make(edge, HONOURED)).headers["idempotent-replayed"] == "true"


async def test_a_run_out_lease_is_taken_over_by_one(edge: Edge) -> None:
    await crash_between(edge)
    edge.ground.clock.move(timedelta(seconds=61))
    told = await asyncio.gather(*(make(edge, HONOURED) for _ in range(10)))
    assert {each.status for each in told} <= {201, 409}
    assert edge.shelf.calls == 2


async def test_the_kept_answer_lies_sealed(edge: Edge) -> None:
    await make(edge, HONOURED, name="secret-name")
    row = await fetch_one("SELECT scope, body_hash, answer_sealed FROM kept_answer")
    assert row is not None
    assert b"secret-name" not in bytes(row["answer_sealed"])
    assert "secret-name" not in f"{row['scope']} {row['body_hash']}"


async def test_kept_answers_go_after_72_hours(edge: Edge) -> None:
    await make(edge, HONOURED)
    edge.ground.clock.move(timedelta(hours=71))
    await make(edge, HONOURED, "key-2")
    assert await edge.services.idempotency.purge() == 0
    edge.ground.clock.move(timedelta(hours=2))
    assert await edge.services.idempotency.purge() == 1
    assert await kept() == ["done"]
    await drain()
