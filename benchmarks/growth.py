"""How reads fare while tables grow: a wallet's list among a million certificates, progress among 920,000 cases."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.figures import Pass
from benchmarks.store import Store

MOST: Final = 1.5
"""The p95 of the larger over that of the smaller, at the most."""


@dataclass(frozen=True, slots=True)
class Growing:
    """A table that is filled up to two sizes. `fill` are statements that each add `$1` rows or what belongs to them."""

    name: str
    table: str
    sizes: tuple[int, int]
    fill: tuple[str, ...]
    settled: tuple[str, ...]


# Certificates of nobody who asks, as wide as those of the measurement.
CERTIFICATES: Final = Growing(
    "wallet list",
    "certificate",
    (10_000, 1_000_000),
    (
        """
INSERT INTO certificate (id, citizen_id, kind, state, told_state, held_back, version, valid_until, issuer,
                         number_sealed, identifier_sealed, fields_sealed, revision, fetched_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'driving-licence', 'active', 'active', '', 1, DATE '2034-05-16', 'nobody',
       decode(repeat('5a', 70), 'hex'), decode(repeat('5a', 130), 'hex'), decode(repeat('5a', 400), 'hex'), 1, now()
FROM generate_series(1, $1::int)
""",
    ),
    ("certificate",),
)
# Cases of the same kind: each a copy of one that is there, with its history and its delivery; none waits for anybody.
CASES: Final = Growing(
    "progress",
    "application",
    (10_000, 920_000),
    (
        """
WITH model AS (SELECT * FROM application WHERE number IS NOT NULL ORDER BY created_at LIMIT 1),
     copies AS (
         SELECT gen_random_uuid() AS id, to_jsonb(model) - 'id' - 'number' - 'citizen_id' AS rest, n
         FROM model, generate_series(1, $1::int) AS n
     )
INSERT INTO application
SELECT copy.* FROM copies, LATERAL jsonb_populate_record(NULL::application, rest || jsonb_build_object(
    'id', id, 'citizen_id', gen_random_uuid(), 'number', 'F' || replace(id::text, '-', ''),
    'review_due_at', NULL)) AS copy
""",
        """
INSERT INTO case_action
SELECT copy.* FROM application a, (
    SELECT to_jsonb(case_action) AS rest FROM case_action WHERE application_id = (
        SELECT id FROM application WHERE number IS NOT NULL AND number NOT LIKE 'F%' ORDER BY created_at LIMIT 1)
) model, LATERAL jsonb_populate_record(NULL::case_action, model.rest || jsonb_build_object(
    'id', gen_random_uuid(), 'application_id', a.id)) AS copy
WHERE a.number LIKE 'F%' AND $1::int > 0
  AND NOT EXISTS (SELECT 1 FROM case_action c WHERE c.application_id = a.id)
""",
        """
INSERT INTO delivery
SELECT copy.* FROM application a, (
    SELECT to_jsonb(delivery) AS rest FROM delivery WHERE application_id = (
        SELECT id FROM application WHERE number IS NOT NULL AND number NOT LIKE 'F%' ORDER BY created_at LIMIT 1)
) model, LATERAL jsonb_populate_record(NULL::delivery, model.rest || jsonb_build_object(
    'id', gen_random_uuid(), 'application_id', a.id)) AS copy
WHERE a.number LIKE 'F%' AND $1::int > 0
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.application_id = a.id)
""",
    ),
    ("application", "case_action", "delivery"),
)

Rounds = Callable[[], Awaitable[list[Pass]]]


async def figures(store: Store, growing: Growing, rounds: Rounds) -> dict[str, float]:
    """Fill a table up to each size and measure; times in milliseconds, medians of the rounds."""
    told: dict[str, float] = {}
    for place, size in zip(("small", "large"), growing.sizes, strict=True):
        [row] = await store.fetch(f"SELECT count(*) AS n FROM {growing.table}")  # noqa: S608 — a constant name
        missing = max(0, size - int(row["n"]))
        for statement in growing.fill:
            await store.fetch(statement, missing)
        for table in growing.settled:
            await store.fetch(f"VACUUM ANALYZE {table}")
        passes = await rounds()
        told[f"{place}_size"] = size
        told[f"{place}_p50_ms"] = median(one.p50_ms for one in passes)
        told[f"{place}_p95_ms"] = median(one.p95_ms for one in passes)
    told["ratio"] = told["large_p95_ms"] / told["small_p95_ms"]
    return told
