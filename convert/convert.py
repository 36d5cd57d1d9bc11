"""The convert command: a Keras file becomes a release, written only once proved equal.

npm run model:convert -- [FILE] [options]; --help lists them. FILE is a Keras file, a zip with one (Teachable Machine's
converted_keras.zip), or a folder.
"""

import argparse
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from convert import commands
from convert.contract import MAX_SIDE
from convert.errors import ConversionError
from convert.inspection import inspect_file, write_inspected
from convert.labels import Labels, parse_labels, parse_labels_file
from convert.limits import limit_loading, run_in_child
from convert.release import check_out
from convert.source import Source, find_source, read_labels_file

ROOT = Path(__file__).resolve().parent.parent
COMMITTED, RELEASE, MODELS = ROOT / "model/huskymodel.h5", ROOT / "model/release", ROOT / "models"
COMMITTED_NAME, COMMITTED_LABELS = "husky", "husky,not husky"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
RANGES = ("0..1", "0..255", "-1..1", "torch", "caffe")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options, checked as far as possible without the file."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    commands.remember(arguments)
    parser = argparse.ArgumentParser(
        prog="npm run model:convert --",
        description="Convert a Keras image classifier to ONNX with a manifest, and prove that both agree.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=COMMITTED, metavar="FILE",
        help="the Keras model (.h5, .hdf5, .keras), or a zip or folder with it, and perhaps its labels, as Teachable "
        "Machine exports them (default: model/huskymodel.h5)",
    )  # fmt: skip
    parser.add_argument("--name", help="the model's name in the API (default: from the file's name)")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument("--labels", help="comma-separated: positive,negative, or one for each output of a softmax")
    labels.add_argument(
        "--labels-file", type=Path, metavar="FILE",
        help="labels one a line, lines with class numbers (0 Cat), or a JSON list or map (default: labels.txt, "
        "class_indices.json or the like in the zip or folder)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=float, help="scores above it are positive; only after a sigmoid (default: 0.5)"
    )
    parser.add_argument(
        "--input-range", choices=RANGES,
        help="the pixel values the Keras model expects, or the mode of its preprocess_input (default: what its first "
        "layer says, else 0..1)",
    )  # fmt: skip
    parser.add_argument(
        "--resampling", choices=("bicubic", "bilinear", "lanczos"),
        help="the Pillow filter that resized the training photos (default: bicubic)",
    )  # fmt: skip
    parser.add_argument(
        "--resize", choices=("squeeze", "fit"),
        help="squeeze photos to the input, or crop them first to its shape as Pillow's ImageOps.fit (default: squeeze)",
    )  # fmt: skip
    parser.add_argument("--size", metavar="WxH", help="the input size in pixels, for models that leave it open")
    parser.add_argument("--output", help="which output to serve, by name or number, if the model has several")
    parser.add_argument("--activation", choices=("softmax", "sigmoid"), help="append it to a model that ends in logits")
    parser.add_argument(
        "--multi-label", action="store_true", help="each output is the probability of one label, whatever the others"
    )
    parser.add_argument(
        "--weights", choices=("float32", "float16"), default="float32",
        help="storage of the weights; float16 halves weights.bin, the arithmetic stays float32 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-junk", action="store_true",
        help="write a binary model even if it calls noise, plain colours or pages of text positive",
    )  # fmt: skip
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE",
        help="how scores on validation photos are distributed, as JSON (convert/baseline.py), for npm run model:watch "
        "(default: what metrics.json beside the model says)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="the folder to write (default: models/NAME)")
    options = parser.parse_args(_join_negative_ranges(arguments))
    if options.size is not None:
        match = SIZE.fullmatch(options.size)
        if match is None or not all(1 <= int(side) <= MAX_SIDE for side in match.groups()):
            parser.error(f"--size: WIDTHxHEIGHT, each from 1 to {MAX_SIDE}")
        options.size = (int(match[1]), int(match[2]))
    is_committed = options.file.resolve() == COMMITTED
    # The committed release comes from before there was a choice, and keeps its bytes.
    options.default_resize = None if is_committed else "squeeze"
    if options.name is None:
        options.name = COMMITTED_NAME if is_committed else to_name(options.file)
    if not NAME.fullmatch(options.name):
        parser.error("--name: up to 63 lowercase letters, digits and hyphens, not starting with a hyphen")
    if options.out is None:
        options.out = RELEASE if is_committed or options.name == _read_release_name() else MODELS / options.name
    if is_committed and options.labels is None and options.labels_file is None:
        options.labels = COMMITTED_LABELS
    try:
        options.labels = None if options.labels is None else parse_labels(options.labels)
    except ConversionError as reason:
        parser.error(f"--labels: {reason}")
    if options.threshold is not None and not 0 < options.threshold < 1:
        parser.error("--threshold: must lie between 0 and 1")
    return options


