"""Train a network on a folder of photos and write the model, its metrics and its plots.

npm run model:train -- --data FOLDER [--recipe FILE] [--out FOLDER]
npm run model:train -- --data FOLDER --network classic [--epochs N] [--seed N] [--batch-size N] [--out FOLDER]
"""

import argparse
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from results import Run

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "convert"))  # the pictures of nothing, drawn there to test models with
MIN_SIZE = 32
DEFAULT = "lite"
CACHE, TAUGHT = ".cache", "taught.keras"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:train --", description="Train the husky classifier.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with training|validation/{husky,nothusky} in it"
    )
    parser.add_argument(
        "--network", choices=(DEFAULT, "classic", "small"), default=DEFAULT,
        help="lite is pretrained and learns by the recipe; classic is the original's, from scratch; "
        "small has few filters, for quick trials (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--recipe", type=Path, default=HERE / "husky.toml", help="for lite (default: husky.toml)")
    scratch = parser.add_argument_group("for classic and small")
    scratch.add_argument("--epochs", type=_positive, default=40, help="at most (default: %(default)s)")
    scratch.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    scratch.add_argument("--batch-size", type=_positive, default=32, help="default: %(default)s")
    scratch.add_argument("--size", type=_positive, default=128, help="pixels a side (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into (default: model)")
    options = parser.parse_args(arguments)
    if options.size < MIN_SIZE:
        parser.error(f"--size: {MIN_SIZE} at least, three poolings leave nothing of less")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def train(options: argparse.Namespace) -> dict[str, object]:
    """Train as ``options`` say, write the results and return the metrics.

    Raises ``DataError`` for unusable data and ``RecipeError`` for an unusable recipe.
    """
    from dataset import class_names
    from results import write_results

    names = class_names(options.data)
    run = _by_recipe(options, names) if options.network == DEFAULT else _from_scratch(options, names)
    return write_results(options.out, run)


def _by_recipe(options: argparse.Namespace, names: tuple[str, str]) -> "Run":
    from dataset import find_photos, load_split
    from distillation import teach
    from finishing import finish
    from lessons import prepare
    from recipe import read_recipe
    from results import Run
    from slimming import slimmed

    watched = sys.stdout.isatty()
    recipe = read_recipe(options.recipe)
    print("Looking at the photos, and asking the teacher what they show", flush=True)
    training = find_photos(options.data, "training", names)
    validation = load_split(options.data, "validation", names, recipe.size, progress=watched)
    lessons = prepare(training, recipe, options.out / CACHE, progress=watched)

    plan = recipe.plan
    print(f"Teaching: {plan.epochs} epochs of {plan.steps * plan.batch_size} views, seed {plan.seed}", flush=True)
    model, history = teach(lessons, validation, plan, verbose=1 if watched else 2)
    model.save(options.out / CACHE / TAUGHT)  # with both outputs, for model:candidates
    print("Making kernels smaller, and calibrating", flush=True)
    model = slimmed(model, recipe.slimming, lessons, plan.seed)
    model, calibration = finish(model, lessons, validation, recipe)
    settings = {**asdict(recipe), "best_epoch": plan.epochs, "calibration": calibration}
    return Run(options.network, names, training, validation, settings, recipe.groups, model, history)


def _from_scratch(options: argparse.Namespace, names: tuple[str, str]) -> "Run":
    from dataset import load_split
    from recipe import read_recipe
    from results import Run
    from training import fit, settings

    watched = sys.stdout.isatty()
    print("Reading the photos", flush=True)
    training = load_split(options.data, "training", names, options.size, progress=watched)
    validation = load_split(options.data, "validation", names, options.size, progress=watched)
    groups = read_recipe(options.recipe).groups

    print(f"Training the {options.network} network: {options.epochs} epochs at most, seed {options.seed}", flush=True)
    told = {"batch_size": options.batch_size, "seed": options.seed}
    model, history = fit(
        training, validation, network=options.network, epochs=options.epochs, verbose=1 if watched else 2, **told
    )
    return Run(
        options.network, names, training, validation, settings(training, history, **told), groups, model, history
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from dataset import DataError
        from recipe import RecipeError

        try:
            metrics = train(options)
        except (DataError, RecipeError) as reason:
            print(f"Not trained: {reason}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written", file=sys.stderr)
        return 130
    found, run = metrics["validation"], metrics["training"]
    epochs = len(metrics["history"]["loss"])
    print(f"Kept epoch {run['best_epoch']} of {epochs}. On {found['photos']} validation photos:")
    print("  " + ", ".join(f"{name} {found[name]:.3f}" for name in ("auc", "accuracy", "balanced_accuracy")))
    print(f"Wrote huskymodel.h5, metrics.json and plots to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
