"""What a face costs: one pass of the network, one description, one picture through the engine.

    python -m benchmarks.face MODELS-FOLDER PICTURE.jpg REPEATS

A process of its own, since the face packages change the process they are loaded into. Answers with JSON on standard
output: medians in milliseconds.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from statistics import median

import dlib
import face_recognition_models
import numpy as np
import onnxruntime
from PIL import Image

from core.clock import SystemClock
from face.adapters import resnet_onnx
from face.adapters.local_engine import LocalEngine
from face.adapters.recogniser import Recogniser


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    work()
    took = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return median(took) * 1000


async def _engine_ms(models: Path, picture: bytes, repeats: int) -> float:
    engine = LocalEngine(cache=models, clock=SystemClock())
    await engine.warm_up()
    try:
        took = []
        for _ in range(repeats):
            begun = time.perf_counter()
            await engine.look_at(picture)
            took.append(time.perf_counter() - begun)
        return median(took) * 1000
    finally:
        await engine.close()


def measure(models: Path, picture: bytes, repeats: int) -> dict[str, float]:
    """Return the medians. F is the pass of the network alone: what nothing on this processor can be faster than."""
    network = resnet_onnx.convert_into(models)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    chips = np.zeros((1, 3, resnet_onnx.CHIP_PIXELS, resnet_onnx.CHIP_PIXELS), np.float32)
    with Image.open(BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    rectangle = dlib.get_frontal_face_detector()(pixels, 0)[0]
    predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
    points = predictor(pixels, rectangle)
    recogniser = Recogniser(network)
    return {
        "pass_ms": _median_ms(lambda: session.run(None, {"chips": chips}), repeats),
        "embedding_ms": _median_ms(lambda: recogniser.embed(pixels, points), repeats),
        "picture_ms": _median_ms(lambda: recogniser.observe(pixels), repeats),
        "engine_ms": asyncio.run(_engine_ms(models, picture, repeats)),
    }


if __name__ == "__main__":
    told = measure(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3]))
    sys.stdout.write(json.dumps(told) + "\n")
