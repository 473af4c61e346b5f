"""Figures for operators, in Prometheus' format. Labels come from closed sets: no ids, no people."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY: Final = CollectorRegistry()

REQUESTS: Final = Counter(
    "zhijian_requests_total", "Requests answered.", ["audience", "method", "status", "outcome"], registry=REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "zhijian_request_seconds",
    "Time to answer.",
    ["audience", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
PROBLEMS: Final = Counter("zhijian_problems_total", "Problems told to callers.", ["code"], registry=REGISTRY)
OUTSIDE_CALLS: Final = Counter(
    "zhijian_outside_calls_total", "Calls to outside systems.", ["partner", "outcome"], registry=REGISTRY
)
OUTSIDE_SECONDS: Final = Histogram(
    "zhijian_outside_seconds", "Time an outside system took.", ["partner"], registry=REGISTRY
)
BREAKER_OPEN: Final = Gauge("zhijian_breaker_open", "1 while calls are held back.", ["partner"], registry=REGISTRY)
JOBS: Final = Counter("zhijian_jobs_total", "Jobs by outcome.", ["job", "outcome"], registry=REGISTRY)
JOBS_OLDEST_DUE: Final = Gauge(
    "zhijian_jobs_oldest_due_seconds", "How long a job has been due that nobody works on.", registry=REGISTRY
)
JOBS_BURIED: Final = Gauge("zhijian_jobs_buried", "Jobs waiting for an operator.", registry=REGISTRY)
JOBS_DUE: Final = Gauge("zhijian_jobs_due", "Jobs due and not yet done.", registry=REGISTRY)
AUDIT_UNSEALED: Final = Gauge("zhijian_audit_unsealed", "Audit lines not yet linked.", registry=REGISTRY)
KEYS_BEHIND: Final = Gauge(
    "zhijian_keys_behind", "Columns that are not yet brought along to the current key.", registry=REGISTRY
)
AUDIT_TAIL: Final = Gauge(
    "zhijian_audit_tail_seconds", "How long the oldest audit line has been waiting for its seal.", registry=REGISTRY
)
DELIVERIES: Final = Gauge(
    "zhijian_deliveries", "What goes to departments and is not over, by state.", ["what", "state"], registry=REGISTRY
)
DELIVERY_OLDEST: Final = Gauge(
    "zhijian_delivery_oldest_seconds", "Age of the oldest of them, by state.", ["what", "state"], registry=REGISTRY
)
MATERIALS: Final = Counter(
    "zhijian_materials_total",
    "Materials of submitted applications, by how they were satisfied.",
    ["way"],
    registry=REGISTRY,
)
RATINGS: Final = Counter(
    "zhijian_ratings_total", "Ratings of cases, by level and by who gave them.", ["level", "source"], registry=REGISTRY
)
CALENDAR_CURRENT: Final = Gauge(
    "zhijian_calendar_current", "1 while the working-day calendars that are needed are there.", registry=REGISTRY
)
CASES_WITHOUT_DATE: Final = Gauge(
    "zhijian_cases_without_date", "Cases that lack a due date for want of a calendar.", registry=REGISTRY
)
CARDS: Final = Gauge(
    "zhijian_supervision_cards",
    "Cases near their date (yellow) or beyond it (red), by deadline.",
    ["colour", "deadline"],
    registry=REGISTRY,
)
ORDERS_OPEN: Final = Gauge(
    "zhijian_supervision_orders_open",
    "Supervision orders without an answer, by who has them.",
    ["level"],
    registry=REGISTRY,
)
FAULTS: Final = Counter(
    "zhijian_accountability_records_total", "Late cases for which nobody gave a reason.", ["ground"], registry=REGISTRY
)
FACE_SUBJECTS: Final = Gauge(
    "zhijian_face_subjects", "People of whom a face check is kept; no picture and no template is.", registry=REGISTRY
)
PART_STATE: Final = Gauge(
    "zhijian_part_ok",
    "1 while a part of the service is in order, by the last look of a probe.",
    ["part"],
    registry=REGISTRY,
)
FACE_CHECKS: Final = Counter("zhijian_face_checks_total", "Face checks decided.", ["outcome"], registry=REGISTRY)
NOTICES_UNDELIVERED: Final = Gauge(
    "zhijian_notices_undelivered",
    "Notices of the last day that reached nobody outside the inbox.",
    ["channel", "reason"],
    registry=REGISTRY,
)
STAFF_LOGINS: Final = Counter("zhijian_staff_logins_total", "Logins of operators.", ["outcome"], registry=REGISTRY)
EMERGENCIES: Final = Counter(
    "zhijian_emergencies_total", "Done by one person that takes two.", ["action"], registry=REGISTRY
)
EMERGENCIES_OPEN: Final = Gauge("zhijian_emergencies_open", "Emergencies nobody has reviewed.", registry=REGISTRY)
EMERGENCIES_UNJUSTIFIED: Final = Gauge(
    "zhijian_emergencies_unjustified", "Emergencies found unjustified that nobody has seen to.", registry=REGISTRY
)
OPENINGS: Final = Counter("zhijian_openings_total", "Personal data opened by operators.", registry=REGISTRY)
OPENINGS_ALARMS: Final = Counter(
    "zhijian_openings_alarms_total", "Operators that have opened half of what they may.", registry=REGISTRY
)
EXCHANGE_UNUSED: Final = Gauge(
    "zhijian_exchange_unused",
    "Outside systems and shared resources that nobody has asked for so long.",
    registry=REGISTRY,
)
LOOP_LAG: Final = Gauge(
    "zhijian_loop_lag_seconds", "Longest hold of the event loop since the last look.", registry=REGISTRY
)


def exposition() -> bytes:
    """Return all figures in Prometheus' text format."""
    return generate_latest(REGISTRY)
