"""Looking at the evidence of a check: taken once, compared with the official portrait, judged, nothing of it kept."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from core.db import transaction
from core.errors import FieldError, Unavailable
from core.pii import IdNumber
from face.errors import EngineOvertime, EvidenceReplayed, FrameCount, PictureUnusable
from face.ports import Examination, FaceEngine, PortraitSource
from face.recording.rules import size_fault
from face.records import Check, Records
from face.rules import FaceLimits, judge
from face.settings import FaceSettings
from face.trail import Trail
from face.types import Embedding, FrameObservation, Judgement, Standing, Unjudged

T = TypeVar("T")


class Examiner:
    """Leads evidence through the engine. Whatever keeps it from being looked at gives the check back, twice at most.

    A picture is known again by its file and by its pixels: changed metadata, another order, another lossless format
    make nothing new of it. What was compressed, cropped or drawn anew is another picture to this.
    """

    def __init__(
        self,
        *,
        engine: FaceEngine,
        portraits: PortraitSource,
        records: Records,
        trail: Trail,
        settings: FaceSettings,
        stand: Callable[[Embedding], Standing] | None = None,
    ) -> None:
        self._engine = engine
        self._portraits = portraits
        self._records = records
        self._trail = trail
        self._settings = settings
        self._limits: FaceLimits = settings.limits()
        self._stand = stand

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
            EngineOvertime: the frames took too long; the check is closed and was no attempt.
            Unavailable: the source of portraits could not be reached; the check stays open.
        """
        self._accept(frames)
        if not check.is_open:
            raise EvidenceReplayed
        async with self._engine.admit(logged_in=check.citizen_id is not None) as examination:
            await self._only_new(check, lambda: self._records.take(check, frames))
            try:
                known = await self._portrait(examination, id_number, frames[0])
                seen = await examination.look_at(frames)
                await self._only_new(check, lambda: self._records.mark(check, [frame.digest for frame in seen]))
                judgement = judge(seen, known if is_known else None, check.actions, self._limits, self._stand)
                return await then(judgement)
            except EvidenceReplayed:
                raise
            except BaseException as error:
                # Also when the caller has gone: they may come again with the same frames.
                await self._give_back(check, error)
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

    async def _only_new(self, check: Check, mark: Callable[[], Awaitable[bool]]) -> None:
        """Mark what was handed in, and close the check if any of it was handed in before."""

        async def work() -> bool:
            is_new = await mark()
            if not is_new:
                await self._records.close_unjudged(check, Unjudged.REPLAYED)
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

    async def _give_back(self, check: Check, error: BaseException) -> None:
        """Open the check again, or close it: when it took too long, or when it has had its chances."""
        why = Unjudged.UNAVAILABLE if isinstance(error, Unavailable) else Unjudged.GIVEN_UP
        if isinstance(error, EngineOvertime):
            why = Unjudged.OVERTIME

        async def work() -> None:
            if why is not Unjudged.OVERTIME and await self._records.give_back(check):
                return
            if await self._records.close_unjudged(check, why):
                await self._trail.tell("face.check-closed", check, why.value)

        await transaction(work)
