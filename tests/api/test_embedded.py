"""The data folder of an embedded installation: made once, and completed when a newer version knows more systems."""

import json
from pathlib import Path

from api.wiring.embedded import EmbeddedFolder


def told(folder: EmbeddedFolder) -> tuple[dict[str, object], dict[str, object]]:
    return json.loads(folder.ours.read_text()), json.loads(folder.theirs.read_text())


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    folder = EmbeddedFolder(tmp_path)
    assert folder.prepare()
    before = told(folder)
    assert folder.prepare() == []
    assert told(folder) == before


def test_a_system_that_is_new_gets_its_credentials_and_the_others_keep_theirs(tmp_path: Path) -> None:
    folder = EmbeddedFolder(tmp_path)
    folder.prepare()
    ours, theirs = told(folder)
    for name in ("sms", "payment"):
        del ours[name], theirs[name]
    folder.ours.write_text(json.dumps(ours))
    folder.theirs.write_text(json.dumps(theirs))
    assert folder.prepare() == ["credentials.json", "partners.json"]
    now_ours, now_theirs = told(folder)
    assert now_ours["sms"] == now_theirs["sms"]
    assert {name: now_ours[name] for name in ours} == ours
    assert {name: now_theirs[name] for name in theirs} == theirs
