"""Score the same photos with several models and set the results side by side.

npm run model:compare -- --data FOLDER [--recipe FILE] [--out FOLDER] NAME=FILE.h5 [NAME=FILE.h5 ...]
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
COLUMNS = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "recall": "recall",
    "precision": "precision",
    "expected_calibration_error": "calibration error",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:compare --", description="Set models side by side.")
    parser.add_argument("--data", type=Path, required=True, help="folder with validation/{husky,nothusky} in it")
    parser.add_argument("--recipe", type=Path, default=HERE / "husky.toml", help="for the groups")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for comparison.json and its plot")
    parser.add_argument("models", nargs="+", metavar="NAME=FILE.h5")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    from chart_comparison import draw_comparison
    from dataset import DataError, class_names, load_split
    from recipe import RecipeError, read_recipe

    try:
        names = class_names(options.data)
        groups = read_recipe(options.recipe).groups
        found = {}
        for model in options.models:
            name, mark, file = model.partition("=")
            if not mark:
                raise DataError(f"'{model}' is not NAME=FILE.h5")
            found[name] = _measure(Path(file), lambda size: load_split(options.data, "validation", names, size), groups)
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not compared: {reason}", file=sys.stderr)
        return 1
    (options.out / "plots").mkdir(parents=True, exist_ok=True)
    (options.out / "comparison.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    draw_comparison(options.out / "plots" / "comparison.svg", found)
    print(table(found))
    return 0


def _measure(file: Path, load: object, groups: dict[str, list[str]]) -> dict[str, object]:
    import keras

    from evaluation import by_group, evaluate, score

    model = keras.models.load_model(file, compile=False)
    photos = load(model.input_shape[1])
    scores = score(model, photos)
    return {**evaluate(photos.labels, scores), "groups": by_group(photos.paths, photos.labels, scores, groups)}


def table(found: dict[str, dict[str, object]]) -> str:
    """Return the comparison as two Markdown tables: the measures, and what share of each group is called positive."""
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for key, title in COLUMNS.items():
        lines.append(f"| {title} | " + " | ".join(f"{entry[key]:.3f}" for entry in found.values()) + " |")
    lines += ["", "| called positive | photos | " + " | ".join(found) + " |", "|---" * (len(found) + 2) + "|"]
    for rows in zip(*(entry["groups"] for entry in found.values()), strict=True):
        shares = (f"{row['share']:.0%} ({row['interval'][0]:.0%} to {row['interval'][1]:.0%})" for row in rows)
        lines.append(f"| {rows[0]['group']} | {rows[0]['photos']} | " + " | ".join(shares) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
