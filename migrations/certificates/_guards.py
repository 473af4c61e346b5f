"""What must hold in the database itself: a code that was used stays used."""

GUARDS: dict[str, str] = {}

SQLITE_GUARDS: dict[str, list[str]] = {
    "certificate_presentation_once": [
        (
            "CREATE TRIGGER IF NOT EXISTS certificate_presentation_once "
            "BEFORE UPDATE OF used_at ON certificate_presentation WHEN OLD.used_at IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'a code is used once'); END"
        ),
    ],
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "certificate_presentation_used": [
        (
            "CREATE OR REPLACE FUNCTION refuse_second_use() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a code is used once'; END $$"
        ),
    ],
    "certificate_presentation_once": [
        (
            "CREATE OR REPLACE TRIGGER certificate_presentation_once BEFORE UPDATE OF used_at "
            "ON certificate_presentation FOR EACH ROW WHEN (OLD.used_at IS NOT NULL) "
            "EXECUTE FUNCTION refuse_second_use()"
        ),
    ],
}
