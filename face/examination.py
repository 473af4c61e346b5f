"""Looking at the evidence of a check: taken once, compared with the official portrait, judged, nothing of it kept."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from core.db import transaction
from core.errors import FieldError
from core.pii import IdNumber
from face.errors import EvidenceReplayed, FrameCount, PictureUnusable
from face.ports import Examination, FaceEngine, PortraitSource
from face.records import Check, Records
from face.rules import FaceLimits, judge, size_fault
from face.settings import FaceSettings
from face.trail import Trail
from face.types import FrameObservation, Judgement

T = TypeVar("T")


class Examiner:
    """Leads evidence through the engine. Whatever keeps it from being looked at gives the check back."""

    def __init__(
        self,
        *,
        engine: FaceEngine,
        portraits: PortraitSource,
        records: Records,
        trail: Trail,
        settings: FaceSettings,
    ) -> None:
        self._engine = engine
        self._portraits = portraits
        self._records = records
        self._trail = trail
        self._settings = settings
        self._limits: FaceLimits = settings.limits()

    async def examine(
        self,
        check: Check,
        frames: Sequence[bytes],
        id_number: IdNumber,
        *,
        is_known: bool = True,
        then: Callable[[Judgement], Awaitable[T]],
    ) -> T:
        """Judge the frames against the portrait of a person and do `then` with the judgement.

        With `is_known` false the same is done and takes the same time, but nobody can pass.

        Raises:
            FrameCount: too few or too many frames.
            PictureUnusable: one of them is no picture; the check stays open.
            CheckExpired: the check waited too long.
            EvidenceReplayed: it has had its evidence, or one of the pictures was seen before.
            EngineBusy: as many checks as the engine admits are under way; the check stays open.
            EngineUnavailable: the engine failed over a frame; the check stays open.
            Unavailable: the source of portraits could not be reached; the check stays open.
        """
        self._accept(frames)
        if not check.is_open:
            raise EvidenceReplayed
        async with self._engine.admit() as examination:
            await self._take(check, frames)
            try:
                known = await self._portrait(examination, id_number, frames[0])
                seen = await examination.look_at(frames)
                judgement = judge(seen, known if is_known else None, check.actions, self._limits)
                return await then(judgement)
            except BaseException:
                # Also when the caller has gone: they may come again with the same frames.
                await self._give_back(check)
                raise

    def _accept(self, frames: Sequence[bytes]) -> None:
        if not self._settings.min_frames <= len(frames) <= self._settings.max_frames:
            least, most = self._settings.min_frames, self._settings.max_frames
            raise FrameCount(
                errors=(
                    FieldError(
                        "/frames", "face.frame-count", f"需要{least}至{most}张", f"{least} to {most} are needed"
                    ),
                )
            )
        for index, frame in enumerate(frames):
            fault = size_fault(frame, max_bytes=self._settings.max_frame_bytes)
            if fault is not None:
                raise PictureUnusable(fault, index)

    async def _take(self, check: Check, frames: Sequence[bytes]) -> None:
        async def work() -> bool:
            is_new = await self._records.take(check, frames)
            if not is_new:
                await self._records.close(check, None)
                await self._trail.tell("face.evidence-replayed", check, "refused")
            return is_new

        if not await transaction(work):
            raise EvidenceReplayed

    async def _portrait(
        self, examination: Examination, id_number: IdNumber, stand_in: bytes
    ) -> FrameObservation | None:
        """Look at the person's portrait; where there is none, at something else for as long."""
        portrait = await self._portraits.portrait_of(id_number)
        try:
            (seen,) = await examination.look_at([portrait or stand_in])
        except PictureUnusable:
            return None
        return seen if portrait else None

    async def _give_back(self, check: Check) -> None:
        async def work() -> None:
            await self._records.give_back(check)

        await transaction(work)
