"""What the code never does: take time, chance, tasks or transactions past the one place for each."""

import ast
from collections.abc import Iterable

import pytest

from tests.architecture.tree import DOMAINS, PRODUCT, Rule, Source, called, dotted, planted, sources

# The one place for each thing.
TIME_AND_CHANCE_AT = {"core/clock.py", "core/ids.py"}
TRANSACTIONS_AT = "core/db.py"
# random.SystemRandom is the machine's own chance, as `secrets` is: spreading retries and choosing actions may use it.
CHANCE_ALLOWED = {"random.SystemRandom"}
DATES = ("datetime", "datetime.datetime", "date", "datetime.date")
TIME = {"time.time", "time.time_ns"} | {f"{name}.{verb}" for name in DATES for verb in ("now", "utcnow", "today")}
LAST_HANDLERS = ("core/jobs/", "api/app.py")
BANNED_WORDS = ("Service", "Manager", "Helper", "Utils", "Util", "Impl", "Base")


def time_and_chance(given: Iterable[Source]) -> list[str]:
    found = []
    for source in given:
        if str(source.path) in TIME_AND_CHANCE_AT:
            continue
        for node in source.nodes(ast.Call):
            name = called(node)
            by_chance = name.startswith("random.") and name not in CHANCE_ALLOWED
            if name in TIME or by_chance or name in {"uuid.uuid4", "uuid4"}:
                found.append(f"{source.at(node)}: {name}()")
        found += [
            f"{source.at(node)}: from {node.module} import {alias.name}"
            for node in source.nodes(ast.ImportFrom)
            if node.module in {"random", "time"}
            for alias in node.names
            if f"{node.module}.{alias.name}" not in CHANCE_ALLOWED | {"time.monotonic", "time.perf_counter"}
        ]
    return found


def loose_tasks(given: Iterable[Source]) -> list[str]:
    """A task that nobody waits for is lost with its process; what follows is a job.

    A TaskGroup waits for its own, and what `ensure_future` gives back can be waited for when it is kept.
    """
    found = []
    for source in given:
        groups = {
            item.optional_vars.id
            for node in source.nodes(ast.AsyncWith)
            for item in node.items
            if isinstance(item.context_expr, ast.Call)
            and called(item.context_expr).endswith("TaskGroup")
            and isinstance(item.optional_vars, ast.Name)
        }
        dropped = {id(node.value) for node in source.nodes(ast.Expr)}
        for node in source.nodes(ast.Call):
            owner, _, verb = called(node).rpartition(".")
            is_loose = verb == "create_task" or (verb == "ensure_future" and id(node) in dropped)
            if is_loose and owner not in groups:
                found.append(f"{source.at(node)}: {called(node)}()")
    return found


def own_transactions(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}: {word}"
        for source in given
        if str(source.path) != TRANSACTIONS_AT
        for word in sorted(
            {node.id for node in source.nodes(ast.Name)}
            | {node.attr for node in source.nodes(ast.Attribute)}
            | {alias.name for node in source.nodes(ast.ImportFrom) for alias in node.names}
        )
        if word in {"in_transaction", "atomic", "_in_transaction"}
    ]


def vague_names(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.at(node)}: {node.name}"
        for source in given
        for node in source.nodes(ast.ClassDef)
        if node.name.lstrip("_").endswith(BANNED_WORDS)
    ]


def left_undone(given: Iterable[Source]) -> list[str]:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    return [f"{source.path}: {word}" for source in given for word in words if word in source.text]


def swallowed(given: Iterable[Source]) -> list[str]:
    """`except Exception` (or wider) is for the last handlers; elsewhere it needs its reason beside it."""
    found = []
    for source in given:
        if str(source.path).startswith(LAST_HANDLERS):
            continue
        lines = source.text.splitlines()
        for node in source.nodes(ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {"" if one is None else dotted(one) for one in caught}
            if names & {"", "Exception", "BaseException"} and "—" not in lines[node.lineno - 1] and not _raises(node):
                found.append(f"{source.at(node)}: {lines[node.lineno - 1].strip()}")
    return found


def _raises(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise)


@pytest.mark.parametrize(
    ("rule", "rooms", "violation"),
    [
        pytest.param(time_and_chance, PRODUCT, "moment = datetime.now()", id="time"),
        pytest.param(time_and_chance, PRODUCT, "import random\ncode = random.randint(0, 9)", id="chance"),
        pytest.param(time_and_chance, PRODUCT, "from random import choice", id="imported chance"),
        pytest.param(loose_tasks, DOMAINS, "asyncio.create_task(work())", id="task"),
        pytest.param(loose_tasks, DOMAINS, "asyncio.get_running_loop().create_task(work())", id="task of a loop"),
        pytest.param(own_transactions, PRODUCT, "from tortoise.transactions import in_transaction", id="transaction"),
        pytest.param(vague_names, (*PRODUCT, "sandbox"), "class LoginManager: ...", id="vague name"),
        pytest.param(left_undone, (*PRODUCT, "sandbox"), "# TO" + "DO later", id="left undone"),
        pytest.param(swallowed, (*PRODUCT, "sandbox"), "try:\n    x()\nexcept Exception:\n    pass", id="swallowed"),
    ],
)
def test_a_thing_is_taken_only_at_its_place(rule: Rule, rooms: tuple[str, ...], violation: str) -> None:
    given = sources(*rooms)
    assert given
    assert rule(given) == []
    assert rule(planted("auth/login.py", violation))


def test_a_task_of_a_group_is_no_loose_task() -> None:
    fine = "async def ask():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(one())\n"
    assert loose_tasks(planted("matters/checks.py", fine)) == []


def test_tests_pass_fakes_and_patch_nothing() -> None:
    patching = ("mocker" + ".patch", "unittest" + ".mock", "monkeypatch" + '.setattr("')
    given = sources("tests")
    assert given
    assert [f"{source.path}: {word}" for source in given for word in patching if word in source.text] == []
