"""What a portal and a face node say to each other: pictures one way, what is on them the other."""

import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from face.types import FrameObservation, PictureFault

PLACES: Final = "/v1/face/places"
LOOKS: Final = "looks"
CONDITION: Final = "/v1/face/condition"
PICTURES: Final = "application/octet-stream"

_LENGTH: Final = struct.Struct(">I")


class PlaceWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A portal wants a place for a check, of somebody who is logged in or of somebody nameless."""

    logged_in: bool


class Place(msgspec.Struct, frozen=True):
    """A place for one check, under the id that the portal gave it; it falls back when nothing is heard of it."""

    model_id: str


class Looked(msgspec.Struct, frozen=True):
    """What is on the pictures, in their order."""

    seen: tuple[FrameObservation, ...]


class Condition(msgspec.Struct, frozen=True):
    """Whether all of a node's engine works, and what it describes faces by."""

    whole: bool
    model_id: str


class Trouble(msgspec.Struct, frozen=True):
    """Why there is no such answer; `fault` and `index` belong to `unusable`, `retry_after` is in seconds."""

    trouble: Literal["busy", "unavailable", "overtime", "unusable", "no-place", "malformed"]
    retry_after: int = 0
    fault: PictureFault | None = None
    index: int = 0


def packed(pictures: Sequence[bytes]) -> bytes:
    """Return pictures as one body: each with its length in four bytes before it."""
    return b"".join(part for picture in pictures for part in (_LENGTH.pack(len(picture)), picture))


def unpacked(body: bytes, *, at_most: int) -> list[bytes]:
    """Return the pictures in a body.

    Raises:
        ValueError: it ends in the middle of one, or holds more than `at_most`.
    """
    pictures: list[bytes] = []
    at = 0
    while at < len(body):
        if len(pictures) == at_most or at + _LENGTH.size > len(body):
            raise ValueError("too many pictures, or a length cut off")
        (size,) = _LENGTH.unpack_from(body, at)
        begin, at = at + _LENGTH.size, at + _LENGTH.size + size
        if at > len(body):
            raise ValueError("a picture cut off")
        pictures.append(body[begin:at])
    return pictures
