"""A cohort: descriptions of people who are nobody here, against which closeness is normalised (AS-norm).

The file is made by `python -m scripts.make_cohort` from an operator's own pictures. It holds synthetic descriptions
(`vectors`, n x 128) and the `model_id` of the engine that described what they were drawn from.
"""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from face.evaluation import NotEvaluated
from face.types import Embedding, Standing

# So many of the nearest count: with fewer it is chance, with more the crowd that is far away anyway (measured).
NEAREST: Final = 200


class Cohort:
    """The descriptions in memory: some 1.5 MB, 0.3 ms for each question."""

    def __init__(self, vectors: npt.NDArray[np.float32], model_id: str) -> None:
        self.model_id = model_id
        self._vectors = vectors
        self._squares = np.einsum("ij,ij->i", vectors, vectors)

    @classmethod
    def read(cls, path: Path, sha256: str) -> "Cohort":
        """Read the file that has this digest.

        Raises:
            NotEvaluated: it cannot be read, is another file, or no cohort.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise NotEvaluated(f"the cohort {path.name} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NotEvaluated(f"the cohort {path.name} is not the file with the digest that is set")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                vectors, model_id = arrays["vectors"].astype(np.float32), str(arrays["model_id"])
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise NotEvaluated(f"{path.name} is no cohort") from error
        if vectors.ndim != 2 or len(vectors) < 2 * NEAREST or not np.isfinite(vectors).all():  # noqa: PLR2004 — a matrix
            raise NotEvaluated(f"the cohort {path.name} has fewer than {2 * NEAREST} usable descriptions")
        return cls(vectors, model_id)

    def standing(self, embedding: Embedding) -> Standing:
        """Say how close a face is to the nearest of the cohort."""
        vector = np.asarray(embedding, np.float32)
        squares = np.maximum(self._squares - 2.0 * (self._vectors @ vector) + vector @ vector, 0.0)
        nearest = np.sqrt(np.partition(squares, NEAREST)[:NEAREST])
        return Standing(float(nearest.mean()), float(nearest.std()))
