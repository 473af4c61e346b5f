"""All routes that are served: each domain's, for each audience."""

from typing import Final

from api.citizen import (
    applications,
    certificates,
    elder_sessions,
    face_checks,
    ledger,
    matters,
    me,
    sessions,
    takeovers,
)
from api.departments import deaths, progress
from api.operation import Routes
from api.public import client, keys, progress_queries
from api.staff import approvals, jobs, openings, operators, parties, privacy
from api.staff import sessions as staff_sessions
from api.verifiers import verifications

ROUTES: Final[tuple[Routes, ...]] = (
    sessions.routes,
    me.routes,
    face_checks.routes,
    elder_sessions.routes,
    takeovers.routes,
    certificates.routes,
    ledger.routes,
    matters.routes,
    applications.routes,
    verifications.routes,
    progress.routes,
    deaths.routes,
    staff_sessions.routes,
    operators.routes,
    approvals.routes,
    parties.routes,
    openings.routes,
    privacy.routes,
    jobs.routes,
    client.routes,
    keys.routes,
    keys.well_known,
    progress_queries.routes,
)
