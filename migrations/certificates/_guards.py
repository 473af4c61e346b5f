"""What must hold in the database itself: a code that was used stays used, and a token's mark follows its certificate.

Whatever changes or removes a certificate, the status lists tell: no code can forget it.
"""

GUARDS: dict[str, str] = {}

# A frozen certificate may thaw; any other change of state or version makes the tokens of before invalid, for good.
_FOLLOW = (
    "UPDATE certificate_status SET mark = CASE WHEN NEW.state = 'frozen' THEN 2 "
    "WHEN NEW.state = 'active' AND version = NEW.version THEN 0 ELSE 1 END "
    "WHERE certificate_id = NEW.id AND mark <> 1"
)
_END = "UPDATE certificate_status SET mark = 1 WHERE certificate_id = OLD.id AND mark <> 1"
_REVIVED = "OLD.mark = 1 AND NEW.mark <> 1"

SQLITE_GUARDS: dict[str, list[str]] = {
    "certificate_status_follows": [
        (
            "CREATE TRIGGER IF NOT EXISTS certificate_status_follows AFTER UPDATE OF state, version ON certificate "
            f"WHEN OLD.state <> NEW.state OR OLD.version <> NEW.version BEGIN {_FOLLOW}; END"
        ),
        (f"CREATE TRIGGER IF NOT EXISTS certificate_status_ends AFTER DELETE ON certificate BEGIN {_END}; END"),
        (
            "CREATE TRIGGER IF NOT EXISTS certificate_status_invalid BEFORE UPDATE OF mark ON certificate_status "
            f"WHEN {_REVIVED} BEGIN SELECT RAISE(ABORT, 'invalid is for good'); END"
        ),
        (
            "CREATE TRIGGER IF NOT EXISTS certificate_status_kept BEFORE DELETE ON certificate_status "
            "BEGIN SELECT RAISE(ABORT, 'a place is given once'); END"
        ),
        "CREATE INDEX IF NOT EXISTS certificate_status_marked ON certificate_status (place, mark) WHERE mark > 0",
    ],
    "certificate_presentation_once": [
        (
            "CREATE TRIGGER IF NOT EXISTS certificate_presentation_once "
            "BEFORE UPDATE OF used_at ON certificate_presentation WHEN OLD.used_at IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'a code is used once'); END"
        ),
    ],
}

POSTGRES_GUARDS: dict[str, list[str]] = {
    "certificate_status_functions": [
        (
            "CREATE OR REPLACE FUNCTION mark_tokens() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_FOLLOW}; RETURN NULL; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION end_tokens() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_END}; RETURN NULL; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION keep_places() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a place is given once, and invalid is for good'; END $$"
        ),
    ],
    "certificate_status_follows": [
        (
            "CREATE OR REPLACE TRIGGER certificate_status_follows AFTER UPDATE OF state, version ON certificate "
            "FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.version <> NEW.version) EXECUTE FUNCTION mark_tokens()"
        ),
        (
            "CREATE OR REPLACE TRIGGER certificate_status_ends AFTER DELETE ON certificate "
            "FOR EACH ROW EXECUTE FUNCTION end_tokens()"
        ),
        (
            "CREATE OR REPLACE TRIGGER certificate_status_invalid BEFORE UPDATE OF mark ON certificate_status "
            f"FOR EACH ROW WHEN ({_REVIVED}) EXECUTE FUNCTION keep_places()"
        ),
        (
            "CREATE OR REPLACE TRIGGER certificate_status_kept BEFORE DELETE ON certificate_status "
            "FOR EACH ROW EXECUTE FUNCTION keep_places()"
        ),
        "CREATE INDEX IF NOT EXISTS certificate_status_marked ON certificate_status (place, mark) WHERE mark > 0",
    ],
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
