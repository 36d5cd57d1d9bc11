"""The compare command: several models score the same photos.

npm run model:compare -- --data FOLDER [--recipe FILE] [--out FOLDER] NAME=FILE.h5 [NAME=FILE.h5 ...]
"""

import argparse
import json
import sys
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent
COLUMNS = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "recall": "recall",
    "precision": "precision",
    "expected_calibration_error": "calibration error",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:compare --", description="Compare models on the same photos.")
    parser.add_argument("--data", type=Path, required=True, help="a folder with validation/{husky,nothusky}")
    parser.add_argument("--recipe", type=Path, default=MODEL / "husky.toml", help="for the groups")
    parser.add_argument("--out", type=Path, default=MODEL, help="the folder for comparison.json and its plot")
    parser.add_argument("models", nargs="+", metavar="NAME=FILE.h5")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    # These import TensorFlow, which takes seconds: --help should not.
    import keras

    from model.training.charts import draw_comparison
    from model.training.dataset import DataError, class_names, load_split
    from model.training.evaluation import evaluate, evaluate_groups, score
    from model.training.recipe import RecipeError, read_recipe
    from model.training.strangers import split_strangers

    try:
        names = class_names(options.data)
        recipe = read_recipe(options.recipe)
        found = {}
        for entry in options.models:
            name, separator, file = entry.partition("=")
            if not separator:
                raise DataError(f"'{entry}' is not NAME=FILE.h5")
            model = keras.models.load_model(file, compile=False)
            photos = load_split(options.data, "validation", names, model.input_shape[1])
            scores = score(model, photos)
            strangers = split_strangers(photos, recipe.strangers).both
            found[name] = {
                **evaluate(photos.labels, scores),
                "strangers": evaluate(photos.labels[strangers], scores[strangers]),
                "groups": evaluate_groups(photos.paths, photos.labels, scores, recipe.groups),
            }
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not compared: {reason}", file=sys.stderr)
        return 1
    (options.out / "plots").mkdir(parents=True, exist_ok=True)
    (options.out / "comparison.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    draw_comparison(options.out / "plots" / "comparison.svg", found)
    print(format_table(found))
    return 0


def format_table(found: dict[str, dict[str, object]]) -> str:
    """Return the comparison as two Markdown tables: the measures, and the share of each group called positive.

    The measures are those on photos from sources without training photos, then those on all photos.
    """
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for key, title in COLUMNS.items():
        values = (f"{entry['strangers'][key]:.3f} ({entry[key]:.3f})" for entry in found.values())
        lines.append(f"| {title} | " + " | ".join(values) + " |")
    lines += ["", "| called positive | photos | " + " | ".join(found) + " |", "|---" * (len(found) + 2) + "|"]
    for rows in zip(*(entry["groups"] for entry in found.values()), strict=True):
        shares = (f"{row['share']:.0%} ({row['interval'][0]:.0%} to {row['interval'][1]:.0%})" for row in rows)
        lines.append(f"| {rows[0]['group']} | {rows[0]['photos']} | " + " | ".join(shares) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
