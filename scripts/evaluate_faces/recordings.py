"""Whole recordings, decided as a check decides them: honest ones that are kept out, attacks that are let in.

A folder of recordings has `KIND/NAME/`, in it `portrait.jpg`, the frames in the order of their names, and
`recording.json`: `{"actions": [...], "made": true}`. The kind `genuine` is of honest people. `made` says that a program
made it (`python -m sandbox.faces`), not a camera.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from face.evaluation import GENUINE, Attack, Counted
from face.rules import FaceLimits, judge
from face.types import Action
from scripts.evaluate_faces.labels import BadLabels
from scripts.evaluate_faces.looking import Seen
from scripts.evaluate_faces.rates import Stand

_PORTRAIT: Final = "portrait.jpg"


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked of whoever is on a recording, and whether a program made it."""

    actions: list[Action]
    made: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording: pictures by their names below the folder."""

    kind: str
    about: About
    portrait: str
    frames: tuple[str, ...]


def read_recordings(folder: Path) -> list[Recording]:
    """Read what recordings a folder has.

    Raises:
        BadLabels: one lacks its portrait or its `recording.json`.
    """
    return list(_recordings(folder))


def _recordings(folder: Path) -> Iterator[Recording]:
    for place in sorted(path.parent for path in folder.glob("*/*/recording.json")):
        try:
            about = msgspec.json.decode((place / "recording.json").read_bytes(), type=About)
        except (OSError, msgspec.MsgspecError) as error:
            raise BadLabels(f"{place.name}/recording.json: {error}") from error
        names = sorted(path.relative_to(folder).as_posix() for path in place.glob("*.jpg"))
        frames = tuple(name for name in names if PurePosixPath(name).name != _PORTRAIT)
        if len(frames) == len(names) or not frames:
            raise BadLabels(f"{place.name}: {_PORTRAIT} and frames are needed")
        yield Recording(place.parent.name, about, (place / _PORTRAIT).relative_to(folder).as_posix(), frames)


def decide(recordings: list[Recording], seen: Seen, limits: FaceLimits, stand: Stand | None) -> list[Attack]:
    """Count for each kind the recordings that were decided wrongly, honest ones first.

    One is decided after the other as the service would: a picture that was shown before, in whichever recording, or
    twice in one, ends it.
    """
    wrong: dict[str, list[bool]] = {}
    made: dict[str, bool] = {}
    shown: set[str] = set()
    for recording in sorted(recordings, key=lambda one: one.kind != GENUINE):
        frames = [seen.frames[name] for name in recording.frames if name in seen.frames]
        portrait = seen.frames.get(recording.portrait)
        marks = {frame.digest for frame in frames}
        is_new = len(marks) == len(frames) and shown.isdisjoint(marks)
        shown |= marks
        passed = is_new and judge(frames, portrait, recording.about.actions, limits, stand).passed
        wrong.setdefault(recording.kind, []).append(passed is (recording.kind != GENUINE))
        made[recording.kind] = made.get(recording.kind, False) or recording.about.made
    kinds = sorted(wrong, key=lambda kind: (kind != GENUINE, kind))
    return [Attack(kind, made[kind], Counted(sum(wrong[kind]), len(wrong[kind]))) for kind in kinds]
