"""The registers of data protection."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from auth.registers.errors import NoSuchParty
from auth.registers.types import RecordKind
from auth.types import Role
from core.db import fetch
from tests.fakes.auth import make_auth
from tests.fakes.staff import Staff

AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


async def test_an_entry_is_carried_on_by_one_of_its_own_register(staff: Staff) -> None:
    keeper = (await staff.member(Role.SECURITY_ADMIN)).caller
    write = staff.privacy_records.write
    first = await write(keeper, RecordKind.BREACH, "lost laptop", {"people": "0"}, follows_id=None)
    second = await write(keeper, RecordKind.BREACH, "found again", {"where": "lift"}, follows_id=first.id)
    for kind, follows in ((RecordKind.FILING, first.id), (RecordKind.BREACH, staff.ground.ids.uuid())):
        with pytest.raises(NoSuchParty):
            await write(keeper, kind, "of another register", {"a": "b"}, follows_id=follows)
    listed = await staff.privacy_records.list_records(RecordKind.BREACH, before=AFTER_ALL, limit=5)
    assert [(each.id, each.follows_id) for each in listed] == [(second.id, first.id), (first.id, None)]
    assert await staff.privacy_records.list_records(RecordKind.FILING, before=AFTER_ALL, limit=5) == []


async def test_an_export_holds_every_line_and_no_formula(staff: Staff) -> None:
    keeper = (await staff.member(Role.SECURITY_ADMIN)).caller
    write = staff.privacy_records.write
    await write(keeper, RecordKind.ASSESSMENT, "=1+1", {"risk": "-2", "basis": "consent, written"}, follows_id=None)
    await write(keeper, RecordKind.ASSESSMENT, "face", {"risk": "low"}, follows_id=None)
    text = await staff.privacy_records.export(keeper, RecordKind.ASSESSMENT)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["title"], row["risk"], row["basis"]) for row in rows] == [
        ("'=1+1", "'-2", "consent, written"),
        ("face", "low", ""),
    ]
    lines = await fetch("SELECT outcome FROM audit_line WHERE action = 'auth.privacy-records-exported'")
    assert [line["outcome"] for line in lines] == ["assessment"]


async def test_what_filings_rest_on_is_counted(staff: Staff) -> None:
    keeper, auth = (await staff.member(Role.SECURITY_ADMIN)).caller, make_auth(staff.ground)
    await auth.log_in("openid-2")
    await auth.caller_named("openid-1", "霍明哲", "999999198503122179")
    await staff.privacy_records.write(keeper, RecordKind.FILING, "filed", {"a": "b"}, follows_id=None)
    assert await staff.privacy_records.counters() == {
        "people": 1,
        "assessment": 0,
        "processing": 0,
        "breach": 0,
        "filing": 1,
    }
