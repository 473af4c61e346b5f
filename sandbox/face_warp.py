"""The optics of the pretended camera: one still portrait, turned, tilted, brought closer and photographed anew.

A head is taken for an ellipsoid with a nose on it. Every pixel of a frame is followed back through the camera (place,
scale, roll) and through the turned head to the pixel of the still picture it came from. This is no 3-D model of a
person, and it is exactly what an injection attack does as well: a server alone cannot tell the two apart.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats: TypeAlias = npt.NDArray[np.float32]
Pixels: TypeAlias = npt.NDArray[np.uint8]

FRAME_WIDTH: Final = 640
FRAME_HEIGHT: Final = 480

# The shape of a head, in units of the distance between its eyes; the origin is the point between them.
_HALF_WIDTH: Final = 1.45
_HALF_HEIGHT: Final = 1.95
_HEAD_MIDDLE: Final = 0.45
_DEPTH: Final = 0.8
_NOSE_HEIGHT: Final = 0.60
_NOSE_WIDTH: Final = 0.33
_NOSE_LENGTH: Final = 0.34
_NOSE_TIP: Final = 0.66
_MOUTH_HALF_WIDTH: Final = 0.42
# The turn is undone by fixed-point steps; the surface is flat enough for them to settle to a hundredth of a pixel.
_STEPS: Final = 7
# How far the rotated flat photograph is from the lens, in eye distances: close, so that its perspective shows.
_PHOTO_DISTANCE: Final = 7.0
_LEAST_TOWARDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of a face and where its eyes and mouth are, in pixels of that picture."""

    pixels: Pixels
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    mouth_below_eyes: float

    @property
    def eye_distance(self) -> float:
        """Distance between the centres of the eyes, in pixels."""
        return float(np.hypot(self.right_eye[0] - self.left_eye[0], self.right_eye[1] - self.left_eye[1]))


@dataclass(frozen=True, slots=True)
class Pose:
    """What the head does in one frame: angles in radians, `scale` in pixels between the eyes, `mouth` from 0 to 1."""

    turn: float = 0.0
    tilt: float = 0.0
    scale: float = 66.0
    mouth: float = 0.0
    middle: tuple[float, float] = (FRAME_WIDTH / 2, FRAME_HEIGHT * 0.43)


@dataclass(frozen=True, slots=True)
class Camera:
    """How pictures come out: light, colour, mirror, grain; the tricks of a cheat (`flat`, `screen`) are part of it."""

    gain: float = 1.0
    warmth: float = 0.0
    mirrored: bool = False
    grain: float = 2.2
    quality: int = 78
    flat: bool = False
    screen: bool = False


def photograph(still: Still, pose: Pose, camera: Camera, rng: np.random.Generator) -> bytes:
    """Take one frame of the face as a JPEG of 640 x 480 with fresh noise.

    Raises:
        Nothing: every pose gives a picture, also one no head can take.
    """
    columns, rows = np.meshgrid(
        np.arange(FRAME_WIDTH, dtype=np.float32), np.arange(FRAME_HEIGHT, dtype=np.float32), copy=False
    )
    across = (columns - pose.middle[0]) / pose.scale
    down = (rows - pose.middle[1]) / pose.scale
    cosine, sine = np.float32(np.cos(pose.tilt)), np.float32(np.sin(pose.tilt))
    across, down = across * cosine + down * sine, down * cosine - across * sine
    if camera.flat:
        across, down = _unturn_photo(across, down, pose.turn)
    else:
        across = _unturn_head(across, down, pose.turn)
    gap: Floats | None = None
    if pose.mouth > 0.0:
        down, gap = _open_mouth(across, down, pose.mouth, still.mouth_below_eyes)
    frame = _sample(still, across, down)
    if gap is not None:
        frame *= 1.0 - 0.85 * gap[..., None]
    if camera.screen:
        frame = _as_on_a_screen(frame, columns, rows, rng)
    return _develop(frame, camera, rng)


