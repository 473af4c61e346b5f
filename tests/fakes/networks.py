"""A network that an operator might bring, small enough to be made in a test."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from face.adapters.own_network import CHIP_PIXELS, OwnNetwork

_POOL = 8


def tiny_network(path: Path, *, pixels: int = CHIP_PIXELS, channels: int = 3) -> OwnNetwork:
    """Write a network that describes a face by how its averages over tiles of 8 x 8 lie about their mean."""
    pool = helper.make_node("AveragePool", ["face"], ["tiles"], kernel_shape=[_POOL, _POOL], strides=[_POOL, _POOL])
    grey = helper.make_node("ReduceMean", ["tiles", "over_channels"], ["grey"], keepdims=1)
    mean = helper.make_node("ReduceMean", ["grey", "over_place"], ["mean"], keepdims=1)
    centred = helper.make_node("Sub", ["grey", "mean"], ["centred"])
    flat = helper.make_node("Flatten", ["centred"], ["description"])
    graph = helper.make_graph(
        [pool, grey, mean, centred, flat],
        "tiles",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", channels, pixels, pixels])],
        [helper.make_tensor_value_info("description", TensorProto.FLOAT, ["n", (pixels // _POOL) ** 2])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "over_channels"),
            numpy_helper.from_array(np.array([2, 3], np.int64), "over_place"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return OwnNetwork(file=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
