"""Trains without the positives of one source, to measure how the network scores a source it never saw."""

import sys
from pathlib import Path

import numpy as np

from model.training.dataset import Photos, class_names, find_group, load_split
from model.training.evaluation import evaluate, score
from model.training.finishing import finish
from model.training.learning import learn
from model.training.lessons import prepare
from model.training.recipe import Recipe
from model.training.strangers import split_strangers


def measure_unseen(data: Path, cache: Path, recipe: Recipe, source: str) -> dict[str, object]:
    """Return how a network that never saw a positive of ``source`` separates them from the validation negatives.

    It includes the source's training photos, since the network has not learnt from them either.
    """
    interactive = sys.stdout.isatty()
    names = class_names(data)
    training, validation = (
        load_split(data, split, names, recipe.size, progress=interactive) for split in ("training", "validation")
    )
    unseen, unwatched = mark_source(training, recipe, source), mark_source(validation, recipe, source)
    print(f"Without {source}: {int(unseen.sum())} of {training.counts()[0]} positives left out", flush=True)
    lessons = prepare(training, recipe, cache, progress=interactive, left_out=unseen)

    known = validation.select(~unwatched)
    chosen = known.select(split_strangers(known, recipe.strangers).chosen)
    model, _ = learn(lessons, chosen, recipe, cache, verbose=1 if interactive else 2)
    model, _ = finish(model, lessons, chosen, recipe)
    measured = [training.select(unseen), validation.select(unwatched | (validation.labels == 0))]
    labels = np.concatenate([part.labels for part in measured])
    scores = np.concatenate([score(model, part) for part in measured])
    return {
        "source": source,
        "epochs": recipe.plan.epochs,
        "positives": int(labels.sum()),
        "negatives": int((labels == 0).sum()),
        **evaluate(labels, scores),
    }


def mark_source(photos: Photos, recipe: Recipe, source: str) -> np.ndarray:
    """Return which of ``photos`` are positives from ``source``: (N,) bool."""
    return np.array([find_group(path, recipe.sources) == source for path in photos.paths]) & (photos.labels == 1)
