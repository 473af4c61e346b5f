"""Each of the cast gets their ending, through real processes, real sockets and the real face engine."""

import asyncio
import base64
import json
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import asyncpg
import pytest

from tests.journeys.resident import Reply, Resident
from tests.journeys.town import Town

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]

Phone = Callable[[str], Resident]


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> Any:
    """Ask again and again until there is something, and return it."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.1)
    return found


async def matter_code(who: Resident, title: str) -> str:
    listed = await who.ask("GET", f"/v1/citizen/matters?query={title}")
    return str(next(item["code"] for item in listed.body["items"] if title in item["title"]))


async def reached(who: Resident, application_id: str, *states: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        shown = await who.ask("GET", f"/v1/citizen/applications/{application_id}")
        return shown.body if shown.body["state"] in states else None

    body: dict[str, Any] = await until(look)
    return body


async def first(who: Resident, kind: str) -> dict[str, Any]:
    fetched = await who.ask("POST", "/v1/citizen/certificates", {"kind": kind})
    assert fetched.status in {200, 201}, fetched.text
    body: dict[str, Any] = fetched.body
    return body


async def show(who: Resident, certificate: dict[str, Any], **wanted: Any) -> Reply:
    return await who.ask("POST", f"/v1/citizen/certificates/{certificate['id']}/presentations", wanted)


async def test_the_whole_journey_of_huomingzhe(resident: Phone) -> None:
    who = resident("huomingzhe")
    login = await who.log_in()
    assert login.status == 201
    assert login.headers["Location"]

    identified = await who.identify()
    assert identified.status == 200
    assert identified.body["name"] == "霍**"
    assert identified.body["id_number"] == "9999**********2179"

    listed = await who.ask("GET", "/v1/citizen/certificates")
    assert listed.status == 200
    licence = await first(who, "driving-licence")
    assert licence["state"] == "active"

    refused = await who.ask("GET", f"/v1/citizen/certificates/{licence['id']}")
    assert (refused.status, refused.body["code"]) == (403, "auth.level-too-low")
    assert refused.body["required"] == "present"
    assert {way["method"] for way in refused.body["ways"]} > {"face"}

    await who.pass_face()
    opened = await who.ask("GET", f"/v1/citizen/certificates/{licence['id']}")
    assert opened.status == 200
    assert opened.body["fields"]
    assert opened.body["identifier"].startswith("1.2.156.3005.2.")

    shown = await show(who, licence, purpose="租车")
    assert shown.status == 201
    assert shown.body["colour"] == "black"
    drawing = ET.fromstring(shown.body["qr_svg"])  # noqa: S314 — our own answer
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"

    scanned = await who.ask("POST", "/v1/verifiers/verifications", {"code": shown.body["code"]}, token="")
    assert scanned.body["outcome"] == "ok"
    again = await who.ask("POST", "/v1/verifiers/verifications", {"code": shown.body["code"]}, token="")
    assert again.body["outcome"] == "used"

    ledger = await who.ask("GET", "/v1/citizen/ledger?limit=100")
    outcomes = [item["outcome"] for item in ledger.body["items"]]
    assert "ok" in outcomes
    assert "used" in outcomes

    card = await first(who, "social-security-card")
    assert (await who.ask("GET", f"/v1/citizen/certificates/{card['id']}")).body["fields"]
    for kind in ("vehicle-licence", "housing-fund", "passport", "hk-macau-permit"):
        held = await first(who, kind)
        assert (await who.ask("GET", f"/v1/citizen/certificates/{held['id']}")).body["colour"] == "black"
    for kind in ("residence-permit", "taiwan-permit", "disability-certificate", "birth-certificate"):
        none = await who.ask("POST", "/v1/citizen/certificates", {"kind": kind})
        assert (none.status, none.body["code"]) == (404, "certificates.none-held")


async def test_an_issuer_freezes_and_thaws_a_certificate_and_it_shows_at_once(resident: Phone) -> None:
    who = resident("zhouqiangshan")
    await who.come_in()
    licence = await first(who, "driving-licence")
    path = f"/sandbox/people/{who.slug}/certificates/driving-licence"
    news = {"tell": f"{who.portal}/v1/departments/public-security/certificates"}
    assert (await who.tell_sandbox("PUT", path, {"state": "08", **news}))["answered"] == 204
    try:
        [shown] = [
            item
            for item in (await who.ask("GET", "/v1/citizen/certificates")).body["items"]
            if item["id"] == licence["id"]
        ]
        assert shown["state"] == "frozen"
        assert (await show(who, licence)).body["colour"] == "red"
    finally:
        assert (await who.tell_sandbox("PUT", path, {"state": "01", **news}))["answered"] == 204
    opened = await who.ask("GET", f"/v1/citizen/certificates/{licence['id']}")
    assert (opened.body["state"], opened.body["state_code"]) == ("active", "01")
    assert opened.body["against"] == ["记分已满12分"]
    changes = await who.ask("GET", f"/v1/citizen/certificates/{licence['id']}/changes?limit=100")
    assert [item["state"] for item in changes.body["items"]][-2:] == ["frozen", "active"]


async def test_a_known_citizen_is_back_with_one_call(resident: Phone) -> None:
    who = resident("wujinglan")
    assert (await who.log_in()).status == 201
    assert (await who.identify()).status == 200
    back = await resident("wujinglan").log_in()
    assert back.body["citizen"]["level"] == "real_name"
    assert back.body["citizen"]["name"] == "邬**"


async def test_another_face_does_not_pass_for_lieyunqi(resident: Phone) -> None:
    who = resident("lieyunqi")
    await who.log_in()
    assert (await who.identify()).status == 200
    refused = await who.show_face()
    assert refused.body["outcome"] == "failed"
    assert refused.body["reason"] == "not_passed"
    assert refused.body["alternatives"]
    assert (await who.ask("GET", "/v1/citizen/me")).body["level"] == "real_name"


@pytest.mark.parametrize("style", ["still", "other_person", "swapped", "reordered"])
async def test_a_cheating_camera_does_not_pass(resident: Phone, style: str) -> None:
    who = resident("qumanlin")
    await who.log_in()
    await who.identify()
    assert (await who.show_face(style)).body["outcome"] == "failed"


async def test_the_same_pictures_pass_only_once(resident: Phone) -> None:
    who = resident("huomingzhe")
    await who.log_in()
    await who.identify()
    check = await who.ask("POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"})
    frames = await who.frames(check.body["actions"])
    path = f"/v1/citizen/face-checks/{check.body['id']}/evidence"
    assert (await who.ask("POST", path, files=frames)).body["outcome"] == "passed"
    other = await who.ask("POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"})
    replayed = await who.ask("POST", f"/v1/citizen/face-checks/{other.body['id']}/evidence", files=frames)
    assert (replayed.status, replayed.body["code"]) == (409, "face.evidence-replayed")


async def test_the_department_refuses_wanqiushi(resident: Phone) -> None:
    who = resident("wanqiushi")
    await who.come_in()
    submitted = await who.apply(await matter_code(who, "居住证签注"))
    assert submitted.status == 202, submitted.text
    ended = await reached(who, submitted.body["application_id"], "not_accepted")
    assert any(step["note"] for step in ended["timeline"])


async def test_zhuangjiheng_waits_until_the_department_is_back(resident: Phone) -> None:
    who = resident("zhuangjiheng")
    await who.come_in()
    submitted = await who.apply(await matter_code(who, "居住证签注"))
    assert submitted.status == 202, submitted.text
    application = submitted.body["application_id"]
    await asyncio.sleep(4)
    waiting = (await who.ask("GET", f"/v1/citizen/applications/{application}")).body
    assert waiting["state"] == "submitted"
    assert waiting["next_action"]
    await who.tell_sandbox("PUT", "/sandbox/faults/public-security", {"mode": "ok"})
    await reached(who, application, "approved", "delivered", "closed")


async def test_qumanlin_is_approved_by_callback_and_the_permit_shows_it(resident: Phone) -> None:
    who = resident("qumanlin")
    await who.come_in()
    before = await first(who, "residence-permit")
    submitted = await who.apply(await matter_code(who, "居住证签注"))
    assert submitted.status == 202, submitted.text
    assert len(submitted.body["number"]) == 43
    application = submitted.body["application_id"]
    ended = await reached(who, application, "approved", "delivered", "closed")
    steps = [step["step"] for step in ended["timeline"]]
    assert "accepted" in steps

    public = await who.ask(
        "POST",
        "/v1/public/progress-queries",
        {"number": submitted.body["number"], "query_code": submitted.body["query_code"]},
        token="",
    )
    assert public.status in {200, 201}, public.text
    wrong = await who.ask(
        "POST",
        "/v1/public/progress-queries",
        {
            "number": submitted.body["number"],
            "query_code": "000000" if submitted.body["query_code"] != "000000" else "111111",
        },
        token="",
    )
    assert wrong.status == 404
    # Or by a text from any phone, answered to that phone.
    asked = {
        "mobile": (await who.person())["mobile"],
        "text": f"{submitted.body['number']} {submitted.body['query_code']}",
        "tell": f"{who.portal}/v1/departments/sms/incoming-messages",
    }
    told = await who.tell_sandbox("POST", "/sandbox/sms/incoming-messages", asked)
    assert told["answered"] == 200
    texts = await who.tell_sandbox("GET", f"/sandbox/sms/notices?mobile={asked['mobile']}")
    assert f"【指尖办事】{told['reply']}" in [each["text"] for each in texts["items"]]
    assert "居住证签注" in told["reply"]

    async def endorsed() -> bool:
        opened = await who.ask("GET", f"/v1/citizen/certificates/{before['id']}")
        until_day = datetime.fromisoformat(opened.body["fields"]["endorsed_until"]).replace(tzinfo=UTC)
        return (until_day - datetime.now(UTC)).days > 200

    assert await until(endorsed)


async def test_chenxinran_is_settled_at_once(resident: Phone) -> None:
    who = resident("chenxinran")
    await who.come_in()
    code = await matter_code(who, "应届毕业生落户")
    submitted = await who.apply(code)
    assert submitted.status == 202, submitted.text
    ended = await reached(who, submitted.body["application_id"], "approved", "delivered", "closed")
    assert ended["branches"]
    checks = await who.ask("POST", f"/v1/citizen/matters/{code}/checks")
    assert checks.status in {200, 201}, checks.text


async def test_pangxiuying_draws_her_pension_by_face_alone(resident: Phone) -> None:
    who = resident("pangxiuying")
    person = await who.person()
    asked = {"name": person["name"], "id_number": person["id_number"], "consent": "face@1"}
    check = await who.ask("POST", "/v1/citizen/elder-sessions", asked)
    assert check.status == 201, check.text
    frames = await who.frames(check.body["actions"])
    session = await who.ask("POST", f"/v1/citizen/elder-sessions/{check.body['id']}/evidence", files=frames)
    assert session.status == 201, session.text
    who.keep(session)
    assert session.body["citizen"]["elder"] is True
    submitted = await who.apply(await matter_code(who, "养老金"))
    assert submitted.status == 202, submitted.text
    await reached(who, submitted.body["application_id"], "approved", "delivered", "closed")


async def test_an_unknown_elder_gets_the_same_answer_and_no_session(resident: Phone) -> None:
    who = resident("hefangzhou")
    person = await who.person()
    asked = {"name": person["name"], "id_number": person["id_number"], "consent": "face@1"}
    check = await who.ask("POST", "/v1/citizen/elder-sessions", asked)
    assert check.status == 201
    frames = await who.frames(check.body["actions"])
    refused = await who.ask("POST", f"/v1/citizen/elder-sessions/{check.body['id']}/evidence", files=frames)
    assert refused.status == 200
    assert (refused.body["outcome"], refused.body["reason"]) == ("failed", "not_passed")


async def test_the_registry_does_not_know_hefangzhou(resident: Phone) -> None:
    who = resident("hefangzhou")
    await who.log_in()
    refused = await who.identify()
    assert (refused.status, refused.body["code"]) == (403, "auth.identity-mismatch")


async def test_the_permit_of_wujinglan_lapses_soon(resident: Phone) -> None:
    who = resident("wujinglan")
    await who.come_in()
    assert (await first(who, "residence-permit"))["state"] == "expiring"


async def test_a_double_click_makes_one_application(resident: Phone) -> None:
    who = resident("chenxinran")
    await who.come_in()
    code = await matter_code(who, "应届毕业生落户")
    key = uuid.uuid4().hex
    replies = await asyncio.gather(
        *(who.ask("POST", "/v1/citizen/applications", {"matter": code}, key=key) for _ in range(20))
    )
    good = {reply.body["id"] for reply in replies if reply.status == 201}
    assert len(good) == 1
    assert {reply.status for reply in replies} <= {201, 409}


async def test_nothing_of_the_cast_lies_in_clear_in_the_database(resident: Phone, town: Town) -> None:
    who = resident("huomingzhe")
    await who.come_in()
    await who.ask("PUT", "/v1/citizen/me/mobile", {"code": (await phone_code(who))["code"]})
    await first(who, "driving-licence")
    people = (await who.tell_sandbox("GET", "/sandbox/people"))["items"]
    secrets = {person[name] for person in people for name in ("name", "id_number", "mobile")}
    secrets |= await wechat_names(who, town)
    dump = await dump_of(town)
    assert len(dump) > 10_000
    found = [secret for secret in secrets for form in forms(secret) if form in dump]
    assert found == []


async def phone_code(who: Resident) -> Any:
    return await who.tell_sandbox("POST", "/sandbox/wechat/phone-codes", {"person": who.slug})


async def wechat_names(who: Resident, town: Town) -> set[str]:
    """What WeChat calls this person, asked as the product asks."""
    app = json.loads((town.data / "sandbox" / "credentials.json").read_text())["wechat"]
    code = (await who.tell_sandbox("POST", "/sandbox/wechat/codes", {"person": who.slug}))["code"]
    query = f"appid={app['app_id']}&secret={app['app_secret']}&js_code={code}&grant_type=authorization_code"
    told = await who.tell_sandbox("GET", f"/wechat/sns/jscode2session?{query}")
    return {told["openid"], told["unionid"], told["session_key"]}


def forms(secret: str) -> list[bytes]:
    """A value as it would look in clear, in hex, and in base64 at any offset."""
    raw = secret.encode()
    encoded = [base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)]
    escaped = secret.encode("unicode_escape")
    return [raw, escaped, raw.hex().encode(), raw.hex().upper().encode(), *(form for form in encoded if len(form) > 6)]


async def dump_of(town: Town) -> bytes:
    """Everything that the database holds, as text and as it lies on the disk."""
    if not town.database_url:
        file = town.data / "zhijian.sqlite3"
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            text = "\n".join(connection.iterdump()).encode()
        finally:
            connection.close()
        log = file.with_name(file.name + "-wal")
        return text + file.read_bytes() + (log.read_bytes() if log.exists() else b"")
    database = await asyncpg.connect(town.database_url)
    try:
        tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        parts = []
        for table in tables:
            rows = await database.fetch(f'SELECT t.*::text FROM "{table["tablename"]}" t')  # noqa: S608 — our own names
            parts += [str(value).encode() for row in rows for value in row]
        return b"\n".join(parts)
    finally:
        await database.close()
