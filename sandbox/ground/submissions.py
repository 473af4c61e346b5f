"""What each department received: by reference, taken once however often it is sent."""

import json
import sqlite3
from typing import Any


def earlier_answer(connection: sqlite3.Connection, *, department: str, reference: str) -> dict[str, Any] | None:
    """Count one more delivery of a known reference and give back the answer of the first."""
    row = connection.execute(
        "UPDATE submissions SET deliveries = deliveries + 1 WHERE department = ? AND reference = ? RETURNING answer",
        (department, reference),
    ).fetchone()
    if row is None:
        return None
    answer: dict[str, Any] = json.loads(row["answer"])
    return answer


def count_again(connection: sqlite3.Connection, *, department: str, reference: str) -> bool:
    """Count one more effect of a reference, at a system that does not know it again; false when it is the first."""
    cursor = connection.execute(
        "UPDATE submissions SET effects = effects + 1, deliveries = deliveries + 1"
        " WHERE department = ? AND reference = ?",
        (department, reference),
    )
    return cursor.rowcount > 0


def take(
    connection: sqlite3.Connection,
    *,
    department: str,
    reference: str,
    matter: str,
    at: str,
    outcome: str,
    answer: dict[str, Any],
) -> None:
    """Remember a submission that had its effect: a case opened, or a final refusal given."""
    connection.execute(
        "INSERT INTO submissions (department, reference, matter, at, outcome, effects, deliveries, answer)"
        " VALUES (?, ?, ?, ?, ?, 1, 1, ?)",
        (department, reference, matter, at, outcome, json.dumps(answer, ensure_ascii=False)),
    )


def supplement(
    connection: sqlite3.Connection, *, department: str, reference: str, key: str, ended: bool | None, at: str
) -> dict[str, Any]:
    """Take what was missing in a case, once for each key. `ended`: whether the case is, None where there is none."""
    earlier = earlier_answer(connection, department=department, reference=key)
    if earlier is not None:
        return earlier
    if ended is None:
        return {"code": "1404", "message": "unknown"}
    if ended:
        return {"code": "1409", "message": "decided"}
    case = connection.execute(
        "SELECT matter FROM submissions WHERE department = ? AND reference = ?", (department, reference)
    ).fetchone()
    answer = {"code": "0000", "message": "received"}
    matter = "" if case is None else str(case["matter"])
    take(connection, department=department, reference=key, matter=matter, at=at, outcome="supplement", answer=answer)
    return answer


def received(connection: sqlite3.Connection, department: str) -> list[dict[str, Any]]:
    """List what a department received, oldest first: `count` is effects, `deliveries` is arrivals.

    `files` are those it has fetched, or had brought: `outcome` says whether each was as it had been told of.
    """
    rows = connection.execute(
        "SELECT reference, matter, at, effects AS count, deliveries, outcome FROM submissions"
        " WHERE department = ? ORDER BY id",
        (department,),
    )
    files = connection.execute(
        "SELECT reference, name, material, media_type, size, sha256, outcome FROM case_files"
        " WHERE department = ? ORDER BY name",
        (department,),
    ).fetchall()
    filed: dict[str, list[dict[str, Any]]] = {}
    for each in map(dict, files):
        filed.setdefault(each.pop("reference"), []).append(each)
    return [{**dict(row), "files": filed.get(row["reference"], [])} for row in rows]
