"""All routes that are served: each domain's, for each audience."""

from typing import Final

from api.citizen import (
    applications,
    certificates,
    consents,
    elder_sessions,
    face_checks,
    ledger,
    matters,
    me,
    rights,
    sessions,
)
from api.departments import progress
from api.operation import Routes
from api.public import client, keys, progress_queries
from api.public import consents as consent_texts
from api.staff import corrections, jobs
from api.staff import sessions as staff_sessions
from api.verifiers import verifications

ROUTES: Final[tuple[Routes, ...]] = (
    sessions.routes,
    me.routes,
    face_checks.routes,
    elder_sessions.routes,
    certificates.routes,
    ledger.routes,
    consents.routes,
    rights.routes,
    matters.routes,
    applications.routes,
    verifications.routes,
    progress.routes,
    staff_sessions.routes,
    jobs.routes,
    corrections.routes,
    client.routes,
    consent_texts.routes,
    keys.routes,
    keys.well_known,
    progress_queries.routes,
)
