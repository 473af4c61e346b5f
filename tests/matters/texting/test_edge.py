"""Text messages over a real connection: who may hand them on, what is answered, and how guessing ends."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from core.db import fetch
from core.signers.http_signature import TrustedKey
from matters.texting.rules import TOO_OFTEN, UNREADABLE, WRONG
from tests.matters.conftest import ENDORSEMENT, Desk
from tests.matters.edge import Answered, Portal, Signer, opened

SMS = Signer("sms-1")
SENDER = "5a" * 32
START = "/v1/citizen/applications"


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk, {"sms-1": TrustedKey("sms", SMS.key.public_key())}) as portal:
        yield portal


async def text(portal: Portal, said: str, *, sender: str = SENDER, **more: Any) -> Answered:
    body = {"message_id": uuid4().hex, "sender": sender, "text": said, "at": "2026-03-10T10:00:00+08:00"}
    return await portal.tell(body, **{"department": "sms", "signer": SMS, "what": "incoming-messages", **more})


async def submitted(portal: Portal) -> tuple[str, str]:
    draft = await portal.post(START, {"matter": ENDORSEMENT, "form": {}})
    answer = await portal.post(f"{START}/{draft.json['id']}/submissions")
    return answer.json["number"], answer.json["query_code"]


async def test_a_text_is_answered_with_how_the_case_stands_and_nothing_about_the_person(portal: Portal) -> None:
    number, code = await submitted(portal)
    answer = await text(portal, f"查 {number} {code}")
    assert answer.status == 200
    assert answer.json["reply"].startswith("居住证签注：已提交申请。")
    lines = await fetch("SELECT outcome, actor_kind FROM audit_line WHERE action = 'matters.progress-queried'")
    assert [line["outcome"] for line in lines] == ["ok"]
    assert (await text(portal, "我的事办好了吗？")).json["reply"] == UNREADABLE
    wrong = "000000" if code != "000000" else "111111"
    assert (await text(portal, f"{number} {wrong}")).json["reply"] == WRONG
    assert (await text(portal, f"{'9' * 43} {wrong}")).json["reply"] == WRONG
    # What was refused is written down all the same, though the provider got its answer.
    lines = await fetch("SELECT outcome FROM audit_line WHERE action = 'matters.progress-queried' ORDER BY at, id")
    assert [line["outcome"] for line in lines] == ["ok", "wrong-code", "wrong-code"]


async def test_guessing_ends_for_a_number_and_for_a_sender(portal: Portal) -> None:
    number, code = await submitted(portal)
    wrong = "000000" if code != "000000" else "111111"
    said = [(await text(portal, f"{number} {wrong}", sender=f"{place:064x}")).json["reply"] for place in range(11)]
    assert said == [WRONG] * 10 + [TOO_OFTEN]
    # The web is locked with it, and the right code does not open it any more.
    told = {"number": number, "query_code": code}
    assert (await portal.call("POST", "/v1/public/progress-queries", told, token=None)).status == 429
    alone = [(await text(portal, "？")).json["reply"] for _ in range(21)]
    assert alone == [UNREADABLE] * 20 + [TOO_OFTEN]


async def test_nobody_but_the_provider_hands_messages_on(portal: Portal) -> None:
    assert (await text(portal, "？", signer=portal.public_security)).status == 403
    assert (await text(portal, "？", department="public-security", signer=portal.public_security)).status == 403
    stranger = Signer("sms-1")
    assert (await text(portal, "？", signer=stranger)).status == 401
    for sender in ("19900000001", "5A" * 32, ""):
        assert (await text(portal, "？", sender=sender)).status == 422
    assert (await text(portal, "？" * 501)).status == 422
