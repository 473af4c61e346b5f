"""The rooms with fixed names hold what their names say, and nothing else."""

import ast
import sys
from collections.abc import Iterable

from tests.architecture.tree import DOMAINS, Source, dotted, planted, sources, text_of

OUTSIDE_ALLOWED = {"types": {"core.pii", "core.ids", "core.audit.actors"}}


def rooms(given: Iterable[Source], name: str) -> list[Source]:
    return [source for source in given if source.room in DOMAINS and source.path.name == f"{name}.py"]


def imports(source: Source) -> list[str]:
    names = [alias.name for node in source.nodes(ast.Import) for alias in node.names]
    return names + [node.module for node in source.nodes(ast.ImportFrom) if node.module]


def worldly_types(given: Iterable[Source]) -> list[str]:
    """`types.py` knows the standard library, core.pii, core.ids, core.audit.actors and the words of its own domain."""
    return [
        f"{source.path}: imports {module}"
        for source in rooms(given, "types")
        for module in imports(source)
        if module.split(".")[0] not in sys.stdlib_module_names
        and module not in OUTSIDE_ALLOWED["types"]
        and not (module.startswith(f"{source.room}.") and module.endswith(".types"))
    ]


def statuses_in_errors(given: Iterable[Source]) -> list[str]:
    """Problems of a domain carry codes; statuses are the edge's."""
    return [
        f"{source.at(node)}: a status"
        for source in rooms(given, "errors")
        for node in source.nodes(ast.Constant)
        if isinstance(node.value, int) and not isinstance(node.value, bool) and 100 <= node.value < 600
    ]


def waiting_rules(given: Iterable[Source]) -> list[str]:
    """A rule is a pure function: there is nothing it could wait for."""
    return [
        f"{source.at(node)}: {node.name} is async"
        for source in rooms(given, "rules")
        for node in source.nodes(ast.AsyncFunctionDef)
    ]


def silent_ports(given: Iterable[Source]) -> list[str]:
    """A port says what it raises, and names no vendor by being anything but a Protocol."""
    found = []
    for source in rooms(given, "ports"):
        for node in source.tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            if "Protocol" not in {dotted(base).rpartition(".")[2] for base in node.bases}:
                found.append(f"{source.at(node)}: {node.name} is no Protocol")
                continue
            found += [
                f"{source.at(member)}: {node.name}.{member.name} does not say what it raises"
                for member in node.body
                if isinstance(member, ast.AsyncFunctionDef) and "Raises:" not in (ast.get_docstring(member) or "")
            ]
    return found


def doing_packages(given: Iterable[Source]) -> list[str]:
    """`__init__.py` says what the domain is for and runs nothing; a list of adapters may be given by hand."""
    return [
        f"{source.at(node)}: code in __init__.py"
        for source in given
        if source.room in DOMAINS and source.path.name == "__init__.py" and source.path.parent.name != "adapters"
        for node in source.tree.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def relations_across_domains(given: Iterable[Source]) -> list[str]:
    """Across domains tables keep ids. Tortoise takes relations as strings, so import-linter cannot see them."""
    kinds = {"ForeignKeyField", "OneToOneField", "ManyToManyField"}
    found = []
    for source in given:
        for node in source.nodes(ast.Call):
            if dotted(node.func).rpartition(".")[2] not in kinds:
                continue
            named = [
                *node.args[:1],
                *(word.value for word in node.keywords if word.arg in {"to", "model_name", "through"}),
            ]
            for target in named:
                text = text_of(target)
                if text is None or text.partition(".")[0] != source.room:
                    found.append(f"{source.at(node)}: a relation to {ast.unparse(target)}")
    return found


DOMAIN_SOURCES = sources(*DOMAINS)


def test_types_know_only_words() -> None:
    assert worldly_types(DOMAIN_SOURCES) == []
    assert worldly_types(planted("auth/types.py", "from tortoise import fields"))


def test_errors_of_domains_carry_no_statuses() -> None:
    assert statuses_in_errors(DOMAIN_SOURCES) == []
    assert statuses_in_errors(planted("auth/errors.py", "class CodeInvalid:\n    status = 401"))


def test_rules_wait_for_nothing() -> None:
    assert waiting_rules(DOMAIN_SOURCES) == []
    assert waiting_rules(planted("auth/rules.py", "async def decide(): ..."))


def test_ports_say_what_they_raise() -> None:
    assert silent_ports(DOMAIN_SOURCES) == []
    silent = "class Registry(Protocol):\n    async def confirm(self): ..."
    assert silent_ports(planted("auth/ports.py", silent))
    assert silent_ports(planted("auth/ports.py", "class PopulationRegistry: ..."))


def test_packages_say_what_they_are_for_and_run_nothing() -> None:
    assert doing_packages(DOMAIN_SOURCES) == []
    assert doing_packages(planted("auth/__init__.py", '"""Who is calling."""\nfrom auth.login import Login'))


def test_relations_stay_inside_their_domain() -> None:
    models = sources("core", *DOMAINS)
    assert any(source.path.name == "models.py" for source in models)
    assert relations_across_domains(models) == []
    foreign = 'from tortoise import fields\nclass Wallet:\n    owner = fields.ForeignKeyField("auth.Citizen")'
    assert relations_across_domains(planted("certificates/models.py", foreign))
