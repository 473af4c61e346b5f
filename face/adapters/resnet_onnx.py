"""Convert the face ResNet that `face_recognition` installs into ONNX, once, into a cache named by the weights' digest.

The network and its weights stay the same (Davis King's `dlib_face_recognition_resnet_model_v1`, CC0); ONNX Runtime runs
them on one core in a fourteenth of the time and lets other threads work meanwhile. A test holds the outcome to
`face_recognition.face_encodings`.

    python -m face.adapters.resnet_onnx FOLDER

The file is dlib's own serialisation: a sequence of layers, each introduced by its version string. Only three kinds
carry weights, and their order is the order of the network: convolution `con_4`, per-channel scale and shift
`affine_`, and the last matrix `fc_2` (dlib, `dnn/layers.h`; the network is `anet_type` in
`dnn_face_recognition_ex.cpp`).
"""

import hashlib
import os
import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

# Belongs to the file's name: raise it when the graph below changes.
RECIPE: Final = 1
CHIP_PIXELS: Final = 150
EMBEDDING_SIZE: Final = 128

_OPSET: Final = 13
# onnxruntime reads this version of the container since 1.10.
_IR_VERSION: Final = 8
# What dlib's `input_rgb_image_sized<150>` subtracts and divides by.
_MEAN_RGB: Final = (122.782, 117.001, 104.298)
_DIVISOR: Final = 256.0
_TENSOR_VERSION: Final = 2
_SIGN: Final = 0x80
_LENGTH: Final = 0x0F


class _Stage(NamedTuple):
    """A run of residual blocks of one width; the first of them may halve the picture."""

    channels: int
    blocks: int
    halves: bool


_STAGES: Final = (
    _Stage(32, 3, halves=False),
    _Stage(64, 4, halves=True),
    _Stage(128, 3, halves=True),
    _Stage(256, 3, halves=True),
    _Stage(256, 1, halves=True),
)


class CannotConvert(Exception):
    """The installed weights are not the network this module knows."""


def weights_file() -> Path:
    """Return where the installed package keeps the ResNet."""
    import face_recognition_models  # noqa: PLC0415 — only processes that use the weights load the package

    return Path(face_recognition_models.face_recognition_model_location())


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_path(folder: Path, weights_digest: str) -> Path:
    """Return where the converted network of these weights lies, or will lie."""
    return folder / f"dlib-resnet-v1-{weights_digest[:16]}-{RECIPE}.onnx"


def convert_into(folder: Path) -> Path:
    """Convert the installed weights, if that is not done yet, and return the file.

    The file appears at once or not at all, so two processes may convert at the same time.

    Raises:
        CannotConvert: the weights are not the network this module knows.
        OSError: the folder cannot be written.
    """
    weights = weights_file()
    target = cached_path(folder, digest(weights))
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    content = _network(_Weights(weights.read_bytes())).SerializeToString()
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A convolution with the scale and shift behind it already multiplied in."""

    kernel: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    stride: tuple[int, int]
    padding: tuple[int, int]


class _Weights:
    """Reads layers from dlib's serialisation, in order."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def convolution(self, channels_in: int) -> _Convolution:
        """Read the next convolution and the scale and shift that follow it."""
        self._seek("con_4")
        values = self._tensor()
        filters, rows, columns, stride_y, stride_x, pad_y, pad_x = (self._integer() for _ in range(7))
        self._seek("affine_")
        affine = self._tensor()
        size = filters * channels_in * rows * columns
        if affine.size != 2 * filters or values.size not in (size, size + filters):
            raise CannotConvert(f"a convolution of {filters} filters has {values.size} and {affine.size} weights")
        scale, shift = affine[:filters], affine[filters:]
        kernel = values[:size].reshape(filters, channels_in, rows, columns) * scale[:, None, None, None]
        bias = values[size:] * scale if values.size > size else np.zeros(filters, np.float32)
        return _Convolution(kernel, bias + shift, (stride_y, stride_x), (pad_y, pad_x))

    def matrix(self, inputs: int) -> npt.NDArray[np.float32]:
        """Read the last layer: a matrix without bias."""
        self._seek("fc_2")
        outputs, found = self._integer(), self._integer()
        values = self._tensor()
        if found != inputs or values.size != inputs * outputs or outputs != EMBEDDING_SIZE:
            raise CannotConvert(f"the last layer is {found} x {outputs}")
        return values.reshape(inputs, outputs)

    def _seek(self, name: str) -> None:
        # A string is written as its length (one byte, itself preceded by the count of bytes) and its characters.
        mark = bytes((1, len(name))) + name.encode()
        found = self._content.find(mark, self._at)
        if found < 0:
            raise CannotConvert(f"no further layer {name}")
        self._at = found + len(mark)

    def _integer(self) -> int:
        control = self._content[self._at]
        length = control & _LENGTH
        value = int.from_bytes(self._content[self._at + 1 : self._at + 1 + length], "little")
        self._at += 1 + length
        return -value if control & _SIGN else value

    def _tensor(self) -> npt.NDArray[np.float32]:
        if self._integer() != _TENSOR_VERSION:
            raise CannotConvert("a tensor of another version")
        size = int(np.prod([self._integer() for _ in range(4)]))
        try:
            values = np.frombuffer(self._content, "<f4", size, self._at)
        except (ValueError, struct.error) as error:
            raise CannotConvert("the file ends inside a tensor") from error
        self._at += size * values.itemsize
        return values


