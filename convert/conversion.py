"""The conversion itself, step by step, from an inspected copy of the Keras file to a written release."""

import argparse
import warnings
from pathlib import Path

import keras

from convert.contract import read_contract
from convert.errors import ConversionError
from convert.float16 import store_as_float16
from convert.graph import to_onnx
from convert.heatmap_graph import read_grid
from convert.junk_gate import JunkResult, score_junk
from convert.manifest import build_manifest
from convert.onnx_network import OnnxNetwork
from convert.parity import EXACT, ROUNDED, Parity, prove_heatmaps, prove_parity
from convert.probes import make_probes, render
from convert.release import write_release

DEFAULT_THRESHOLD = 0.5
HEATMAP_NEEDS = (
    "the network must end in one GlobalAveragePooling2D, layers that see one vector, and a sigmoid or softmax"
)


def convert(source: Path, content: bytes, options: argparse.Namespace) -> None:
    """Write the release of ``source``, an inspected copy of ``options.file``, which holds ``content``.

    Raises ``ConversionError``, having written nothing.
    """
    model = load_model(source)
    contract = read_contract(model, options.labels)
    if contract.activation == "softmax" and options.threshold is not None:
        raise ConversionError("--threshold is for models with one output; of several labels the most probable wins")
    threshold = (options.threshold or DEFAULT_THRESHOLD) if contract.activation == "sigmoid" else None

    _report(3, f"Converting {contract.width} x {contract.height} pixels to {contract.size} score(s)")
    proto = to_onnx(model, contract, options.input_range)
    graph, grid = proto.SerializeToString(deterministic=True), read_grid(proto)
    print(f"      heat map of {grid[0]} x {grid[1]} cells" if grid else f"      no heat map: {HEATMAP_NEEDS}")

    _report(4, "Comparing Keras and ONNX")
    tolerance = EXACT
    parity = prove_parity(source, graph, contract, options.input_range, tolerance)
    print(f"      {_describe_parity(parity)}")
    if options.weights == "float16":
        store_as_float16(proto)
        graph, tolerance = proto.SerializeToString(deterministic=True), ROUNDED
        parity = prove_parity(source, graph, contract, options.input_range, tolerance)
        print(f"      with float16 weights {_describe_parity(parity)}")

    network = OnnxNetwork(graph)
    _report(5, "Testing on junk images")
    junk = score_junk(network, contract, threshold)
    print(f"      {junk.pictures} junk images score {junk.mean:.3f} on average, {junk.maximum:.3f} at most")
    if junk.failed and not options.allow_junk:
        raise ConversionError(_describe_junk(junk, threshold))

    _report(6, "Making probes")
    probes = make_probes(model, network, contract, options.input_range, options.labels)
    if network.has_heatmap:
        positive = render(probes[-1], contract.height, contract.width) / 255.0
        largest = prove_heatmaps(source, network, positive, options.input_range, tolerance)
        print(f"      heat maps agree within {largest:.1e}, allowed {tolerance.heatmap:.0e}")

    _report(7, "Writing")
    manifest = build_manifest(
        name=options.name,
        contract=contract,
        heatmap=grid,
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


def load_model(source: Path) -> keras.Model:
    """Return the model in an inspected file. Raises ``ConversionError`` if Keras cannot load it."""
    keras.config.disable_traceback_filtering()
    # Keras warns about a tensor if the file declares its one input as a list.
    warnings.filterwarnings("ignore", message="The structure of `inputs`", category=UserWarning)
    try:
        return keras.models.load_model(source, compile=False)
    except Exception as error:  # a file that passed inspection can still be broken in any way
        raise ConversionError(f"Keras cannot load it: {(str(error).splitlines() or [''])[0][:300]}") from error


def _report(step: int, text: str) -> None:
    print(f"[{step}/7] {text}", flush=True)


def _describe_parity(parity: Parity) -> str:
    return f"{parity.inputs} inputs agree within {parity.largest:.1e}, allowed {parity.tolerance:.0e}"


def _describe_junk(junk: JunkResult, threshold: float) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in junk.failures.items())
    return (
        f"{junk.failed} of {junk.pictures} junk images score above {threshold:g} ({kinds}; the highest "
        f"{junk.maximum:.3f}): train with such images as negatives, or pass --allow-junk"
    )
