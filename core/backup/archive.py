"""A backup as a folder: `manifest.json` is written last and names every file with its hash, so half a one is none."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

MANIFEST: Final = "manifest.json"
FILES: Final = "files"
_FORMAT: Final = 1
_CHUNK: Final = 1 << 20


class BackupRefused(Exception):
    """A backup cannot be made, or must not be restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `migrations` is the schema by name and digest of each step."""

    made_at: str
    database: str
    # The ids of the keys of that time without which nothing can be read or looked up, by kind; not the keys.
    keys: dict[str, list[str]]
    migrations: dict[str, str]
    files: dict[str, dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {
            "format": _FORMAT,
            "made_at": self.made_at,
            "database": self.database,
            "keys": self.keys,
            "migrations": self.migrations,
            "files": self.files,
        }


def make_place(folder: Path) -> None:
    """Make the folder for a new backup.

    Raises:
        BackupRefused: there is something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupRefused(f"{folder} is not empty: a backup has a folder of its own.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def keep_apart(folder: Path, keys: Path) -> None:
    """See that a backup and the keys do not lie one in the other: who has both can read everything.

    Raises:
        BackupRefused: they do.
    """
    one, other = folder.resolve(), keys.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise BackupRefused(f"{folder} and the key folder {keys} must not lie one in the other.")


def copy_files(source: Path, target: Path) -> int:
    """Copy the file store; return how many files it has. Drafts of files being written are none yet."""
    count = 0
    for path in _files_of(source):
        if path.suffix == ".draft":
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o600)
        count += 1
    return count


def seal_manifest(
    folder: Path, *, made_at: str, database: str, keys: dict[str, list[str]], migrations: dict[str, str]
) -> Manifest:
    """Hash everything in a folder and write its manifest: from then on it is a backup."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in _files_of(folder)
    }
    manifest = Manifest(made_at, database, keys, migrations, files)
    draft = folder / f".{MANIFEST}"
    with draft.open("w", encoding="utf-8") as out:
        json.dump(manifest.as_json(), out, indent=2, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    draft.chmod(0o600)
    draft.replace(folder / MANIFEST)
    return manifest


def verify(folder: Path) -> Manifest:
    """Read the manifest of a backup and hold every file against it.

    Raises:
        BackupRefused: it is none, or something is missing, added or changed.
    """
    try:
        read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if read["format"] != _FORMAT:
            raise BackupRefused(f"{folder} was made by another release (format {read['format']}).")
        manifest = Manifest(
            made_at=str(read["made_at"]),
            database=str(read["database"]),
            keys={str(kind): list(kids) for kind, kids in read["keys"].items()},
            migrations=dict(read["migrations"]),
            files=dict(read["files"]),
        )
        wanted = {name: (int(entry["bytes"]), str(entry["sha256"])) for name, entry in manifest.files.items()}
    except FileNotFoundError as error:
        raise BackupRefused(f"{folder} is no finished backup: it has no {MANIFEST}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupRefused(f"{MANIFEST} in {folder} cannot be read.") from error
    found = {path.relative_to(folder).as_posix(): path for path in _files_of(folder)}
    found.pop(MANIFEST, None)
    wrong = sorted(set(found) ^ set(wanted))
    wrong += [
        name for name, path in found.items()
        if name in wanted and wanted[name] != (path.stat().st_size, _digest(path))
    ]  # fmt: skip
    if wrong or any(".." in PurePosixPath(name).parts for name in wanted):
        raise BackupRefused(f"{folder} is not as it was made: {', '.join(wrong[:5])} missing, added or changed.")
    return manifest


def require_schema(manifest: Manifest, ours: dict[str, str]) -> list[str]:
    """See that this code can go on from a backup's schema; return the migrations that are to follow.

    Raises:
        BackupRefused: the backup has a migration that this code does not have, or has otherwise.
    """
    foreign = sorted(name for name, digest in manifest.migrations.items() if ours.get(name) != digest)
    if foreign:
        raise BackupRefused(f"The backup has another schema than this release: {', '.join(foreign)}.")
    return sorted(set(ours) - set(manifest.migrations))


def require_keys(manifest: Manifest, ours: dict[str, list[str]]) -> None:
    """See that the keys of a backup are all here: what is sealed and what is looked up with them.

    Raises:
        BackupRefused: one is missing.
    """
    missing = [f"{kind} {kid}" for kind, kids in manifest.keys.items() for kid in kids if kid not in ours.get(kind, [])]
    if missing:
        raise BackupRefused(
            f"The key folder is not the one of the backup ({', '.join(missing)} missing): bring back the keys of that "
            "time first."
        )


def migrations_of(root: Path, apps: Sequence[str]) -> dict[str, str]:
    """Return the migrations of this code by name, each with its digest."""
    return {
        f"{app}.{path.stem}": _digest(path)
        for app in apps
        for path in sorted((root / "migrations" / app).glob("[0-9]*.py"))
    }


def _files_of(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
