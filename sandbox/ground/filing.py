"""The files of a case: fetched where its dossier says they are, held against their digest, never kept."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from xml.etree.ElementTree import Element

import aiohttp
from http_message_signatures import HTTPMessageSignaturesException
from yarl import URL

from sandbox.ground.answers import Json, NotUnderstood, text, whole_number
from sandbox.ground.signing import CallbackSigner
from sandbox.ground.store import Store

_MOST = 50
_LARGEST = 16 * 2**20
_WITHIN_S = 2.0
_DONE = 200
# By what names a page with JSON calls what it tells of a file.
USUAL = {
    "material": "material",
    "name": "name",
    "media_type": "media_type",
    "size": "size",
    "sha256": "sha256",
    "url": "url",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a dossier tells of it."""

    material: str
    name: str
    media_type: str
    size: int
    sha256: str
    url: str


def listed(told: Json, key: str, words: Mapping[str, str] = USUAL) -> list[Listed]:
    """Read the list of a dossier's files, which may be absent; `words` says what a page calls each thing.

    Raises:
        NotUnderstood: it is not as the page says.
    """
    value = told.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(one, dict) for one in value):
        message = f"{key} must be a list of at most {_MOST} objects."
        raise NotUnderstood(message)
    return [
        Listed(
            size=whole_number(one, words["size"], least=0, most=_LARGEST) or 0,
            **{
                name: text(one, words[name], most=2000 if name == "url" else 100)
                for name in ("material", "name", "media_type", "sha256", "url")
            },
        )
        for one in value
    ]


def listed_in(elements: Iterable[Element]) -> list[Listed]:
    """Read the files of a case in XML: attributes tell of each, its text is the address where there is one.

    Raises:
        NotUnderstood: something is missing.
    """
    found: list[Listed] = []
    for one in elements:
        told = {name: one.get(name, "") for name in ("material", "name", "mediaType", "size", "sha256")}
        if not all(told.values()) or not told["size"].isascii() or not told["size"].isdigit() or len(found) == _MOST:
            message = "A file lacks its material, name, mediaType, size or sha256, or there are too many."
            raise NotUnderstood(message)
        size = int(told["size"][:9])
        words = (told["material"], told["name"], told["mediaType"])
        found.append(Listed(*words, size=size, sha256=told["sha256"], url=(one.text or "").strip()))
    return found


class Filing:
    """Fetches files under the name of a department, by its key, and remembers how each one turned out.

    `outcome` is `same`, `differs`, `HTTP …`, or `unreachable`. A file that was the same is not fetched again.
    """

    def __init__(
        self,
        *,
        store: Store,
        signer: CallbackSigner,
        signers: Mapping[str, CallbackSigner],
        may_go_to: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._signer = signer
        self._signers = signers
        self._may_go_to = may_go_to

    async def collect(self, department: str, reference: str, files: Sequence[Listed]) -> None:
        """Fetch the files of a case, one after the other.

        Raises:
            NotUnderstood: an address is none that may be called.
        """
        if not files:
            return
        if not all(self._may_go_to(file.url) for file in files):
            message = "Files must lie on a host that may be called."
            raise NotUnderstood(message)
        have = await self._store.run(partial(_have, department=department, reference=reference))
        timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            for file in files:
                if file.name not in have:
                    outcome = await self._fetch(session, department, file)
                    await self.note(department, reference, file, outcome)

    async def note(self, department: str, reference: str, file: Listed, outcome: str) -> None:
        """Remember how a file turned out."""
        row = (department, reference, file.name, file.material, file.media_type, file.size, file.sha256, outcome)

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO case_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

        await self._store.run(write)

    async def find(self, department: str, reference: str) -> dict[str, tuple[str, int, str]]:
        """Find what is known of the files of a case: media type, size and digest, by name."""

        def read(db: sqlite3.Connection) -> dict[str, tuple[str, int, str]]:
            rows = db.execute(
                "SELECT name, media_type, size, sha256 FROM case_files WHERE department = ? AND reference = ?",
                (department, reference),
            )
            return {row["name"]: (row["media_type"], row["size"], row["sha256"]) for row in rows}

        return await self._store.run(read)

    async def _fetch(self, session: aiohttp.ClientSession, department: str, file: Listed) -> str:
        url = URL(file.url, encoded=True)
        try:
            headers = self._signers.get(department, self._signer).headers(url=file.url, body=b"", method="GET")
            async with session.get(url, headers=headers, allow_redirects=False) as heard:
                if heard.status != _DONE:
                    return f"HTTP {heard.status}"
                content = await heard.read()
                told = (heard.content_type, len(content), hashlib.sha256(content).hexdigest())
        except (aiohttp.ClientError, HTTPMessageSignaturesException, TimeoutError, OSError):
            return "unreachable"
        return "same" if told == (file.media_type, file.size, file.sha256) else "differs"


def _have(db: sqlite3.Connection, *, department: str, reference: str) -> set[str]:
    rows = db.execute(
        "SELECT name FROM case_files WHERE department = ? AND reference = ? AND outcome = 'same'",
        (department, reference),
    )
    return {str(row["name"]) for row in rows}
