"""The candidates command: the networks the default one was chosen from, with other kernels, sizes and precisions.

npm run model:candidates -- [--data FOLDER] [--recipe FILE] [--out FOLDER]

Each has ImageNet's weights and a last layer trained on the photos, and becomes an ONNX file beside candidates.json,
which has its size and its AUC on the validation photos of unseen sources. Without photos they stay untrained, which
suffices for ``npm run bench -- models``: it measures their time.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:candidates --", description="Write networks to compare.")
    parser.add_argument("--data", type=Path, help="a folder with training|validation/{husky,nothusky}; none: untrained")
    parser.add_argument("--classic", type=Path, help="the trained classic network (.h5); untrained by default")
    parser.add_argument("--recipe", type=Path, default=MODEL / "husky.toml", help="default: husky.toml")
    parser.add_argument("--out", type=Path, default=MODEL / ".cache" / "candidates", help="default: %(default)s")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    # These import TensorFlow, which takes seconds: --help should not.
    from model.training.dataset import DataError
    from model.training.recipe import RecipeError, read_recipe
    from model.training.variants import make_candidates, make_classic

    try:
        options.out.mkdir(parents=True, exist_ok=True)
        found = []
        for entry in itertools.chain([make_classic(options)], make_candidates(options, read_recipe(options.recipe))):
            found.append(entry)
            # After each: an interrupt keeps the finished ones.
            (options.out / "candidates.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not made: {reason}", file=sys.stderr)
        return 1
    for entry in found:
        print(f"{entry['name']:32} {entry['bytes'] / 1e6:6.2f} MB   AUC {entry['auc'] or ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
