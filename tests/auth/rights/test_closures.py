"""Closing an account: it waits a week, then nothing of the person can be read again, and what stays is named."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.delegation.records import Rows
from auth.delegation.types import MandateView, Named
from auth.errors import AccountClosed, TokenInvalid
from auth.rights.errors import NoClosureWaits
from auth.rights.types import ExportFormat
from auth.settings import RightsSettings
from auth.types import Caller, Level, ReadPurpose
from core.audit.actors import SYSTEM
from core.crypto import PersonVault, RecordUnreadable, Vault
from core.db import as_moment, as_uuid, connection, execute, fetch, fetch_one, is_postgres, transaction
from core.errors import Problem
from core.pii import IdNumber, PersonName
from matters.types import State
from tests.architecture.test_schema import models
from tests.auth.rights.conftest import (
    LICENCE_NUMBER,
    MOBILE,
    NAME,
    NUMBER,
    OPENID,
    Rights,
    actions_of,
    count,
    make_rights,
)
from tests.conftest import SERVICES_DATABASE, Ground
from tests.fakes.auth import Auth
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, Desk, jobs_named

SECRETS = (NAME, NUMBER, MOBILE, OPENID, LICENCE_NUMBER)


async def tables() -> list[str]:
    if is_postgres():
        rows = await fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()")
    else:
        rows = await fetch("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [str(row["name"]) for row in rows]


async def everything() -> dict[str, list[dict[str, Any]]]:
    return {table: await fetch(f'SELECT * FROM "{table}"') for table in await tables()}  # noqa: S608 — their own names


def forms_of(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    # Base64 of a part of a longer text depends on where it begins.
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        yield whole[(0, 2, 3)[shift] : len(whole) // 4 * 4 - 4]


async def readable(rights: Rights, caller: Caller) -> list[str]:
    """Every sealed value in the database that still opens under any key, the person's and others' own included."""
    vault = rights.ground.vault
    holders = {
        caller.citizen_id,
        *[as_uuid(row["person_id"]) for row in await fetch("SELECT person_id FROM person_key")],
    }
    keys: list[Vault | PersonVault] = [vault, *[await vault.find_person(holder) for holder in sorted(holders)]]
    found = []
    for table, rows in (await everything()).items():
        for row in rows:
            for column, value in row.items():
                if not column.endswith("_sealed") or value is None:
                    continue
                name = f"{table}.{column.removesuffix('_sealed')}"
                for opening in keys:
                    try:
                        found.append(opening.open(name, as_uuid(row["id"]), value))
                    except RecordUnreadable:
                        continue
    return found


async def test_a_closing_waits_and_says_what_stays_and_what_stops(rights: Rights) -> None:
    caller = await rights.settled()
    view = await rights.closures.request(caller)
    assert view.is_new
    assert view.closes_at == rights.ground.clock.now() + timedelta(days=7)
    assert [stop.kind for stop in view.stops] == ["application"] * 2 + ["mandate"] * 2 + ["correction"]
    kept = {each.what: each for each in view.kept}
    assert set(kept) == {"applications", "consents", "ledger", "picture-marks", "repeated-answers"}
    assert all(each.law for each in view.kept)
    assert kept["consents"].until == view.closes_at + timedelta(days=1095)
    assert kept["applications"].until is None
    assert kept["ledger"].is_for_good
    assert not kept["ledger"].is_configured
    assert await jobs_named("auth.close-account") == [{"closure_id": str(view.id)}]
    told = [job for job in await jobs_named("notices.tell") if job["event"] == "auth.closure-requested"]
    assert told == [
        {"event": "auth.closure-requested", "citizen_id": str(caller.citizen_id), "object_id": str(view.id)}
    ]


async def test_a_closing_can_be_taken_back_until_its_day(rights: Rights) -> None:
    caller = await rights.settled()
    view = await rights.closures.request(caller)
    rights.ground.clock.move(timedelta(days=6, hours=23))
    await rights.run_close(view.id)  # A day too early nothing happens.
    assert (await rights.closures.get_current(caller)).id == view.id
    assert (await rights.auth.log_in(OPENID)).citizen.id == caller.citizen_id
    await rights.closures.take_back(caller)
    with pytest.raises(NoClosureWaits):
        await rights.closures.take_back(caller)
    rights.ground.clock.move(timedelta(days=2))
    await rights.run_close(view.id)
    assert (await rights.auth.log_in(OPENID)).citizen.name == "霍**"
    again = await rights.closures.request(caller)
    assert again.is_new
    assert again.id != view.id


async def test_many_closings_at_once_are_one(rights: Rights) -> None:
    caller = await rights.resident()
    views = await asyncio.gather(*(rights.closures.request(caller) for _ in range(10)))
    assert len({view.id for view in views}) == 1
    assert [view.is_new for view in views].count(True) == 1
    assert len(await jobs_named("auth.close-account")) == 1
    assert (await actions_of(caller.citizen_id)).count("auth.closure-requested") == 1
    rights.ground.clock.move(timedelta(days=8))
    await asyncio.gather(*(rights.run_close(views[0].id) for _ in range(5)))
    assert (await actions_of(caller.citizen_id)).count("auth.account-closed") == 1


async def test_after_a_closing_nothing_of_the_person_can_be_read(rights: Rights) -> None:
    caller = await rights.settled()
    await rights.exported(caller)
    assert NAME in str(await readable(rights, caller))
    key = await fetch_one("SELECT wrapped FROM person_key WHERE person_id = $1", caller.citizen_id)
    assert key is not None
    hashes = await fetch_one("SELECT id_number_hash, mobile_hash FROM citizen WHERE id = $1", caller.citizen_id)
    assert hashes is not None
    # So that nothing has to be kept: what is submitted has its own test.
    await execute("UPDATE application SET state = 'draft', number = NULL")
    await rights.close(caller)
    texts = await readable(rights, caller)
    assert not [secret for secret in SECRETS if secret in str(texts)]
    assert await fetch("SELECT 1 AS n FROM person_key WHERE person_id = $1", caller.citizen_id) == []
    dump = repr(await everything()).encode()
    for secret in SECRETS:
        assert not [form for form in forms_of(secret) if form in dump]
    for index in (
        hashes["id_number_hash"],
        hashes["mobile_hash"],
        rights.ground.vault.index("face_check.person", NUMBER),
        rights.ground.vault.mark("delegation_attempt.relative", NUMBER),
        Rows(vault=rights.ground.vault).person_mark(Named(PersonName(NAME), IdNumber(NUMBER))),
        rights.ground.vault.mark("counter_slip.person", f"{NUMBER}|{NAME}"),
    ):
        assert str(index).encode() not in dump
    assert bytes(key["wrapped"]).hex().encode() not in dump
    for table in ("data_export", "correction", "certificate", "face_check", "way_check", "assistance", "counter_slip"):
        assert await count(table) == 0
    own = {"citizen_id", "reader_id", "about_id", "principal_id", "holder_id"}
    others = {"consent", "account_closure", "application"}
    for model in models():
        table = model._meta.db_table
        columns = {field.source_field or name for name, field in model._meta.fields_map.items()}
        for column in (own & columns) if table not in others else ():
            assert await count(table, **{column: caller.citizen_id}) == 0, (table, column)


async def test_family_is_told_of_the_end_and_keeps_its_history_without_the_name(rights: Rights) -> None:
    caller = await rights.resident()
    family = await rights.related(caller)
    before = {view.is_agent: view for view in await mandates_of(rights, family)}
    assert {view.state.value for view in before.values()} == {"active"}
    assert before[False].agent_name == "霍**"
    await rights.close(caller)
    [left] = await mandates_of(rights, family)
    assert (left.id, left.state.value, left.end_reason) == (before[False].id, "ended", "account-closed")
    assert (left.agent_name, left.principal_name) == ("", "宛**")
    told = await actions_of(family.citizen_id)
    assert told.count("auth.mandate-ended") == 2
    assert told.count("auth.relative-ended") == 2
    assert await rights.household.relatives.list_relatives(family) == []
    assert await rights.house.copies.list_copies(family) == []
    # What family was told of their own stays; what they were told of the one who left does not.
    assert await count("notice", citizen_id=family.citizen_id) == 1
    acting = replace(family, level=Level.PRESENT)
    with pytest.raises(Problem):
        await rights.household.acting(acting, before[True].id)


async def mandates_of(rights: Rights, caller: Caller) -> list[MandateView]:
    mandates = rights.household.mandates
    return [view for side in (True, False) for view in await mandates.list_mandates(caller, as_agent=side)]


async def test_a_takeover_that_waits_comes_to_nothing(rights: Rights) -> None:
    caller = await rights.resident()
    await rights.related(caller)
    [row] = await fetch("SELECT id FROM takeover")
    view = await rights.closures.request(caller)
    rights.ground.clock.move(timedelta(days=8))
    await rights.run_close(view.id)
    await transaction(await rights.auth.takeovers.complete(str(as_uuid(row["id"]))))
    assert await count("takeover") == 0
    assert await count("citizen_session", citizen_id=caller.citizen_id) == 0


async def test_somebody_who_died_while_waiting_is_closed_all_the_same(rights: Rights) -> None:
    caller = await rights.settled()
    view = await rights.closures.request(caller)
    assert await rights.auth.deaths.record(IdNumber(NUMBER), actor=SYSTEM)
    rights.ground.clock.move(timedelta(days=8))
    await rights.run_close(view.id)
    assert await count("citizen", id=caller.citizen_id, state="closed") == 1
    assert await count("person_key", person_id=caller.citizen_id) == 0
    # The registry's word that they live finds nobody any more.
    assert not await rights.auth.deaths.take_back(IdNumber(NUMBER), actor=SYSTEM)


async def test_a_session_remembered_here_is_over_at_once(rights: Rights) -> None:
    caller = await rights.resident()
    grant = await rights.auth.log_in(OPENID)
    assert (await rights.auth.sessions.caller_of(grant.access_token, lately=True)).citizen_id == caller.citizen_id
    view = await rights.closures.request(caller)
    rights.ground.clock.move(timedelta(minutes=1))
    await execute("UPDATE account_closure SET closes_at = $1", rights.ground.clock.now())
    assert (await rights.auth.sessions.caller_of(grant.access_token, lately=True)).citizen_id == caller.citizen_id
    await rights.run_close(view.id)
    with pytest.raises(TokenInvalid):
        await rights.auth.sessions.caller_of(grant.access_token, lately=True)


@pytest.mark.skipif(bool(SERVICES_DATABASE), reason="looks into the file of SQLite")
async def test_after_a_closing_the_file_itself_holds_nothing_and_no_key(rights: Rights) -> None:
    caller = await rights.settled()
    key = await fetch_one("SELECT wrapped FROM person_key WHERE person_id = $1", caller.citizen_id)
    sealed = await fetch_one("SELECT name_sealed FROM citizen WHERE id = $1", caller.citizen_id)
    assert key is not None
    assert sealed is not None
    await connection().execute_script("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(rights.ground.settings.effective_database_url.removeprefix("sqlite:///"))
    assert bytes(key["wrapped"]) in path.read_bytes()
    await rights.close(caller)
    await connection().execute_script("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    # Overwritten where they lay, without a VACUUM.
    assert bytes(key["wrapped"]) not in content
    assert bytes(sealed["name_sealed"]) not in content
    assert not [form for secret in SECRETS for form in forms_of(secret) if form in content]


async def test_what_was_submitted_stays_with_its_date_and_goes_on_it(rights: Rights) -> None:
    caller = await rights.settled()
    [sent] = await fetch("SELECT id FROM application WHERE number IS NOT NULL")
    application_id = as_uuid(sent["id"])
    await rights.desk.deliver(application_id)
    row = await fetch_one("SELECT number FROM application WHERE id = $1", application_id)
    assert row is not None
    for sequence, state in enumerate((State.ACCEPTED, State.APPROVED), 1):
        await rights.desk.hear(row["number"], sequence, state)
    await rights.close(caller)
    assert [as_uuid(each["id"]) for each in await fetch("SELECT id FROM application")] == [application_id]
    assert await count("consent", citizen_id=caller.citizen_id) == 3
    closed_at = rights.ground.clock.now()
    looks = []
    while (look := await next_look(caller)) is not None and look < closed_at + timedelta(days=5000):
        rights.ground.clock.set(look)
        await rights.closures.look_again()
        looks.append((look - closed_at).days)
        remain = await remains(caller)
        if look - closed_at < timedelta(days=1095):
            assert remain[0] == 1
            assert remain[2] == 3
    assert looks[0] == 0
    assert await remains(caller) == (0, 0, 0)
    assert await next_look(caller) is None
    assert (await actions_of(caller.citizen_id)).count("auth.remains-erased") == 2
    # The ledger stays, and the tombstone.
    assert await count("citizen", id=caller.citizen_id, state="closed") == 1
    assert await count("account_closure", citizen_id=caller.citizen_id, state="closed") == 1


async def remains(caller: Caller) -> tuple[int, int, int]:
    consents = await count("consent", citizen_id=caller.citizen_id)
    return await count("application"), await count("case_action"), consents


async def next_look(caller: Caller) -> Any:
    row = await fetch_one("SELECT look_again_at FROM account_closure WHERE citizen_id = $1", caller.citizen_id)
    return None if row is None or row["look_again_at"] is None else as_moment(row["look_again_at"])


async def test_looking_again_erases_nothing_of_anybody_else_and_nothing_twice(rights: Rights) -> None:
    caller = await rights.settled()
    other = await rights.resident("openid-other", "宛秋实", "999999197806214551")
    await rights.close(caller)
    rights.ground.clock.move(timedelta(minutes=11))
    before = await everything()
    assert await rights.closures.look_again() == 0
    after = await everything()
    for table in set(before) - {"account_closure", "audit_line"}:
        assert after[table] == before[table]
    assert (await rights.auth.records.find(other.citizen_id)) is not None
    assert (await rights.auth.realname.person_of(other.citizen_id, ReadPurpose.OWN_RIGHTS)).name.reveal() == "宛秋实"


async def test_a_straggler_is_erased_minutes_later(rights: Rights) -> None:
    caller = await rights.settled()
    await rights.close(caller)
    # Let in just before the closing, written just after it.
    await transaction(lambda: rights.hold(caller))
    await transaction(lambda: rights.auth.consents.give(caller.citizen_id, "face@1"))
    assert await count("certificate") == 1
    assert await rights.closures.look_again() == 0
    rights.ground.clock.move(timedelta(minutes=11))
    assert await rights.closures.look_again() == 2  # The certificate, and the key that it made.
    assert (await count("certificate"), await count("person_key", person_id=caller.citizen_id)) == (0, 0)


async def test_an_application_that_no_department_has_is_withdrawn_by_the_closing(rights: Rights) -> None:
    caller = await rights.settled()
    [sent] = await fetch("SELECT id FROM application WHERE number IS NOT NULL")
    await rights.close(caller)
    state = await fetch_one("SELECT state FROM application WHERE id = $1", as_uuid(sent["id"]))
    assert state == {"state": "withdrawn"}
    assert [row["state"] for row in await fetch("SELECT state FROM delivery")] == ["cancelled"]
    rights.desk.people.known.clear()
    assert await rights.desk.submission.deliver(str(as_uuid(sent["id"]))) is None
    assert rights.desk.public_security.arrived == []


async def test_files_of_drafts_are_removed_from_the_store(rights: Rights) -> None:
    caller = await rights.resident()
    draft = await rights.desk.drafts.start(caller, ENDORSEMENT, {})
    await rights.desk.attachments.add(caller, draft.id, None, PDF)
    assert len(rights.desk.files.files) == 1
    await rights.close(caller)
    [job] = await jobs_named("matters.remove-file")
    await rights.matter_data.remove_file(**job)
    await rights.matter_data.remove_file(**job)
    assert rights.desk.files.files == {}
    assert await count("attachment") == 0


async def test_the_same_person_comes_back_as_a_newcomer(rights: Rights) -> None:
    caller = await rights.settled()
    await rights.close(caller)
    with pytest.raises(AccountClosed):
        await rights.auth.citizens.me(caller)
    grant = await rights.auth.log_in(OPENID)
    assert grant.citizen.id != caller.citizen_id
    assert (grant.citizen.name, grant.citizen.level) == (None, Level.LINKED)
    back = await rights.resident()
    assert back.citizen_id == grant.citizen.id
    file = await rights.exports.fetch_file(back, await rights.exported(back), ExportFormat.JSON)
    assert str(caller.citizen_id) not in file.content.decode()
    assert LICENCE_NUMBER not in file.content.decode()
    with pytest.raises(NoClosureWaits):
        await rights.closures.get_current(back)


async def test_a_closed_account_takes_no_more_requests(rights: Rights) -> None:
    caller = await rights.settled()
    await rights.close(caller)
    for work in (
        rights.closures.request(caller),
        rights.exports.request(caller),
        rights.auth.citizens.set_mobile(caller, rights.auth.mini_program.mobile_code_for(MOBILE)),
        rights.auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="real-name@1"),
    ):
        with pytest.raises(AccountClosed):
            await work
    assert await count("person_key", person_id=caller.citizen_id) == 0


async def test_a_login_at_the_moment_of_the_closing_is_before_it_or_a_newcomers(rights: Rights) -> None:
    caller = await rights.resident()
    view = await rights.closures.request(caller)
    rights.ground.clock.move(timedelta(days=8))

    async def log_in() -> Any:
        try:
            return await rights.auth.log_in(OPENID)
        except Problem as problem:
            return problem.code

    results = await asyncio.gather(
        *(log_in() for _ in range(4)), rights.run_close(view.id), *(log_in() for _ in range(4))
    )
    grants = [result for result in results if result is not None]
    for grant in grants:
        if isinstance(grant, str):
            assert grant in {"auth.account-closed", "core.database-unavailable"}
        elif grant.citizen.id == caller.citizen_id:
            with pytest.raises(TokenInvalid):
                await rights.auth.sessions.caller_of(grant.access_token)
    newcomers = {grant.citizen.id for grant in grants if not isinstance(grant, str)} - {caller.citizen_id}
    assert len(newcomers) <= 1
    assert await count("citizen", id=caller.citizen_id, state="closed") == 1
    rights.ground.clock.move(timedelta(minutes=11))
    await rights.closures.look_again()
    assert await count("citizen_session", citizen_id=caller.citizen_id) == 0


async def test_a_submission_at_the_moment_of_the_closing_is_kept_or_refused(rights: Rights) -> None:
    caller = await rights.resident()
    drafts = [await rights.desk.drafts.start(caller, ENDORSEMENT, {}) for _ in range(4)]
    view = await rights.closures.request(caller)
    rights.ground.clock.move(timedelta(days=8))

    async def submit(application_id: Any) -> str | None:
        try:
            return (await rights.desk.submit(caller, application_id)).number
        except Problem:
            return None

    *numbers, _ = await asyncio.gather(*(submit(draft.id) for draft in drafts), rights.run_close(view.id))
    rows = {row["number"]: row["state"] for row in await fetch("SELECT number, state FROM application")}
    # What was acknowledged is there, and what is there was acknowledged.
    assert set(rows) == {number for number in numbers if number}
    rights.ground.clock.move(timedelta(minutes=11))
    await rights.closures.look_again()
    states = [row["state"] for row in await fetch("SELECT state FROM application")]
    assert set(states) <= {"withdrawn"}


async def test_an_installation_sets_days_and_grounds_itself(ground: Ground, auth: Auth, desk: Desk) -> None:
    settings = RightsSettings(closing_days=1, keep_days={"consents": 10}, keep_laws={"applications": "本市档案规定"})
    rights = make_rights(ground, auth, desk, settings)
    view = await rights.closures.request(await rights.settled())
    assert view.closes_at == ground.clock.now() + timedelta(days=1)
    kept = {each.what: each for each in view.kept}
    assert kept["consents"].until == view.closes_at + timedelta(days=10)
    assert kept["applications"].law == "本市档案规定"
