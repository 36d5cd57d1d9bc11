"""From the taught network to the one that is served: what it learnt, what ImageNet knew, and calibration."""

import keras
import numpy as np

from calibration import fit
from dataset import Split
from distillation import Lessons
from knowledge import hidden, others, served
from photo import to_input
from recipe import Recipe

EVERY = 3


def finish(
    model: keras.Model, lessons: Lessons, validation: Split, recipe: Recipe
) -> tuple[keras.Model, dict[str, float]]:
    """Return the network to serve, and how it was calibrated on ``validation``.

    What was learnt and what ImageNet knew count the same: each is divided by its spread over every third view.
    """
    classes, known = recipe.teacher.classes, recipe.knowledge
    seen = hidden(model, lessons.pixels[::EVERY])
    rows = others(model, seen, classes, known.keep, known.clusters, recipe.plan.seed)
    weights = np.array([1 / seen.score.std(), 1 / seen.known(classes).std()])

    raw = served(model, classes, rows, tuple(weights), 0.0)
    scores = raw.predict(to_input(validation.pixels), batch_size=64, verbose=0)[:, 0].astype(np.float64)
    gain, offset = fit(np.log(scores / (1 - scores)), validation.labels, recipe.prior)
    learnt, imagenet = gain * weights
    calibration = {"learnt": float(learnt), "imagenet": float(imagenet), "offset": offset, "prior": recipe.prior}
    return served(model, classes, rows, (learnt, imagenet), offset), calibration
