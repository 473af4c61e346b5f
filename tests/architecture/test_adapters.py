"""Every outside system has its page, its adapter, its twin in the sandbox and its contract test."""

import ast
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from tests.architecture.tree import DOMAINS, ROOT, Source, planted, sources

PAGES = ROOT / "docs" / "departments"
# Adapters that are called after what they give; the system behind them has another name.
SYSTEMS = {"portraits": "population_registry", "sharing": "human_resources"}
# Machines of ours: a real one takes the place of a twin, and `deploy/README.md` that of a department's page.
OURS = {"face_nodes"}


def adapters(given: Iterable[Source]) -> list[Source]:
    """Adapters of outside systems: those that go out by the one door. Others (a face engine, a reader) have no twin."""
    return [
        source
        for source in given
        if "adapters" in source.path.parts and calls_out(source) and source.path.stem not in OURS
    ]


def calls_out(source: Source) -> bool:
    return any(
        node.module == "core.outbound" and any(alias.name == "Outbound" for alias in node.names)
        for node in source.nodes(ast.ImportFrom)
    )


def system_of(source: Source) -> str:
    stem = source.path.stem if source.path.stem != "__init__" else source.path.parent.name
    return SYSTEMS.get(stem, stem)


def twinless(given: Iterable[Source], pages: Collection[str], twins: Collection[str]) -> list[str]:
    found = []
    for source in adapters(given):
        system = system_of(source)
        if not any(system.startswith(page) for page in pages):
            found.append(f"{source.path}: no page docs/departments/{system.replace('_', '-')}.md")
        if not any(system.startswith(twin) for twin in twins):
            found.append(f"{source.path}: no twin sandbox/{system}.py")
    return found


def untested(given: Iterable[Source], tests: Iterable[Source]) -> list[str]:
    used: set[str] = set()
    for test in tests:
        for node in test.nodes(ast.ImportFrom):
            used |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return [
        f"{source.path}: in no contract test"
        for source in adapters(given)
        if ".".join(source.path.with_suffix("").parts).removesuffix(".__init__") not in used
    ]


def page_names() -> set[str]:
    return {page.stem.replace("-", "_") for page in PAGES.glob("*.md") if page.stem != "README"}


def twin_names() -> set[str]:
    return {source.path.stem for source in sources("sandbox")}


ADAPTERS = sources(*DOMAINS)
STRAY = planted("matters/adapters/post_office.py", "from core.outbound import Outbound")


def test_every_page_has_an_adapter() -> None:
    systems = {system_of(source) for source in adapters(ADAPTERS)}
    assert [page for page in sorted(page_names()) if not any(system.startswith(page) for system in systems)] == []


def test_every_adapter_has_its_page_and_its_twin() -> None:
    assert page_names()
    assert twinless(ADAPTERS, page_names(), twin_names()) == []
    assert twinless(STRAY, page_names(), twin_names())


def test_every_adapter_stands_in_a_contract_test() -> None:
    contracts = [source for source in sources("tests") if source.path.parts[1] == "contracts"]
    assert untested(ADAPTERS, contracts) == []
    assert untested(STRAY, contracts)


def test_adapters_touch_no_tables() -> None:
    assert touching(ADAPTERS) == []
    assert touching(planted("matters/adapters/post_office.py", "from matters.cases.models import Case"))


def touching(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.at(node)}: {node.module}"
        for source in given
        if "adapters" in PurePosixPath(source.path).parts
        for node in source.nodes(ast.ImportFrom)
        if node.module
        and (node.module.endswith(".models") or node.module.startswith("tortoise") or node.module == "core.db")
    ]
