"""The convert command: a Keras file becomes a release, written only once proved equal.

npm run model:convert -- [FILE] [--name NAME] [--labels A,B] [--threshold T] [--input-range R] [--resampling F]
    [--weights float16] [--allow-junk] [--out FOLDER]
"""

import argparse
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from convert.errors import ConversionError
from convert.inspection import inspect_file
from convert.keras2 import add_input_layers
from convert.release import check_out, snapshot

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_LABEL = 64


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options, checked as far as possible without the file."""
    parser = argparse.ArgumentParser(
        prog="npm run model:convert --",
        description="Convert a Keras model (.h5, .keras) to ONNX with a manifest, and prove that both agree.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "model/huskymodel.h5", metavar="FILE",
        help="the Keras model (default: model/huskymodel.h5)",
    )  # fmt: skip
    parser.add_argument("--name", default="husky", help="the model's name in the API (default: %(default)s)")
    parser.add_argument(
        "--labels", default="husky,not husky",
        help="comma-separated: positive,negative, or one for each output of a softmax (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=float, help="scores above it are positive; binary models only (default: 0.5)"
    )
    parser.add_argument(
        "--input-range", choices=("0..1", "0..255", "-1..1"), default="0..1",
        help="the pixel values the Keras model expects (default: %(default)s); write --input-range=-1..1",
    )  # fmt: skip
    parser.add_argument(
        "--resampling", choices=("bicubic", "bilinear", "lanczos"), default="bicubic",
        help="the Pillow filter that resized the training photos (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--weights", choices=("float32", "float16"), default="float32",
        help="storage of the weights; float16 halves weights.bin, the arithmetic stays float32 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-junk", action="store_true",
        help="write a binary model even if it calls noise, plain colours or pages of text positive",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=ROOT / "model/release", help="the folder to write (default: model/release)"
    )
    options = parser.parse_args(arguments)
    options.labels = [label.strip() for label in options.labels.split(",")]
    if not NAME.fullmatch(options.name):
        parser.error("--name: up to 63 lowercase letters, digits and hyphens, not starting with a hyphen")
    if any(not label or len(label) > MAX_LABEL or not label.isprintable() for label in options.labels):
        parser.error(f"--labels: each needs 1 to {MAX_LABEL} printable characters")
    if len(set(options.labels)) != len(options.labels):
        parser.error("--labels: each may occur only once")
    if options.threshold is not None and not 0 < options.threshold < 1:
        parser.error("--threshold: must lie between 0 and 1")
    return options


def run(options: argparse.Namespace) -> None:
    """Inspect the file, then convert it. Raises ``ConversionError``, having written nothing."""
    with tempfile.TemporaryDirectory(prefix="husky-convert-") as scratch:
        print(f"[1/8] Inspecting {options.file.name}", flush=True)
        check_out(options.out)
        source, content = snapshot(options.file, Path(scratch))
        inspect_file(source)
        if source.suffix == ".h5":
            add_input_layers(source)

        print("[2/8] Loading it in Keras", flush=True)
        # oneDNN's results depend on the processor; without it, the same file gives the same release on all of them.
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
        # Imports TensorFlow, which takes seconds: a refusal above should not.
        from convert.conversion import convert

        convert(source, content, options)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options)
    except ConversionError as reason:
        print(f"Not converted: {' '.join(str(reason).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: nothing was written", file=sys.stderr)
        return 130
    print(f"Wrote graph.onnx, weights.bin and manifest.json to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
