"""Forgetting an application with everything that hangs on it."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from core.db import execute, fetch, require_transaction
from core.jobs.queue import Jobs

# What lies in the file store, with its row.
FILES: Final[Mapping[str, str]] = {
    "attachment": "DELETE FROM attachment WHERE application_id = $1 RETURNING file_name",
    "decision_document": "DELETE FROM decision_document WHERE application_id = $1 RETURNING file_name",
    "archive_package": "DELETE FROM archive_package WHERE application_id = $1 RETURNING file_name",
}
# Beside the application itself, which goes first: only then may its history be deleted (migrations/matters/_guards.py).
PARTS: Final[Mapping[str, str]] = {
    "case_action": "DELETE FROM case_action WHERE application_id = $1",
    "application_material": "DELETE FROM application_material WHERE application_id = $1",
    "commitment": "DELETE FROM commitment WHERE application_id = $1",
    "text_check": "DELETE FROM text_check WHERE application_id = $1",
    "rating_ticket": "DELETE FROM rating_ticket WHERE application_id = $1",
    "rating": "DELETE FROM rating WHERE application_id = $1",
    "extension_request": "DELETE FROM extension_request WHERE application_id = $1",
    "accountability_record": "DELETE FROM accountability_record WHERE application_id = $1",
    "supervision_order": "DELETE FROM supervision_order WHERE application_id = $1",
    "supervision_card": "DELETE FROM supervision_card WHERE application_id = $1",
    "delivery": "DELETE FROM delivery WHERE application_id = $1",
    "letter": "DELETE FROM letter WHERE application_id = $1",
    "result_delivery": "DELETE FROM result_delivery WHERE application_id = $1",
    # Branches have their own place in the inbox, under their own ids.
    "department_event": """
DELETE FROM department_event
WHERE application_id = $1 OR application_id IN (SELECT id FROM case_branch WHERE application_id = $1)
""",
    "department_event_clash": """
DELETE FROM department_event_clash
WHERE application_id = $1 OR application_id IN (SELECT id FROM case_branch WHERE application_id = $1)
""",
    "case_branch": "DELETE FROM case_branch WHERE application_id = $1",
}


async def forget_parts(application_id: UUID, jobs: Jobs) -> dict[str, int]:
    """Delete what belonged to an application whose row is gone; its files follow by jobs. Return rows by table.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    erased = {table: await execute(sql, application_id) for table, sql in PARTS.items()}
    for table, sql in FILES.items():
        files = await fetch(sql, application_id)
        erased[table] = len(files)
        for file in files:
            if file["file_name"] is not None:
                await jobs.enqueue("matters.remove-file", file_name=file["file_name"])
    return erased
