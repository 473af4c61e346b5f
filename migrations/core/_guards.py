"""What the models cannot say: audit lines and links are written once and never changed; an index for who audits."""

GUARDS: dict[str, str] = {
    # What one of the staff did, for who audits; the lines of residents, which are many, cost it nothing.
    "audit_by_operator": (
        "CREATE INDEX IF NOT EXISTS audit_by_operator ON audit_line (actor_id, at, id) WHERE actor_kind = 'operator'"
    ),
}

_APPEND_ONLY = ("audit_line", "audit_link", "audit_head")

SQLITE_GUARDS: dict[str, list[str]] = {
    f"{table}_no_{verb.lower()}": [
        (
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        ),
    ]
    for table in _APPEND_ONLY
    for verb in ("UPDATE", "DELETE")
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "append_only": [
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        ),
    ],
    **{
        f"{table}_no_change": [
            (
                f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "EXECUTE FUNCTION refuse_change()"
            ),
        ]
        for table in _APPEND_ONLY
    },
}
