"""Every step from ImageNet's weights to the trained network, which an interrupted training continues."""

import hashlib
from dataclasses import replace
from pathlib import Path

import keras

from model.training.dataset import Split
from model.training.distillation import Lessons, teach
from model.training.lite_network import build
from model.training.probe import fit_score, imagenet_probabilities, read_features
from model.training.recipe import Recipe
from model.training.slimming import build_slim
from model.training.training_state import History


def learn(
    lessons: Lessons, watched: Split, recipe: Recipe, cache: Path, *, stop: bool = False, verbose: int = 0
) -> tuple[keras.Model, History]:
    """Return the trained network (two outputs, logits) and the history of its training, empty without epochs.

    ``watched`` is only watched. The features before training and the state after each epoch are in the folder
    ``cache``, and the same lessons and settings continue from them; with ``stop``, no further epoch begins.
    """
    plan = recipe.plan
    given = hashlib.sha256(repr((recipe.size, recipe.slimming, plan.seed)).encode())
    given.update(lessons.pixels.tobytes() + lessons.share.tobytes())
    before = given.hexdigest()[:16]
    given.update(repr((recipe.probe, plan)).encode() + lessons.score.tobytes() + lessons.imagenet.tobytes())
    state = cache / f"training-{given.hexdigest()[:16]}.npz"

    begun = state.is_file()
    if begun:  # the state contains the fitted kernels, and what they gave is in the cache
        model = build(recipe.size, plan.seed, recipe.slimming.kernels)
    else:
        model = build_slim(recipe.slimming, lessons, plan.seed)
    if not begun or len(lessons.imagenet) == 0:
        features = read_features(model, lessons.pixels, cache / f"features-{before}.npy")
        if not begun:
            fit_score(model, features, lessons, recipe.probe)
        if len(lessons.imagenet) == 0:
            lessons = replace(lessons, imagenet=imagenet_probabilities(features))
    history: History = {}
    if begun or (plan.epochs > 0 and not stop):
        history = teach(model, lessons, watched, plan, state, stop=stop, verbose=verbose)
    return model, history
