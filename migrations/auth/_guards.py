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
        "CREATE UNIQUE INDEX IF NOT EXISTS relative_live ON relative (citizen_id, person_mark) WHERE state <> 'ended'"
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
    # The three administrators are never one person.
    "operator_one_administrator": (
        "CREATE UNIQUE INDEX IF NOT EXISTS operator_one_administrator ON operator_grant (operator_id) "
        "WHERE role IN ('system-admin', 'security-admin', 'audit-admin')"
    ),
}

# What takes two people is done with two: the database itself refuses it otherwise.
_ALONE = (
    "NEW.state IN ('approved', 'executed') AND NOT NEW.emergency "
    "AND (NEW.approved_by IS NULL OR NEW.approved_by = NEW.requested_by)"
)

SQLITE_GUARDS: dict[str, list[str]] = {
    f"approval_two_people_{verb.lower()}": [
        (
            f"CREATE TRIGGER IF NOT EXISTS approval_two_people_{verb.lower()} BEFORE {verb} ON approval WHEN {_ALONE} "
            "BEGIN SELECT RAISE(ABORT, 'this takes two people'); END"
        ),
    ]
    for verb in ("INSERT", "UPDATE")
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "approval_alone": [
        (
            "CREATE OR REPLACE FUNCTION refuse_alone() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'this takes two people'; END $$"
        ),
    ],
    "approval_two_people": [
        (
            "CREATE OR REPLACE TRIGGER approval_two_people BEFORE INSERT OR UPDATE ON approval "
            f"FOR EACH ROW WHEN ({_ALONE}) EXECUTE FUNCTION refuse_alone()"
        ),
    ],
}
