"""Back up and restore: `python -m scripts.backup create FOLDER`, `keys FOLDER`, `restore FOLDER`.

`create` takes the database and the attachments while everything runs. The keys are not in it: `keys` copies them to
another place, which must not be the same disk or the same hands, since who has both can read everything. `restore`
wants nothing to run on the database; it checks every file, brings database and attachments back, marks what may have
gone out to departments and residents since the backup so that nothing is doubled there, and ends all sessions.
"""

import argparse
import asyncio
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.running.restoring import Settled, settle_restored
from api.wiring.settings import Settings, read_settings
from core.backup.archive import (
    FILES,
    BackupRefused,
    Manifest,
    copy_files,
    keep_apart,
    make_place,
    migrations_of,
    require_keys,
    require_schema,
    seal_manifest,
    verify,
)
from core.backup.databases import copier_of, free_aside
from core.backup.under_way import under_way
from core.clock import SystemClock
from core.db import DatabaseUnavailable
from core.keyring.ring import KeyRing
from core.settings import UnsafeSettings

console = Console(highlight=False, stderr=True)

ROOT = Path(__file__).resolve().parents[1]


def create(settings: Settings, folder: Path) -> Manifest:
    """Back the database and the attachments up.

    Raises:
        BackupRefused: the folder is not empty or holds the keys, or the database cannot be copied here.
    """
    keep_apart(folder, settings.key_folder)
    make_place(folder)
    copier = copier_of(settings)
    ring = KeyRing.load(settings.key_folder)
    made_at = SystemClock().now().isoformat(timespec="seconds")
    # The database first: a file is there before its row, so every row of the copy finds its file.
    copier.dump(folder)
    copy_files(settings.files_folder, folder / FILES)
    return seal_manifest(
        folder,
        made_at=made_at,
        database=copier.name,
        keys=_key_ids(ring),
        migrations=migrations_of(ROOT, list(MODELS)),
    )


def create_keys(settings: Settings, folder: Path) -> int:
    """Copy the key folder; return how many files it has.

    Raises:
        BackupRefused: the folder is not empty, or lies in the key folder.
        UnsafeSettings: the keys cannot be read.
    """
    keep_apart(folder, settings.key_folder)
    KeyRing.load(settings.key_folder)
    make_place(folder)
    count = 0
    for path in settings.key_folder.iterdir():
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".lock":
            shutil.copyfile(path, folder / path.name)
            (folder / path.name).chmod(0o600)
            count += 1
    return count


def restore(settings: Settings, folder: Path, *, replace: bool) -> tuple[Manifest, Settled, list[str]]:
    """Bring a backup back; return it, what was dealt with, and the migrations that are to follow.

    Raises:
        BackupRefused: it is not sound or not for this installation, something runs on the database, or there is
            something already and `replace` is not set.
        UnsafeSettings: the keys cannot be read.
        DatabaseUnavailable: the database cannot be reached.
    """
    manifest = verify(folder)
    copier = copier_of(settings)
    if manifest.database != copier.name:
        raise BackupRefused(f"The backup is of {manifest.database}; ZHIJIAN_DATABASE_URL names {copier.name}.")
    missing = require_schema(manifest, migrations_of(ROOT, list(MODELS)))
    require_keys(manifest, _key_ids(KeyRing.load(settings.key_folder)))
    files = settings.files_folder
    if files.is_dir() and any(files.iterdir()) and not replace:
        raise BackupRefused(f"There are attachments in {files}; --replace moves them aside.")
    with under_way(settings.data_dir):
        copier.load(folder, replace=replace)
        if files.is_dir() and any(files.iterdir()):
            files.replace(free_aside(files))
        copy_files(folder / FILES, files)
        settled = asyncio.run(settle_restored(settings))
    return manifest, settled, missing


def _key_ids(ring: KeyRing) -> dict[str, list[str]]:
    """Return the ids of the keys without which a database cannot be read or looked up."""
    return {"kek": [key.kid for key in ring.keks.keys], "index": [key.kid for key in ring.indexes.keys]}


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.backup", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for name, told in (("create", "database and attachments"), ("keys", "the keys, to another place")):
        steps.add_parser(name, help=f"back up {told}").add_argument("folder", type=Path)
    step = steps.add_parser("restore", help="bring database and attachments back")
    step.add_argument("folder", type=Path)
    step.add_argument("--replace", action="store_true", help="also where there is something already")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    chosen = _arguments(words)
    # A backup is for the user who makes it.
    os.umask(0o077)
    try:
        settings = read_settings()
        if chosen.step == "create":
            made = create(settings, chosen.folder)
            console.print(f"[green]✓[/green] {len(made.files)} files in {chosen.folder}", soft_wrap=True)
            console.print(
                "  The keys are NOT in it: back them up with `keys FOLDER`, to another place.", soft_wrap=True
            )
            console.print("  Without them nothing of this can be read.")
        elif chosen.step == "keys":
            count = create_keys(settings, chosen.folder)
            console.print(f"[green]✓[/green] {count} key files in {chosen.folder}; keep it away from the backups.")
        else:
            manifest, settled, missing = restore(settings, chosen.folder, replace=chosen.replace)
            console.print(f"[green]✓[/green] restored what was there at {manifest.made_at}.")
            console.print(f"  {settled.deliveries} deliveries may have gone out since: they go again under the same")
            console.print("  reference, or wait for a person where a department could not tell. All log in again.")
            console.print(f"  {settled.notices} notices may have been sent since: they stand in the inbox alone.")
            if missing:
                console.print(f"  Run `python -m scripts.prepare`: {len(missing)} migrations are to follow.")
    except (BackupRefused, UnsafeSettings, OSError) as error:
        console.print(f"[red]✗[/red] {error}", soft_wrap=True)
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and that it runs.")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
