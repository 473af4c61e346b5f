"""What Tortoise cannot declare: indexes over a part of a table, and that the history of a case is never changed.

It may be deleted only as a whole, when its application is gone: that is how a case leaves once it need not be kept. A
change of keys seals its notes and results anew: those two columns alone may be written again, and never be emptied or
filled.
"""

GUARDS: dict[str, str] = {
    # What supervision looks for each minute among all cases there ever were: few rows, found without a scan.
    "application_due": (
        "CREATE INDEX IF NOT EXISTS application_due ON application (due_at) WHERE state IN ('accepted', 'in_review')"
    ),
    "application_legal_due": (
        "CREATE INDEX IF NOT EXISTS application_legal_due ON application (legal_due_at) "
        "WHERE state IN ('accepted', 'in_review')"
    ),
    "application_review_due": (
        "CREATE INDEX IF NOT EXISTS application_review_due ON application (review_due_at) "
        "WHERE review_due_at IS NOT NULL"
    ),
    # One extension of a case waits to be decided.
    "extension_waits": (
        "CREATE UNIQUE INDEX IF NOT EXISTS extension_waits ON extension_request (application_id) "
        "WHERE state = 'waiting'"
    ),
}

_FACTS = (
    "id, application_id, seq, step, at, actor_kind, actor_id, department_sequence, follows, reason, data, created_at"
)
_EMPTIED = " OR ".join(f"(OLD.{name} IS NULL) <> (NEW.{name} IS NULL)" for name in ("note_sealed", "result_sealed"))

SQLITE_GUARDS: dict[str, list[str]] = {
    "case_action_no_update": [
        (
            f"CREATE TRIGGER IF NOT EXISTS case_action_no_update BEFORE UPDATE OF {_FACTS} ON case_action "
            "BEGIN SELECT RAISE(ABORT, 'case_action is append-only'); END"
        ),
    ],
    "case_action_no_emptying": [
        (
            "CREATE TRIGGER IF NOT EXISTS case_action_no_emptying BEFORE UPDATE OF note_sealed, result_sealed "
            f"ON case_action WHEN {_EMPTIED} BEGIN SELECT RAISE(ABORT, 'case_action is append-only'); END"
        ),
    ],
    "case_action_no_delete": [
        (
            "CREATE TRIGGER IF NOT EXISTS case_action_no_delete BEFORE DELETE ON case_action "
            "WHEN EXISTS (SELECT 1 FROM application WHERE id = OLD.application_id) "
            "BEGIN SELECT RAISE(ABORT, 'case_action is append-only'); END"
        ),
    ],
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "case_append_only": [
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION refuse_gap() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF EXISTS (SELECT 1 FROM application WHERE id = OLD.application_id) THEN "
            "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; RETURN OLD; END $$"
        ),
    ],
    "case_action_no_change": [
        (
            f"CREATE OR REPLACE TRIGGER case_action_no_change BEFORE UPDATE OF {_FACTS} OR TRUNCATE "
            "ON case_action EXECUTE FUNCTION refuse_change()"
        ),
    ],
    "case_action_no_emptying": [
        (
            "CREATE OR REPLACE TRIGGER case_action_no_emptying BEFORE UPDATE OF note_sealed, result_sealed "
            f"ON case_action FOR EACH ROW WHEN ({_EMPTIED}) EXECUTE FUNCTION refuse_change()"
        ),
    ],
    "case_action_no_gap": [
        (
            "CREATE OR REPLACE TRIGGER case_action_no_gap BEFORE DELETE ON case_action "
            "FOR EACH ROW EXECUTE FUNCTION refuse_gap()"
        ),
    ],
}