def _unturn_head(across: Floats, down: Floats, angle: float) -> Floats:
    """Undo the turn of the head: where on the frontal face lies what is seen here."""
    if abs(angle) < 1e-4:  # noqa: PLR2004 — a turn nobody can see: a hundredth of a degree
        return across
    sine, shortening = np.float32(np.sin(angle)), np.float32(np.cos(angle) - 1.0)
    height = ((down - _HEAD_MIDDLE) / _HALF_HEIGHT) ** 2
    nose_height = ((down - _NOSE_TIP) / _NOSE_LENGTH) ** 2
    frontal = across.copy()
    for _ in range(_STEPS):
        inside = np.clip(1.0 - (frontal / _HALF_WIDTH) ** 2 - height, 0.0, 1.0)
        # Squared at the rim, so that the head passes into its surroundings without a tear.
        rim = inside * inside * (3.0 - 2.0 * inside)
        depth = _DEPTH * rim + _NOSE_HEIGHT * np.exp(-0.5 * ((frontal / _NOSE_WIDTH) ** 2 + nose_height))
        frontal = across - depth * sine - rim * frontal * shortening
    return np.asarray(frontal, dtype=np.float32)


def _unturn_photo(across: Floats, down: Floats, angle: float) -> tuple[Floats, Floats]:
    """Undo the turn of a flat photograph held before the lens."""
    sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    # Where a ray runs along the photograph, or behind it, the camera sees its far edge.
    towards = np.maximum(_PHOTO_DISTANCE * cosine - across * sine, np.float32(_LEAST_TOWARDS))
    flat = across * _PHOTO_DISTANCE / towards
    return flat, np.asarray(down * (_PHOTO_DISTANCE + flat * sine) / _PHOTO_DISTANCE, dtype=np.float32)


def _open_mouth(across: Floats, down: Floats, openness: float, mouth: float) -> tuple[Floats, Floats]:
    """Pull the jaw down: what was below the lips moves, and the gap between is dark."""
    arch = np.clip(1.0 - (across / _MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0) * np.float32(0.34 * openness)
    below = down - mouth
    fading = np.clip(1.6 - below, 0.0, 1.0)
    source = np.where(below > arch, down - arch * fading, np.minimum(down, mouth))
    gap = np.clip((arch - below) * 18.0, 0.0, 1.0) * (below > 0.0)
    return source.astype(np.float32), gap.astype(np.float32)


def _sample(still: Still, across: Floats, down: Floats) -> Floats:
    """Read the still picture at the given points of the face, between pixels by bilinear interpolation."""
    axis_x = still.right_eye[0] - still.left_eye[0]
    axis_y = still.right_eye[1] - still.left_eye[1]
    middle_x = (still.left_eye[0] + still.right_eye[0]) / 2
    middle_y = (still.left_eye[1] + still.right_eye[1]) / 2
    height, width = still.pixels.shape[:2]
    x = np.clip(across * axis_x - down * axis_y + middle_x, 0.0, width - 1.001)
    y = np.clip(across * axis_y + down * axis_x + middle_y, 0.0, height - 1.001)
    left, top = x.astype(np.int32), y.astype(np.int32)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]
    flat = still.pixels.reshape(-1, 3)
    corner = top * width + left
    upper = flat[corner] * (1.0 - right_share) + flat[corner + 1] * right_share
    lower = flat[corner + width] * (1.0 - right_share) + flat[corner + width + 1] * right_share
    return np.asarray(upper + (lower - upper) * lower_share, dtype=np.float32)


def _as_on_a_screen(frame: Floats, columns: Floats, rows: Floats, rng: np.random.Generator) -> Floats:
    """Show the picture on a screen: bluish, with the bands that two grids of pixels make."""
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    bands = np.sin(columns * 0.47 + rows * 0.06 + phase[0]) + np.sin(rows * 0.61 - columns * 0.04 + phase[1])
    tinted = frame * np.array([0.92, 1.0, 1.1], dtype=np.float32) + 14.0
    return np.asarray(tinted * (1.0 + 0.035 * bands[..., None]), dtype=np.float32)


def _develop(frame: Floats, camera: Camera, rng: np.random.Generator) -> bytes:
    """Light, colour, grain and JPEG."""
    colour = np.array([1.0 + camera.warmth, 1.0, 1.0 - camera.warmth], dtype=np.float32) * camera.gain
    grain = rng.standard_normal(frame.shape[:2], dtype=np.float32) * camera.grain
    lit = np.clip(frame * colour + grain[..., None], 0, 255).astype(np.uint8)
    image = Image.fromarray(lit[:, ::-1] if camera.mirrored else lit)
    out = BytesIO()
    image.save(out, "JPEG", quality=camera.quality)
    return out.getvalue()
