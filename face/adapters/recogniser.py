"""Find a face, measure it and describe it: dlib's detector and five points, its ResNet run by ONNX Runtime.

Lives in the engine's child processes only. Detection holds a step ladder: the whole picture small and grey first
(7 ms at 480 pixels), larger only when nothing was found. Doubling the picture, as the library does by default, costs
324 ms and finds little more.
"""

import hashlib
import math
from pathlib import Path
from typing import Final

import dlib
import face_recognition_models
import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from face.adapters import resnet_onnx
from face.adapters.own_network import OwnDescriber, OwnNetwork
from face.adapters.passive_network import PassiveJudge, PassiveNetwork
from face.adapters.picture import Pixels
from face.adapters.sessions import one_thread
from face.types import FaceBox, FaceSeen, FrameObservation

# Belongs to the model's name: raise it when decoding, detection, alignment or the order of colours changes.
PREPROCESSING: Final = 1

_LADDER: Final = (480, 960)
_SHARPNESS_SIDE: Final = 128
_CHIP_PADDING: Final = 0.25
# The five points: outer and inner corner of one eye, outer and inner corner of the other, the foot of the nose.
_POINTS: Final = 5


class ResNetDescriber:
    """Describes faces by the library's own network, converted."""

    def __init__(self, network: Path) -> None:
        self._network = onnxruntime.InferenceSession(str(network), one_thread(), providers=["CPUExecutionProvider"])
        weights = resnet_onnx.digest(resnet_onnx.weights_file())
        self.model_id = f"dlib-resnet-v1/{weights[:16]}/{resnet_onnx.RECIPE}"

    def describe(self, pixels: Pixels, points: "dlib.full_object_detection") -> npt.NDArray[np.float32]:
        """Describe the face with these five points as 128 numbers."""
        chip = dlib.get_face_chip(pixels, points, resnet_onnx.CHIP_PIXELS, _CHIP_PADDING)
        chips = chip.transpose(2, 0, 1)[None].astype(np.float32)
        (embeddings,) = self._network.run(None, {"chips": chips})
        return np.asarray(embeddings[0], dtype=np.float32)


class Recogniser:
    """The models, loaded once. Not for several threads.

    With `own`, the operator's network describes the faces; with `passive`, another one says whether they look alive.
    """

    def __init__(self, network: Path, *, own: OwnNetwork | None = None, passive: PassiveNetwork | None = None) -> None:
        self._passive = PassiveJudge(passive) if passive else None
        self._detector = dlib.get_frontal_face_detector()
        self._points = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
        self._describer: ResNetDescriber | OwnDescriber = OwnDescriber(own) if own else ResNetDescriber(network)
        self.model_id = f"{self._describer.model_id}.{PREPROCESSING}"

    def observe(self, pixels: Pixels) -> FrameObservation:
        """Say what is on an RGB picture of shape (rows, columns, 3)."""
        height, width = pixels.shape[:2]
        digest = hashlib.sha256(f"{width}x{height}:".encode())
        digest.update(np.ascontiguousarray(pixels).data)
        found = self._find(pixels)
        if not found:
            return FrameObservation(width, height, None, 0.0, self.model_id, digest.hexdigest())
        found.sort(key=lambda one: one[0].area(), reverse=True)
        rectangle, score = found[0]
        second = found[1][0].area() / rectangle.area() if len(found) > 1 else 0.0
        face = self._measure(pixels, rectangle, score)
        return FrameObservation(width, height, face, second, self.model_id, digest.hexdigest())

    def embed(self, pixels: Pixels, points: "dlib.full_object_detection") -> npt.NDArray[np.float32]:
        """Describe the face with these five points."""
        return self._describer.describe(pixels, points)

    def _find(self, pixels: Pixels) -> list[tuple["dlib.rectangle", float]]:
        """Return the faces in the picture with their scores, in the picture's own pixels."""
        height, width = pixels.shape[:2]
        longest = max(height, width)
        grey = Image.fromarray(pixels).convert("L")
        for step in _LADDER:
            factor = min(1.0, step / longest)
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            smaller = grey.resize(size, Image.Resampling.BOX) if factor < 1.0 else grey
            rectangles, scores, _ = self._detector.run(np.asarray(smaller), 0, 0.0)
            if rectangles:
                return [
                    (_scaled(one, 1.0 / factor), float(score)) for one, score in zip(rectangles, scores, strict=True)
                ]
            if step >= longest:
                break
        return []

    def _measure(self, pixels: Pixels, rectangle: "dlib.rectangle", score: float) -> FaceSeen:
        points = self._points(pixels, rectangle)
        corners = np.array([(points.part(index).x, points.part(index).y) for index in range(_POINTS)], np.float64)
        one_eye, other_eye, nose = corners[0:2].mean(0), corners[2:4].mean(0), corners[4]
        # From the eye further left in the picture to the one further right, so that upright means level.
        axis = one_eye - other_eye
        distance = float(np.hypot(*axis))
        along = axis / distance if distance else np.array([1.0, 0.0])
        middle = (one_eye + other_eye) / 2
        light, contrast, sharpness = _appearance(pixels, rectangle)
        box = FaceBox(rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height())
        return FaceSeen(
            box=box,
            score=score,
            eye_distance=distance,
            turn=float((nose - middle) @ along) / distance if distance else 0.0,
            tilt=math.degrees(math.atan2(axis[1], axis[0])),
            sharpness=sharpness,
            light=light,
            contrast=contrast,
            landmarks=tuple((float(x), float(y)) for x, y in corners),
            embedding=tuple(float(value) for value in self.embed(pixels, points)),
            alive=self._passive.alive(pixels, box) if self._passive else None,
        )


def _scaled(rectangle: "dlib.rectangle", factor: float) -> "dlib.rectangle":
    return dlib.rectangle(
        round(rectangle.left() * factor),
        round(rectangle.top() * factor),
        round(rectangle.right() * factor),
        round(rectangle.bottom() * factor),
    )


def _appearance(pixels: Pixels, rectangle: "dlib.rectangle") -> tuple[float, float, float]:
    """Return light, contrast and sharpness of the part of the face that is inside the picture."""
    height, width = pixels.shape[:2]
    left, right = max(0, rectangle.left()), min(width, rectangle.right())
    top, bottom = max(0, rectangle.top()), min(height, rectangle.bottom())
    if right - left < 2 or bottom - top < 2:  # noqa: PLR2004 — nothing to measure on
        return 0.0, 0.0, 0.0
    face = Image.fromarray(pixels[top:bottom, left:right]).convert("L")
    grey = np.asarray(face.resize((_SHARPNESS_SIDE, _SHARPNESS_SIDE), Image.Resampling.BILINEAR), dtype=np.float32)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4.0 * grey[1:-1, 1:-1]
    return float(grey.mean()), float(grey.std()), float(laplacian.var())
