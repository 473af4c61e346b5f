"""One server for one SQLite file: a lock beside the file for the life of the process."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from core.settings import UnsafeSettings

_SQLITE: Final = "sqlite:///"


class ServerLock:
    """Holds the SQLite file for one server process: a second one would fail at random (docs/decisions/0005).

    The lock lies beside the database, not in the data folder: two folders may be told to use one file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @classmethod
    def of_database(cls, url: str) -> Self:
        """Return the lock of a SQLite database by its address, the same one by whatever links it is reached."""
        database = Path(url.removeprefix(_SQLITE)).resolve()
        return cls(database.with_name(f"{database.name}.lock"))

    def take(self) -> None:
        """Take the lock for the life of this process.

        Raises:
            UnsafeSettings: another server holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            self._file = None
            raise UnsafeSettings(
                f"Another server already uses the database in {self._path.parent}. Stop it, or give this one another "
                "ZHIJIAN_DATA_DIR or ZHIJIAN_DATABASE_URL. Several servers at once need PostgreSQL.",
            ) from error

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
