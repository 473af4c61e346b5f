"""Indexes that Tortoise cannot declare on both databases; each is repeated after a migration that remakes its table."""

from typing import Final

GUARDS: Final[dict[str, str]] = {
    # One consent stands for each text; the withdrawn ones stay as history.
    "consent_stands": (
        "CREATE UNIQUE INDEX IF NOT EXISTS consent_stands ON consent (citizen_id, purpose, version) "
        "WHERE withdrawn_at IS NULL"
    ),
    # An account is closed once at a time.
    "account_closure_waits": (
        "CREATE UNIQUE INDEX IF NOT EXISTS account_closure_waits ON account_closure (citizen_id) "
        "WHERE state = 'waiting'"
    ),
}
