"""How far operators' grants reach, as one text that statements compare rows with: lists are filtered where they lie."""

from collections.abc import Collection
from typing import Final

from auth.types import EVERYWHERE, StaffScope

_ALL: Final = "*"
# `$1` is what `reach_of` returns; slugs and codes hold nothing that means something to LIKE.
WITHIN: Final = """
(CAST($1 AS TEXT) = '*' OR CAST($1 AS TEXT) LIKE '%,' || department || '|,%'
 OR CAST($1 AS TEXT) LIKE '%,|' || matter_code || ',%'
 OR CAST($1 AS TEXT) LIKE '%,' || department || '|' || matter_code || ',%')
"""


def reach_of(scopes: Collection[StaffScope]) -> str:
    """Return scopes as `WITHIN` reads them. What is limited to a region reaches no case that has none."""
    if EVERYWHERE in scopes:
        return _ALL
    limits = sorted(f"{scope.department}|{scope.matter}" for scope in scopes if not scope.region)
    return f",{','.join(limits)},"
