"""What operators hold: reading and replacing it, in one place."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from auth.staff.rules import has_everywhere
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.db import execute, fetch, is_postgres, require_transaction
from core.ids import Ids

# Changes nothing: whoever disables somebody or changes their roles at the same moment waits here, or is waited for.
_HOLD: Final = "UPDATE operator_account SET state = state WHERE id = $1 AND state = 'active' RETURNING username"
_OF: Final = "SELECT role, region, department, matter FROM operator_grant WHERE operator_id = $1 ORDER BY role, id"
_TAKE: Final = "DELETE FROM operator_grant WHERE operator_id = $1"
_GIVE: Final = """
INSERT INTO operator_grant (id, operator_id, role, region, department, matter) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id
"""
# Which roles active others hold without limits.
_OTHERS: Final = """
SELECT DISTINCT g.role FROM operator_grant g JOIN operator_account o ON o.id = g.operator_id
WHERE o.state = 'active' AND o.id <> $1 AND g.region = '' AND g.department = '' AND g.matter = ''
"""
_TURN: Final = "SELECT pg_advisory_xact_lock($1)"
_TURNS: Final = 0x7A686A_02  # Any constant that only this uses.
_NOBODY: Final = UUID(int=0)


def grant_of(row: Mapping[str, Any]) -> RoleGrant:
    """Return the grant that a row of `operator_grant` is."""
    return RoleGrant(Role(row["role"]), StaffScope(row["region"], row["department"], row["matter"]))


def grants_of(rows: Iterable[Mapping[str, Any]]) -> tuple[RoleGrant, ...]:
    """Return the grants of joined rows; who holds nothing has one row without a role."""
    return tuple(grant_of(row) for row in rows if row["role"] is not None)


async def read_grants(operator_id: UUID) -> tuple[RoleGrant, ...]:
    """Return what an operator holds now."""
    return grants_of(await fetch(_OF, operator_id))


async def replace_grants(operator_id: UUID, grants: Sequence[RoleGrant], *, ids: Ids) -> None:
    """Give an operator exactly these, in the running transaction.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    await execute(_TAKE, operator_id)
    for grant in grants:
        scope = grant.scope
        await fetch(_GIVE, ids.uuid(), operator_id, grant.role.value, scope.region, scope.department, scope.matter)


async def take_turn() -> None:
    """Let one change of who may do what happen after the other, until the running transaction ends.

    Two at once would each leave the other's holder of a role in place and together leave none; and who holds several
    operators never waits for who holds the same in another order. On SQLite one transaction writes at a time anyway.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    if is_postgres():
        await fetch(_TURN, _TURNS)


async def held_by_others(operator_id: UUID) -> frozenset[Role]:
    """Return the roles that somebody else, who is active, holds without limits."""
    return frozenset(Role(row["role"]) for row in await fetch(_OTHERS, operator_id))


async def hold(operator_ids: Iterable[UUID]) -> set[UUID]:
    """Keep operators as they are until the running transaction ends; return those who are active."""
    require_transaction()
    # The same order everywhere, so that two transactions never wait for each other.
    return {operator_id for operator_id in sorted(set(operator_ids)) if await fetch(_HOLD, operator_id)}


async def holds_everywhere(operator_id: UUID, roles: Collection[Role]) -> bool:
    """Tell whether an operator holds one of the roles without limits now."""
    return has_everywhere(StaffCaller(operator_id, _NOBODY, "", await read_grants(operator_id)), roles)


class OfficerRegions:
    """Where officers sit: the region that what they hold is limited to."""

    async def region_of(self, operator_id: UUID) -> str:
        """Return the smallest region that an operator's grants name; empty where none names one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return seat_of(await read_grants(operator_id))


def seat_of(grants: Iterable[RoleGrant]) -> str:
    """Return the smallest region that grants name, of equals the first; empty where none names one."""
    return max(sorted({grant.scope.region for grant in grants}), key=len, default="")
