"""Indexes that Tortoise cannot declare on both databases; each is repeated after a migration that remakes its table."""

from typing import Final

GUARDS: Final[dict[str, str]] = {
    # Each of the few places for family that reads along is taken once.
    "notice_copy_place": (
        "CREATE UNIQUE INDEX IF NOT EXISTS notice_copy_place ON notice_copy (citizen_id, place) "
        "WHERE state IN ('offered', 'active')"
    ),
    # The inbox counts what was not read.
    "notice_unread": "CREATE INDEX IF NOT EXISTS notice_unread ON notice (citizen_id) WHERE read_at IS NULL",
}
