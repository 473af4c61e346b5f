"""The pretended camera: frames of a face that do what a check asks, or that try to cheat, without any camera.

Two wheels ship one public-domain portrait each: face A is scikit-image's `astronaut` (NASA), face B matplotlib's
`grace_hopper` (US Navy). The whole cast has face A; face B is the other person. The pictures are read from the
installed packages, cropped to the head, and never leave as they are: each frame is warped, lit and grained anew.

`python -m sandbox.faces FOLDER` writes recordings of every style for an evaluation: `STYLE/NUMBER/` with a portrait,
the frames and `recording.json`, which says what was asked, and that a program made it. `replayed` are the genuine ones
again, with the very actions that they show; every second one in files that differ from theirs by a remark.
"""

import argparse
import importlib.util
import json
import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from sandbox.face_warp import FRAME_HEIGHT, FRAME_WIDTH, Camera, Pose, Still, photograph

Face = Literal["a", "b"]

ACTIONS: Final = ("turn_one_side", "turn_other_side", "tilt", "come_closer", "open_mouth")
STYLES: Final = ("genuine", "still", "other_person", "swapped", "reordered", "rotated_photo", "screen")
REPLAYED: Final = "replayed"
MIN_FRAMES: Final = 6
MAX_FRAMES: Final = 24

# How far a head goes at the height of an action: radians, radians, and times nearer.
_TURN: Final = 0.46
_PHOTO_TURN: Final = 0.85
_TILT: Final = 0.38
_NEARER: Final = 1.42
_EYE_DISTANCE: Final = 64.0


class CannotPose(ValueError):
    """The camera was asked for an action, a style or a number of frames it does not know."""


