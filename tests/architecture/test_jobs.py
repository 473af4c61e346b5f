"""Every job that is promised somewhere has somebody who does it: the names enqueued and the wiring's map agree."""

import ast
import re
from collections.abc import Iterable

from tests.architecture.tree import PRODUCT, Source, called, planted, sources, text_of

NAME = re.compile(r"[a-z]+\.[a-z]+([-_][a-z]+)*")


def enqueued(given: Iterable[Source]) -> tuple[set[str], list[str]]:
    """The names that are enqueued, and the places where a name cannot be read."""
    names, unreadable = set(), []
    for source in given:
        constants = {
            target.id: value
            for node in source.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and (value := text_of(node.value)) is not None
        }
        for node in source.nodes(ast.Call):
            if called(node).rpartition(".")[2] != "enqueue":
                continue
            first = node.args[0] if node.args else None
            name = constants.get(first.id) if isinstance(first, ast.Name) else text_of(first)
            if name is None:
                unreadable.append(f"{source.at(node)}: the job's name is no literal")
            else:
                names.add(name)
    return names, unreadable


def mapped(given: Iterable[Source]) -> set[str]:
    """The names in the wiring's map: keys of dictionaries in `api/wiring/` that look like jobs."""
    return {
        key
        for source in given
        if source.path.parts[:2] == ("api", "wiring")
        for node in source.nodes(ast.Dict)
        for key in (text_of(one) for one in node.keys)
        if key is not None and NAME.fullmatch(key)
    }


ENQUEUED, UNREADABLE = enqueued(sources(*PRODUCT))


def test_every_name_of_a_job_can_be_read() -> None:
    assert UNREADABLE == []
    assert enqueued(planted("matters/submission.py", "jobs.enqueue(name)"))[1]


def test_every_promised_job_is_done_by_somebody() -> None:
    assert ENQUEUED
    assert ENQUEUED - mapped(sources("api")) == set()
    assert enqueued(planted("matters/submission.py", 'jobs.enqueue("matters.vanish")'))[0] - mapped(sources("api"))


def test_a_job_is_a_command_or_news_of_a_domain() -> None:
    rooms = set(PRODUCT)
    assert [name for name in ENQUEUED if not NAME.fullmatch(name) or name.partition(".")[0] not in rooms] == []
