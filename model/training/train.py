"""The train command: a folder of photos becomes a model, its metrics and its plots.

npm run model:train -- --data FOLDER [--recipe FILE] [--stop] [--out FOLDER]
npm run model:train -- --data FOLDER --network classic [--epochs N] [--seed N] [--batch-size N] [--out FOLDER]
"""

import argparse
import signal
import sys
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent
MIN_SIZE = 32
DEFAULT = "lite"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:train --", description="Train the husky classifier.")
    parser.add_argument(
        "--data", type=Path, required=True, help="a folder with training|validation/{husky,nothusky}"
    )  # fmt: skip
    parser.add_argument(
        "--network", choices=(DEFAULT, "classic", "small"), default=DEFAULT,
        help="lite is pretrained and follows the recipe; classic is the original's, trained from scratch; "
        "small has few filters, for quick trials (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--recipe", type=Path, default=MODEL / "husky.toml", help="for lite (default: husky.toml)")
    parser.add_argument(
        "--stop", action="store_true", help="for lite: make a model of an interrupted training as it is"
    )
    scratch = parser.add_argument_group("for classic and small")
    scratch.add_argument("--epochs", type=_positive, default=40, help="at most (default: %(default)s)")
    scratch.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    scratch.add_argument("--batch-size", type=_positive, default=32, help="default: %(default)s")
    scratch.add_argument("--size", type=_positive, default=128, help="pixels a side (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=MODEL, help="the folder to write to (default: model)")
    options = parser.parse_args(arguments)
    if options.size < MIN_SIZE:
        parser.error(f"--size: at least {MIN_SIZE}; three poolings leave nothing of less")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _format(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {found[name]:.3f}" for name in ("auc", "accuracy", "balanced_accuracy"))


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # These import TensorFlow, which takes seconds: --help should not.
        from model.training.dataset import DataError, class_names
        from model.training.recipe import RecipeError
        from model.training.results import write_results
        from model.training.runs import train_by_recipe, train_from_scratch

        try:
            names = class_names(options.data)
            train = train_by_recipe if options.network == DEFAULT else train_from_scratch
            metrics = write_results(options.out, train(options, names))
        except (DataError, RecipeError) as reason:
            print(f"Not trained: {reason}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written; the same command continues from the last epoch", file=sys.stderr)
        return 130
    found, run = metrics["validation"], metrics["training"]
    epochs = len(metrics["history"].get("loss", []))
    print(f"Kept epoch {run['best_epoch']} of {epochs}. On {found['photos']} validation photos:")
    print("  " + _format(found))
    strangers = metrics["strangers"]["both"]
    print(f"Of these, {strangers['photos']} from sources without training photos:\n  {_format(strangers)}")
    print(f"Wrote huskymodel.h5, metrics.json and plots to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