@cache
def _still(face: Face) -> Still:
    package, path = {
        "a": ("skimage", "data/astronaut.png"),
        "b": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    }[face]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise CannotPose(f"the package {package} is not installed; the sandbox needs its picture")
    with Image.open(Path(found.origin).parent / path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    # Where the eyes are was measured once on these two pictures; they do not change.
    if face == "a":
        # Cut off below the collar: a badge on the suit looks like a second face to detectors.
        return Still(pixels[:300], left_eye=(203.5, 102.0), right_eye=(246.5, 104.5), mouth_below_eyes=1.05)
    return Still(pixels, left_eye=(222.0, 195.5), right_eye=(306.5, 188.5), mouth_below_eyes=1.02)


def portrait(face: Face) -> bytes:
    """Return the portrait a population registry keeps of this face: JPEG, 358 x 441, another rendition than the frames.

    Raises:
        CannotPose: the package that carries the picture is not installed.
    """
    frame = photograph(
        _still(face),
        Pose(scale=92.0, middle=(FRAME_WIDTH / 2, FRAME_HEIGHT * 0.46)),
        Camera(gain=1.09, warmth=-0.03, grain=1.0, quality=88),
        np.random.default_rng(20),
    )
    return _cropped(frame)


def _cropped(frame: bytes) -> bytes:
    # The format of the photo on an identity card: 26 x 32 mm at 350 dpi.
    with Image.open(BytesIO(frame)) as picture:
        width = FRAME_HEIGHT * 358 // 441
        left = (FRAME_WIDTH - width) // 2
        card = picture.crop((left, 0, left + width, FRAME_HEIGHT)).resize((358, 441), Image.Resampling.LANCZOS)
    out = BytesIO()
    card.save(out, "JPEG", quality=88)
    return out.getvalue()


def make_frames(
    person: str,
    actions: Sequence[str],
    as_: str = "genuine",
    count: int = 12,
    *,
    rng: np.random.Generator | None = None,
) -> list[bytes]:
    """Make `count` JPEG frames of 640 x 480 in which the person does `actions` in order, or cheats the way `as_` names.

    `person` sets the room and the camera (light, colour, mirror), not the face: the cast shares one. Noise is fresh
    each time, so no two frames are ever the same bytes; `rng` fixes it for measurements.

    Raises:
        CannotPose: an action, the style or the number of frames is unknown.
    """
    if as_ not in STYLES or not set(actions) <= set(ACTIONS) or not MIN_FRAMES <= count <= MAX_FRAMES:
        raise CannotPose(f"styles {STYLES}, actions {ACTIONS}, {MIN_FRAMES} to {MAX_FRAMES} frames")
    rng = rng or np.random.default_rng()
    room = np.random.default_rng(zlib.crc32(person.encode()))
    camera = Camera(
        gain=float(room.uniform(0.85, 1.08)),
        warmth=float(room.uniform(-0.04, 0.05)),
        mirrored=bool(room.integers(2)),
        flat=as_ == "rotated_photo",
        screen=as_ == "screen",
    )
    if as_ == "still":
        poses = [Pose(scale=_EYE_DISTANCE)] * count
    else:
        done = _another_order(actions) if as_ == "reordered" else list(actions)
        poses = _performance(done, count, rng, turn=_PHOTO_TURN if camera.flat else _TURN)
    faces: list[Face] = ["b" if as_ == "other_person" else "a"] * count
    if as_ == "swapped":
        faces[count // 2 :] = ["b"] * (count - count // 2)
    return [photograph(_still(face), pose, _shaken(camera, rng), rng) for face, pose in zip(faces, poses, strict=True)]


def _another_order(actions: Sequence[str]) -> list[str]:
    """Return the same actions in an order that is seen to be another.

    Two turns that change places are the same movement to a camera that may mirror; moving the last action to the front
    always shows, but with two turns alone nothing would: there the second is left out.
    """
    moved = [*actions[-1:], *actions[:-1]]
    turns = {"turn_one_side", "turn_other_side"}
    if len(actions) < 2 or (len(actions) == 2 and set(actions) <= turns):  # noqa: PLR2004 — a pair has one other order
        return moved[:-1]
    return moved


def _performance(actions: Sequence[str], count: int, rng: np.random.Generator, *, turn: float) -> list[Pose]:
    """Spread the actions over the frames: a look straight ahead, then each action up to its height and back."""
    lead = max(1, round(count * 0.15))
    ends = np.linspace(lead, count, len(actions) + 1).round().astype(int)
    strength = float(rng.uniform(0.97, 1.1))
    side, lean = rng.choice([-1.0, 1.0], 2)
    poses = [_at_rest(rng) for _ in range(count)]
    for action, start, end in zip(actions, ends, ends[1:], strict=False):
        for index, height in zip(range(start, end), _rise_and_fall(end - start), strict=True):
            amount = height * strength
            rest = poses[index]
            if action == "turn_one_side":
                poses[index] = replace(rest, turn=rest.turn + amount * turn * side)
            elif action == "turn_other_side":
                poses[index] = replace(rest, turn=rest.turn - amount * turn * side)
            elif action == "tilt":
                poses[index] = replace(rest, tilt=rest.tilt + amount * _TILT * lean)
            elif action == "come_closer":
                poses[index] = replace(rest, scale=rest.scale * (1.0 + amount * (_NEARER - 1.0)))
            else:
                poses[index] = replace(rest, mouth=min(1.0, amount))
    return poses


def _rise_and_fall(frames: int) -> list[float]:
    """Return how far an action has gone in each of its frames; it reaches its height and, with time, ends at rest."""
    if frames <= 2:  # noqa: PLR2004 — one frame shows the height, a second one the way back
        return [1.0, 0.0][:frames]
    rise = [0.6] if frames == 3 else [0.5, 0.9]  # noqa: PLR2004 — with three frames one is left for the rise
    return [*rise, *[1.0] * (frames - len(rise) - 1), 0.0]


def _at_rest(rng: np.random.Generator) -> Pose:
    """Nobody holds still: a degree or two, a few pixels."""
    turn, tilt, nearer = rng.normal(0.0, 0.02, 3)
    across, down = rng.normal(0.0, 3.0, 2)
    return Pose(
        turn=float(turn),
        tilt=float(tilt),
        scale=_EYE_DISTANCE * (1.0 + float(nearer) * 0.5),
        middle=(FRAME_WIDTH / 2 + float(across), FRAME_HEIGHT * 0.43 + float(down)),
    )


def _shaken(camera: Camera, rng: np.random.Generator) -> Camera:
    """Exposure wanders a little from frame to frame."""
    return replace(camera, gain=camera.gain * float(rng.normal(1.0, 0.01)))


# The camera may mirror, so "the other side" only follows "one side".
_SEQUENCES: Final = (
    ("turn_one_side", "tilt", "come_closer"),
    ("tilt", "turn_one_side", "turn_other_side"),
    ("come_closer", "tilt", "turn_one_side"),
    ("turn_one_side", "come_closer", "turn_other_side"),
    ("tilt", "come_closer", "turn_one_side"),
    ("turn_one_side", "turn_other_side", "tilt"),
)


def write_recordings(folder: Path, *, each: int, count: int, styles: Sequence[str] = STYLES) -> int:
    """Write so many recordings of every style, of so many frames; return how many there are."""
    for style in styles:
        for number in range(each):
            actions = random.choice(_SEQUENCES)
            frames = make_frames(f"room-{random.randrange(1000)}", actions, style, count)
            _write(folder / style / f"{number:03}", actions, frames)
            if style == "genuine":
                again = [_remarked(frame) for frame in frames] if number % 2 else frames
                _write(folder / REPLAYED / f"{number:03}", actions, again)
    return each * (len(styles) + ("genuine" in styles))


def _write(place: Path, actions: Sequence[str], frames: Sequence[bytes]) -> None:
    place.mkdir(parents=True)
    for at, frame in enumerate(frames):
        (place / f"{at:02}.jpg").write_bytes(frame)
    (place / "portrait.jpg").write_bytes(portrait("a"))
    (place / "recording.json").write_text(json.dumps({"actions": actions, "made": True}), encoding="utf-8")


def _remarked(frame: bytes) -> bytes:
    """Return another file with the same picture: a comment behind the start of the JPEG."""
    remark = random.randbytes(16).hex().encode()
    return frame[:2] + b"\xff\xfe" + (len(remark) + 2).to_bytes(2, "big") + remark + frame[2:]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.faces", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=100, help="recordings of each style (default: 100)")
    parser.add_argument("--frames", type=int, default=12, help="frames of a recording (default: 12)")
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=STYLES, help="these alone (default: every one)")
    chosen = parser.parse_args(arguments)
    written = write_recordings(chosen.folder, each=chosen.each, count=chosen.frames, styles=chosen.styles)
    sys.stdout.write(f"{written} recordings\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
