"""What must hold in the database itself: the history of a case is appended to and never changed."""

GUARDS: dict[str, str] = {}

SQLITE_GUARDS: dict[str, list[str]] = {
    f"case_action_no_{verb.lower()}": [
        (
            f"CREATE TRIGGER IF NOT EXISTS case_action_no_{verb.lower()} BEFORE {verb} ON case_action "
            "BEGIN SELECT RAISE(ABORT, 'case_action is append-only'); END"
        ),
    ]
    for verb in ("UPDATE", "DELETE")
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "case_append_only": [
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        ),
    ],
    "case_action_no_change": [
        (
            "CREATE OR REPLACE TRIGGER case_action_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON case_action "
            "EXECUTE FUNCTION refuse_change()"
        ),
    ],
}
