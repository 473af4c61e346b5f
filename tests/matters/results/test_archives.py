"""The package for the archive: everything of a case, signed, and checked without us."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from auth.types import Caller, Level, Role, RoleGrant, StaffCaller
from certificates.offline.jws import keys_of
from core.db import fetch, fetch_one, transaction
from core.keyring.jwk import public_jwk
from matters.applications.records import Submitted
from matters.errors import StateForbids
from matters.results.packing import manifest_of, pack, wrong_with
from matters.results.types import DeliveryWay
from scripts.verify_archive import main
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, PENSION, Desk


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.ACCEPTOR),))


def published_keys(desk: Desk) -> dict[str, object]:
    key = desk.ground.ring.issuers.current(desk.ground.clock.now())
    return {"keys": [{**public_jwk(key.secret.public_key()), "kid": key.kid, "alg": "ES256", "use": "sig"}]}


async def closed(desk: Desk, caller: Caller) -> Submitted:
    """Bring an application to its end, and pack it."""
    draft = await desk.drafts.start(caller, PENSION, {})
    await desk.deliveries.choose(caller, draft.id, DeliveryWay.ELECTRONIC)
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    await desk.put_on_paper(draft.id)
    await desk.deliveries.look()
    desk.ground.clock.move(timedelta(days=15))
    await desk.deliveries.look()
    change = await desk.archives.keep(str(draft.id))
    assert change is not None
    await transaction(change)
    return submitted


async def test_a_package_holds_form_files_history_and_decision_and_is_checked_with_published_keys(
    desk: Desk, tmp_path: Path
) -> None:
    caller = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(caller, ENDORSEMENT, {"residence_kind": "rented", "remark": "房东同意续租"})
    await desk.attachments.add(caller, draft.id, "proof-of-residence", PDF)
    submitted = await desk.submit(caller, draft.id)
    desk.public_security.declines = "incomplete"
    await desk.deliver(draft.id)
    await desk.put_on_paper(draft.id)
    package = await desk.archives.read(clerk(desk), draft.id, "档案核对")
    assert package.name == f"case-{submitted.number}.zip"
    with zipfile.ZipFile(io.BytesIO(package.content)) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    assert sorted(files) == [
        "decision.pdf",
        "files/01-proof-of-residence.pdf",
        "form.json",
        "history.json",
        "manifest.json",
        "manifest.jws",
        "materials.json",
    ]
    assert json.loads(files["form.json"])["form"]["remark"] == "房东同意续租"
    assert files["files/01-proof-of-residence.pdf"] == PDF
    assert files["decision.pdf"] == (await desk.documents.read(caller, draft.id)).pdf
    assert [line["step"] for line in json.loads(files["history.json"])][-1] == "not_accepted"
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(published_keys(desk)))
    where = tmp_path / package.name
    where.write_bytes(package.content)
    assert main([str(where), "--keys", str(keys)]) == 0
    where.write_bytes(package.content[:-30])
    assert main([str(where), "--keys", str(keys)]) == 1
    assert main([str(tmp_path / "none.zip"), "--keys", str(keys)]) == 2


async def test_a_closed_case_is_packed_for_good_and_handed_out_as_it_was(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await closed(desk, caller)
    assert await desk.archives.keep(str(submitted.application_id)) is None
    row = await fetch_one("SELECT sha256, file_name FROM archive_package")
    assert row is not None
    assert not desk.files.files[row["file_name"]].startswith(b"PK")
    desk.ground.clock.move(timedelta(days=1))
    packages = [await desk.archives.read(clerk(desk), submitted.application_id, "档案核对") for _ in range(2)]
    assert {package.sha256 for package in packages} == {row["sha256"]}
    lines = await fetch("SELECT subject_id, actor_kind FROM audit_line WHERE action = 'matters.archive-read'")
    assert [line["actor_kind"] for line in lines] == ["operator", "operator"]
    assert {str(line["subject_id"]) for line in lines} == {str(caller.citizen_id)}


async def test_there_is_no_package_of_a_draft(desk: Desk) -> None:
    draft = await desk.drafts.start(desk.citizen(), PENSION, {})
    with pytest.raises(StateForbids):
        await desk.archives.read(clerk(desk), draft.id, "档案核对")


def repacked(content: bytes, **changed: bytes | None) -> bytes:
    """Return a package in which files are other ones, or gone."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    for name, told in changed.items():
        path = name.replace("_", ".")
        if told is None:
            del files[path]
        else:
            files[path] = told
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, told in files.items():
            package.writestr(name, told)
    return out.getvalue()


async def test_whatever_is_changed_in_a_package_is_named(desk: Desk) -> None:
    submitted = await closed(desk, desk.citizen(Level.PRESENT))
    content = (await desk.archives.read(clerk(desk), submitted.application_id, "档案核对")).content
    keys = keys_of(published_keys(desk))
    assert wrong_with(content, keys) == []
    assert wrong_with(repacked(content), keys) == []
    assert wrong_with(repacked(content, form_json=b"{}"), keys) == ["form.json was changed."]
    assert wrong_with(repacked(content, form_json=None), keys) == ["form.json is missing."]
    assert wrong_with(repacked(content, more_json=b"{}"), keys) == ["more.json is not on the list."]
    assert wrong_with(repacked(content, manifest_json=b"{}"), keys) == ["manifest.json is not what was signed."]
    assert wrong_with(repacked(content, manifest_jws=None), keys) == ["manifest.jws is missing."]
    assert wrong_with(content, {}) == ["It is signed with a key that is not among those given."]
    assert wrong_with(b"PK", keys) == ["It is no package that can be read."]
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        signed = opened.read("manifest.jws").decode()
    head, payload, _ = signed.split(".")
    forged = f"{head}.{payload}.{'A' * 86}".encode()
    assert wrong_with(repacked(content, manifest_jws=forged), keys) == ["The signature of the list does not hold."]


def test_a_package_depends_on_the_case_alone() -> None:
    files = {"b.json": b"2", "a.json": b"1"}
    manifest = manifest_of({"number": "1"}, files)
    assert [entry["name"] for entry in manifest["files"]] == ["a.json", "b.json"]
    assert pack(files, manifest, "x.y.z") == pack(dict(reversed(files.items())), manifest, "x.y.z")
