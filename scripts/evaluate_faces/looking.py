"""Have the engine look at a folder of pictures, with a bar that tells how far it is."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.wiring.engines import local_engine
from api.wiring.settings import Settings
from core.clock import SystemClock
from face.recording.rules import QualityGates, comparison_fault
from face.types import FaceSeen, FrameObservation, PictureFault

# Labelled pictures are smaller and softer than a phone's; that makes them harder, not easier, to tell apart.
_OF_ANY_SIZE: Final = QualityGates(face_width=0, eye_distance=0.0, sharpness=0.0)

console = Console(highlight=False, stderr=True)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine made of some pictures, by their names below the folder; in memory only."""

    model_id: str
    frames: dict[str, FrameObservation] = field(repr=False)

    @property
    def faces(self) -> dict[str, FaceSeen]:
        """The largest face of each picture that has one."""
        return {name: frame.face for name, frame in self.frames.items() if frame.face is not None}

    @property
    def fit(self) -> dict[str, FaceSeen]:
        """The faces that a check would compare, were the pictures large and sharp enough."""
        return {
            name: frame.face
            for name, frame in self.frames.items()
            if frame.face is not None and comparison_fault(frame, _OF_ANY_SIZE) is None
        }


async def look_at(settings: Settings, folder: Path, names: Iterable[str]) -> Seen:
    """Look at the pictures with the engine of this machine.

    Raises:
        EngineUnavailable: the engine does not start, or died over a picture.
        UnsafeSettings: the operator's network is not the file that the settings name.
        OSError: a picture cannot be read.
    """
    engine = local_engine(settings.face, cache=settings.data_dir / "models", clock=SystemClock())
    chosen = sorted(set(names))
    frames: dict[str, FrameObservation] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("looking at pictures", total=len(chosen))

        async def work(left: Iterator[str], tell: Callable[[], None]) -> None:
            for name in left:
                content = await asyncio.to_thread((folder / name).read_bytes)
                seen = await engine.look_at(content)
                if not isinstance(seen, PictureFault):
                    frames[name] = seen
                tell()

        try:
            await engine.warm_up()
            left = iter(chosen)
            async with asyncio.TaskGroup() as group:
                # One more than there are children, so that none waits for a picture to be read.
                for _ in range(settings.face.local_engine.workers + 1):
                    group.create_task(work(left, lambda: progress.advance(task)))
        finally:
            await engine.close()
    return Seen(engine.model_id, frames)
