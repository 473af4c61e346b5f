"""What workers do by the clock."""

from datetime import timedelta
from typing import Any, Final

from core.db import execute, transaction
from core.jobs.carrier import Sweeper
from core.jobs.reviving import Reviving
from core.jobs.timetable import Entry
from face.watch import look_at_subjects
from matters.errors import DepartmentUnavailable

_NONCES_KEPT: Final = timedelta(minutes=20)
_HOUR: Final = 3600.0
# What brings something to a department. What may have arrived and cannot be known again is not among them any more: it
# became `unknown` and waits for a person.
DELIVERIES: Final = frozenset({"matters.deliver", "matters.deliver-branch", "matters.send-letter"})


def regular_work(services: Any, sweeper: Sweeper) -> list[Entry]:  # noqa: ANN401 — the wiring's dataclass, which imports this
    """Return what workers do again and again, and how often in seconds."""
    ground, settings = services.ground, services.settings

    async def forget_nonces() -> None:
        before = ground.clock.now() - _NONCES_KEPT
        await transaction(lambda: execute("DELETE FROM seen_nonce WHERE created_at < $1", before))

    async def forget_jobs() -> None:
        await services.runner.forget_done(ground.clock.now() - timedelta(days=settings.jobs.keep_done_days))

    async def forget_codes() -> None:
        days = settings.certificates.keep_codes_days
        await services.presentation.forget(ground.clock.now() - timedelta(days=days))

    async def forget_notices() -> None:
        await services.notices.inbox.forget(settings.notices.keep_days)
        await services.notices.subscriptions.forget(settings.notices.keep_days)
        await services.pushes.forget()

    reviving = Reviving(names=DELIVERIES, reason=DepartmentUnavailable.code, carrier=ground.carrier, clock=ground.clock)
    return [
        Entry("sweep", settings.jobs.sweep_seconds, sweeper.sweep),
        Entry("given up deliveries", 30.0, reviving.look),
        Entry("key work", 1.0, services.keys.go_on),
        Entry("face figures", _HOUR, look_at_subjects),
        Entry("seal", 1.0, ground.sealer.seal_all),
        Entry("deadlines", 60.0, services.matters.deadlines.catch_up),
        Entry("supervision", 60.0, services.matters.supervision.cards.look),
        Entry("sessions and attempts", _HOUR, services.auth_tidying.tidy),
        Entry("mandates", _HOUR, services.delegation_ending.tidy),
        Entry("checks by other ways", 60.0, services.ways.tidying.tidy),
        Entry("emergencies", 60.0, services.emergencies.count_open),
        Entry("exports", _HOUR, services.exports.tidy),
        Entry("closed accounts", 300.0, services.closures.look_again),
        Entry("face checks", 60.0, services.face_checks.tidy),
        Entry("kept answers", _HOUR, services.idempotency.purge),
        Entry("nonces", 300.0, forget_nonces),
        Entry("shown codes", _HOUR, forget_codes),
        Entry("certificate reminders", 60.0, services.certificate_reminders.remind),
        Entry("drafts", 300.0, services.matters.draft_life.look),
        Entry("silence", _HOUR, services.matters.handling.silence.end),
        Entry("default ratings", _HOUR, services.matters.default_ratings.fill_in),
        Entry("kept materials", _HOUR, services.matters.vault.forget_due),
        Entry("promises", 300.0, services.matters.commitments.look),
        Entry("branches", 60.0, services.matters.branches.branches.catch_up),
        Entry("decision papers", 2.0, services.matters.results.documents.make_next),
        Entry("results", 60.0, services.matters.results.deliveries.look),
        Entry("old exchange counts", _HOUR, services.matters.exchange.counts.forget),
        Entry("unused systems", _HOUR, services.matters.exchange.figures.unused),
        Entry("done jobs", _HOUR, forget_jobs),
        Entry("silent messages", 600.0, services.message_reports.close_silent),
        Entry("undelivered notices", 60.0, services.undelivered_notices.show),
        Entry("notices", _HOUR, forget_notices),
    ]
