"""Exports: everything there is about a person, for that person, once a day, for a week."""

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta

import pypdfium2
import pytest
from tortoise import fields
from tortoise.models import Model

from auth.rights.document import pdf_of
from auth.rights.errors import ExportExpired, ExportNotReady, ExportTooSoon, NoSuchExport
from auth.rights.types import ExportFormat, ExportState
from core.crypto import RecordUnreadable
from core.db import fetch, transaction
from core.errors import Problem
from tests.architecture.test_schema import models
from tests.auth.rights.conftest import LICENCE_NUMBER, MOBILE, NAME, NUMBER, OPENID, Rights, actions_of, count, section

# By these columns a row tells whose it is.
OF_A_PERSON = {
    "citizen_id", "subject_id", "holder_id", "person_id", "on_behalf_of", "given_by", "person_hash", "person_mark",
    "number_hash",
    "openid_hash", "id_number_hash", "mobile_hash", "principal_id", "agent_id", "agent_mark", "other_id", "claimant_id",
    "reader_id", "about_id", "account_id",
}  # fmt: skip
# And by these a row is a part of one that does, or counts for one.
PARTS = {"application_id", "session_id", "check_id", "notice_id"}
COUNTED = {"face_subject", "real_name_subject", "way_attempt", "way_subject"}


def personal_tables(given: Iterable[type[Model]]) -> set[str]:
    found = set()
    for model in given:
        columns = {field.source_field or name for name, field in model._meta.fields_map.items()}
        table = model._meta.db_table
        if columns & (OF_A_PERSON | PARTS) or table in COUNTED:
            found.add(table)
    # An operator's session belongs to no resident.
    return found - {"operator_session"}


async def test_an_export_covers_every_table_with_a_person_in_it(rights: Rights) -> None:
    caller = await rights.resident()
    told = {
        table for source in rights.sources for part in await source.export(caller.citizen_id) for table in part.tables
    }
    assert told >= {"citizen", "certificate", "application", "face_check", "audit_line"}
    assert personal_tables(models()) - told == set()

    class Planted(Model):
        """A table that nobody thought of."""

        id = fields.UUIDField(primary_key=True)
        citizen_id = fields.UUIDField()

        class Meta:
            table = "planted"

    assert personal_tables([Planted]) - told == {"planted"}


async def test_an_export_holds_what_every_domain_knows(rights: Rights) -> None:
    caller = await rights.settled()
    file = await rights.exports.fetch_file(caller, await rights.exported(caller), ExportFormat.JSON)
    document = json.loads(file.content)
    [identity] = section(document, "identity")
    assert (identity["name"], identity["id_number"], identity["mobile"]) == (NAME, NUMBER, MOBILE)
    assert section(document, "certificates")[0]["number"] == LICENCE_NUMBER
    assert section(document, "certificates")[0]["fields"] == {"name": NAME, "number": NUMBER}
    assert {each["state"] for each in section(document, "applications")} == {"draft", "submitted"}
    assert section(document, "applications")[0]["history"][0]["step"] == "created"
    assert section(document, "face-checks")[0]["outcome"] == "passed"
    assert section(document, "corrections")[0]["text"] == "我的手机号不对"
    assert {each["purpose"] for each in section(document, "consents")} == {"real-name", "face", "delegation"}
    assert {(each["asked_by"], each["other_name"]) for each in section(document, "relatives")} == {
        ("self", "宛**"), ("other", "宛**"), ("other", "贾**"),
    }  # fmt: skip
    assert {(each["role"], each["state"]) for each in section(document, "mandates")} == {
        ("agent", "active"), ("principal", "active"),
    }  # fmt: skip
    assert {(each["method"], each["outcome"]) for each in section(document, "identity-checks")} == {
        ("network-id", "passed"), ("bank-card", ""), ("counter", ""),
    }  # fmt: skip
    assert [each["purpose"] for each in section(document, "assistances")] == [f"替{NAME}办事"]
    assert section(document, "notices")[0]["ways"][0]["channel"] in {"wechat", "sms"}
    assert [each["wanted"] for each in section(document, "notice-choices")] == [False]
    assert {each["whose"] for each in section(document, "notice-copies")} == {"mine", "of-family"}
    assert [each["template"] for each in section(document, "subscriptions")] == ["progress"]
    assert [each["side"] for each in section(document, "takeovers")] == ["holder"]
    assert [each["group"] for each in section(document, "groups")] == ["disabled"]
    assert ("auth.identity-bound", "绑定实名信息") in {
        (each["action"], each["action_title"]) for each in section(document, "ledger")
    }
    assert len(section(document, "ledger")) >= await count("audit_line", subject_id=caller.citizen_id) - 3
    # Family is told by masked names; what never leaves the server does not leave it here.
    assert "宛秋实" not in file.content.decode()
    assert OPENID not in file.content.decode()


