"""The two ways to train: the default network by a recipe, the classic one from scratch."""

import argparse
import sys
from dataclasses import asdict

from model.training import classic
from model.training.dataset import find_photos, load_split
from model.training.finishing import finish
from model.training.learning import learn
from model.training.lessons import prepare
from model.training.recipe import read_recipe
from model.training.results import Run
from model.training.strangers import split_strangers

CACHE = ".cache"


def train_by_recipe(options: argparse.Namespace, names: tuple[str, str]) -> Run:
    """Train the default network by ``options.recipe``; an interrupted training continues.

    Raises ``DataError`` for unusable photos and ``RecipeError`` for an unusable recipe.
    """
    interactive = sys.stdout.isatty()
    recipe = read_recipe(options.recipe)
    print("Reading the photos" + (" and querying the teacher" if recipe.teacher.asked else ""), flush=True)
    training = find_photos(options.data, "training", names)
    validation = load_split(options.data, "validation", names, recipe.size, progress=interactive)
    halves = split_strangers(validation, recipe.strangers)
    lessons = prepare(training, recipe, options.out / CACHE, progress=interactive)

    plan = recipe.plan
    print(f"Training: {plan.epochs} epochs of {plan.steps * plan.batch_size} views, seed {plan.seed}", flush=True)
    chosen = validation.select(halves.chosen)
    model, history = learn(
        lessons, chosen, recipe, options.out / CACHE, stop=options.stop, verbose=1 if interactive else 2
    )
    print("Calibrating", flush=True)
    model, calibration = finish(model, lessons, chosen, recipe)
    settings = {**asdict(recipe), "best_epoch": len(history.get("loss", [])), "calibration": calibration}
    return Run(options.network, names, training, validation, halves, settings, recipe.groups, model, history)


def train_from_scratch(options: argparse.Namespace, names: tuple[str, str]) -> Run:
    """Train ``options.network``, classic or small.

    Raises ``DataError`` for unusable photos and ``RecipeError`` for an unusable recipe, which only gives the groups.
    """
    interactive = sys.stdout.isatty()
    print("Reading the photos", flush=True)
    training = load_split(options.data, "training", names, options.size, progress=interactive)
    validation = load_split(options.data, "validation", names, options.size, progress=interactive)
    recipe = read_recipe(options.recipe)

    print(f"Training the {options.network} network: at most {options.epochs} epochs, seed {options.seed}", flush=True)
    chosen = {"batch_size": options.batch_size, "seed": options.seed}
    model, history = classic.fit(
        training,
        validation,
        network=options.network,
        epochs=options.epochs,
        verbose=1 if interactive else 2,
        **chosen,
    )
    settings = classic.describe_settings(training, history, **chosen)
    halves = split_strangers(validation, recipe.strangers)
    return Run(options.network, names, training, validation, halves, settings, recipe.groups, model, history)
