"""An alarm that refers to a figure nobody exposes never rings: rules and dashboard are held against the figures."""

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml
from prometheus_client.samples import Sample

import core.metrics
from api.processes import PARTNERS
from tests.architecture.test_problems import PROBLEMS
from tests.architecture.tree import ROOT, Source, called, planted, sources

RULES: Final = ROOT / "deploy" / "prometheus" / "rules.yaml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "zhijian.json"
README: Final = ROOT / "deploy" / "README.md"
NAME: Final = re.compile(r"\bzhijian_[a-z_]+")
SELECTOR: Final = re.compile(r"\b(zhijian_[a-z_]+)\{([^}]*)\}")
LABEL: Final = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
GROUPED: Final = re.compile(r"\bby \(([^)]*)\)")
# What Prometheus itself adds.
ITS_OWN: Final = frozenset({"le", "instance", "job"})
SEVERITIES: Final = frozenset({"page", "ticket", "note"})


def exposed() -> Mapping[str, frozenset[str]]:
    """The figures that /metrics exposes, by the names of their series, with their labels."""
    found: dict[str, frozenset[str]] = {}
    for figure in vars(core.metrics).values():
        if not hasattr(figure, "_labelnames"):
            continue
        labels = frozenset(figure._labelnames)
        name, kind = figure._name, figure._type
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
        found |= {f"{name}{ending}": labels for ending in endings}
    return found


def rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def unknown(expressions: Iterable[str]) -> list[str]:
    """What expressions ask of figures and labels that there are not."""
    figures, found = exposed(), []
    for expression in expressions:
        names = set(NAME.findall(expression))
        found += sorted(names - figures.keys())
        for name, selector in SELECTOR.findall(expression):
            found += [f"{name}.{label}" for label, _ in LABEL.findall(selector) if label not in figures.get(name, ())]
        labels = frozenset().union(*(figures.get(name, frozenset()) for name in names)) | ITS_OWN
        for grouped in GROUPED.findall(expression):
            found += [f"by {label}" for label in re.split(r",\s*", grouped) if label not in labels]
    return found


def test_every_figure_is_really_exposed() -> None:
    told = {sample.name for metric in core.metrics.REGISTRY.collect() for sample in metric.samples if _is(sample)}
    without_labels = {name for name, labels in exposed().items() if not labels}
    assert without_labels
    assert without_labels <= told


def _is(sample: Sample) -> bool:
    return not sample.name.endswith("_created")


def test_every_alarm_refers_to_figures_that_are_exposed() -> None:
    found = rules(RULES.read_text(encoding="utf-8"))
    assert len(found) >= 15
    assert unknown(rule["expr"] for rule in found) == []
    assert unknown(['sum by (nothing) (rate(zhijian_requests_total{colour="red"}[5m])) > zhijian_wishes']) == [
        "zhijian_wishes",
        "zhijian_requests_total.colour",
        "by nothing",
    ]


def test_every_code_of_a_problem_that_an_alarm_names_exists() -> None:
    codes = {problem.code for problem in PROBLEMS}
    named = re.findall(r'code="([^"]+)"', RULES.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= codes


def test_every_alarm_says_how_urgent_it_is_and_what_to_do() -> None:
    runbook = README.read_text(encoding="utf-8")
    for rule in rules(RULES.read_text(encoding="utf-8")):
        assert rule["labels"]["severity"] in SEVERITIES, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert f"| `{rule['alert']}` |" in runbook, f"{rule['alert']} is not in deploy/README.md"


def test_the_dashboard_shows_figures_that_are_exposed() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) >= 10
    assert unknown(expressions) == []


def wired(given: Iterable[Source]) -> set[str]:
    """The outside systems that the wiring hands out."""
    return {
        node.args[0].value
        for source in given
        for node in source.nodes(ast.Call)
        if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in {"partner", "signed_partner"}
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def test_readiness_names_every_outside_system() -> None:
    assert wired(sources("api")) == set(PARTNERS)
    assert wired(planted("api/wiring/x.py", 'a = ground.signed_partner("post-office", settings)')) == {"post-office"}
