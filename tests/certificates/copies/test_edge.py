"""Stamped copies and reports on the ledger as callers see them."""

import hashlib
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from api.citizen.wallet import copies as copy_routes
from api.citizen.wallet import ledger_reports as report_routes
from api.public import copy_checks
from auth.rights.reports import LedgerReports
from certificates.copies.stamping import StampedCopies
from core.db import fetch
from tests.certificates.conftest import Hall
from tests.certificates.copies.test_stamping import CHECK_IN, CODE, HOTEL, READER, copies
from tests.certificates.test_edge import Client, serve
from tests.fakes.certificates import issued

__all__ = ["READER", "copies"]  # The second is a fixture.


@pytest.fixture
async def client(hall: Hall, copies: StampedCopies) -> AsyncIterator[Client]:
    ground = hall.ground
    reports = LedgerReports(audit=ground.audit, jobs=ground.jobs, clock=ground.clock, ids=ground.ids)
    more = [copy_routes.routes, copy_checks.routes, report_routes.routes]
    async for client in serve(hall, more, ledger_reports=reports, certificates=SimpleNamespace(copies=copies)):
        yield client


async def test_a_copy_is_a_pdf_and_its_code_is_checked_by_anybody(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/copies"
    head = {"Authorization": "Bearer present"}
    body = {"consumer": f" {HOTEL}\u3000", "purpose": f"{CHECK_IN} "}
    async with client.session.post(client.base + path, json=body, headers=head) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (201, "application/pdf")
        assert answer.headers["Location"].startswith(path)
        made = await client.call("GET", answer.headers["Location"], token="real_name")
        assert (made.status, made.json["consumer"], made.json["purpose"]) == (200, HOTEL, CHECK_IN)
        assert (await client.call("GET", answer.headers["Location"], token="other")).status == 404
        assert (await answer.read()).startswith(b"%PDF")
    good = await client.call("POST", "/v1/public/copy-checks", {"code": CODE, "purpose": CHECK_IN}, token=None)
    assert (good.status, good.json["outcome"], good.json["consumer"], good.json["name"]) == (200, "ok", HOTEL, "霍**")
    other = await client.call("POST", "/v1/public/copy-checks", {"code": CODE, "purpose": "办理贷款"}, token=None)
    assert (other.json["outcome"], other.json["purpose"]) == ("other_purpose", CHECK_IN)
    none = await client.call("POST", "/v1/public/copy-checks", {"code": "?", "purpose": "x"}, token=None)
    assert (none.json["outcome"], none.json["kind"]) == ("unknown", None)
    assert (await client.call("POST", path, {"consumer": "", "purpose": "x"})).status == 422
    assert (await client.call("POST", path, body, token="other")).status == 404


@pytest.mark.parametrize("field", ["consumer", "purpose"])
@pytest.mark.parametrize(
    ("text", "code"),
    [("   ", "unseen"), ("\u3000", "unseen"), ("\u202eabc", "character"), ("𠮷野家", "undrawable")],
)
async def test_what_could_not_be_read_on_the_paper_is_refused(
    hall: Hall, client: Client, field: str, text: str, code: str
) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/copies"
    told = await client.call("POST", path, {"consumer": HOTEL, "purpose": CHECK_IN} | {field: text})
    assert (told.status, [(each["pointer"], each["code"]) for each in told.json["errors"]]) == (
        422,
        [(f"/{field}", code)],
    )


@pytest.mark.parametrize("purpose", ["   ", "\u3000", "\u202eabc"])
async def test_neither_is_a_code_shown_for_such_a_purpose(hall: Hall, client: Client, purpose: str) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/presentations"
    told = await client.call("POST", path, {"purpose": purpose})
    assert (told.status, told.json["errors"][0]["pointer"]) == (422, "/purpose")


async def test_the_ledger_is_fetched_as_a_table_and_a_line_is_reported(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    await client.fetched()
    head = {"Authorization": "Bearer present"}
    async with client.session.get(f"{client.base}/v1/citizen/ledger/file", headers=head) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        table = (await answer.text("utf-8-sig")).splitlines()
    assert table[0] == "时间（北京时间）,谁,做了什么,用途,证照,内容项,结果,办件或申请编号,记录编号"
    cells = table[1].split(",")
    assert cells[:5] == ["2026-03-10 10:00:00", "您本人", "领取或更新证照", "持证人领取电子证照", "驾驶证"]
    assert cells[5].startswith("证号、姓名、性别、国籍、")
    assert cells[6] == "成功"
    async with client.session.get(
        f"{client.base}/v1/citizen/ledger/file", headers={**head, "Accept-Language": "en"}
    ) as answer:
        english = (await answer.text("utf-8-sig")).splitlines()
    assert english[0] == "Time (Beijing),Who,What was done,Purpose,Certificate,Fields,Outcome,Case,Line"
    assert not re.search("[\u4e00-\u9fff]", "".join(english))
    line = (await client.call("GET", "/v1/citizen/ledger")).json["items"][0]["id"]
    made = await client.call("POST", f"/v1/citizen/ledger/{line}/reports", {"kind": "not-me"})
    assert (made.status, made.json["line"], made.json["answer"]) == (201, line, None)
    assert (await client.call("GET", made.headers["Location"])).json == made.json
    assert (await client.call("GET", made.headers["Location"], token="other")).status == 404
    erase = await client.call("POST", f"/v1/citizen/ledger/{line}/reports", {"kind": "erasure"})
    assert (erase.status, erase.json["code"]) == (409, "auth.report-unsuitable")
    strange = await client.call("POST", f"/v1/citizen/ledger/{uuid4()}/reports", {"kind": "not-me"})
    assert strange.status == 404


@pytest.mark.parametrize("purpose", [{}, {"purpose": ""}, {"purpose": " \u3000"}, {"purpose": None}])
async def test_a_check_without_a_purpose_is_refused_and_nobody_is_told_of_misuse(
    hall: Hall, client: Client, purpose: dict[str, Any]
) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/copies"
    head = {"Authorization": "Bearer present"}
    async with client.session.post(
        client.base + path, json={"consumer": HOTEL, "purpose": CHECK_IN}, headers=head
    ) as answer:
        assert answer.status == 201
    told = await client.call("POST", "/v1/public/copy-checks", {"code": CODE, **purpose}, token=None)
    assert (told.status, [each["pointer"] for each in told.json["errors"]]) == (422, ["/purpose"])
    assert await fetch("SELECT id FROM job WHERE name = 'notices.tell'") == []
    assert "certificates.copy-checked" not in {line.action for line in await hall.ledger()}


async def test_a_request_sent_again_under_its_key_gets_the_very_same_paper(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/copies"
    body = {"consumer": HOTEL, "purpose": CHECK_IN}

    async def ask(key: str, **changes: str) -> tuple[int, bytes, dict[str, str]]:
        head = {"Authorization": "Bearer present", "Idempotency-Key": key}
        async with client.session.post(client.base + path, json=body | changes, headers=head) as answer:
            names = ("Content-Type", "Content-Disposition", "Content-Language", "Cache-Control", "Location")
            told = {name: answer.headers.get(name, "") for name in names}
            replayed = answer.headers.get("Idempotent-Replayed", "")
            return answer.status, await answer.read(), {**told, "replayed": replayed}

    first, second = await ask("copy-1"), await ask("copy-1")
    assert (first[0], first[1][:4], first[2].pop("replayed")) == (201, b"%PDF", "")
    assert second[2].pop("replayed") == "true"
    assert first == second
    assert len(await fetch("SELECT id FROM certificate_copy")) == 1
    found = {"code": CODE, "purpose": CHECK_IN, "sha256": hashlib.sha256(second[1]).hexdigest()}
    assert (await client.call("POST", "/v1/public/copy-checks", found, token=None)).json["outcome"] == "ok"
    assert (await ask("copy-1", purpose="办理贷款"))[0] == 422
    stored = b"".join(bytes(row["answer_sealed"]) for row in await fetch("SELECT answer_sealed FROM kept_answer"))
    assert len(stored) > len(first[1])
    assert b"JVBERi" not in stored  # `%PDF` in base64.
