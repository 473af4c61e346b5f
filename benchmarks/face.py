"""What a face costs, beside one pass of the network measured in the same run: F, which nothing here can be faster than.

    python -m benchmarks.face MODELS-FOLDER PICTURE.jpg REPEATS

A process of its own, since the face packages change the process they are loaded into. Answers with JSON on standard
output. What is a ratio is the median of the rounds' own ratios, so that what slows a whole round down cancels.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Final

import dlib
import face_recognition_models
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from benchmarks.figures import percentile
from benchmarks.machine import most_bytes
from core.clock import SystemClock
from face.adapters import resnet_onnx
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.adapters.picture import PictureLimits, decode
from face.adapters.recogniser import Recogniser
from face.adapters.sessions import one_thread
from face.errors import EngineBusy

_WIDTH, _HEIGHT = 1280, 720
_WORKERS: Final = 2
# Enough to keep both children busy, and no more: what waits in line adds nothing.
_BUSY: Final = 4
_LIBRARY_ROUNDS: Final = 5


def of_720_lines(picture: bytes) -> bytes:
    """Return a picture as a camera of 1280 x 720 would have taken it: as high as that, its sides mirrored outwards."""
    with Image.open(BytesIO(picture)) as opened:
        upright = opened.convert("RGB")
    scaled = upright.resize((round(upright.width * _HEIGHT / upright.height), _HEIGHT), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (_WIDTH, _HEIGHT))
    mirrored, left = ImageOps.mirror(scaled), (_WIDTH - scaled.width) // 2
    canvas.paste(mirrored, (left - scaled.width, 0))
    canvas.paste(mirrored, (left + scaled.width, 0))
    canvas.paste(scaled, (left, 0))
    out = BytesIO()
    canvas.save(out, "JPEG", quality=85)
    return out.getvalue()


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


@dataclass(frozen=True, slots=True)
class Steps:
    """What is measured in one process, each by itself."""

    one_pass: Callable[[], object]
    embedding: Callable[[], object]
    analysis: Callable[[], object]


def steps_of(network: Path, picture: bytes) -> Steps:
    """Load the models and return what to measure on a picture."""
    session = onnxruntime.InferenceSession(str(network), one_thread(), providers=["CPUExecutionProvider"])
    chips = np.zeros((1, 3, resnet_onnx.CHIP_PIXELS, resnet_onnx.CHIP_PIXELS), np.float32)
    limits = PictureLimits()
    pixels = decode(picture, limits)
    recogniser = Recogniser(network)
    rectangle = dlib.get_frontal_face_detector()(pixels, 0)[0]
    predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
    points = predictor(pixels, rectangle)
    return Steps(
        lambda: session.run(None, {"chips": chips}),
        lambda: recogniser.embed(pixels, points),
        lambda: recogniser.observe(decode(picture, limits)),
    )


def in_one_process(steps: Steps, repeats: int) -> dict[str, float]:
    """Measure round by round: one pass, one description, one picture from its bytes on."""
    for step in (steps.one_pass, steps.embedding, steps.analysis):
        step()
    rounds = [(_ms(steps.one_pass), _ms(steps.embedding), _ms(steps.analysis)) for _ in range(repeats)]
    return {
        "pass_ms": median(one for one, _, _ in rounds),
        "embedding_ms": median(one for _, one, _ in rounds),
        "picture_ms": median(one for _, _, one in rounds),
        "embedding_over_F": median(described / floor for floor, described, _ in rounds),
        "picture_over_F": median(seen / floor for floor, _, seen in rounds),
    }


def beside_the_library(steps: Steps, picture: bytes) -> dict[str, float]:
    """Measure `face_recognition` as its own pages use it, on the same picture; last, since it changes this process."""
    import face_recognition  # noqa: PLC0415

    def theirs() -> object:
        return face_recognition.face_encodings(face_recognition.load_image_file(BytesIO(picture)))

    theirs()
    rounds = [(_ms(steps.analysis), _ms(theirs)) for _ in range(_LIBRARY_ROUNDS)]
    return {
        "library_ms": median(library for _, library in rounds),
        "library_over_picture": median(library / ours for ours, library in rounds),
    }


async def served_by(engine: LocalEngine, picture: bytes, count: int, busy: int) -> float:
    """Look at a picture so many times, so many at once, and return how many were looked at in a second."""
    left = count

    async def look_on() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await engine.look_at(picture)

    begun = time.perf_counter()
    await asyncio.gather(*(look_on() for _ in range(busy)))
    return count / (time.perf_counter() - begun)


@dataclass(slots=True)
class Rush:
    """What came of offering twice the peak."""

    seconds: float = 0.0
    served: int = 0
    shed: int = 0
    took: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    async def check(self, engine: LocalEngine, picture: bytes) -> None:
        """Come as a check of one picture."""
        begun = time.perf_counter()
        try:
            async with engine.admit() as examination:
                await examination.look_at([picture])
        except EngineBusy:
            self.shed += 1
        else:
            self.served += 1
            self.took.append(time.perf_counter() - begun)

    async def watch(self) -> None:
        """Note how much later than asked for the loop wakes somebody up."""
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.lags.append(time.perf_counter() - begun - 0.005)


async def rush(engine: LocalEngine, picture: bytes, per_second: float, seconds: float) -> Rush:
    """Offer checks at a rate, whatever becomes of them."""
    told = Rush()
    watching = asyncio.ensure_future(told.watch())
    checks: list[asyncio.Future[None]] = []
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        due = int(passed * per_second) - len(checks)
        checks += [asyncio.ensure_future(told.check(engine, picture)) for _ in range(due)]
        await asyncio.sleep(0.002)
    await asyncio.gather(*checks)
    told.seconds = time.perf_counter() - begun
    watching.cancel()
    return told


async def through_the_engine(models: Path, picture: bytes, repeats: int, pass_ms: float) -> dict[str, float]:
    """Measure the engine: one child, two, and twice as much as two can do."""
    clock = SystemClock()
    one = LocalEngine(cache=models, clock=clock, limits=LocalEngineLimits(workers=1))
    two = LocalEngine(cache=models, clock=clock, limits=LocalEngineLimits(workers=_WORKERS))
    await asyncio.gather(one.warm_up(), two.warm_up())
    try:
        await served_by(two, picture, 8, _BUSY)
        took = []
        for _ in range(repeats):
            begun = time.perf_counter()
            await one.look_at(picture)
            took.append((time.perf_counter() - begun) * 1000)
        rates = [
            (await served_by(one, picture, repeats, 2), await served_by(two, picture, 2 * repeats, _BUSY))
            for _ in range(5)
        ]
        peak = median(pool for _, pool in rates)
        rushed = await rush(two, picture, 2 * peak, max(2.0, repeats / 30))
        return {
            "engine_ms": median(took),
            "engine_over_F": median(took) / pass_ms,
            "one_per_second": median(alone for alone, _ in rates),
            "pool_per_second": peak,
            "pool_over_one": median(pool / alone for alone, pool in rates),
            "rush_served_over_peak": rushed.served / rushed.seconds / peak,
            "rush_shed_share": rushed.shed / (rushed.shed + rushed.served),
            "rush_p95_over_F": percentile(sorted(rushed.took), 0.95) * 1000 / pass_ms,
            "rush_lag_p99_ms": percentile(sorted(rushed.lags), 0.99) * 1000,
            "worker_megabytes": max(most_bytes(child.pid) for child in (*one.children, *two.children)) / 1e6,
        }
    finally:
        await one.close()
        await two.close()


def measure(models: Path, picture: bytes, repeats: int) -> dict[str, float]:
    """Return all figures."""
    taken = of_720_lines(picture)
    steps = steps_of(resnet_onnx.convert_into(models), taken)
    told = in_one_process(steps, repeats)
    told |= asyncio.run(through_the_engine(models, taken, repeats, told["pass_ms"]))
    return told | beside_the_library(steps, taken)


if __name__ == "__main__":
    figures = measure(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3]))
    sys.stdout.write(json.dumps(figures) + "\n")