def _join_negative_ranges(arguments: list[str]) -> list[str]:
    """Return the arguments with ``--input-range -1..1`` as one, for argparse takes -1..1 for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--input-range" and argument.startswith("-"):
            joined[-1] = f"--input-range={argument}"
        else:
            joined.append(argument)
    return joined


def to_name(file: Path) -> str:
    """Return a name for the model in ``file``, made from the file's name."""
    stem = file.resolve().name if file.is_dir() else file.stem
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63].strip("-") or "model"


def _read_release_name() -> str | None:
    try:
        return json.loads((RELEASE / "manifest.json").read_text("utf-8"))["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def choose_labels(source: Source, options: argparse.Namespace) -> Labels | None:
    """Return the labels that were passed, or those beside the model. Raises ``ConversionError``."""
    if options.labels is not None:
        return options.labels
    if options.labels_file is not None:
        return parse_labels_file(read_labels_file(options.labels_file))
    return None if source.labels is None else parse_labels_file(source.labels)


def run(options: argparse.Namespace) -> None:
    """Inspect the file, then convert it. Raises ``ConversionError``, having written nothing."""
    with tempfile.TemporaryDirectory(prefix="husky-convert-") as scratch:
        print(f"[1/8] Inspecting {options.file.name}", flush=True)
        check_out(options.out)
        source = find_source(options.file)
        labels = choose_labels(source, options)
        # A private copy: Keras loads exactly what was inspected.
        copy = Path(scratch, "source.keras" if source.kind == "keras" else "source.h5")
        copy.write_bytes(source.content)
        with limit_loading(len(source.content)):
            inspected = inspect_file(copy, source.architecture)
            write_inspected(inspected, copy)

        print(f"[2/8] Loading it in Keras {inspected.keras} (it was written by {inspected.version[:20]})", flush=True)
        # oneDNN's results depend on the processor; without it, the same file gives the same release on all of them.
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
        # Imports TensorFlow, which takes seconds: a refusal above should not.
        from convert.conversion import convert

        convert(copy, source, inspected, labels, options)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    return run_in_child(lambda: _run_and_report(options))


def _run_and_report(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options)
    except ConversionError as reason:
        return _refuse(str(reason))
    except KeyboardInterrupt:
        print("Interrupted: nothing was written", file=sys.stderr)
        return 130
    except MemoryError:
        return _refuse("not enough memory")
    except Exception as error:
        # Whatever a file holds, the user gets the reason in one line; HUSKY_TRACEBACK=1 shows where it comes from.
        if os.environ.get("HUSKY_TRACEBACK"):
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return _refuse(f"{type(error).__name__}: {(lines or ['no reason given'])[-1][-500:]}")
    shown = os.path.relpath(options.out) if options.out.is_relative_to(ROOT) else options.out
    print(f"Wrote graph.onnx, weights.bin and manifest.json to {shown}")
    return 0


def _refuse(reason: str) -> int:
    print(f"Not converted: {' '.join(reason.split())}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
