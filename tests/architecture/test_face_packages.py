"""The face packages may quit the process they are loaded into, and change Pillow in it: only children load them."""

import ast
import subprocess
import sys
from collections.abc import Iterable

from tests.architecture.tree import PRODUCT, ROOT, Source, planted, sources

HEAVY = {"dlib", "face_recognition", "face_recognition_models", "onnxruntime", "onnx"}
# What the children run; whoever imports one of these runs in a child as well.
IN_CHILDREN = {"face/adapters/recogniser.py", "face/adapters/sessions.py"}
PROCESSES = ("api.__main__", "scripts.prepare")


def loading(given: Iterable[Source]) -> list[str]:
    """Modules outside the children that load a face package when they are imported."""
    found = []
    for source in given:
        if str(source.path) in IN_CHILDREN:
            continue
        for node in source.tree.body:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{source.at(node)}: {name}" for name in names if name.partition(".")[0] in HEAVY]
    return found


def test_only_children_load_the_face_packages() -> None:
    assert loading(sources(*PRODUCT)) == []
    assert loading(planted("face/checks.py", "import face_recognition"))
    assert loading(planted("api/app.py", "from dlib import rectangle"))


def test_no_process_of_ours_has_them() -> None:
    look = f"import sys, {', '.join(PROCESSES)}; print(sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