class _Graph:
    """Collects nodes and weights of an ONNX graph. A tensor is known by name, channels and side length."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        """Add a tensor of weights and return its name."""
        from onnx import numpy_helper  # noqa: PLC0415 — needed for converting only

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 — as onnx takes them
        """Add a node with one output and return the output's name."""
        from onnx import helper  # noqa: PLC0415 — needed for converting only

        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def convolve(self, source: str, layer: _Convolution) -> str:
        """Add a convolution."""
        return self.add(
            "Conv",
            source,
            self.constant(layer.kernel),
            self.constant(layer.bias),
            kernel_shape=list(layer.kernel.shape[2:]),
            strides=list(layer.stride),
            pads=[*layer.padding, *layer.padding],
        )

    def widen(self, source: str, channels: int, side: int) -> str:
        """Append zeros: dlib adds tensors of different size as if the smaller one were padded at its end."""
        if not channels and not side:
            return source
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], np.int64)
        return self.add("Pad", source, self.constant(ends), mode="constant")


def _side_after(side: int, layer: _Convolution) -> int:
    return (side + 2 * layer.padding[0] - int(layer.kernel.shape[2])) // layer.stride[0] + 1


def _network(weights: _Weights) -> "onnx.ModelProto":
    """Build the network: RGB chips `n x 3 x 150 x 150` with values 0 to 255 in, `n x 128` out."""
    import onnx  # noqa: PLC0415 — needed for converting only
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph = _Graph()
    mean = np.array(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    centred = graph.add("Sub", "chips", graph.constant(mean))
    current = graph.add("Mul", centred, graph.constant(np.array([1.0 / _DIVISOR], np.float32)))
    first = weights.convolution(3)
    current = graph.add("Relu", graph.convolve(current, first))
    current = graph.add("MaxPool", current, kernel_shape=[3, 3], strides=[2, 2])
    channels, side = first.kernel.shape[0], (_side_after(CHIP_PIXELS, first) - 3) // 2 + 1
    for stage in _STAGES:
        for block in range(stage.blocks):
            current, channels, side = _residual(
                graph, weights, (current, channels, side), stage.channels, halves=stage.halves and block == 0
            )
    flat = graph.add("Flatten", graph.add("GlobalAveragePool", current))
    graph.nodes.append(
        helper.make_node("MatMul", [flat, graph.constant(weights.matrix(channels))], ["embeddings"]),
    )
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib-resnet-v1",
            [helper.make_tensor_value_info("chips", TensorProto.FLOAT, ["n", 3, CHIP_PIXELS, CHIP_PIXELS])],
            [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", EMBEDDING_SIZE])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    return model


def _residual(
    graph: _Graph, weights: _Weights, source: tuple[str, int, int], width: int, *, halves: bool
) -> tuple[str, int, int]:
    """Add two convolutions and the way around them; the way around is averaged when the picture is halved."""
    skip, channels, side = source
    first = weights.convolution(channels)
    second = weights.convolution(width)
    path = graph.add("Relu", graph.convolve(skip, first))
    path = graph.convolve(path, second)
    path_side = _side_after(_side_after(side, first), second)
    skip_side = side
    if halves:
        skip = graph.add("AveragePool", skip, kernel_shape=[2, 2], strides=[2, 2])
        skip_side = (side - 2) // 2 + 1
    widest, longest = max(width, channels), max(path_side, skip_side)
    path = graph.widen(path, widest - width, longest - path_side)
    skip = graph.widen(skip, widest - channels, longest - skip_side)
    return graph.add("Relu", graph.add("Add", path, skip)), widest, longest


if __name__ == "__main__":
    # The one line on standard output is the answer to the process that asked.
    sys.stdout.write(f"{convert_into(Path(sys.argv[1]))}\n")
