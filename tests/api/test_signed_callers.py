"""Departments and verifiers: signed requests, each taken once, and one answer to every bad signature."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver, algorithms

from tests.api.edge import Edge, Told
from tests.api.service import POLICE, PUBLIC_URL, SHOP
from tests.core.signers.test_http_signature import STRANGER, Sent

PROGRESS = "/v1/departments/public-security/progress"
BODY = b'{"name": "news"}'


def signed(
    edge: Edge,
    path: str = PROGRESS,
    *,
    key: Any = POLICE,
    key_id: str = "police-1",
    nonce: str = "nonce-0123456789abcdef",
    age: int = 0,
) -> dict[str, str]:
    sent = Sent(url=PUBLIC_URL + path, body=BODY)
    ContentDigest.add(sent.headers, BODY)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(private_keys={key_id: key}, public_keys={}),
    )
    signer.sign(
        sent,
        key_id=key_id,
        created=edge.ground.clock.now() - timedelta(seconds=age),
        nonce=nonce,
        covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
        use_existing_digest=True,
    )
    return {name.replace("-", "_"): value for name, value in sent.headers.items()}


async def send(edge: Edge, headers: dict[str, str], path: str = PROGRESS, raw: bytes = BODY) -> Told:
    return await edge.ask("POST", path, raw=raw, token=None, **headers)


async def test_a_signed_report_is_taken_and_a_replay_has_no_effect(edge: Edge) -> None:
    headers = signed(edge)
    assert [(await send(edge, headers)).status for _ in range(3)] == [204, 204, 204]
    assert edge.shelf.replays == [False, True, True]
    assert await edge.rows() == (1, 1)


async def test_of_twenty_replays_at_once_one_has_its_effect(edge: Edge) -> None:
    headers = signed(edge)
    told = await asyncio.gather(*(send(edge, headers) for _ in range(20)))
    assert {each.status for each in told} == {204}
    assert await edge.rows() == (1, 1)


async def test_a_report_whose_effect_failed_may_be_sent_again_as_it_is(edge: Edge) -> None:
    headers = signed(edge)
    edge.shelf.failure = TimeoutError()
    assert (await send(edge, headers)).status == 503
    assert await edge.rows() == (0, 0)
    edge.shelf.failure = None
    assert (await send(edge, headers)).status == 204
    assert await edge.rows() == (1, 1)


@pytest.mark.parametrize("how", ["unsigned", "stranger", "old", "other body", "other address", "garbage"])
async def test_every_bad_signature_gets_the_same_answer(edge: Edge, how: str) -> None:
    headers, raw = signed(edge), BODY
    if how == "unsigned":
        headers = {"Content_Type": "application/json"}
    elif how == "stranger":
        headers = signed(edge, key=STRANGER)
    elif how == "old":
        headers = signed(edge, age=301)
    elif how == "other body":
        raw = b'{"name": "none"}'
    elif how == "other address":
        headers = signed(edge, "/v1/departments/notary/progress")
    else:
        headers["Signature_Input"] = "x"
    told = await send(edge, headers, raw=raw)
    assert (told.status, told.code) == (401, "departments.signature-invalid")
    assert set(told.json) == {"type", "title", "status", "code", "instance", "retryable"}
    assert edge.shelf.calls == 0


async def test_a_department_speaks_for_itself_only(edge: Edge) -> None:
    path = "/v1/departments/notary/progress"
    told = await send(edge, signed(edge, path), path)
    assert (told.status, told.code) == (403, "departments.not-your-case")


async def test_a_verifier_may_come_unsigned_but_not_badly_signed(edge: Edge) -> None:
    path = "/v1/verifiers/questions"
    shop = signed(edge, path, key=SHOP, key_id="shop-1")
    unsigned = await send(edge, {"Content_Type": "application/json"}, path)
    known = await send(edge, shop, path)
    forged = await send(edge, signed(edge, path, key=STRANGER, key_id="shop-1"), path)
    assert (unsigned.json["name"], known.json["name"]) == ("None news", "a-shop news")
    assert (forged.status, forged.code) == (401, "departments.signature-invalid")
    assert edge.shelf.replays == [False, False]
    again = await send(edge, shop, path)
    assert (again.status, again.code) == (401, "departments.signature-invalid")
    assert edge.shelf.replays == [False, False]


async def test_a_key_opens_the_doors_of_its_own_kind_of_party(edge: Edge) -> None:
    question, news = "/v1/verifiers/questions", "/v1/departments/a-shop/progress"
    as_verifier = await send(edge, signed(edge, question), question)
    as_department = await send(edge, signed(edge, news, key=SHOP, key_id="shop-1"), news)
    from_elsewhere = await send(edge, signed(edge, question, key=SHOP, key_id="far-1"), question)
    for told in (as_verifier, as_department, from_elsewhere):
        assert (told.status, told.code) == (401, "departments.signature-invalid")
    assert edge.shelf.calls == 0


async def test_a_verifiers_question_that_failed_may_be_sent_again_as_it_is(edge: Edge) -> None:
    path = "/v1/verifiers/questions"
    headers = signed(edge, path, key=SHOP, key_id="shop-1")
    edge.shelf.failure = TimeoutError()
    assert (await send(edge, headers, path)).status == 503
    edge.shelf.failure = None
    assert (await send(edge, headers, path)).status == 200
    assert edge.shelf.replays == [False, False]
