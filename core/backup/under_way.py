"""A restore that is under way: until it has dealt with what went out since the backup, no server may start on it.

One that breaks off between the two (a full disk, a kill) would send again what departments have, and let in whose
session had ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.backup.archive import BackupRefused
from core.settings import UnsafeSettings

_MARK: Final = "restore-under-way"


@contextmanager
def under_way(data: Path) -> Iterator[None]:
    """Mark the folder of an installation's data for as long as a restore takes; what breaks off leaves the mark."""
    mark = data / _MARK
    stood = mark.exists()
    data.mkdir(parents=True, exist_ok=True)
    mark.touch(mode=0o600)
    try:
        yield
    except BackupRefused:
        # Refused before anything was changed: that says nothing of a restore that broke off earlier.
        if not stood:
            mark.unlink()
        raise
    mark.unlink()


def require_none_under_way(data: Path) -> None:
    """Refuse to go on with a database that a restore has left half-way.

    Raises:
        UnsafeSettings: a restore is running, or has broken off.
    """
    if (data / _MARK).exists():
        raise UnsafeSettings(
            "A restore is under way, or has broken off: run `python -m scripts.backup restore FOLDER --replace` to its "
            "end before anything is served."
        )
