"""What a restore puts aside stays, however often somebody restores."""

from pathlib import Path

from core.backup.databases import free_aside


def test_nothing_that_was_set_aside_is_written_over(tmp_path: Path) -> None:
    database = tmp_path / "zhijian.sqlite3"
    for content in ("monday", "tuesday", "wednesday"):
        database.write_text(content, encoding="utf-8")
        database.replace(free_aside(database))
    kept = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert kept == {
        "zhijian.sqlite3.before-restore": "monday",
        "zhijian.sqlite3.before-restore-2": "tuesday",
        "zhijian.sqlite3.before-restore-3": "wednesday",
    }
