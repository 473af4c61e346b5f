"""The curves of an evaluation, as SVG: no face and no description is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from scripts.evaluate_faces.rates import Scores

# As many points as a screen shows: an evaluation may have millions of pairs.
_POINTS: Final = 400


def draw(path: Path, curves: Mapping[str, Scores]) -> None:
    """Draw the detection error trade-off and the receiver operating characteristic, one line for each entry.

    Raises:
        OSError: the file cannot be written.
    """
    # Drawing is for those who evaluate: the product's own environment does not have the library.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "face-evaluation"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (trade, character) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for name, scores in curves.items():
        false_match, false_non_match = _trade(scores)
        shown = false_match > 0
        # No error among n pairs is drawn at half a pair: a logarithm has no place for nothing.
        least = 0.5 / len(scores.genuine)
        trade.plot(100 * false_match[shown], 100 * np.maximum(false_non_match[shown], least), label=name)
        character.plot(100 * false_match[shown], 100 * (1 - false_non_match[shown]), label=name)
    for axes in (trade, character):
        axes.set_xscale("log")
        axes.set_xlabel("different people taken for the same, %")
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    trade.set_yscale("log")
    trade.set_ylabel("pairs of one person refused, %")
    trade.set_title("DET")
    character.set_ylabel("pairs of one person accepted, %")
    character.set_title("ROC")
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _trade(scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Return both error rates at the same thresholds, spread evenly over the rates that can be told apart."""
    ordered, genuine = np.sort(scores.impostor), np.sort(scores.genuine)
    places = np.unique(np.geomspace(1, len(ordered), _POINTS).astype(int)) - 1
    accept = ordered[places]
    return (places + 1) / len(ordered), 1 - np.searchsorted(genuine, accept, "right") / len(genuine)
