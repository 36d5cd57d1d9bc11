"""Measures how well a trained model does on the validation photos."""

import math
from pathlib import Path

import keras
import numpy as np
from sklearn import metrics

from model.training.dataset import REST, Split, find_group
from model.training.photos import to_input
from model.training.strangers import Halves

THRESHOLD = 0.5
CONFIDENCE = 1.959964
"""The standard deviations to either side that contain 95 % of a normal distribution."""
RESAMPLES = 1000
BINS = 15


def score(model: keras.Model, split: Split) -> np.ndarray:
    """Return P(positive) of each photo of ``split``: (N,) float64."""
    return model.predict(to_input(split.pixels), batch_size=64, verbose=0)[:, 0].astype(np.float64)


def evaluate(labels: np.ndarray, scores: np.ndarray) -> dict[str, object]:
    """Return the AUC, and the measures that follow from calling scores over ``THRESHOLD`` positive.

    ``balanced_accuracy`` is the mean of the recalls of both classes; with one rare class, plain accuracy mostly
    measures the other.
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


def evaluate_strangers(labels: np.ndarray, scores: np.ndarray, halves: Halves) -> dict[str, dict[str, object]]:
    """Return the measures of ``evaluate`` on the photos of unseen sources: the half used, the other half, and both."""
    parts = {"chosen": halves.chosen, "reported": halves.reported, "both": halves.both}
    return {name: evaluate(labels[own], scores[own]) for name, own in parts.items()}


def reliability(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, float]]:
    """Return photos, mean score and share of positives of each of ``BINS`` equal bins that is not empty."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "photos": int((place == which).sum()),
            "score": float(scores[place == which].mean()),
            "positive": float(labels[place == which].mean()),
        }
        for which in np.unique(place)
    ]


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean distance of score and share of positives over the bins (Guo et al. 2017), 0 to 1."""
    bins = reliability(labels, scores)
    return sum(entry["photos"] * abs(entry["score"] - entry["positive"]) for entry in bins) / len(labels)


def auc_interval(labels: np.ndarray, scores: np.ndarray, seed: int = 1) -> list[float]:
    """Return the 95 % interval of the AUC, from resampling the photos of each class ``RESAMPLES`` times."""
    random = np.random.default_rng(seed)
    positive, negative = scores[labels == 1], np.sort(scores[labels == 0])
    drawn = []
    for _ in range(RESAMPLES):
        ours = random.choice(positive, len(positive))
        theirs = np.sort(random.choice(negative, len(negative)))
        below, upto = np.searchsorted(theirs, ours, "left"), np.searchsorted(theirs, ours, "right")
        drawn.append(float((below + upto).mean() / 2 / len(theirs)))
    return [round(float(value), 4) for value in np.quantile(drawn, (0.025, 0.975))]


def evaluate_groups(
    paths: list[Path], labels: np.ndarray, scores: np.ndarray, groups: dict[str, list[str]]
) -> list[dict[str, object]]:
    """Return how many photos of each group were called positive, as a share with its 95 % interval.

    For positives the share is the recall, for negatives the false positive rate.
    """
    found = np.array([find_group(path, groups) for path in paths])
    rows = []
    for label, truth in ((1, True), (0, False)):
        for group in (*groups, REST):
            own = (found == group) & (labels == label)
            if own.any():
                called = int((scores[own] > THRESHOLD).sum())
                low, high = wilson_interval(called, int(own.sum()))
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


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after ``trials`` trials (Wilson 1927)."""
    share, z = successes / trials, CONFIDENCE
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
