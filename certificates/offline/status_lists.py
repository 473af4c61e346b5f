"""The status lists: who has which place, and the signed list that anybody may fetch."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from certificates.keys import IssuerKeys
from certificates.offline.jws import decode
from certificates.offline.status_list import SIZE, compose, deflate
from certificates.offline.types import Mark, Place, Standing
from certificates.settings import CertificateSettings
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.ids import Ids

_PATH: Final = "/v1/public/status-lists/"
# With so many places taken one after the other, the list is as good as full.
_DRAWS: Final = 8
_DRAWN_BYTES: Final = 3
_NUMBER: Final = re.compile(r"[0-9]{1,9}")

_HELD: Final = "SELECT place FROM certificate_status WHERE certificate_id = $1 AND version = $2 AND mark = 0 LIMIT 1"
_NEWEST: Final = "SELECT max(place) AS place FROM certificate_status"
_TAKE: Final = """
INSERT INTO certificate_status (place, certificate_id, version, mark, given_at) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (place) DO NOTHING RETURNING place
"""
_MARKED: Final = "SELECT place, mark FROM certificate_status WHERE mark > 0 AND place >= $1 AND place < $2"
_ONE: Final = """
SELECT s.mark, s.certificate_id, c.citizen_id FROM certificate_status s
LEFT JOIN certificate c ON c.id = s.certificate_id WHERE s.place = $1
"""
_NEWEST_OF: Final = """
SELECT place, mark, given_at FROM certificate_status WHERE certificate_id = $1 ORDER BY given_at DESC, place LIMIT 1
"""
_REVOKE: Final = "UPDATE certificate_status SET mark = 1 WHERE certificate_id = $1 AND mark <> 1"


async def end_tokens(certificate_id: UUID) -> int:
    """Make every token of a certificate invalid, for good; return how many places that were.

    Raises:
        OutsideTransaction: no transaction is running.
        DatabaseUnavailable: the database could not be reached.
    """
    require_transaction()
    return await execute(_REVOKE, certificate_id)


@dataclass(frozen=True, slots=True)
class _Made:
    """A list as it was signed, and when."""

    token: str
    at: float


class StatusLists:
    """Places are drawn at random, so that neighbours in a list tell nothing of each other."""

    def __init__(
        self, *, keys: IssuerKeys, public_url: str, clock: Clock, ids: Ids, settings: CertificateSettings
    ) -> None:  # fmt: skip
        self._keys = keys
        self._lists = f"{public_url}{_PATH}"
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._made: dict[int, _Made] = {}
        self._making = asyncio.Lock()

    def uri(self, number: int) -> str:
        """Return where a list is fetched."""
        return f"{self._lists}{number}"

    async def give_place(self, certificate_id: UUID, version: int) -> tuple[str, int]:
        """Return the list and the index of a certificate's version; tokens of the same version share them.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        held = await fetch_one(_HELD, certificate_id, version)
        place = int(held["place"]) if held else await self._take(certificate_id, version)
        number, index = divmod(place, SIZE)
        return self.uri(number), index

    async def find_place(self, uri: str, index: int) -> Place | None:
        """Return what stands at a place now; None when nobody has it, or the list is none of ours.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        number = uri.removeprefix(self._lists)
        if not _NUMBER.fullmatch(number) or uri != self.uri(int(number)) or index >= SIZE:
            return None
        row = await fetch_one(_ONE, int(number) * SIZE + index)
        if row is None:
            return None
        owner = row["citizen_id"]
        return Place(Mark(row["mark"]), as_uuid(row["certificate_id"]), None if owner is None else as_uuid(owner))

    async def find_standing(self, certificate_id: UUID) -> Standing | None:
        """Return where the newest tokens of a certificate stand, and what is said of them; None while none was made.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_NEWEST_OF, certificate_id)
        if row is None:
            return None
        number, index = divmod(int(row["place"]), SIZE)
        return Standing(Mark(row["mark"]), self.uri(number), index, as_moment(row["given_at"]))

    async def publish(self, number: int) -> str | None:
        """Return a list, signed, some seconds old at the most; None when there is none of this number.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        async with self._making:
            now, made = self._clock.monotonic(), self._made.get(number)
            if made is not None and now - made.at < self._settings.status_list_seconds:
                return made.token
            if not 0 <= number <= await self._newest():
                return None
            first = number * SIZE
            marked = await fetch(_MARKED, first, first + SIZE)
            marks = [(int(row["place"]) - first, int(row["mark"])) for row in marked]
            # Up to half a second for a full list: in a thread, where it keeps nobody waiting.
            lst = await asyncio.to_thread(deflate, marks)
            token = compose(
                lst,
                uri=self.uri(number),
                now=self._clock.now(),
                ttl=timedelta(seconds=self._settings.status_list_ttl_seconds),
                lives=timedelta(hours=self._settings.status_list_hours),
                key=self._keys.current,
            )
            self._made[number] = _Made(token, now)
            return token

    async def _newest(self) -> int:
        row = await fetch_one(_NEWEST)
        return 0 if row is None or row["place"] is None else int(row["place"]) // SIZE

    async def _take(self, certificate_id: UUID, version: int) -> int:
        number, now = await self._newest(), self._clock.now()
        while True:
            for _ in range(_DRAWS):
                index = int.from_bytes(decode(self._ids.token(_DRAWN_BYTES))) % SIZE
                rows = await fetch(_TAKE, number * SIZE + index, certificate_id, version, now)
                if rows:
                    return int(rows[0]["place"])
            number += 1
