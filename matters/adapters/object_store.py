"""An S3-compatible object store as the file store (`docs/departments/object-store.md`)."""

import re
from typing import Final

from core.outbound import Incoming, Outbound, Partner, unavailable_as
from matters.errors import FileStoreUnavailable

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_STORED: Final = 200
_GONE: Final = frozenset({204, 200, 404})


class ObjectStore:
    """Keeps each file as an object of one bucket. What lies there is sealed; its name says nothing."""

    def __init__(self, *, outbound: Outbound, partner: Partner, bucket: str) -> None:
        self._outbound = outbound
        self._partner = partner
        self._bucket = bucket

    async def put(self, name: str, content: bytes) -> None:
        """Keep a file; the store answers once it is durable.

        Raises:
            FileStoreUnavailable: the store does not take it.
        """
        answer = await self._call("PUT", name, content)
        if not _is_objects(answer):
            raise FileStoreUnavailable(retry_after=30)

    async def get(self, name: str) -> bytes:
        """Return a file.

        Raises:
            FileStoreUnavailable: it is not there or cannot be read.
        """
        answer = await self._call("GET", name)
        if not _is_objects(answer):
            raise FileStoreUnavailable(retry_after=30)
        return answer.body

    async def remove(self, name: str) -> None:
        """Forget a file; nothing happens when there is none.

        Raises:
            FileStoreUnavailable: the store does not answer.
        """
        answer = await self._call("DELETE", name)
        if answer.status not in _GONE:
            raise FileStoreUnavailable(retry_after=30)

    async def _call(self, method: str, name: str, content: bytes | None = None) -> Incoming:
        if not _NAME.fullmatch(name):
            raise FileStoreUnavailable
        headers = {} if content is None else {"Content-Type": "application/octet-stream"}
        with unavailable_as(FileStoreUnavailable):
            # The same name always gets the same content: a request that comes twice has one effect.
            return await self._outbound.call(
                self._partner, method, f"/{self._bucket}/{name[:2]}/{name}", body=content, headers=headers
            )


def _is_objects(answer: Incoming) -> bool:
    """Tell whether an answer is about an object: what stands between may answer 200 with a page of its own."""
    return answer.status == _STORED and "ETag" in answer.headers
