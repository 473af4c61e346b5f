"""Every problem that a caller may meet has a code of its own, its words in both languages, and a line in the docs."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.architecture.tree import DOMAINS, ROOT, Source, planted, sources, text_of

CODE = re.compile(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
DOCS = ROOT / "docs" / "problems.md"


@dataclass(frozen=True)
class Declared:
    """One problem as its class says it."""

    code: str
    where: str
    name: str
    room: str
    words: dict[str, str]


def declared(given: Iterable[Source]) -> Iterator[Declared]:
    for source in given:
        for node in source.nodes(ast.ClassDef):
            words = {}
            for member in node.body:
                if isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name):
                    words[member.targets[0].id] = text_of(member.value)
                elif isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    words[member.target.id] = text_of(member.value)
            texts = {name: text for name, text in words.items() if text is not None}
            # A class is a problem's when it has both; the code of a field error or of a row has no title.
            if "code" in texts and "title" in texts and texts["code"] != "internal":
                yield Declared(texts["code"], source.at(node), node.name, source.room, texts)


def shared_codes(problems: Iterable[Declared]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for problem in problems:
        if problem.code in seen:
            found.append(f"{problem.where}: {problem.code} is {seen[problem.code]}'s already")
        seen[problem.code] = problem.name
    return found


def ill_formed(problems: Iterable[Declared]) -> list[str]:
    return [
        f"{problem.where}: {problem.code}"
        for problem in problems
        if not CODE.fullmatch(problem.code)
        or (problem.room in DOMAINS and not problem.code.startswith(f"{problem.room}."))
    ]


def wordless(problems: Iterable[Declared]) -> list[str]:
    found = []
    for problem in problems:
        found += [
            f"{problem.where}: no {name}" for name in ("title", "title_en", "plain") if not problem.words.get(name)
        ]
        found += [
            f"{problem.where}: {name} is not Chinese"
            for name in ("title", "plain")
            if not CHINESE.search(problem.words.get(name, ""))
        ]
    return found


def undocumented(problems: Iterable[Declared], page: str) -> list[str]:
    return [f"{problem.where}: {problem.code}" for problem in problems if f"`{problem.code}`" not in page]


PROBLEMS = list(declared(sources("core", *DOMAINS, "api")))


def plant(code: str, title: str = "不行") -> list[Declared]:
    text = f'class Bad(Invalid):\n    code = "{code}"\n    title = "{title}"\n    title_en = "no"\n    plain = "不行"\n'
    return list(declared(planted("auth/errors.py", text)))


def test_there_are_problems_to_look_at() -> None:
    assert {"core", "api"} <= {problem.room for problem in PROBLEMS}


def test_no_two_problems_share_a_code() -> None:
    assert shared_codes(PROBLEMS) == []
    assert shared_codes([*plant("auth.bad"), *plant("auth.bad")])


def test_a_code_names_its_domain_and_what_happened() -> None:
    assert ill_formed(PROBLEMS) == []
    assert ill_formed(plant("auth.Bad_Thing"))
    assert ill_formed(plant("face.not-ours"))


def test_a_problem_has_its_words_for_everybody() -> None:
    assert wordless(PROBLEMS) == []
    assert wordless(plant("auth.bad", title="only English"))


def test_every_code_is_documented() -> None:
    assert undocumented(PROBLEMS, DOCS.read_text(encoding="utf-8")) == []
    assert undocumented(plant("auth.bad"), "# Problems")
