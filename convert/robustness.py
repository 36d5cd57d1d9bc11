"""How a binary model bears what happens to photos, and what is done to them on purpose.

npm run model:robustness -- --data FOLDER [FILE] [--photos N] [--threshold T] [--resampling F] [--input-range R]
    [--out JSON]

FOLDER has two folders of photos, the positive class and another whose name begins with "not". The exit status is 1
where a change moves the mean score of the positive photos too far; the attack is reported only.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image, ImageOps

from changes import CHANGES, LIMIT, Effect, effect
from inspect_file import ConversionError

if TYPE_CHECKING:  # what it imports takes seconds
    from judge import Judge

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}
FILTERS = {name: Image.Resampling[name.upper()] for name in ("bicubic", "bilinear", "lanczos")}
BATCH = 64
EPSILON_BYTES = 2
PLAIN, ATTACKED = "as they are", f"FGSM, {EPSILON_BYTES}/255"


@dataclass(frozen=True)
class Photos:
    """Paths, and for each whether it is of the positive class."""

    paths: list[Path]
    positive: np.ndarray


def find_photos(folder: Path, most: int | None) -> Photos:
    """Return the photos of the two classes, at most ``most`` of each, spread evenly over the sorted names.

    Raises ``ConversionError`` where there are not two class folders with photos in them.
    """
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    negative = [name for name in names if name.startswith("not")]
    if len(names) != 2 or len(negative) != 1:
        raise ConversionError(f"two class folders such as husky and nothusky are needed, found: {', '.join(names)}")
    paths, positive = [], []
    for name in names:
        found = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise ConversionError(f"no photos in {name}")
        if most is not None and len(found) > most:
            found = [found[index * len(found) // most] for index in range(most)]
        paths += found
        positive += [name not in negative] * len(found)
    return Photos(paths, np.array(positive))


def examine(judge: "Judge", photos: Photos, threshold: float, resampling: str) -> tuple[list[Effect], Effect]:
    """Return the effects of the changes, no change being the first of them, and of the attack."""
    names = (PLAIN, *CHANGES, ATTACKED)
    scores: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for start in range(0, len(photos.paths), BATCH):
        part = slice(start, start + BATCH)
        inputs = _read(photos.paths[part], judge, resampling)
        inputs[ATTACKED] = judge.attacked(inputs[PLAIN], photos.positive[part], EPSILON_BYTES / 255)
        for name, pictures in inputs.items():
            scores[name].append(judge.scores(pictures))
        _progress(f"  {min(start + BATCH, len(photos.paths))} of {len(photos.paths)} photos")
    _progress("")
    after = {name: np.concatenate(parts) for name, parts in scores.items()}
    effects = [effect(name, after[PLAIN], after[name], photos.positive, threshold) for name in names]
    return effects[:-1], effects[-1]


def _read(paths: list[Path], judge: "Judge", resampling: str) -> dict[str, np.ndarray]:
    """Return the network's inputs of the photos, as they are and after each change."""
    inputs = {name: np.empty((len(paths), judge.height, judge.width, 3), np.float32) for name in (PLAIN, *CHANGES)}
    for index, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except OSError as error:
            raise ConversionError(f"cannot read {path.name}: {error}") from error
        for name, pictures in inputs.items():
            changed = upright if name == PLAIN else CHANGES[name](upright)
            pictures[index] = np.asarray(changed.resize((judge.width, judge.height), FILTERS[resampling])) / 255.0
    return inputs


def report(source: Path, content: bytes, photos: Photos, effects: list[Effect], attack: Effect) -> dict:
    """Return what is written as JSON."""
    from manifest import describe_file

    def rounded(found: Effect) -> dict:
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(found).items()}

    return {
        "source": {"file": source.name, **describe_file(content)},
        "photos": {"positive": int(photos.positive.sum()), "negative": int((~photos.positive).sum())},
        "limit": LIMIT,
        "changes": [rounded(found) for found in effects],
        "attack": rounded(attack),
    }


def table(effects: list[Effect], attack: Effect) -> str:
    """Return the effects as a Markdown table."""
    lines = [
        "| change | positive: mean score | moved by | negative: mean score | moved by | verdicts changed |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for found in (*effects, attack):
        mark = "" if found is attack or found.bearable else " (too far)"
        lines.append(
            f"| {found.name} | {found.positive_mean:.3f} | {found.positive_change:+.3f}{mark} "
            f"| {found.negative_mean:.3f} | {found.negative_change:+.3f} | {found.verdicts_changed:.1%} |"
        )
    return "\n".join(lines)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="npm run model:robustness --", description="How a binary model bears changes of its photos."
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "model/huskymodel.h5", metavar="FILE",
        help="the Keras model (default: model/huskymodel.h5)",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="folder with husky/ and nothusky/ in it")
    parser.add_argument("--photos", type=int, help="at most so many of each class (default: all)")
    parser.add_argument("--threshold", type=float, default=0.5, help="positive above this score (default: %(default)s)")
    parser.add_argument("--resampling", choices=tuple(FILTERS), default="bicubic", help="default: %(default)s")
    parser.add_argument("--input-range", choices=("0..1", "0..255", "-1..1"), default="0..1", help="as in converting")
    parser.add_argument("--out", type=Path, metavar="JSON", help="file to write the figures to")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        photos = find_photos(options.data, options.photos)
        from judge import Judge

        judge = Judge(options.file, options.input_range)
        effects, attack = examine(judge, photos, options.threshold, options.resampling)
    except ConversionError as reason:
        print(f"Not examined: {' '.join(str(reason).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: nothing was written", file=sys.stderr)
        return 130
    print(table(effects, attack))
    if options.out:
        found = report(options.file, judge.content, photos, effects, attack)
        options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    unbearable = [found.name for found in effects if not found.bearable]
    if unbearable:
        print(f"The mean score moves by {LIMIT} or more: {', '.join(unbearable)}", file=sys.stderr)
        return 1
    return 0


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")


if __name__ == "__main__":
    sys.exit(main())