async def test_an_export_says_nothing_of_others(rights: Rights) -> None:
    await rights.settled()
    other = await rights.resident("openid-other", "宛秋实", "999999197806214551")
    file = await rights.exports.fetch_file(other, await rights.exported(other), ExportFormat.JSON)
    text = file.content.decode()
    assert "宛秋实" in text
    assert not any(value in text for value in (NAME, NUMBER, MOBILE, LICENCE_NUMBER))


async def test_an_export_may_be_asked_for_once_a_day(rights: Rights) -> None:
    caller = await rights.resident()

    async def ask() -> str:
        try:
            await rights.exports.request(caller)
        except ExportTooSoon:
            return "too soon"
        return "asked"

    outcomes = await asyncio.gather(*(ask() for _ in range(10)))
    assert outcomes.count("asked") == 1
    with pytest.raises(ExportTooSoon) as caught:
        await rights.exports.request(caller)
    assert caught.value.extras.retry_after == 24 * 3600
    rights.ground.clock.move(timedelta(days=1, seconds=1))
    assert await ask() == "asked"


async def test_an_export_is_the_persons_own_and_gone_after_a_week(rights: Rights) -> None:
    caller = await rights.resident()
    other = await rights.resident("openid-other", "宛秋实", "999999197806214551")
    view = await rights.exports.request(caller)
    with pytest.raises(ExportNotReady):
        await rights.exports.fetch_file(caller, view.id, ExportFormat.JSON)
    change = await rights.exports.build(str(view.id))
    assert change is not None
    await transaction(change)
    assert await rights.exports.build(str(view.id)) is None
    ready = await rights.exports.get(caller, view.id)
    assert ready.state is ExportState.READY
    assert ready.expires_at == rights.ground.clock.now() + timedelta(days=7)
    for ask in (rights.exports.get(other, view.id), rights.exports.fetch_file(other, view.id, ExportFormat.PDF)):
        with pytest.raises(NoSuchExport):
            await ask
    assert (await rights.exports.fetch_file(caller, view.id, ExportFormat.PDF)).content.startswith(b"%PDF")
    rights.ground.clock.move(timedelta(days=7) - timedelta(seconds=1))
    await rights.exports.fetch_file(caller, view.id, ExportFormat.JSON)
    assert await rights.exports.tidy() == 0
    rights.ground.clock.move(timedelta(seconds=1))
    with pytest.raises(ExportExpired):
        await rights.exports.fetch_file(caller, view.id, ExportFormat.JSON)
    assert await rights.exports.tidy() == 1
    with pytest.raises(NoSuchExport):
        await rights.exports.fetch_file(caller, view.id, ExportFormat.JSON)


async def test_every_fetching_is_in_the_ledger(rights: Rights) -> None:
    caller = await rights.resident()
    export_id = await rights.exported(caller)
    for form in (ExportFormat.JSON, ExportFormat.PDF):
        await rights.exports.fetch_file(caller, export_id, form)
    actions = await actions_of(caller.citizen_id)
    assert sorted(action for action in actions if "export" in action) == [
        "auth.export-built", "auth.export-fetched", "auth.export-fetched", "auth.export-requested",
    ]  # fmt: skip
    assert (await rights.exports.get(caller, export_id)).downloads == 2


async def test_an_export_rests_under_the_persons_own_key(rights: Rights) -> None:
    caller = await rights.resident()
    export_id = await rights.exported(caller)
    [row] = await fetch("SELECT json_sealed, pdf_sealed FROM data_export WHERE id = $1", export_id)
    assert NAME.encode() not in bytes(row["json_sealed"])
    with pytest.raises(RecordUnreadable):
        rights.ground.vault.open("data_export.json", export_id, row["json_sealed"])
    other = await rights.ground.vault.find_person(
        (await rights.resident("o2", "宛秋实", "999999197806214551")).citizen_id
    )
    with pytest.raises(RecordUnreadable):
        other.open("data_export.json", export_id, row["json_sealed"])


async def test_the_pdf_reads_as_chinese() -> None:
    rows = [{"name": NAME, "form": {"事由": "签注", "单位": "𠮷野家"}, "empty": None}]
    document = {
        "service": "指尖办事",
        "citizen_id": "an-id",
        "made_at": "2026-03-10T10:00:00+08:00",
        "sections": [
            {"name": "identity", "title": "身份信息", "title_en": "Identity", "rows": rows},
            {"name": "ledger", "title": "谁用过我的数据", "title_en": "Ledger", "rows": [{"at": "x"}] * 400},
        ],
    }  # fmt: skip
    pdf = await pdf_of(json.dumps(document, ensure_ascii=False))
    opened = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in opened)
    opened.close()
    assert f"姓名：{NAME}" in text
    # A character that the font lacks is named, not left out.
    assert "〓（U+20BB7）野家" in text
    assert "谁用过我的数据" in text
    assert "全部 400 条见 JSON 文件" in text
    assert "empty" not in text


async def test_what_is_no_export_cannot_be_laid_out() -> None:
    with pytest.raises(Problem) as caught:
        await pdf_of("no JSON")
    assert caught.value.code == "auth.layout-failed"
