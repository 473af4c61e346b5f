"""Whatever changes a resident's session, or closes an account, forgets what requests remember of it."""

import ast
import re
from collections.abc import Iterable

from tests.architecture.tree import Source, called, planted, sources, text_of

# What a remembered row says (`auth/places/recent.py`), and what lets it be there at all.
CHANGES = re.compile(
    r"UPDATE citizen_session SET [^;]*\b(level|present_until|elder|ended_at)\s*="
    r"|UPDATE citizen SET [^;]*\bstate\s*=\s*('closed'|\$)"
)


def unforgotten(given: Iterable[Source]) -> list[str]:
    """Functions that run such a statement and do not call `changed`."""
    found = []
    for source in given:
        constants = {
            node.target.id if isinstance(node, ast.AnnAssign) else node.targets[0].id  # type: ignore[attr-defined, union-attr]
            for node in source.tree.body
            if isinstance(node, ast.AnnAssign | ast.Assign) and CHANGES.search(text_of(node.value) or "")
        }
        for function in source.nodes(ast.AsyncFunctionDef):
            # The innermost function that does it: `work` within a use case.
            inner = {id(part) for node in ast.walk(function) if node is not function
                     and isinstance(node, ast.AsyncFunctionDef) for part in ast.walk(node)}  # fmt: skip
            parts = [node for node in ast.walk(function) if id(node) not in inner]
            changes = any(isinstance(node, ast.Name) and node.id in constants for node in parts) or any(
                CHANGES.search(text_of(node) or "") for node in parts if isinstance(node, ast.Constant)
            )
            if changes and not any(isinstance(node, ast.Call) and called(node).endswith(".changed") for node in parts):
                found.append(f"{source.at(function)}: {function.name} changes a session and forgets nothing")
    return found


def test_every_change_of_a_session_is_told_to_who_remembers_it() -> None:
    assert unforgotten(sources("auth", "api", "face")) == []
    end = '_END = "UPDATE citizen_session SET ended_at = $2 WHERE id = $1"'
    bad = f"{end}\nasync def end():\n    await execute(_END, 1)"
    assert unforgotten(planted("auth/x.py", bad))
    assert unforgotten(planted("auth/x.py", f"{bad}\n    self._recent.changed(1)")) == []
    closing = "async def close():\n    await execute(\"UPDATE citizen SET state = 'closed' WHERE id = $1\", 1)"
    assert unforgotten(planted("auth/x.py", closing))
    touch = 'async def touch():\n    await execute("UPDATE citizen_session SET last_used_at = $2 WHERE id = $1", 1)'
    assert unforgotten(planted("auth/x.py", touch)) == []
