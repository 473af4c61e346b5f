"""Taking the body of a request: within the cap of its route, once its caller is let in, in bounded memory.

Sanic would take any body into memory before it asks who sends it; so routes are served as streaming ones and the body
is read here. What is too large is refused by its announced length, or as soon as it has grown so far.
"""

from typing import TYPE_CHECKING, Any, Final

from api.problems import MediaType, Overloaded, TooLarge
from api.reading import JSON_BYTES

if TYPE_CHECKING:
    from sanic import Request

    from api.operation import Operation

# The largest form with files; what is larger than a route's cap is read away up to here, so that its sender, busy
# sending, comes to see the answer.
FORM_BYTES: Final = 12 * 1024 * 1024
# Of all bodies together that are being read or worked on.
AT_ONCE_BYTES: Final = 128 * 1024 * 1024
# Some callers send an empty object where nothing is expected; that does no harm.
_NOTHING_BYTES: Final = 16
_NOTHING: Final = (b"", b"{}")


def cap_of(operation: "Operation") -> int:
    """Return how many bytes the body of an operation may have; 0 where it takes none."""
    if operation.files is not None:
        return FORM_BYTES
    return 0 if operation.body is None and not operation.raw else JSON_BYTES


def check_length(request: "Request[Any, Any]", cap: int) -> None:
    """Refuse a body that is announced as too large, before anybody is asked for.

    Raises:
        TooLarge: it is over the cap.
    """
    stream: Any = request.stream
    if cap and stream.request_bytes > cap:
        raise TooLarge


class Bodies:
    """Reads the bodies of a process and knows how much of them it holds."""

    def __init__(self, *, at_once_bytes: int = AT_ONCE_BYTES) -> None:
        self._at_once_bytes = at_once_bytes
        self._held = 0

    async def read(self, request: "Request[Any, Any]", cap: int) -> int:
        """Put the whole body on the request and return its size, to be let go of after the work.

        Raises:
            TooLarge: it is over the cap of its route.
            MediaType: there is one, and the route takes none.
            Overloaded: together with all others it would be more than this process may hold.
        """
        stream: Any = request.stream
        self._check(stream.request_bytes, cap)
        # One buffer: of many small parts each would cost many times its size.
        whole = bytearray()
        size = 0
        try:
            async for part in stream:
                size += len(part)
                self._held += len(part)
                self._check(size, cap)
                whole += part
            request.body = bytes(whole)
            if not cap:
                _check_nothing(request.body)
                request.body = b""
        except BaseException:
            self.let_go(size)
            raise
        return size

    def _check(self, size: int, cap: int) -> None:
        if size > (cap or _NOTHING_BYTES):
            raise TooLarge if cap else MediaType
        if self._held > self._at_once_bytes:
            raise Overloaded(retry_after=2)

    def let_go(self, size: int) -> None:
        """Forget a body that has been worked on."""
        self._held -= size


def _check_nothing(body: bytes) -> None:
    if body.strip() not in _NOTHING:
        raise MediaType
