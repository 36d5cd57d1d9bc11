"""Teach the network without the positives of one source, see how it takes those, and go on with the next source.

npm run model:cross-source -- --data FOLDER [--recipe FILE] [--epochs N] [--cache FOLDER] [--out FOLDER]

The source is left out of the calibration too. Writes cross-source.json and prints it as a table.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from dataset import Photos, Split
    from recipe import Recipe

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "convert"))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:cross-source --", description="Leave out a source at a time.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with training|validation/{husky,nothusky} in it"
    )
    parser.add_argument("--recipe", type=Path, default=HERE / "husky.toml", help="default: husky.toml")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="where the teacher's views are kept")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for cross-source.json (default: model)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    from dataset import DataError
    from recipe import RecipeError, read_recipe

    try:
        recipe = read_recipe(options.recipe)
        recipe = replace(recipe, plan=replace(recipe.plan, epochs=options.epochs or recipe.plan.epochs))
        found = [leave_out(options, recipe, source) for source in recipe.sources]
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not tried: {reason}", file=sys.stderr)
        return 1
    (options.out / "cross-source.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(table(found))
    return 0


def leave_out(options: argparse.Namespace, recipe: "Recipe", source: str) -> dict[str, object]:
    """Return how a network that never saw a positive of ``source`` tells all of them from the validation negatives.

    Nobody has learnt from the source's training photos then, so they are tried as well.
    """
    import numpy as np

    from dataset import class_names, load_split
    from distillation import teach
    from evaluation import evaluate, score
    from finishing import finish
    from lessons import prepare
    from slimming import slimmed

    names = class_names(options.data)
    training, validation = (
        load_split(options.data, split, names, recipe.size, progress=sys.stdout.isatty())
        for split in ("training", "validation")
    )
    unseen, unwatched = of_source(training, recipe, source), of_source(validation, recipe, source)
    print(f"Without {source}: {int(unseen.sum())} of {training.counts()[0]} positives left out", flush=True)
    lessons = prepare(training, recipe, options.cache, progress=sys.stdout.isatty(), left_out=unseen)

    watched = _some(validation, ~unwatched)
    model, _ = teach(lessons, watched, recipe.plan, verbose=1 if sys.stdout.isatty() else 2)
    model = slimmed(model, recipe.slimming, lessons, recipe.plan.seed)
    model, _ = finish(model, lessons, watched, recipe)
    tried = [_some(training, unseen), _some(validation, unwatched | (validation.labels == 0))]
    labels = np.concatenate([part.labels for part in tried])
    scores = np.concatenate([score(model, part) for part in tried])
    return {
        "source": source,
        "epochs": recipe.plan.epochs,
        "positives": int(labels.sum()),
        "negatives": int((labels == 0).sum()),
        **evaluate(labels, scores),
    }


def of_source(photos: "Photos", recipe: "Recipe", source: str) -> "np.ndarray":
    """Return which of ``photos`` are positives from ``source``: (N,) bool."""
    import numpy as np

    from groups import group_of

    return np.array([group_of(path, recipe.sources) == source for path in photos.paths]) & (photos.labels == 1)


def _some(split: "Split", chosen: "np.ndarray") -> "Split":
    from dataset import Split

    paths = [path for path, own in zip(split.paths, chosen, strict=True) if own]
    return Split(paths, split.labels[chosen], split.pixels[chosen])


def table(found: list[dict[str, object]]) -> str:
    """Return the results as a Markdown table."""
    lines = ["| never seen | photos | AUC | balanced accuracy | recall |", "|---|---|---|---|---|"]
    for entry in found:
        low, high = entry["auc_interval"]
        lines.append(
            f"| {entry['source']} | {entry['positives']} + {entry['negatives']} | {entry['auc']:.3f} "
            f"({low:.3f} to {high:.3f}) | {entry['balanced_accuracy']:.3f} | {entry['recall']:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
