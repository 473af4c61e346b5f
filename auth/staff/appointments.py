"""Appointments: what operators hold, from where they come, and that somebody is shut out. One at a time.

What takes two people is a deed here, run in the transaction that approves it (`approvals.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from auth.ports import KnownNames
from auth.staff.errors import AccountForbids, NoSuchOperator, NotYourself
from auth.staff.grants import held_by_others, read_grants, replace_grants, take_turn
from auth.staff.leaving import Leaving
from auth.staff.rules import OVERSEERS, check_alone, check_grants, check_left, needed, unknown, unlimited
from auth.staff.types import OperatorState
from auth.types import Role, RoleGrant, StaffCaller, StaffScope
from core.audit.record import Audit
from core.db import execute, fetch, fetch_one, transaction
from core.ids import Ids

_HOLD: Final = "UPDATE operator_account SET state = state WHERE id = $1 RETURNING state"
_KNOWN: Final = "SELECT id FROM operator_account WHERE id = $1"
_SET_NETWORKS: Final = "UPDATE operator_account SET networks = $2 WHERE id = $1 RETURNING id"
_DISABLE: Final = """
UPDATE operator_account
SET state = 'disabled', password_hash = '', activation_hash = NULL, activation_until = NULL
WHERE id = $1 AND state <> 'disabled' RETURNING id
"""
_WITHDRAW: Final = (
    "UPDATE approval SET state = 'withdrawn' WHERE requested_by = $1 AND state IN ('waiting', 'approved')"
)


class Appointments:
    """Who may do what. Nobody changes their own, and no role that the law separates is left without a holder."""

    def __init__(self, *, names: KnownNames, leaving: Leaving, audit: Audit, ids: Ids) -> None:
        self._names = names
        self._leaving = leaving
        self._audit = audit
        self._ids = ids

    async def check(self, payload: Mapping[str, Any]) -> None:
        """See at once whether what is asked for about an operator could be done.

        Raises:
            NameUnknown: there is no such operator, department or matter.
            RolesExclude: one person cannot hold these roles.
        """
        if not await fetch(_KNOWN, UUID(payload["operator_id"])):
            raise unknown(["/request/operator_id"])
        if "grants" in payload:
            grants = _grants_in(payload)
            check_grants(grants)
            self._require_known(grants, "/request/grants")

    async def set_roles(self, operator_id: UUID, grants: Sequence[RoleGrant], *, caller: StaffCaller) -> None:
        """Give an operator exactly these roles, as far as that takes one person; their sessions end.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is the caller.
            RolesExclude: one person cannot hold these roles.
            AccountForbids: they are disabled, or have not activated their account.
            LastHolder: nobody else is the administrator that they would be no more.
            ApprovalNeeded: one of the roles takes two people, or nobody else audits.
            NameUnknown: a grant is limited to a department or a matter that there is not.
        """
        self._require_known(grants, "/grants")
        await transaction(lambda: self._set_roles(operator_id, grants, caller, alone=True))

    async def set_roles_approved(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Give an operator the roles that two people agreed on, in the running transaction.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is who approves.
            RolesExclude: one person cannot hold these roles.
            AccountForbids: they are disabled, or have not activated their account.
            LastHolder: nobody else is the administrator that they would be no more.
        """
        await self._set_roles(UUID(payload["operator_id"]), _grants_in(payload), caller, alone=False)

    async def set_networks(self, operator_id: UUID, networks: Sequence[str], *, caller: StaffCaller) -> None:
        """Say from which networks an operator may come; none: from anywhere the installation allows.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is the caller, who could shut themselves out.
            ApprovalNeeded: it is somebody who looks at what others do, and could be kept from it.
        """
        await transaction(lambda: self._set_networks(operator_id, networks, caller, alone=True))

    async def set_networks_approved(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Let an operator come from the networks that two people agreed on, in the running transaction.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is who approves.
        """
        await self._set_networks(UUID(payload["operator_id"]), payload["networks"], caller, alone=False)

    async def disable(self, operator_id: UUID, *, caller: StaffCaller, reason: str) -> None:
        """Shut an operator out: sessions end, and what they had asked for is asked for no more.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is the caller.
            AccountForbids: they are disabled already.
            LastHolder: nobody else is the administrator that they are.
            ApprovalNeeded: nobody else audits.
        """
        await transaction(lambda: self._disable(operator_id, caller, reason=reason, alone=True))

    async def disable_approved(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Shut out whom two people agreed to shut out, in the running transaction.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is who approves.
            AccountForbids: they are disabled already.
            LastHolder: nobody else is the administrator that they are.
        """
        await self._disable(UUID(payload["operator_id"]), caller, reason="", alone=False)

    async def _set_roles(
        self, operator_id: UUID, grants: Sequence[RoleGrant], caller: StaffCaller, *, alone: bool
    ) -> None:
        state = await self._take(operator_id, caller)
        held = await read_grants(operator_id)
        check_grants(grants)
        if alone:
            check_alone(held, grants)
        # Whoever was to get the secret has used it: had somebody else, it would work for them no more.
        if state != OperatorState.ACTIVE:
            raise AccountForbids
        lost = unlimited(held) - unlimited(grants)
        check_left(lost, await held_by_others(operator_id), alone=alone, action="operators.grant-roles")
        await replace_grants(operator_id, grants, ids=self._ids)
        await self._leaving.end(operator_id, by=caller.actor)
        roles = ",".join(sorted({grant.role.value for grant in grants}))
        # As long as a line of the audit has room for.
        await self._record("auth.roles-changed", caller, operator_id, outcome=roles[:48] or "none")

    async def _set_networks(
        self, operator_id: UUID, networks: Sequence[str], caller: StaffCaller, *, alone: bool
    ) -> None:
        await self._take(operator_id, caller)
        if alone and {grant.role for grant in await read_grants(operator_id)} & OVERSEERS:
            raise needed("operators.set-networks")
        await fetch(_SET_NETWORKS, operator_id, list(networks))
        await self._record("auth.networks-changed", caller, operator_id, outcome=str(len(networks)))

    async def _disable(self, operator_id: UUID, caller: StaffCaller, *, reason: str, alone: bool) -> None:
        if await self._take(operator_id, caller) == OperatorState.ACTIVE:
            lost = unlimited(await read_grants(operator_id))
            check_left(lost, await held_by_others(operator_id), alone=alone, action="operators.disable")
        if not await fetch(_DISABLE, operator_id):
            raise AccountForbids
        await self._leaving.end(operator_id, by=caller.actor)
        await execute(_WITHDRAW, operator_id)
        await self._record("auth.operator-disabled", caller, operator_id, purpose=reason)

    def _require_known(self, grants: Sequence[RoleGrant], pointer: str) -> None:
        strange = []
        for place, grant in enumerate(grants):
            department, matter = grant.scope.department, grant.scope.matter
            if department and not self._names.is_department(department):
                strange.append(f"{pointer}/{place}/department")
            if matter and not self._names.is_matter(matter):
                strange.append(f"{pointer}/{place}/matter")
        if strange:
            raise unknown(strange)

    async def _take(self, operator_id: UUID, caller: StaffCaller) -> str:
        """Keep an operator as they are until the running transaction ends, and return their state."""
        if operator_id == caller.operator_id:
            raise NotYourself
        await take_turn()
        row = await fetch_one(_HOLD, operator_id)
        if row is None:
            raise NoSuchOperator
        return str(row["state"])

    async def _record(
        self, action: str, caller: StaffCaller, operator_id: UUID, *, outcome: str = "ok", purpose: str = ""
    ) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            object_kind="operator",
            object_id=operator_id,
            purpose=purpose,
            outcome=outcome,
        )


def _grants_in(payload: Mapping[str, Any]) -> list[RoleGrant]:
    """Return the grants that a request is about."""
    return [
        RoleGrant(Role(each["role"]), StaffScope(each["region"], each["department"], each["matter"]))
        for each in payload["grants"]
    ]
