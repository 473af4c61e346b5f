"""The measurement itself: people made, rounds alternated, rows counted, the worker and the faces looked at."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from rich.console import Console

from benchmarks import catalogue, exchanges, growth, operations, outage, showing, status_list
from benchmarks.burst import CHECKS, burst
from benchmarks.figures import SIDES, Comparison, Pass, Side, compare, differences, order, rows_for_each
from benchmarks.identity import MOST_MS, timing
from benchmarks.load import Generator
from benchmarks.machine import CannotMeasure
from benchmarks.operations import Operation
from benchmarks.place import Place
from benchmarks.plan import SCANS, SUBMISSIONS, WATCHED, Loop, Plan
from benchmarks.report import Report
from benchmarks.residents import GRADUATE, Resident, Town, pretended_number

# One answer in so many may be something else (a login that met another of the same account); more is a failure.
_TOLERATED: Final = 0.002
_WORKER_SECONDS: Final = 6.0
_WORKER_PATIENCE: Final = 20.0
_GROWTH_CONNECTIONS: Final = 32
# A school's pupils, the clerks who check them at once, and the seconds that one may take.
_PUPILS: Final = 1000
_CLERKS: Final = 4
_MOST_FOR_A_PUPIL: Final = 0.26


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
            prepared = await self._prepare(chosen)
            # Before thousands are submitted: what their departments tell back would be measured with it.
            if operations.OUTAGE in chosen:
                await self._look_at_outage()
            for operation in prepared:
                self._report.comparisons += await self._compare(operation)
                if operation.name == operations.FAN_OUT:
                    await self._look_at_pupils(operation)
            if operations.SUBMIT in chosen:
                await self._look_at_worker()
            looks = {
                "identity": self._look_at_identity,
                "status list": self._look_at_status_list,
                "exchanges": self._look_at_exchanges,
                "catalogue": self._look_at_catalogue,
                operations.GROWTH: self._look_at_growth,
                "face": self._look_at_faces,
            }
            for name, look in looks.items():
                if name in chosen:
                    await look()
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
            count = self._plan.needed(SUBMISSIONS)
            with self._console.status(f"making {2 * count} drafts…"):
                all_drafts = await self._town.drafts(residents, 2 * count)
            # The residents take turns in each half, so that both sides submit for the same people.
            drafts = {"ours": all_drafts[:count], "floor": all_drafts[count:]}
            self._say(f"{len(all_drafts)} drafts", begun)
        licences: list[tuple[Resident, UUID]] = []
        codes: dict[Side, list[str]] = {side: [] for side in SIDES}
        if {operations.SHOW, operations.VERIFY} & set(chosen):
            licences, codes = await self._codes(residents, with_codes=operations.VERIFY in chosen)
        await self._place.start_floor()
        made = (
            operations.login(residents),
            operations.wallet(residents),
            operations.warm_wallet(residents),
            operations.submit(drafts),
            operations.fan_out(graduate),
            operations.show(licences),
            operations.verify(codes),
        )
        return [operation for operation in made if operation.name in chosen]

    async def _codes(
        self, residents: Sequence[Resident], *, with_codes: bool
    ) -> tuple[list[tuple[Resident, UUID]], dict[Side, list[str]]]:
        """Make everybody present; return whose licence is shown, and the codes of the others' for each side."""
        begun = time.perf_counter()
        with self._console.status("making codes…"):
            licences = await self._town.licences(residents)
            held = [showing.Held(licence, me, showing.session_of(resident)) for resident, me, licence in licences]
            half, count = len(held) // 2, self._plan.needed(SCANS) if with_codes else 0
            store = await self._place.store()
            await showing.make_present(store, residents)
            # Showing ends the codes that were shown before for the same certificate: these are of others.
            codes: dict[Side, list[str]] = {side: await showing.codes_for(store, held[half:], count) for side in SIDES}
            await store.close()
        self._say(f"{2 * count} codes", begun)
        return [(resident, licence) for resident, _, licence in licences[:half]], codes

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
            most=most or (None if operation.pace is None else loop.share(operation.pace)),
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

    async def _look_at_pupils(self, checks: Operation) -> None:
        """Check a school's thousand pupils at four departments, one request each, and see what one of them takes."""
        loop = Loop(connections=_CLERKS, rounds=1, seconds=_PUPILS * _MOST_FOR_A_PUPIL, warm_seconds=0.0)
        begun = time.perf_counter()
        one = await self._pass(checks, "ours", loop, 0, most=_PUPILS)
        seconds = time.perf_counter() - begun
        self._report.pupils = {"pupils": one.requests, "seconds": seconds, "each": seconds / max(1, one.requests)}
        if one.requests < _PUPILS or self._report.pupils["each"] > _MOST_FOR_A_PUPIL:
            self._report.remarks.append(f"pupils: more than {_MOST_FOR_A_PUPIL} s for one of {_PUPILS}")

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

    async def _look_at_outage(self) -> None:
        """See how fast other departments get what is theirs while one is slow or away."""
        if not await self._place.start_worker():
            return
        begun = time.perf_counter()
        store = await self._place.store()
        with self._console.status("one department is away…"):
            figures = self._report.outage = await outage.figures(self._town, store, self._residents)
        await store.close()
        await self._place.stop_worker()
        if figures["ratio"] > outage.MOST:
            self._report.remarks.append(f"outage: p99 of the others is more than {outage.MOST} of what it is else")
        self._say("outage", begun)

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

    async def _look_at_catalogue(self) -> None:
        """A catalogue of 5,000 matters: loaded and checked, made findable, searched in every way."""
        begun = time.perf_counter()
        figures = self._report.catalogue = catalogue.figures()
        slowest = max(value for name, value in figures.items() if name.endswith("_p99_ms"))
        if figures["load_seconds"] > catalogue.MOST_LOAD_SECONDS or slowest > catalogue.MOST_SEARCH_MS:
            self._report.remarks.append("catalogue: slower to load or to search than it should be")
        self._say("catalogue", begun)

    async def _look_at_exchanges(self) -> None:
        begun = time.perf_counter()
        figures = self._report.exchanges = exchanges.figures()
        if figures["microseconds"] > exchanges.MOST_MICROSECONDS:
            self._report.remarks.append("exchanges: counting one costs more than it should")
        self._say("exchanges", begun)

    async def _look_at_status_list(self) -> None:
        """See how large a list is that says what became of a million tokens, and how long it takes to make."""
        begun = time.perf_counter()
        figures = self._report.status_list = status_list.figures()
        if figures["seconds"] > status_list.MOST_SECONDS or figures["bytes"] > status_list.MOST_BYTES:
            self._report.remarks.append("status list: larger or slower than it should be")
        self._say("status list", begun)

    async def _look_at_growth(self) -> None:
        """See how a wallet's list and a case's progress fare while their tables grow."""
        if self._place.database == "SQLite":
            self._report.remarks.append("growth: measured on PostgreSQL alone")
            return
        submitted = [application_id for _, application_id in await self._town.submitted(self._residents)]
        grown: dict[growth.Growing, Callable[[list[Resident]], Operation]] = {
            growth.CERTIFICATES: operations.warm_wallet,
            growth.CASES: lambda residents: operations.progress(list(zip(residents, submitted, strict=True))),
        }
        for growing, asked in grown.items():
            begun = time.perf_counter()
            figures = self._report.growth[growing.name] = await self._growth_of(growing, asked)
            if figures["ratio"] > growth.MOST:
                self._report.remarks.append(f"growth: p95 of {growing.name} grows by more than {growth.MOST}")
            self._say(f"growth of {growing.name}", begun)

    async def _growth_of(
        self, growing: growth.Growing, asked: Callable[[list[Resident]], Operation]
    ) -> dict[str, float]:
        loop = next(each for each in reversed(self._plan.loops) if each.connections <= _GROWTH_CONNECTIONS)

        async def rounds() -> list[Pass]:
            operation = asked(await self._town.once_more(self._residents))
            await self._generator.load(_key(operation, "ours"), operation.requests["ours"], again=True)
            return [await self._pass(operation, "ours", loop, number) for number in range(loop.rounds)]

        store = await self._place.store()
        try:
            return await growth.figures(store, growing, rounds)
        finally:
            await store.close()

    async def _look_at_faces(self) -> None:
        """Measure the engine by itself, then twenty checks at once through the portal."""
        begun = time.perf_counter()
        with self._console.status("measuring the face engine…"):
            frames = await self._town.frames(["turn_one_side", "tilt", "come_closer"])
            picture = self._place.folder / "face.jpg"
            picture.write_bytes(frames[0])
            self._report.face = await self._place.face(picture, self._plan.face_repeats)
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
