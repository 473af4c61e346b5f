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
    wechat_face_checks,
)
from api.citizen.asking import commitments as my_commitments
from api.citizen.asking import copies as submission_copies
from api.citizen.asking import files, materials, value_reports
from api.citizen.asking import results as my_results
from api.citizen.delegation import mandates, organisations, relatives
from api.citizen.life import bundles
from api.citizen.wallet import copies, disclosures, reports, showing
from api.citizen.wallet import ledger_reports as citizen_ledger_reports
from api.citizen.ways import assistances, login_checks, step_ups
from api.departments import case_files, deaths, incoming_messages, message_reports, progress
from api.departments import certificates as certificate_news
from api.operation import Routes
from api.public import client, copy_checks, decision_checks, keys, progress_queries, wechat_push
from api.public import consents as consent_texts
from api.public import files as public_files
from api.public.catalogue import life, sharing
from api.public.catalogue import matters as public_matters
from api.staff import (
    approvals,
    audit,
    corrections,
    counter,
    emergencies,
    jobs,
    ledger_reports,
    openings,
    operators,
    parties,
    privacy,
)
from api.staff import assistances as staff_assistances
from api.staff import notices as staff_notices
from api.staff import sessions as staff_sessions
from api.staff.applications import branches, commitments, deliveries, elsewhere, handling, held_texts, letters, queues
from api.staff.applications import materials as staff_materials
from api.staff.applications import ratings as staff_ratings
from api.staff.applications import results as staff_results
from api.staff.catalogue import operations as list_operations
from api.staff.catalogue import revisions as matter_revisions
from api.staff.exchange import counts as exchange_counts
from api.staff.exchange import outages
from api.staff.supervision import extensions
from api.staff.supervision import orders as supervision_orders
from api.verifiers import certificate_queries, erasure_requests, verifications

ROUTES: Final[tuple[Routes, ...]] = (
    sessions.routes,
    me.routes,
    relatives.routes,
    mandates.routes,
    organisations.routes,
    face_checks.routes,
    wechat_face_checks.routes,
    elder_sessions.routes,
    takeovers.routes,
    step_ups.routes,
    login_checks.routes,
    assistances.routes,
    certificates.routes,
    showing.routes,
    reports.routes,
    copies.routes,
    disclosures.routes,
    ledger.routes,
    citizen_ledger_reports.routes,
    notices.routes,
    consents.routes,
    rights.routes,
    matters.routes,
    applications.routes,
    files.routes,
    materials.routes,
    value_reports.routes,
    submission_copies.routes,
    my_results.routes,
    my_commitments.routes,
    verifications.routes,
    certificate_queries.routes,
    erasure_requests.routes,
    progress.routes,
    case_files.routes,
    certificate_news.routes,
    deaths.routes,
    message_reports.routes,
    incoming_messages.routes,
    staff_sessions.routes,
    counter.routes,
    staff_assistances.routes,
    operators.routes,
    approvals.routes,
    emergencies.routes,
    parties.routes,
    openings.routes,
    privacy.routes,
    ledger_reports.routes,
    audit.routes,
    jobs.routes,
    staff_notices.routes,
    corrections.routes,
    matter_revisions.routes,
    list_operations.routes,
    staff_materials.routes,
    staff_results.routes,
    branches.routes,
    commitments.routes,
    held_texts.routes,
    queues.routes,
    handling.routes,
    deliveries.routes,
    letters.routes,
    staff_ratings.routes,
    elsewhere.routes,
    exchange_counts.routes,
    outages.routes,
    extensions.routes,
    supervision_orders.routes,
    client.routes,
    consent_texts.routes,
    keys.routes,
    keys.well_known,
    copy_checks.routes,
    decision_checks.routes,
    public_files.routes,
    progress_queries.routes,
    life.routes,
    bundles.routes,
    public_matters.routes,
    sharing.routes,
    wechat_push.routes,
)
