"""The decisions about the staff: pure functions of values."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from auth.errors import RoleForbidden
from auth.staff.errors import ApprovalNeeded, RolesExclude
from auth.staff.types import ActionRule
from auth.types import EVERYWHERE, Role, RoleGrant, StaffCaller, StaffScope
from core.errors import FieldError

_ADMINISTRATORS: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
_AUDIT: Final = frozenset({Role.AUDIT_ADMIN, Role.AUDITOR})
# Who holds one of these has a say in what others may do: granting one takes two people.
POWERFUL: Final = _ADMINISTRATORS | {Role.APPROVER}

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
# What takes two people (security.md T16): who asks, who approves. The last three are done by commands, which spend it.
ACTIONS: Final[Mapping[str, ActionRule]] = {
    "operators.grant-roles": ActionRule(
        frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}), _ADMINISTRATORS, in_emergency=False
    ),
    "verifiers.register": _REGISTER,
    "verifiers.change": _REGISTER,
    "devices.register": _REGISTER,
    "devices.change": _REGISTER,
    "keys.add": ActionRule(frozenset({Role.SYSTEM_ADMIN}), _SECOND, in_emergency=True),
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
        raise ApprovalNeeded(action="operators.grant-roles", start="/v1/staff/approvals")


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
