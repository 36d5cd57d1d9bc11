"""The conversion itself, step by step, from an inspected copy of the Keras file to a written release."""

import argparse
import warnings
from functools import partial
from pathlib import Path

import keras
import numpy as np

from convert.contract import Contract, check_outputs, read_contract
from convert.errors import ConversionError
from convert.graph import to_onnx
from convert.heatmap_graph import read_grid
from convert.junk_gate import JunkResult, score_junk
from convert.manifest import build_manifest
from convert.onnx_network import OnnxNetwork
from convert.optimisation import optimise
from convert.parity import (
    EXACT,
    INPUTS,
    ROUNDED,
    Parity,
    compare_scores,
    draw_inputs,
    prove_heatmaps,
    prove_parity,
    run_keras,
    score_in_keras,
)
from convert.probes import add_expected, add_heatmap_values, describe_basic_probes, optimise_probe, render
from convert.release import write_release
from convert.wasm import try_version
from convert.weights import Served, separate_weights

DEFAULT_THRESHOLD = 0.5
# Wasm has one thread, so it scores fewer inputs if they are large: this many pixels.
WASM_PIXELS = 64 * 160 * 160
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
    grid = read_grid(proto)
    print(f"      heat map of {grid[0]} x {grid[1]} cells" if grid else f"      no heat map: {HEATMAP_NEEDS}")

    chosen = choose_wasm_inputs(contract)
    _report(4, f"Running it in the Worker's ONNX Runtime, on {len(chosen)} inputs")
    served = separate_weights(optimise(proto), model if options.weights == "float16" else None)
    network = OnnxNetwork(served.graph, served.widened)
    describe = partial(
        build_manifest,
        name=options.name,
        contract=contract,
        heatmap=grid,
        labels=options.labels,
        threshold=threshold,
        resampling=options.resampling,
        served=served,
        source=options.file,
        source_content=content,
        tolerance=(ROUNDED if served.rounded else EXACT).scores,
    )
    # Keras gives the expected scores, for a graph that traps in wasm may also end this process.
    score = partial(score_in_keras, load_rounded(source, served), options.input_range)
    probes = add_expected(describe_basic_probes(), contract, score)
    check_outputs(contract, np.float32([probe["expected"] for probe in probes]))
    draft = served.files | {"manifest.json": describe(memory=1, junk=None, probes=probes)}
    isolate, wasm_scores = try_version(draft, draw_inputs(contract.height, contract.width)[chosen])
    print(f"      {isolate}")

    _report(5, "Comparing it with Keras")
    # Keras loads the file anew for each proof, so that nothing done to a model can hide a difference.
    reference = run_keras(load_model(source), contract, options.input_range)
    exact = prove_parity(OnnxNetwork(proto.SerializeToString()), reference)
    print(f"      {_describe_parity(exact)}")
    if served.rounded:
        rounding = prove_parity(network, reference, ROUNDED)
        print(f"      rounding weights to float16: {_describe_parity(rounding)}")
        reference = run_keras(load_rounded(source, served), contract, options.input_range)
    prepared = prove_parity(network, reference)
    wasm = compare_scores({"in wasm": wasm_scores}, reference.take(chosen))
    print(f"      as served, and these weights in Keras: {_describe_parity(prepared)}")
    print(f"      in the Worker's ONNX Runtime: {_describe_parity(wasm)}")

    _report(6, "Testing on junk images")
    junk = score_junk(network, contract, threshold)
    print(f"      {junk.pictures} junk images score {junk.mean:.3f} on average, {junk.maximum:.3f} at most")
    if junk.failed and not options.allow_junk:
        raise ConversionError(_describe_junk(junk, threshold))

    _report(7, "Making probes")
    optimised = optimise_probe(model, contract, options.input_range, options.labels[0])
    if network.has_heatmap:
        optimised = add_heatmap_values(optimised, network, contract)
    probes = add_expected([*describe_basic_probes(), optimised], contract, network.score)
    print(f"      the decisive one is {probes[0]['name']}, which scores {max(probes[0]['expected']):.3f}")
    if network.has_heatmap:
        positive = render(optimised, contract.height, contract.width) / 255.0
        largest = prove_heatmaps(network, load_rounded(source, served), positive, options.input_range)
        print(f"      heat maps agree within {largest:.1e}, allowed {EXACT.heatmap:.0e}")
        if served.rounded:
            largest = prove_heatmaps(network, load_model(source), positive, options.input_range, ROUNDED)
            print(f"      rounding weights moves them by up to {largest:.1e}, allowed {ROUNDED.heatmap:.0e}")

    _report(8, "Running the final version, and writing")
    files = served.files | {"manifest.json": describe(memory=isolate.memory, junk=junk, probes=probes)}
    try_version(files)
    write_release(options.out, files)


def choose_wasm_inputs(contract: Contract) -> np.ndarray:
    """Return which of the inputs to compare run in wasm too: all, or as many as are quick, spread evenly."""
    count = min(INPUTS, max(8, WASM_PIXELS // (contract.height * contract.width)))
    return np.arange(count) * INPUTS // count


def load_rounded(source: Path, served: Served) -> keras.Model:
    """Return the model of an inspected file with the weights that are served, rounded as they are."""
    model = load_model(source)
    for index, value in served.rounded.items():
        model.weights[index].assign(value)
    return model


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
    print(f"[{step}/8] {text}", flush=True)


def _describe_parity(parity: Parity) -> str:
    return f"{parity.inputs} inputs agree within {parity.largest:.1e}, allowed {parity.tolerance:.0e}"


def _describe_junk(junk: JunkResult, threshold: float) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in junk.failures.items())
    return (
        f"{junk.failed} of {junk.pictures} junk images score above {threshold:g} ({kinds}; the highest "
        f"{junk.maximum:.3f}): train with such images as negatives, or pass --allow-junk"
    )
