"""A cohort read from its file: the right one, whole, or none."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from face.adapters.cohort import NEAREST, Cohort
from face.evaluation import NotEvaluated


def write(path: Path, rows: int = 500, **arrays: np.ndarray) -> str:
    """Write a cohort and return its digest."""
    vectors = np.random.default_rng(1).normal(size=(rows, 128)).astype(np.float16)
    with path.open("wb") as file:
        kept: Any = {"vectors": vectors, "model_id": np.array("net/weights/1"), **arrays}
        np.savez(file, **kept)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_face_stands_by_its_nearest(tmp_path: Path) -> None:
    digest = write(tmp_path / "c.npz")
    cohort = Cohort.read(tmp_path / "c.npz", digest)
    mine = tuple(np.random.default_rng(2).normal(size=128).astype(float))
    with np.load(tmp_path / "c.npz") as arrays:
        apart = np.sort(np.linalg.norm(arrays["vectors"].astype(float) - np.array(mine), axis=1))[:NEAREST]
    standing = cohort.standing(mine)
    assert cohort.model_id == "net/weights/1"
    assert standing.mean == pytest.approx(apart.mean(), rel=1e-4)
    assert standing.deviation == pytest.approx(apart.std(), rel=1e-3)


def test_another_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "c.npz")
    with pytest.raises(NotEvaluated, match="digest"):
        Cohort.read(tmp_path / "c.npz", "0" * 64)
    with pytest.raises(NotEvaluated, match="cannot be read"):
        Cohort.read(tmp_path / "absent.npz", "0" * 64)


def test_what_is_no_cohort_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    for content in (b"", b"no archive", b"PK\x03\x04broken"):
        path.write_bytes(content)
        with pytest.raises(NotEvaluated, match="no cohort"):
            Cohort.read(path, hashlib.sha256(content).hexdigest())
    with pytest.raises(NotEvaluated, match="fewer"):
        Cohort.read(path, write(path, rows=NEAREST))
    broken = np.full((500, 128), np.nan, np.float16)
    with pytest.raises(NotEvaluated, match="fewer"):
        Cohort.read(path, write(path, vectors=broken))
    pickled = np.array([object()], dtype=object)
    with pytest.raises(NotEvaluated, match="no cohort"):
        Cohort.read(path, write(path, vectors=pickled))
