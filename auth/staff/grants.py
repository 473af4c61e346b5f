"""What operators hold: reading and replacing it, in one place."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from auth.staff.rules import has_everywhere
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.db import execute, fetch, require_transaction
from core.ids import Ids

# Changes nothing: whoever disables somebody or changes their roles at the same moment waits here, or is waited for.
_HOLD: Final = "UPDATE operator_account SET state = state WHERE id = $1 AND state = 'active' RETURNING username"
_OF: Final = "SELECT role, region, department, matter FROM operator_grant WHERE operator_id = $1 ORDER BY role, id"
_TAKE: Final = "DELETE FROM operator_grant WHERE operator_id = $1"
_GIVE: Final = """
INSERT INTO operator_grant (id, operator_id, role, region, department, matter) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id
"""
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


async def hold(operator_ids: Iterable[UUID]) -> set[UUID]:
    """Keep operators as they are until the running transaction ends; return those who are active."""
    require_transaction()
    # The same order everywhere, so that two transactions never wait for each other.
    return {operator_id for operator_id in sorted(set(operator_ids)) if await fetch(_HOLD, operator_id)}


async def holds_everywhere(operator_id: UUID, roles: Collection[Role]) -> bool:
    """Tell whether an operator holds one of the roles without limits now."""
    return has_everywhere(StaffCaller(operator_id, _NOBODY, "", await read_grants(operator_id)), roles)
