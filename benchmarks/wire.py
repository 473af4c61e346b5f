"""HTTP/1.1 as the load generator and the pretended systems speak it: ready-made bytes, and where a message ends."""

import json
from collections.abc import Mapping
from typing import Final

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"


def request(method: str, path: str, *, headers: Mapping[str, str] | None = None, body: object = None) -> bytes:
    """Return a whole request; `body` is sent as JSON."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append("Content-Type: application/json")
    if body is not None or method not in {"GET", "HEAD"}:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + _END_OF_HEAD + content


def answer(content: bytes, *, status: int = 200, media_type: str = "application/json; charset=utf-8") -> bytes:
    """Return a whole answer."""
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}"
    return head.encode() + _END_OF_HEAD + content


def end_of_message(data: bytes) -> tuple[int, int] | None:
    """Return where the body of the first message in `data` begins and ends, or None while it is not all there.

    Messages without `Content-Length` have no body. Chunked bodies are not understood: nothing measured here sends them.
    """
    head = data.find(_END_OF_HEAD)
    if head < 0:
        return None
    begin = head + len(_END_OF_HEAD)
    # With the line end that closes the last header, so that every header begins and ends with one.
    lowered = data[: head + 2].lower()
    at = lowered.find(_LENGTH)
    if at < 0:
        return begin, begin
    value = lowered[at + len(_LENGTH) : lowered.index(b"\r\n", at + len(_LENGTH))]
    end = begin + int(value)
    return (begin, end) if len(data) >= end else None


def status_of(data: bytes) -> int:
    """Return the status of an answer."""
    return int(data[9:12])
