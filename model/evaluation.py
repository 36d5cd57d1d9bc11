"""How well a trained model does on the validation photos."""

import math
from pathlib import Path

import keras
import numpy as np
from sklearn import metrics

from calibration import expected_calibration_error
from dataset import Split
from groups import REST, group_of
from photo import to_input

THRESHOLD = 0.5
CONFIDENCE = 1.959964
"""Standard deviations either side that hold 95 % of a normal distribution."""
RESAMPLES = 1000


def score(model: keras.Model, split: Split) -> np.ndarray:
    """Return P(positive) for each photo of ``split``: (N,) float64."""
    return model.predict(to_input(split.pixels), batch_size=64, verbose=0)[:, 0].astype(np.float64)


def evaluate(labels: np.ndarray, scores: np.ndarray) -> dict[str, object]:
    """Return AUC, and what follows from calling a score over ``THRESHOLD`` positive.

    ``balanced_accuracy`` is the mean of the two classes' recalls: where one class is rare, plain accuracy mostly
    counts the other.
    """
    verdicts = scores > THRESHOLD
    (true_negative, false_positive), (false_negative, true_positive) = metrics.confusion_matrix(
        labels, verdicts, labels=[0, 1]
    ).tolist()
    measured = {
        "auc": metrics.roc_auc_score(labels, scores),
        "accuracy": metrics.accuracy_score(labels, verdicts),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, verdicts),
        "precision": metrics.precision_score(labels, verdicts, zero_division=0),
        "recall": metrics.recall_score(labels, verdicts, zero_division=0),
        "expected_calibration_error": expected_calibration_error(labels, scores),
    }
    return {
        "photos": len(labels),
        "threshold": THRESHOLD,
        **{name: round(float(value), 4) for name, value in measured.items()},
        "auc_interval": auc_interval(labels, scores),
        "confusion": {
            "true_positive": true_positive,
            "false_negative": false_negative,
            "false_positive": false_positive,
            "true_negative": true_negative,
        },
    }


def auc_interval(labels: np.ndarray, scores: np.ndarray, seed: int = 1) -> list[float]:
    """Return the 95 % interval of the AUC, by drawing as many photos of each class anew ``RESAMPLES`` times."""
    random = np.random.default_rng(seed)
    positive, negative = scores[labels == 1], np.sort(scores[labels == 0])
    drawn = []
    for _ in range(RESAMPLES):
        ours = random.choice(positive, len(positive))
        theirs = np.sort(random.choice(negative, len(negative)))
        below, upto = np.searchsorted(theirs, ours, "left"), np.searchsorted(theirs, ours, "right")
        drawn.append(float((below + upto).mean() / 2 / len(theirs)))
    return [round(float(value), 4) for value in np.quantile(drawn, (0.025, 0.975))]


def by_group(
    paths: list[Path], labels: np.ndarray, scores: np.ndarray, groups: dict[str, list[str]]
) -> list[dict[str, object]]:
    """Return for each group of photos how many were called positive, as a share with its 95 % interval (Wilson 1927).

    For positives that share is the recall, for negatives the rate of false positives.
    """
    found = np.array([group_of(path, groups) for path in paths])
    rows = []
    for label, truth in ((1, True), (0, False)):
        for group in (*groups, REST):
            own = (found == group) & (labels == label)
            if own.any():
                called = int((scores[own] > THRESHOLD).sum())
                low, high = wilson(called, int(own.sum()))
                rows.append(
                    {
                        "group": group,
                        "positive": truth,
                        "photos": int(own.sum()),
                        "called_positive": called,
                        "share": round(called / int(own.sum()), 4),
                        "interval": [round(low, 4), round(high, 4)],
                        "mean_score": round(float(scores[own].mean()), 4),
                    }
                )
    return rows


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after ``trials`` trials (Wilson 1927)."""
    share, z = successes / trials, CONFIDENCE
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
