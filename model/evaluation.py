"""How well a trained model does on the validation photos."""

import keras
import numpy as np
from sklearn import metrics

from dataset import Split
from photo import to_input

THRESHOLD = 0.5


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
    }
    return {
        "photos": len(labels),
        "threshold": THRESHOLD,
        **{name: round(float(value), 4) for name, value in measured.items()},
        "confusion": {
            "true_positive": true_positive,
            "false_negative": false_negative,
            "false_positive": false_positive,
            "true_negative": true_negative,
        },
    }
