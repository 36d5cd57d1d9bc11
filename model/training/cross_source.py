"""The cross-source command: train without the positives of one source, score them, and repeat for each source.

npm run model:cross-source -- --data FOLDER [--recipe FILE] [--epochs N] [--cache FOLDER] [--out FOLDER]

The calibration leaves the source out too. Writes cross-source.json and prints it as a table.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="npm run model:cross-source --",
        description="Measure how a model scores positives of a source it never saw.",
    )
    parser.add_argument("--data", type=Path, required=True, help="a folder with training|validation/{husky,nothusky}")
    parser.add_argument("--recipe", type=Path, default=MODEL / "husky.toml", help="default: husky.toml")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--cache", type=Path, default=MODEL / ".cache", help="the folder of the teacher's embeddings")
    parser.add_argument("--out", type=Path, default=MODEL, help="the folder for cross-source.json (default: model)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    # These import TensorFlow, which takes seconds: --help should not.
    from model.training.dataset import DataError
    from model.training.recipe import RecipeError, read_recipe
    from model.training.sources import measure_unseen

    try:
        recipe = read_recipe(options.recipe)
        recipe = replace(recipe, plan=replace(recipe.plan, epochs=options.epochs or recipe.plan.epochs))
        found = [measure_unseen(options.data, options.cache, recipe, source) for source in recipe.sources]
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not measured: {reason}", file=sys.stderr)
        return 1
    (options.out / "cross-source.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(format_table(found))
    return 0


def format_table(found: list[dict[str, object]]) -> str:
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
