"""Indexes that Tortoise cannot declare on both databases; each is repeated after a migration that remakes its table."""

from typing import Final

GUARDS: Final[dict[str, str]] = {
    # One consent stands for each text; the withdrawn ones stay as history.
    "consent_stands": (
        "CREATE UNIQUE INDEX IF NOT EXISTS consent_stands ON consent (citizen_id, purpose, version) "
        "WHERE withdrawn_at IS NULL"
    ),
    # One takeover waits for each holder.
    "takeover_waits": (
        "CREATE UNIQUE INDEX IF NOT EXISTS takeover_waits ON takeover (holder_id) WHERE state = 'waiting'"
    ),
    # One tie at a time between one who asks and one who is named.
    "relative_live": (
        "CREATE UNIQUE INDEX IF NOT EXISTS relative_live ON relative (citizen_id, person_hash) WHERE state <> 'ended'"
    ),
    # A register's word makes one mandate between the same two.
    "mandate_by_register": (
        "CREATE UNIQUE INDEX IF NOT EXISTS mandate_by_register ON mandate (principal_id, agent_id, kind) "
        "WHERE state = 'active' AND kind IN ('guardian', 'representative')"
    ),
    # An account is closed once at a time.
    "account_closure_waits": (
        "CREATE UNIQUE INDEX IF NOT EXISTS account_closure_waits ON account_closure (citizen_id) "
        "WHERE state = 'waiting'"
    ),
}
