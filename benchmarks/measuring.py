"""The measurement itself: people made, rounds alternated, rows counted, the worker and the faces looked at."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from rich.console import Console

from benchmarks import operations
from benchmarks.burst import CHECKS, burst
from benchmarks.figures import SIDES, Comparison, Pass, Side, compare, differences, order, rows_for_each
from benchmarks.identity import MOST_MS, timing
from benchmarks.load import Generator
from benchmarks.machine import CannotMeasure
from benchmarks.operations import Operation
from benchmarks.place import Place
from benchmarks.plan import WATCHED, Loop, Plan
from benchmarks.report import Report
from benchmarks.residents import GRADUATE, Resident, Town, pretended_number

# One answer in so many may be something else (a login that met another of the same account); more is a failure.
_TOLERATED: Final = 0.002
_WORKER_SECONDS: Final = 6.0
_WORKER_PATIENCE: Final = 20.0


class Measurement:
    """Runs a plan in a place and fills a report."""

    def __init__(self, *, plan: Plan, place: Place, report: Report, console: Console) -> None:
        self._plan = plan
        self._place = place
        self._report = report
        self._console = console
        self._generator = Generator(place.folder)
        self._residents: list[Resident] = []
        self._town = Town(portal=place.portal, sandbox=place.sandbox)

    async def run(self, chosen: Sequence[str]) -> None:
        """Measure what was chosen: names of operations, and `face`.

        Raises:
            CannotMeasure: something does not start, or answers other than it should.
        """
        await self._town.open()
        try:
            await self._generator.start()
            for operation in await self._prepare(chosen):
                self._report.comparisons += await self._compare(operation)
            if operations.SUBMIT in chosen:
                await self._look_at_worker()
            if "identity" in chosen:
                await self._look_at_identity()
            if "face" in chosen:
                await self._look_at_faces()
        finally:
            await self._town.close()
            await self._generator.stop()

    # --- the people and what they will send -----------------------------------------------------------------------

    async def _prepare(self, chosen: Sequence[str]) -> list[Operation]:
        begun = time.perf_counter()
        with self._console.status("making residents…"):
            kinds = await self._town.certificates_to_copy()
            residents = await self._town.pretended(self._plan.residents, kinds)
            graduate = await self._town.somebody_of_the_cast(GRADUATE)
            if operations.FAN_OUT in chosen:
                await self._town.settlement(graduate)
        self._residents = residents
        self._say(f"{len(residents)} residents with {len(kinds)} certificates each", begun)
        begun = time.perf_counter()
        drafts: dict[Side, list[tuple[Resident, UUID]]] = {side: [] for side in SIDES}
        if operations.SUBMIT in chosen:
            count = self._plan.drafts()
            with self._console.status(f"making {2 * count} drafts…"):
                all_drafts = await self._town.drafts(residents, 2 * count)
            # The residents take turns in each half, so that both sides submit for the same people.
            drafts = {"ours": all_drafts[:count], "floor": all_drafts[count:]}
            self._say(f"{len(all_drafts)} drafts", begun)
        await self._place.start_floor()
        made = (
            operations.login(residents),
            operations.wallet(residents),
            operations.warm_wallet(residents),
            operations.submit(drafts),
            operations.fan_out(graduate),
        )
        return [operation for operation in made if operation.name in chosen]

    # --- rounds ---------------------------------------------------------------------------------------------------

    async def _compare(self, operation: Operation) -> list[Comparison]:
        for side in SIDES:
            await self._generator.load(_key(operation, side), operation.requests[side], again=operation.again)
        comparisons = []
        for loop in self._plan.loops_of(again=operation.again):
            passes: dict[Side, list[Pass]] = {side: [] for side in SIDES}
            for number in range(loop.rounds):
                for side in order(number):
                    passes[side].append(await self._pass(operation, side, loop, number))
            comparisons.append(compare(operation.name, loop.connections, passes))
        await self._compare_rows(operation, self._plan.loops_of(again=operation.again)[0])
        return comparisons

    async def _compare_rows(self, operation: Operation, loop: Loop) -> None:
        """Hold the rows that one more pass of each side writes beside each other: the floor must do the same work."""
        if self._place.database == "SQLite":
            # The worker inside the server writes rows of its own meanwhile.
            return
        written: dict[str, dict[str, float]] = {}
        for side in SIDES:
            before = await self._place.rows()
            one = await self._pass(operation, side, replace(loop, rounds=1, warm_seconds=0.0), 0, most=WATCHED)
            written[side] = rows_for_each(before, await self._place.rows(), one.answered)
        self._report.rows[operation.name] = written
        for table, (ours, floor) in differences(written["ours"], written["floor"]).items():
            self._report.remarks.append(
                f"{operation.name} is not the same work: one request wrote {ours:.2f} rows of {table}, the floor "
                f"{floor:.2f}"
            )

    async def _pass(
        self, operation: Operation, side: Side, loop: Loop, number: int, *, most: int | None = None
    ) -> Pass:
        backends = await self._place.backends()
        one, sample = await self._generator.run(
            _key(operation, side),
            port=self._place.port_of(side),
            connections=loop.connections,
            seconds=loop.seconds,
            warm_seconds=loop.warm_seconds,
            expected=operation.expected,
            most=most or (None if operation.again else loop.submissions()),
            server=[self._place.pid_of(side)],
            database=backends,
        )
        self._console.print(
            f"[dim]{operation.name:>15}  c={loop.connections:<3} round {number + 1}/{loop.rounds}  {side:<5}[/dim] "
            f"{one.per_second:8.0f}/s  p50 {one.p50_ms:7.2f} ms  p99 {one.p99_ms:7.1f} ms  {one.server_us:6.0f} µs"
        )
        unexpected = sum(one.unexpected.values())
        if not one.requests or unexpected > _TOLERATED * (one.requests + unexpected):
            raise CannotMeasure(
                f"{operation.name}, {side}: {dict(one.unexpected)} besides {one.requests} good; {sample}"
            )
        return one

    # --- what happens after ---------------------------------------------------------------------------------------

    async def _look_at_worker(self) -> None:
        """Start the worker and see how fast it brings what was submitted to the department."""
        if not await self._place.start_worker():
            return
        with self._console.status("watching the worker…"):
            until = time.perf_counter() + _WORKER_PATIENCE
            while (before := await self._place.jobs_done()) == 0:
                if time.perf_counter() > until:
                    raise CannotMeasure(f"The worker finished no job. Its last words:\n{self._place.words_of_worker()}")
                await asyncio.sleep(0.1)
            begun = time.perf_counter()
            await asyncio.sleep(_WORKER_SECONDS)
            done = await self._place.jobs_done() - before
        seconds = time.perf_counter() - begun
        self._report.worker = {"jobs": done, "seconds": seconds, "per_second": done / seconds}
        await self._place.stop_worker()

    async def _look_at_identity(self) -> None:
        """See whether the time of a refusal tells who exists."""
        begun = time.perf_counter()
        with self._console.status("asking who exists…"):
            known = await self._town.known_numbers()
            # Past the residents of the measurement: well-formed, and nobody's.
            unknown = [pretended_number(self._plan.residents + index) for index in range(len(known))]
            figures = await timing(self._place.portal, await self._town.nobody_yet("asking"), known, unknown)
        self._report.identity = figures
        if figures["gap_ms"] >= MOST_MS:
            self._report.remarks.append(f"identity: the gap is not below {MOST_MS:.0f} ms")
        self._say("identity", begun)

    async def _look_at_faces(self) -> None:
        """Measure the engine by itself, then twenty checks at once through the portal."""
        begun = time.perf_counter()
        with self._console.status("measuring the face engine…"):
            frames = await self._town.frames(["turn_one_side", "tilt", "come_closer"])
            picture = self._place.folder / "face.jpg"
            picture.write_bytes(frames[0])
            face = await self._place.face(picture, self._plan.face_repeats)
        floor = face["pass_ms"]
        face |= {"embedding_over_F": face["embedding_ms"] / floor, "engine_over_F": face["engine_ms"] / floor}
        self._report.face = face
        with self._console.status("twenty face checks at once…"):
            self._place.let_all_cores_be_used()
            figures, others = await burst(self._town, self._place.portal, self._residents[:CHECKS])
        self._report.face |= figures
        self._report.remarks += [f"face checks answered {answer}: {count}" for answer, count in others.items()]
        self._say("faces", begun)

    def _say(self, what: str, begun: float) -> None:
        self._console.print(f"[cyan]▸[/cyan] {what} ({time.perf_counter() - begun:.1f} s)")


def _key(operation: Operation, side: Side) -> str:
    return f"{operation.name} {side}"
