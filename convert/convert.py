"""Convert a Keras model to a release: model.onnx and manifest.json, written only when proved equal.

npm run model:convert -- [FILE] [--name NAME] [--labels A,B] [--threshold T] [--input-range R]
    [--weights float16] [--allow-junk] [--out FOLDER]
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from inspect_file import ConversionError, inspect_file
from keras2 import mend_keras_2
from release import check_out, snapshot, write_release

if TYPE_CHECKING:  # what they import takes seconds
    import keras

    from junk_gate import JunkResult
    from parity import Parity

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_THRESHOLD = 0.5
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_LABEL = 64
WANTED = "the network does not end in one GlobalAveragePooling2D, layers that see one vector, and a sigmoid or softmax"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options, checked as far as they can be without the file."""
    parser = argparse.ArgumentParser(
        prog="npm run model:convert --",
        description="Convert a Keras model (.h5, .keras) to model.onnx and manifest.json, with proof that both agree.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "model/huskymodel.h5", metavar="FILE",
        help="the Keras model (default: model/huskymodel.h5)",
    )  # fmt: skip
    parser.add_argument("--name", default="husky", help="what the API calls it (default: %(default)s)")
    parser.add_argument(
        "--labels", default="husky,not husky",
        help="comma-separated: positive,negative, or one for each output of a softmax (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=float, help=f"positive above this score, binary models only (default: {DEFAULT_THRESHOLD})"
    )
    parser.add_argument(
        "--input-range", choices=("0..1", "0..255", "-1..1"), default="0..1",
        help="the pixel values that the Keras model wants (default: %(default)s); write --input-range=-1..1",
    )  # fmt: skip
    parser.add_argument(
        "--resampling", choices=("bicubic", "bilinear", "lanczos"), default="bicubic",
        help="Pillow's filter that photos were resized with in training (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--weights", choices=("float32", "float16"), default="float32",
        help="how they are stored; float16 halves the file, and is computed in float32 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-junk", action="store_true",
        help="write a binary model even where it takes noise, plain colours or pages of text for its class",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=ROOT / "model/release", help="folder to write (default: model/release)"
    )
    options = parser.parse_args(arguments)
    options.labels = [label.strip() for label in options.labels.split(",")]
    if not NAME.fullmatch(options.name):
        parser.error("--name: small letters, digits and hyphens, 63 at most")
    if any(not label or len(label) > MAX_LABEL or not label.isprintable() for label in options.labels):
        parser.error(f"--labels: each of 1 to {MAX_LABEL} printable characters")
    if len(set(options.labels)) != len(options.labels):
        parser.error("--labels: no two may be the same")
    if options.threshold is not None and not 0 < options.threshold < 1:
        parser.error("--threshold: between 0 and 1")
    return options


def convert(options: argparse.Namespace) -> Path:
    """Convert as ``options`` say and return the folder written. Raises ``ConversionError``, having written nothing."""
    with tempfile.TemporaryDirectory(prefix="husky-convert-") as scratch:
        _say(1, f"Looking into {options.file.name}")
        check_out(options.out)
        source, content = snapshot(options.file, Path(scratch))
        inspect_file(source)
        if source.suffix == ".h5":
            mend_keras_2(source)

        _say(2, "Loading it in Keras")
        from contract import read_contract
        from graph import to_onnx
        from half import store_as_float16
        from heatmap_graph import grid_of
        from junk_gate import score_junk
        from manifest import build_manifest
        from onnx_network import OnnxNetwork
        from parity import EXACT, ROUNDED, prove_heatmaps, prove_parity
        from probes import make_probes, render

        model = _load(source)
        contract = read_contract(model, options.labels)
        if contract.activation == "softmax" and options.threshold is not None:
            raise ConversionError("--threshold is for models with one output; the most probable class wins here")
        threshold = (options.threshold or DEFAULT_THRESHOLD) if contract.activation == "sigmoid" else None

        _say(3, f"Converting {contract.width} x {contract.height} pixels to {contract.size} score(s)")
        proto = to_onnx(model, contract, options.input_range)
        graph, heatmap = proto.SerializeToString(deterministic=True), grid_of(proto)
        print(f"      heat map of {heatmap[0]} x {heatmap[1]} cells" if heatmap else "      no heat map: " + WANTED)
        _say(4, "Comparing Keras and ONNX")
        tolerance = EXACT
        parity = prove_parity(source, graph, contract, options.input_range, tolerance)
        print(f"      {_found(parity)}")
        if options.weights == "float16":
            store_as_float16(proto)
            graph, tolerance = proto.SerializeToString(deterministic=True), ROUNDED
            parity = prove_parity(source, graph, contract, options.input_range, tolerance)
            print(f"      with float16 weights {_found(parity)}")
        network = OnnxNetwork(graph)
        _say(5, "Looking how it takes junk")
        junk = score_junk(network, contract, threshold)
        print(f"      {junk.pictures} pictures of nothing score {junk.mean:.3f} on average, {junk.maximum:.3f} at most")
        if junk.failed and not options.allow_junk:
            raise ConversionError(_objection(junk, threshold))
        _say(6, "Making probes")
        probes = make_probes(model, network, contract, options.input_range, options.labels)
        if network.has_heatmap:
            liked = render(probes[-1], contract.height, contract.width) / 255.0
            largest = prove_heatmaps(source, network, liked, options.input_range, tolerance)
            print(f"      heat maps agree within {largest:.1e}, allowed {tolerance.heatmap:.0e}")
        _say(7, "Writing")
        manifest = build_manifest(
            name=options.name,
            contract=contract,
            heatmap=heatmap,
            labels=options.labels,
            threshold=threshold,
            resampling=options.resampling,
            weights=options.weights,
            graph=graph,
            source=options.file,
            source_content=content,
            parity=parity,
            junk=junk,
            probes=probes,
        )
        write_release(options.out, {"model.onnx": graph, "manifest.json": manifest})
    return options.out


def _load(source: Path) -> "keras.Model":
    import keras

    keras.config.disable_traceback_filtering()
    # A file may say that its one input comes in a list; Keras then finds a tensor alone worth a warning.
    warnings.filterwarnings("ignore", message="The structure of `inputs`", category=UserWarning)
    try:
        return keras.models.load_model(source, compile=False)
    except Exception as error:  # a file that passed the inspection can still be broken in any way
        raise ConversionError(f"Keras cannot load it: {(str(error).splitlines() or [''])[0][:300]}") from error


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        folder = convert(options)
    except ConversionError as reason:
        print(f"Not converted: {' '.join(str(reason).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: nothing was written", file=sys.stderr)
        return 130
    print(f"Wrote model.onnx and manifest.json to {folder}")
    return 0


def _say(step: int, text: str) -> None:
    print(f"[{step}/7] {text}", flush=True)


def _found(parity: "Parity") -> str:
    return f"{parity.inputs} inputs agree within {parity.largest:.1e}, allowed {parity.tolerance:.0e}"


def _objection(junk: "JunkResult", threshold: float) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in junk.failures.items())
    return (
        f"{junk.failed} of {junk.pictures} pictures of nothing score above {threshold:g} ({kinds}; the highest "
        f"{junk.maximum:.3f}): train with such pictures as negatives, or give --allow-junk"
    )


if __name__ == "__main__":
    sys.exit(main())
