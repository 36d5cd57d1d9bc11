"""Train a network on a folder of photos and write the model, its metrics and its plots.

npm run model:train -- --data FOLDER [--epochs N] [--seed N] [--batch-size N] [--network NAME] [--out FOLDER]
"""

import argparse
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
MIN_SIZE = 32


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:train --", description="Train the husky classifier.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with training|validation/{husky,nothusky} in it"
    )
    parser.add_argument("--epochs", type=_positive, default=40, help="at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--batch-size", type=_positive, default=32, help="default: %(default)s")
    parser.add_argument(
        "--network", choices=("classic", "small"), default="classic",
        help="classic is the original's; small has few filters, for quick trials (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--size", type=_positive, default=128, help="pixels a side (default: %(default)s)")
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
    """Train as ``options`` say, write the results and return the metrics. Raises ``DataError`` for unusable data."""
    from dataset import class_names, load_split
    from results import Run, write_results
    from training import fit

    watched = sys.stdout.isatty()
    names = class_names(options.data)
    print("Reading the photos", flush=True)
    training = load_split(options.data, "training", names, options.size, progress=watched)
    validation = load_split(options.data, "validation", names, options.size, progress=watched)

    print(f"Training the {options.network} network: {options.epochs} epochs at most, seed {options.seed}", flush=True)
    model, history = fit(
        training,
        validation,
        network=options.network,
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        verbose=1 if watched else 2,
    )
    run = Run(options.network, names, training, validation, options.seed, options.batch_size, model, history)
    return write_results(options.out, run)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from dataset import DataError

        try:
            metrics = train(options)
        except DataError as reason:
            print(f"Not trained: {reason}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("\nInterrupted: nothing was written", file=sys.stderr)
        return 130
    found, run = metrics["validation"], metrics["training"]
    print(f"Kept epoch {run['best_epoch']} of {run['epochs']}. On {found['photos']} validation photos:")
    print("  " + ", ".join(f"{name} {found[name]:.3f}" for name in ("auc", "accuracy", "balanced_accuracy")))
    print(f"Wrote huskymodel.h5, metrics.json and plots to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
