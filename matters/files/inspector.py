"""The process that opens residents' files: bounded in memory and time, without keys, and replaced when it dies.

It is told a kind and a content on its standard input, and answers with the content as it is kept, or with nothing.
"""

import resource
import sys
from typing import BinaryIO, Final

import msgspec

from matters.files.documents import look_through
from matters.files.pictures import FORMATS, Unsound, made_anew

HEAD: Final = 4
_MEMORY: Final = 900 * 2**20
_CPU_SECONDS: Final = 8


class Given(msgspec.Struct):
    """A file to look at."""

    media_type: str
    content: bytes


class Looked(msgspec.Struct):
    """What is kept of it; None: it is refused."""

    content: bytes | None


def clean(media_type: str, content: bytes) -> bytes | None:
    """Return what is kept of a file, None when it is not what it says."""
    try:
        if media_type in FORMATS:
            return made_anew(content, media_type)
        look_through(content)
        return content
    except Unsound:
        return None


def work(taken: BinaryIO, told: BinaryIO) -> None:
    """Look at one file after another until nobody hands in any more."""
    decoder, encoder = msgspec.msgpack.Decoder(Given), msgspec.msgpack.Encoder()
    while head := taken.read(HEAD):
        given = decoder.decode(taken.read(int.from_bytes(head, "big")))
        used = resource.getrusage(resource.RUSAGE_SELF)
        soonest = int(used.ru_utime + used.ru_stime) + 1 + _CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (soonest, resource.RLIM_INFINITY))
        answer = encoder.encode(Looked(clean(given.media_type, given.content)))
        told.write(len(answer).to_bytes(HEAD, "big") + answer)
        told.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    work(sys.stdin.buffer, sys.stdout.buffer)
