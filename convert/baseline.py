"""The baseline of a model: how its scores on validation photos are distributed, for comparison with production."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConversionError

BINS = 20
"""As many as the Worker counts scores in: src/counted-answer.ts."""
DECIMALS = 6
"""As many as the Worker rounds scores to."""


def count_scores(outputs: np.ndarray, threshold: float | None = 0.5) -> dict[str, Any]:
    """Return the baseline of a network's outputs for validation photos, (N,), (N, 1) or (N, labels).

    ``scores`` counts photos by the twentieth that the answer's score is in: with one output, that is the probability
    of the first label, else that of the most probable one. ``labels`` counts the answers, in the manifest's order.
    """
    rounded = np.round(np.asarray(outputs, np.float64).reshape(len(outputs), -1), DECIMALS)
    is_binary = rounded.shape[1] == 1
    scores = rounded.max(axis=1)
    answers = (scores <= threshold).astype(int) if is_binary else rounded.argmax(axis=1)
    bins = np.minimum(BINS - 1, np.floor(scores * BINS).astype(int))
    return {
        "photos": len(scores),
        "scores": np.bincount(bins, minlength=BINS).tolist(),
        "labels": np.bincount(answers, minlength=2 if is_binary else rounded.shape[1]).tolist(),
    }


def read_baseline(path: Path, labels: Sequence[str]) -> dict[str, Any]:
    """Return the baseline in a JSON file, as ``count_scores`` returns it.

    Raises ``ConversionError`` if it is not one, or is for another number of labels.
    """
    try:
        return check_baseline(json.loads(path.read_text("utf-8")), labels)
    except (OSError, ValueError) as reason:
        raise ConversionError(f"--baseline: {reason}") from None


def check_baseline(found: Any, labels: Sequence[str]) -> dict[str, Any]:
    """Return the parts of a baseline that belong in the manifest. Raises ``ValueError`` if it is not one."""
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    for name, length in (("scores", BINS), ("labels", len(labels))):
        counts = found.get(name)
        if not isinstance(counts, list) or len(counts) != length or not all(map(_is_count, counts)):
            raise ValueError(f"{name} must be {length} counts")
        if sum(counts) != found.get("photos") or not sum(counts):
            raise ValueError(f"{name} do not add up to the number of photos")
    return {name: found[name] for name in ("photos", "scores", "labels")}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
