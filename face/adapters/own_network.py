"""An operator's own network: 112 x 112 pixels of an aligned face in, a description of the face out.

That is the shape in which networks of the ArcFace family are exchanged as ONNX. Its file is named with its digest, and
a file of another digest is not loaded. Faces are aligned by dlib's five points onto the places where that family
expects them; descriptions are scaled to length one.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import dlib

    from face.adapters.picture import Pixels

# Belongs to the model's name: raise it when the alignment below changes.
ALIGNMENT: Final = 1
CHIP_PIXELS: Final = 112
_SIZES: Final = range(32, 1025)
_DIMENSIONS: Final = 4
# The middles of both eyes in the family's template.
_EYES: Final = ((38.2946, 51.6963), (73.5318, 51.5014))
# dlib's mean face (`get_face_chip_details`, five points): outer and inner corner of the eye on the right of the
# picture, of that on its left, the foot of the nose; in shares of the face's box.
_MEAN_FACE: Final = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)


class WrongNetwork(Exception):
    """The file is not the one that was named, or not a network of this shape."""


def named_content(file: str, sha256: str) -> bytes:
    """Return the content of the file that has this digest.

    Raises:
        WrongNetwork: it is another file than the one named.
        OSError: it cannot be read.
    """
    content = Path(file).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WrongNetwork(f"{file} has another SHA-256 than the settings say")
    return content


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """Where the operator's network lies, which one it is, and what it expects: `(value - mean) / divisor`."""

    file: str
    sha256: str
    colours: Literal["rgb", "bgr"] = "rgb"
    mean: float = 127.5
    divisor: float = 127.5

    @property
    def model_id(self) -> str:
        """The network with what its numbers are made to be, and the alignment."""
        before = hashlib.sha256(f"{self.colours}:{self.mean!r}:{self.divisor!r}".encode()).hexdigest()
        return f"own-112/{self.sha256[:24]}-{before[:8]}/{ALIGNMENT}"

    def content(self) -> bytes:
        """Return the file's content.

        Raises:
            WrongNetwork: it is another file than the one named.
            OSError: it cannot be read.
        """
        return named_content(self.file, self.sha256)


class OwnDescriber:
    """Describes faces by the operator's network. Lives in the engine's child processes only."""

    def __init__(self, own: OwnNetwork) -> None:
        import dlib  # noqa: PLC0415 — the settings' side of this module is used in processes without it
        import onnxruntime  # noqa: PLC0415

        from face.adapters.sessions import one_thread  # noqa: PLC0415

        self._own = own
        self._session = onnxruntime.InferenceSession(own.content(), one_thread(), providers=["CPUExecutionProvider"])
        self._input = _input_of(self._session)
        self._dlib = dlib
        self._places = dlib.dpoints([dlib.dpoint(x, y) for x, y in template()])
        self._dims = dlib.chip_dims(CHIP_PIXELS, CHIP_PIXELS)
        self.model_id = own.model_id
        if self._run(np.zeros((1, 3, CHIP_PIXELS, CHIP_PIXELS), np.float32)).size not in _SIZES:
            raise WrongNetwork("the network's answer is no description of a face")

    def describe(self, pixels: "Pixels", points: "dlib.full_object_detection") -> npt.NDArray[np.float32]:
        """Describe the face with these five points, as numbers whose squares add up to one."""
        parts = [points.part(index) for index in range(points.num_parts)]
        where = self._dlib.dpoints([self._dlib.dpoint(part.x, part.y) for part in parts])
        chip = self._dlib.extract_image_chip(pixels, self._dlib.chip_details(self._places, where, self._dims))
        ordered = chip if self._own.colours == "rgb" else chip[:, :, ::-1]
        values = (ordered.transpose(2, 0, 1)[None].astype(np.float32) - self._own.mean) / self._own.divisor
        described = self._run(values)
        length = float(np.linalg.norm(described))
        return described / length if length else described

    def _run(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        (described, *_) = self._session.run(None, {self._input: values})
        return np.asarray(described, dtype=np.float32).reshape(-1)


def template() -> list[tuple[float, float]]:
    """Return where the five points of an aligned face lie: dlib's mean face, its eyes where the family has them."""
    mean = [complex(*point) for point in _MEAN_FACE]
    right, left = (mean[0] + mean[1]) / 2, (mean[2] + mean[3]) / 2
    to_left, to_right = (complex(*eye) for eye in _EYES)
    # Turning and scaling are one complex factor.
    factor = (to_right - to_left) / (right - left)
    places = [to_left + factor * (point - left) for point in mean]
    return [(place.real, place.imag) for place in places]


def _input_of(session: Any) -> str:  # noqa: ANN401 — onnxruntime has no types
    """Return the name of the one input, of `n x 3 x 112 x 112`."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    batch = shape[0] if len(shape) == _DIMENSIONS else 0
    if shape[1:] != [3, CHIP_PIXELS, CHIP_PIXELS] or not (batch in (1, None) or isinstance(batch, str)):
        raise WrongNetwork("the network does not take one picture of 3 x 112 x 112")
    return str(inputs[0].name)
