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
    notices,
    rights,
    sessions,
    takeovers,
)
from api.citizen.delegation import mandates, organisations, relatives
from api.citizen.ways import assistances, login_checks, step_ups
from api.departments import deaths, message_reports, progress
from api.operation import Routes
from api.public import client, keys, progress_queries, wechat_push
from api.public import consents as consent_texts
from api.staff import approvals, corrections, counter, jobs, openings, operators, parties, privacy
from api.staff import assistances as staff_assistances
from api.staff import notices as staff_notices
from api.staff import sessions as staff_sessions
from api.verifiers import verifications

ROUTES: Final[tuple[Routes, ...]] = (
    sessions.routes,
    me.routes,
    relatives.routes,
    mandates.routes,
    organisations.routes,
    face_checks.routes,
    elder_sessions.routes,
    takeovers.routes,
    step_ups.routes,
    login_checks.routes,
    assistances.routes,
    certificates.routes,
    ledger.routes,
    notices.routes,
    consents.routes,
    rights.routes,
    matters.routes,
    applications.routes,
    verifications.routes,
    progress.routes,
    deaths.routes,
    message_reports.routes,
    staff_sessions.routes,
    counter.routes,
    staff_assistances.routes,
    operators.routes,
    approvals.routes,
    parties.routes,
    openings.routes,
    privacy.routes,
    jobs.routes,
    staff_notices.routes,
    corrections.routes,
    client.routes,
    consent_texts.routes,
    keys.routes,
    keys.well_known,
    progress_queries.routes,
    wechat_push.routes,
)
