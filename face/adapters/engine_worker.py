"""The child process of the local engine: one picture in, what is on it out, until its parent is gone.

    python -m face.adapters.engine_worker SETUP

Pictures come from strangers and decoders have bugs, so this process has no keys, no database and hardly an
environment, and may be killed at any moment. It speaks frames of a four-byte length and that many bytes: pictures in,
JSON out. `SETUP` is `Setup` as JSON.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final

import msgspec
import numpy as np
from PIL import Image

from face.adapters.own_network import OwnNetwork
from face.adapters.passive_network import PassiveNetwork
from face.adapters.picture import BadPicture, PictureLimits, Pixels, decode
from face.types import FrameObservation, PictureFault

LENGTH: Final = struct.Struct(">I")
_PR_SET_PDEATHSIG: Final = 1
# Of what is written to; 350 MB more than the models take: room for every picture within the limits, and for no bomb.
_DATA: Final = 512 << 20


class Setup(msgspec.Struct, frozen=True):
    """What a child is told: the converted network or the operator's, what looks for life, the bounds of a picture."""

    network: str
    picture: PictureLimits
    own: OwnNetwork | None = None
    passive: PassiveNetwork | None = None


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The models are loaded."""

    model_id: str


class Seen(msgspec.Struct, tag=True, frozen=True):
    """What is on the picture."""

    observation: FrameObservation


class Unusable(msgspec.Struct, tag=True, frozen=True):
    """The file is no picture for this engine."""

    fault: PictureFault


def main(arguments: list[str]) -> None:
    """Serve pictures until the parent closes the pipe."""
    _confine()
    pictures = sys.stdin.buffer
    # What libraries print must not end between the answers: they get standard error in place of standard output.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    setup = msgspec.json.decode(arguments[0], type=Setup)
    # The package first: if the models are missing this is an exception, while `face_recognition` would quit the
    # process.
    from face.adapters.recogniser import Recogniser  # noqa: PLC0415 — confined before anything is loaded

    recogniser = Recogniser(Path(setup.network), own=setup.own, passive=setup.passive)
    recogniser.observe(np.zeros((480, 640, 3), np.uint8))
    _warm_decoder(setup.picture)
    _send(answers, Ready(recogniser.model_id))
    while (picture := _receive(pictures)) is not None:
        try:
            _send(answers, Seen(recogniser.observe(_decoded(picture, setup.picture))))
        except BadPicture as error:
            _send(answers, Unusable(error.fault))


def _confine() -> None:
    """Die with the parent, leave no core dump with faces in it, and bound the memory a decoder can take."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA, _DATA))
    signal.signal(signal.SIGPROF, _too_slow)


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def _decoded(picture: bytes, limits: PictureLimits) -> Pixels:
    """Decode within the time that a picture may take of the processor; what needs more is no photograph."""
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
    try:
        return decode(picture, limits)
    except TimeoutError as error:  # Just before or after the decoding itself.
        raise BadPicture(PictureFault.UNREADABLE) from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _warm_decoder(limits: PictureLimits) -> None:
    """Decode a picture of our own, so that the first stranger's does not pay for loading the decoder."""
    out = BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG")
    decode(out.getvalue(), limits)


def _receive(stream: BinaryIO) -> bytes | None:
    """Return the next picture, or nothing when the parent has gone."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(header)
    content = stream.read(size)
    return content if len(content) == size else None


def _send(stream: BinaryIO, answer: Ready | Seen | Unusable) -> None:
    content = msgspec.json.encode(answer)
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
