"""Write the pages that follow from the code.

`docs/problems.md` (every code), `docs/staff-matrix.md` (every route of the staff and who may enter) and `.env.example`
(every setting). Run it after adding one of these; the architecture tests say when it was forgotten.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from api.access import Audience
from api.problems import status_of
from api.routes import ROUTES
from api.wiring.settings import Settings
from auth.types import Role, RoleGrant, StaffCaller
from core.errors import Problem

_ABOUT = (
    "Every failure is an RFC 9457 document (`application/problem+json`): `type`, `title` (for the resident, in the "
    "language asked for), `status`, `code` (for programs), `instance` (the request id), `retryable`, and where it "
    "helps `errors` (JSON pointers), `alternatives` (other ways), `plain` (one spoken sentence, elder mode). "
    "Codes are append-only. This page is written by `python -m scripts.reference`."
)
_MATRIX = (
    "✓ is let in, – is answered 403 `auth.forbidden`. Scope `whole`: only a grant without limits opens the route; "
    "`rows`: a grant limited to a region, a department or a matter opens it for what it covers; `own`: it concerns the "
    "operator alone. What exactly may be asked for and approved stands, by action, in `auth/staff/rules.py`. This page "
    "is written by `python -m scripts.reference` from what the routes declare."
)
_ID = UUID(int=0)
_ROOMS = ("core", "auth", "notices", "face", "certificates", "matters", "api")


def _problems() -> list[type[Problem]]:
    for room in _ROOMS:
        for module in pkgutil.walk_packages([room], prefix=f"{room}."):
            if "adapters" not in module.name and "__main__" not in module.name:
                importlib.import_module(module.name)
    found, waiting = set(), [Problem]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "code" in vars(kind):
            found.add(kind)
    return sorted(found, key=lambda kind: (kind.code.partition(".")[0], kind.code, status_of(kind)))


def problems_page() -> str:
    """Return `docs/problems.md`."""
    lines = [
        "# Problems",
        "",
        _ABOUT,
        "",
        "| Status | Code | Meaning | 中文 | May be repeated |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {status_of(kind)} | `{kind.code}` | {kind.title_en} | {kind.title} | {'yes' if kind.retryable else 'no'} |"
        for kind in _problems()
    ]
    return "\n".join([*lines, ""])


def _value(default: Any) -> str:  # noqa: ANN401 — a default may be anything
    if default is None or default is PydanticUndefined or isinstance(default, SecretStr):
        return ""
    if isinstance(default, dict | list | tuple) and not default:
        return ""
    return str(getattr(default, "value", default))


def _lines(model: type[BaseModel], prefix: str, given: BaseModel | None = None) -> Iterator[str]:
    """Explain a section; `given` is what stands for it where nobody sets anything."""
    sections = []
    for name, field in model.model_fields.items():
        full = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            default = field.get_default(call_default_factory=True)
            sections.append((full, field.annotation, default if isinstance(default, BaseModel) else None))
            continue
        if field.description:
            yield f"# {field.description}"
        default = getattr(given, name) if given else field.get_default(call_default_factory=True)
        yield f"# {full}={_value(default)}"
    for full, section, default in sections:
        yield ""
        yield from (f"# {line}".rstrip() for line in (inspect.getdoc(section) or "").splitlines() if line)
        yield from _lines(section, f"{full}__", default)


def settings_page() -> str:
    """Return `.env.example`."""
    head = [
        "# Every setting, with its default. Written by `python -m scripts.reference`.",
        "#",
        "# The embedded mode (the default) needs none of them: it makes keys and credentials in its data folder on the",
        "# first start. Production (ZHIJIAN_ENV=production) refuses to start while an address points at a sandbox, a",
        "# secret is missing or weak, or the database is SQLite. Secrets come from the environment or a secret store,",
        "# never from a file in the tree.",
        "#",
        "# The sandbox, a program of its own, reads SANDBOX_HOST, SANDBOX_PORT, SANDBOX_DATA, SANDBOX_CREDENTIALS,",
        "# SANDBOX_PAUSE_MS and SANDBOX_CALLBACK_HOSTS. Tests read ZHIJIAN_FACE_DATA, ZHIJIAN_TEST_DATABASE_URL and",
        "# ZHIJIAN_TEST_REDIS_URL.",
        "",
    ]
    return "\n".join([*head, *_lines(Settings, "ZHIJIAN_"), ""])


def matrix_page() -> str:
    """Return `docs/staff-matrix.md`."""
    operations = sorted(
        (
            operation
            for group in ROUTES
            for operation in group.operations
            if operation.access.audience is Audience.STAFF
        ),
        key=lambda operation: (operation.path, operation.method),
    )
    lines = [
        "# Who of the staff may enter where",
        "",
        _MATRIX,
        "",
        f"| Route | Scope | {' | '.join(Role)} |",
        f"|---|---|{'---|' * len(Role)}",
    ]
    for operation in operations:
        access = operation.access
        entries = ("✓" if access.lets_in(StaffCaller(_ID, _ID, "", (RoleGrant(role),))) else "–" for role in Role)
        lines.append(f"| `{operation.method} {operation.path}` | {access.reach} | {' | '.join(entries)} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Write all pages."""
    Path("docs/staff-matrix.md").write_text(matrix_page(), encoding="utf-8")
    Path("docs/problems.md").write_text(problems_page(), encoding="utf-8")
    Path(".env.example").write_text(settings_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
