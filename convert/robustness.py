"""The robustness command: how a binary model scores photos that were changed in transit, or attacked.

npm run model:robustness -- --data FOLDER [FILE] [--photos N] [--threshold T] [--resampling F] [--input-range R]
    [--out JSON]

FOLDER contains two folders of photos: the positive class, and one whose name begins with "not". The exit status is 1 if
a change moves the mean score of the positive photos too far; the attack is only reported.
"""

import argparse
import json
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from convert.changes import CHANGES, LIMIT, Effect, measure_effect
from convert.errors import ConversionError
from convert.release import describe_file

if TYPE_CHECKING:  # imports TensorFlow, which takes seconds
    from convert.judge import Judge

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}
FILTERS = {name: Image.Resampling[name.upper()] for name in ("bicubic", "bilinear", "lanczos")}
BATCH = 64
EPSILON_BYTES = 2
UNCHANGED, ATTACKED = "unchanged", f"FGSM, {EPSILON_BYTES}/255"


@dataclass(frozen=True)
class Photos:
    """Paths of photos, and whether each is positive: (N,) bool."""

    paths: list[Path]
    positive: np.ndarray


def find_photos(folder: Path, limit: int | None) -> Photos:
    """Return the photos of both classes, at most ``limit`` of each, spread evenly over the sorted names.

    Raises ``ConversionError`` unless ``folder`` contains two class folders with photos.
    """
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    negative = [name for name in names if name.startswith("not")]
    if len(names) != 2 or len(negative) != 1:
        raise ConversionError(f"--data needs two class folders such as husky and nothusky, found: {', '.join(names)}")
    paths, positive = [], []
    for name in names:
        found = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise ConversionError(f"no photos in {name}")
        if limit is not None and len(found) > limit:
            found = [found[index * len(found) // limit] for index in range(limit)]
        paths += found
        positive += [name not in negative] * len(found)
    return Photos(paths, np.array(positive))


def measure(judge: "Judge", photos: Photos, threshold: float, resampling: str) -> tuple[list[Effect], Effect]:
    """Return the effects of the changes, the first being none, and the effect of the attack."""
    names = (UNCHANGED, *CHANGES, ATTACKED)
    scores: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for start in range(0, len(photos.paths), BATCH):
        part = slice(start, start + BATCH)
        inputs = _read_inputs(photos.paths[part], judge, resampling)
        inputs[ATTACKED] = judge.attack(inputs[UNCHANGED], photos.positive[part], EPSILON_BYTES / 255)
        for name, images in inputs.items():
            scores[name].append(judge.score(images))
        _show_progress(f"  {min(start + BATCH, len(photos.paths))} of {len(photos.paths)} photos")
    _show_progress("")
    after = {name: np.concatenate(parts) for name, parts in scores.items()}
    effects = [measure_effect(name, after[UNCHANGED], after[name], photos.positive, threshold) for name in names]
    return effects[:-1], effects[-1]


def _read_inputs(paths: list[Path], judge: "Judge", resampling: str) -> dict[str, np.ndarray]:
    """Return the network's inputs for the photos, unchanged and after each change."""
    shape = (len(paths), judge.height, judge.width, judge.channels)
    inputs = {name: np.empty(shape, np.float32) for name in (UNCHANGED, *CHANGES)}
    for index, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except OSError as error:
            raise ConversionError(f"cannot read {path.name}: {error}") from error
        for name, images in inputs.items():
            changed = upright if name == UNCHANGED else CHANGES[name](upright)
            colour = changed if judge.channels == 3 else changed.convert("L")
            pixels = np.asarray(colour.resize((judge.width, judge.height), FILTERS[resampling])) / 255.0
            images[index] = pixels.reshape(images[index].shape)
    return inputs


def build_report(source: Path, content: bytes, photos: Photos, effects: list[Effect], attack: Effect) -> dict:
    """Return the figures as written to JSON."""

    def describe(found: Effect) -> dict:
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(found).items()}

    return {
        "source": {"file": source.name, **describe_file(content)},
        "photos": {"positive": int(photos.positive.sum()), "negative": int((~photos.positive).sum())},
        "limit": LIMIT,
        "changes": [describe(found) for found in effects],
        "attack": describe(attack),
    }


def format_table(effects: list[Effect], attack: Effect) -> str:
    """Return the effects as a Markdown table."""
    lines = [
        "| change | positive: mean score | moved by | negative: mean score | moved by | verdicts changed |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for found in (*effects, attack):
        mark = "" if found is attack or found.within_limit else " (too far)"
        lines.append(
            f"| {found.name} | {found.positive_mean:.3f} | {found.positive_change:+.3f}{mark} "
            f"| {found.negative_mean:.3f} | {found.negative_change:+.3f} | {found.verdicts_changed:.1%} |"
        )
    return "\n".join(lines)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="npm run model:robustness --", description="Measure how far changes of its photos move a binary model."
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "model/huskymodel.h5", metavar="FILE",
        help="the Keras model (default: model/huskymodel.h5)",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="a folder with the class folders husky and nothusky")
    parser.add_argument("--photos", type=int, help="use at most this many photos of each class (default: all)")
    parser.add_argument(
        "--threshold", type=float, default=0.5, help="scores above it are positive (default: %(default)s)"
    )
    parser.add_argument("--resampling", choices=tuple(FILTERS), default="bicubic", help="default: %(default)s")
    parser.add_argument(
        "--input-range", choices=("0..1", "0..255", "-1..1"), default="0..1", help="as for model:convert"
    )
    parser.add_argument("--out", type=Path, metavar="JSON", help="a file to write the figures to")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        photos = find_photos(options.data, options.photos)
        from convert.judge import Judge

        judge = Judge(options.file, options.input_range)
        effects, attack = measure(judge, photos, options.threshold, options.resampling)
    except ConversionError as reason:
        print(f"Not measured: {' '.join(str(reason).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: nothing was written", file=sys.stderr)
        return 130
    print(format_table(effects, attack))
    if options.out:
        report = build_report(options.file, judge.content, photos, effects, attack)
        options.out.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    too_far = [found.name for found in effects if not found.within_limit]
    if too_far:
        print(f"These move the mean score by {LIMIT} or more: {', '.join(too_far)}", file=sys.stderr)
        return 1
    return 0


def _show_progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")


if __name__ == "__main__":
    sys.exit(main())
