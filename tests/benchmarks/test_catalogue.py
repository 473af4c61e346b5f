"""The catalogue that is searched in the benchmark is one that the product takes."""

from pathlib import Path

from benchmarks.catalogue import MATTERS, write
from matters.catalogue.loading import load_catalogue


def test_the_large_catalogue_is_in_order(tmp_path: Path) -> None:
    write(tmp_path)
    assert len(load_catalogue(tmp_path)) == MATTERS
