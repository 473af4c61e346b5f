"""The decisions about the staff: pure functions of values."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from auth.errors import RoleForbidden
from auth.staff.errors import ApprovalNeeded, LastHolder, NameUnknown, RolesExclude
from auth.staff.types import ActionRule
from auth.types import EVERYWHERE, Role, RoleGrant, StaffCaller, StaffScope
from core.errors import FieldError

_ADMINISTRATORS: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
_AUDIT: Final = frozenset({Role.AUDIT_ADMIN, Role.AUDITOR})
# Who holds one of these has a say in what others may do: granting one takes two people.
POWERFUL: Final = _ADMINISTRATORS | {Role.APPROVER}
# Who looks at what others do: one person neither takes their place nor keeps them out.
OVERSEERS: Final = POWERFUL | _AUDIT

_SHORTEST_PASSWORD: Final = 12
_EARLY_GUESSES: Final = 3

_KEEPERS: Final = frozenset({Role.SYSTEM_ADMIN, Role.OPERATOR})
_SECOND: Final = frozenset({Role.SECURITY_ADMIN, Role.APPROVER})
_REGISTER: Final = ActionRule(_KEEPERS, _SECOND, in_emergency=True)
_OWN_KEYS: Final = ActionRule(
    frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}),
    frozenset({Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}),
    in_emergency=True,
)
_STAFF: Final = ActionRule(frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}), _ADMINISTRATORS, in_emergency=False)
# What takes two people (security.md T16): who asks, who approves. The last ones are done elsewhere, which spends it.
ACTIONS: Final[Mapping[str, ActionRule]] = {
    "operators.grant-roles": _STAFF,
    "operators.disable": _STAFF,
    "operators.set-networks": _STAFF,
    "verifiers.register": _REGISTER,
    "verifiers.change": _REGISTER,
    "devices.register": _REGISTER,
    "devices.change": _REGISTER,
    "keys.add": ActionRule(frozenset({Role.SYSTEM_ADMIN}), _SECOND, in_emergency=True),
    "matters.change-list": ActionRule(_KEEPERS, _SECOND, in_emergency=False),
    # A case's materials are asked for once; once more is an exception that a supervisor approves.
    "cases.ask-again": ActionRule(
        frozenset({Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR}), frozenset({Role.APPROVER}), in_emergency=False
    ),
    "keys.rotate": _OWN_KEYS,
    "keys.retire": _OWN_KEYS,
    "data.export": ActionRule(_KEEPERS, frozenset({Role.SECURITY_ADMIN}), in_emergency=False),
}


def check_grants(grants: Sequence[RoleGrant]) -> None:
    """See that one person may hold all of these.

    The three administrators are three people, and none of them does the daily work; who audits does nothing else.

    Raises:
        RolesExclude: they may not.
    """
    roles = {grant.role for grant in grants}
    administrators = roles & _ADMINISTRATORS
    wrong = (
        len(set(grants)) != len(grants)
        or len(administrators) > 1
        or (roles & _AUDIT and not roles <= _AUDIT)
        or (administrators and not roles <= administrators | _AUDIT)
        or any(grant.role in _ADMINISTRATORS and grant.scope != EVERYWHERE for grant in grants)
    )
    if wrong:
        raise RolesExclude(
            errors=[FieldError("/grants", "roles", "这些岗位不能由同一个人担任", "One person cannot hold these")]
        )


def check_alone(held: Collection[RoleGrant], wanted: Collection[RoleGrant]) -> None:
    """See that going from one set of grants to another takes only one person.

    Raises:
        ApprovalNeeded: a role is added whose holder has a say in what others may do.
    """
    if any(grant.role in POWERFUL for grant in set(wanted) - set(held)):
        raise needed("operators.grant-roles")


def check_left(lost: Collection[Role], others: Collection[Role], *, alone: bool, action: str) -> None:
    """See that what somebody loses is still held: `others` is what active others hold without limits.

    There is never fewer than one of each administrator, whoever agrees to it; the last who audits goes by two people.

    Raises:
        LastHolder: nobody else is such an administrator.
        ApprovalNeeded: nobody else audits, and one person wants it; `action` is what to ask for.
    """
    gone = set(lost) - set(others)
    if gone & _ADMINISTRATORS:
        raise LastHolder
    if alone and gone & _AUDIT:
        raise needed(action)


def needed(action: str) -> ApprovalNeeded:
    """Return the problem of who does alone what takes two people."""
    return ApprovalNeeded(action=action, start="/v1/staff/approvals")


def unknown(pointers: Iterable[str]) -> NameUnknown:
    """Return the problem of names that mean nothing here."""
    return NameUnknown(
        errors=[FieldError(each, "unknown", "没有这一项", "There is no such thing") for each in pointers]
    )


def unlimited(grants: Collection[RoleGrant]) -> frozenset[Role]:
    """Return the roles that are held without limits."""
    return frozenset(grant.role for grant in grants if grant.scope == EVERYWHERE)


def require_scope(scopes: Collection[StaffScope], concerned: StaffScope) -> None:
    """See that one of the scopes holds what is concerned.

    Raises:
        RoleForbidden: none does.
    """
    if not any(scope.covers(concerned) for scope in scopes):
        raise RoleForbidden


def has_everywhere(caller: StaffCaller, roles: Collection[Role]) -> bool:
    """Say whether a caller holds one of the roles without limits."""
    return EVERYWHERE in caller.scopes(roles) if roles else False


def canonical(action: str, payload: Mapping[str, object]) -> str:
    """Return the one text form of what is asked for: JSON with sorted keys."""
    return json.dumps([action, payload], ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def payload_hash(action: str, payload: Mapping[str, object]) -> str:
    """Return the SHA-256 of what is asked for, which is what gets approved."""
    return hashlib.sha256(canonical(action, payload).encode()).hexdigest()


def is_guessable(password: str, username: str, score: int) -> bool:
    """Say whether a password is too weak; `score` is the estimate of zxcvbn, 0 to 4."""
    return len(password) < _SHORTEST_PASSWORD or username.lower() in password.lower() or score < _EARLY_GUESSES


def lock_until(now: datetime, *, lock_count: int, first: timedelta) -> datetime:
    """Return when an operator may try again: each further lock lasts twice as long, a day at most."""
    doubled: timedelta = first * (1 << min(lock_count, 10))
    return now + min(doubled, timedelta(days=1))
