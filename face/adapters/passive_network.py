"""An operator's own network against spoofing: does the face look alive, or like paper or a screen.

The shape is that of minivision's MiniFASNet exported as ONNX: 80 x 80 pixels around the face, blue first, values 0 to
255, three classes out of which the second is "alive". The file is named with its digest; another one is not loaded.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from face.adapters.own_network import WrongNetwork, named_content
from face.types import FaceBox

if TYPE_CHECKING:
    from face.adapters.picture import Pixels

_SIDE: Final = 80
# How much more than the face it looks at: the rim of a screen or of a sheet is what gives it away.
_AROUND: Final = 2.7
_ALIVE: Final = 1
_CLASSES: Final = 3


@dataclass(frozen=True, slots=True)
class PassiveNetwork:
    """Where the network lies, and which one it is."""

    file: str
    sha256: str

    def content(self) -> bytes:
        """Return the file's content.

        Raises:
            WrongNetwork: it is another file than the one named.
            OSError: it cannot be read.
        """
        return named_content(self.file, self.sha256)


class PassiveJudge:
    """Runs the network. Lives in the engine's child processes only."""

    def __init__(self, network: PassiveNetwork) -> None:
        import onnxruntime  # noqa: PLC0415 — the settings' side of this module is used in processes without it

        from face.adapters.sessions import one_thread  # noqa: PLC0415

        content = network.content()
        self._session = onnxruntime.InferenceSession(content, one_thread(), providers=["CPUExecutionProvider"])
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or list(inputs[0].shape[1:]) != [3, _SIDE, _SIDE]:
            raise WrongNetwork(f"the network does not take one picture of 3 x {_SIDE} x {_SIDE}")
        self._input = inputs[0].name
        if self._run(np.zeros((1, 3, _SIDE, _SIDE), np.float32)).size != _CLASSES:
            raise WrongNetwork(f"the network does not answer with {_CLASSES} classes")

    def alive(self, pixels: "Pixels", box: FaceBox) -> float:
        """Return how much a face looks alive, from 0 to 1."""
        height, width = pixels.shape[:2]
        left, top, right, bottom = around(box, width, height)
        cut = Image.fromarray(pixels[top:bottom, left:right]).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        blue_first = np.asarray(cut)[:, :, ::-1]
        classes = self._run(blue_first.transpose(2, 0, 1)[None].astype(np.float32))
        powers = np.exp(classes - classes.max())
        return float(powers[_ALIVE] / powers.sum())

    def _run(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        (answer, *_) = self._session.run(None, {self._input: np.ascontiguousarray(values)})
        return np.asarray(answer, dtype=np.float32).reshape(-1)


def around(box: FaceBox, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is looked at: the face and its surroundings, inside the picture.

    Near an edge the surroundings are moved, not cut, and in a small picture there is less of them.
    """
    scale = min(_AROUND, (width - 1) / max(1, box.width), (height - 1) / max(1, box.height))
    wide, high = max(2.0, box.width * scale), max(2.0, box.height * scale)
    left = min(max(0.0, box.left + box.width / 2 - wide / 2), max(0.0, width - wide))
    top = min(max(0.0, box.top + box.height / 2 - high / 2), max(0.0, height - high))
    return int(left), int(top), min(width, round(left + wide)), min(height, round(top + high))
