"""From a logit to a probability that keeps its word."""

import numpy as np
from sklearn.linear_model import LogisticRegression

BINS = 15


def fit(logits: np.ndarray, labels: np.ndarray, prior: float) -> tuple[float, float]:
    """Return (gain, offset) for P = sigmoid(gain * logit + offset), where ``prior`` of the photos are positive.

    Platt scaling (Platt 1999): a logistic regression on the logit alone, each class weighted to its share.
    """
    share = labels.mean()
    weights = np.where(labels == 1, prior / share, (1 - prior) / (1 - share))
    found = LogisticRegression(C=1e6).fit(logits[:, None], labels, sample_weight=weights)
    return float(found.coef_[0, 0]), float(found.intercept_[0])


def reliability(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, float]]:
    """Return for each of ``BINS`` equal bins that is not empty: photos, their mean score, their share of positives."""
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
    """Return the mean distance between score and share of positives over the bins (Guo et al. 2017), 0 to 1."""
    bins = reliability(labels, scores)
    return sum(entry["photos"] * abs(entry["score"] - entry["positive"]) for entry in bins) / len(labels)
