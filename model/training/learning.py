"""Every step from ImageNet's weights to the trained network, which an interrupted training continues."""

import hashlib
from pathlib import Path

import keras

from model.training.dataset import Split
from model.training.distillation import Lessons, teach
from model.training.lite_network import build
from model.training.probe import fit_score
from model.training.recipe import Recipe
from model.training.slimming import build_slim
from model.training.training_state import History


def learn(
    lessons: Lessons, validation: Split, recipe: Recipe, cache: Path, *, verbose: int = 0
) -> tuple[keras.Model, History]:
    """Return the trained network (two outputs, logits) and the history of its training, empty without epochs.

    ``validation`` is only watched. The state after each epoch is in the folder ``cache``, and the same lessons and
    settings continue from it.
    """
    seed = recipe.plan.seed
    state = cache / f"training-{_digest(lessons, recipe)}.npz"
    if state.is_file():
        model = build(recipe.size, seed, recipe.slimming.kernels)
    else:
        model = build_slim(recipe.slimming, lessons, seed)
        fit_score(model, lessons, recipe.probe)
    if recipe.plan.epochs == 0:
        return model, {}
    cache.mkdir(parents=True, exist_ok=True)
    history = teach(model, lessons, validation, recipe.plan, state, verbose=verbose)
    return model, history


def _digest(lessons: Lessons, recipe: Recipe) -> str:
    digest = hashlib.sha256(repr((recipe.size, recipe.slimming, recipe.probe, recipe.plan)).encode())
    for part in (lessons.pixels, lessons.share, lessons.score, lessons.imagenet):
        digest.update(part.tobytes())
    return digest.hexdigest()[:16]
