"""The conversion itself, step by step, from an inspected copy of the Keras file to a written release."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from convert.baseline import read_baseline
from convert.commands import suggest
from convert.contract import Contract, check_outputs, check_size, count_weights, read_contract
from convert.errors import ConversionError
from convert.graph import to_onnx
from convert.heatmap_graph import read_grid
from convert.inspection import Inspected
from convert.junk_gate import JunkResult, score_junk
from convert.keras_file import Model, describe_end, find_output_layer, load_model, read_activation
from convert.labels import Labels
from convert.limits import limit_loading
from convert.manifest import build_manifest
from convert.onnx_network import OnnxNetwork
from convert.optimisation import optimise
from convert.parity import (
    EXACT,
    INPUTS,
    ROUNDED,
    compare_scores,
    draw_inputs,
    prove_heatmaps,
    prove_parity,
    run_keras,
    score_in_keras,
)
from convert.probes import add_expected, add_heatmap_values, describe_basic_probes, optimise_probe, render
from convert.range_guess import read_known_range, try_ranges
from convert.release import write_release
from convert.source import Source
from convert.wasm import try_version
from convert.weights import Served, separate_weights

__all__ = ["choose_wasm_inputs", "convert", "load_model", "load_rounded"]

DEFAULT_THRESHOLD = 0.5
DEFAULT_RANGE, DEFAULT_FILTER = "0..1", "bicubic"
# Wasm has one thread, so it scores fewer inputs if they are large: this many pixels.
WASM_PIXELS = 64 * 160 * 160
HEATMAP_NEEDS = (
    "the network must end in one GlobalAveragePooling2D, layers that see one vector, and a sigmoid or softmax"
)
# How the snippet that Teachable Machine shows with an export prepares a photo.
TEACHABLE_SIDE, TEACHABLE_RANGE, TEACHABLE_FILTER, TEACHABLE_RESIZE = 224, "-1..1", "lanczos", "fit"


def convert(
    copy: Path, source: Source, inspected: Inspected, labels: Labels | None, options: argparse.Namespace
) -> None:
    """Write the release of ``source``, of which ``copy`` is the inspected part.

    Raises ``ConversionError``, having written nothing.
    """
    with limit_loading(len(source.content)):
        model = load_model(copy)
        check_size(count_weights(model))
        contract, names = _agree(model, labels, options)
        # One photo: a small file can ask for any amount of memory.
        blank = np.zeros((1, contract.height, contract.width, contract.channels), np.float32)
        score_in_keras(model, contract, DEFAULT_RANGE, blank)
    _set_defaults(model, contract, source, options)
    if contract.activation == "softmax" and options.threshold is not None:
        raise ConversionError("--threshold is for models with one output; of several labels the most probable wins")
    threshold = (options.threshold or DEFAULT_THRESHOLD) if contract.activation == "sigmoid" else None
    baseline = read_baseline(options.baseline, names) if options.baseline else None
    _check_range(model, contract, options)

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
        labels=names,
        threshold=threshold,
        resampling=options.resampling,
        resize=options.resize,
        keras=inspected.keras,
        served=served,
        source=source.path,
        source_content=source.content,
        tolerance=(ROUNDED if served.rounded else EXACT).cap,
        baseline=baseline,
    )
    # Keras gives the expected scores, for a graph that traps in wasm may also end this process.
    scoring = load_rounded(copy, served) if served.rounded else model
    score = partial(score_in_keras, scoring, contract, options.input_range)
    probes = add_expected(describe_basic_probes(contract.channels), contract, score)
    expected = np.float32([probe["expected"] for probe in probes])
    check_outputs(contract, expected, describe_end(find_output_layer(model, contract.output)))
    draft = served.files | {"manifest.json": describe(memory=1, junk=None, probes=probes)}
    inputs = draw_inputs(contract.height, contract.width, contract.channels)
    isolate, wasm_scores = try_version(draft, inputs[chosen])
    print(f"      {isolate}")
    # Drawing and scoring junk takes as long as all comparisons with Keras, so both run at the same time.
    waiting = Event()
    testing = ThreadPoolExecutor(1).submit(score_junk, network, contract, threshold, waiting.is_set)

    _report(5, "Comparing it with Keras")
    # Keras loads the file anew for each proof, so that nothing done to a model can hide a difference.
    reference = run_keras(load_model(copy), contract, options.input_range, threshold)
    print(f"      Keras differs from itself by up to {reference.noise:.1e}")
    exact = prove_parity(OnnxNetwork(proto.SerializeToString()), reference)
    print(f"      {exact}")
    if served.rounded:
        rounding = prove_parity(network, reference, ROUNDED)
        print(f"      rounding weights to float16: {rounding}")
        reference = run_keras(load_rounded(copy, served), contract, options.input_range, threshold)
    prepared = prove_parity(network, reference)
    wasm = compare_scores({"in wasm": wasm_scores}, reference.take(chosen))
    print(f"      as served, and these weights in Keras: {prepared}")
    print(f"      in the Worker's ONNX Runtime: {wasm}")

    _report(6, "Testing on junk images")
    waiting.set()
    junk = testing.result()
    print(f"      {junk.pictures} junk images score {junk.mean:.3f} on average, {junk.maximum:.3f} at most")
    if junk.failed and not options.allow_junk:
        raise ConversionError(_describe_junk(junk, threshold))

    _report(7, "Making probes")
    optimised = optimise_probe(model, contract, options.input_range, names[0])
    if network.has_heatmap:
        optimised = add_heatmap_values(optimised, network, contract)
    probes = add_expected([*describe_basic_probes(contract.channels), optimised], contract, network.score)
    print(f"      the decisive one is {probes[0]['name']}, which scores {max(probes[0]['expected']):.3f}")
    if network.has_heatmap:
        positive = render(optimised, contract.height, contract.width, contract.channels) / 255.0
        prove = partial(prove_heatmaps, network, contract=contract, positive=positive, input_range=options.input_range)
        largest, allowed = prove(load_rounded(copy, served))
        print(f"      heat maps agree within {largest:.1e}, allowed {allowed:.0e}")
        if served.rounded:
            largest, allowed = prove(load_model(copy), tolerance=ROUNDED)
            print(f"      rounding weights moves them by up to {largest:.1e}, allowed {allowed:.0e}")

    _report(8, "Running the final version, and writing")
    files = served.files | {"manifest.json": describe(memory=isolate.memory, junk=junk, probes=probes)}
    try_version(files)
    write_release(options.out, files)


def choose_wasm_inputs(contract: Contract) -> np.ndarray:
    """Return which of the inputs to compare run in wasm too: all, or as many as are quick, spread evenly."""
    count = min(INPUTS, max(8, WASM_PIXELS // (contract.height * contract.width)))
    return np.arange(count) * INPUTS // count


def load_rounded(source: Path, served: Served) -> Model:
    """Return the model of an inspected file with the weights that are served, rounded as they are."""
    model = load_model(source)
    for index, value in served.rounded.items():
        model.weights[index].assign(value)
    return model


def _agree(model: Model, labels: Labels | None, options: argparse.Namespace) -> tuple[Contract, tuple[str, ...]]:
    """Return the contract of ``model``, and the labels in the order that the manifest has."""
    names = None if labels is None else labels.names
    contract = read_contract(
        model,
        names,
        size=options.size,
        output=options.output,
        activation=options.activation,
        multi_label=options.multi_label,
        read_end=lambda output: read_activation(find_output_layer(model, output)),
    )
    if contract.independent and not options.multi_label and not contract.appended:
        print("      two sigmoids: each label has a probability of its own")
    if contract.size == 1 and labels and labels.numbered:
        # One sigmoid is the probability of class 1; the manifest has the positive label first.
        names = names[::-1]
    return contract, tuple(names or ())


def _set_defaults(model: Model, contract: Contract, source: Source, options: argparse.Namespace) -> None:
    """Set what the user left open: as Teachable Machine does for its exports, else as the first layer says."""
    sides = (contract.width, contract.height, contract.channels, contract.activation)
    teachable = source.teachable and sides == (TEACHABLE_SIDE, TEACHABLE_SIDE, 3, "softmax")
    known = read_known_range(model)
    if teachable:
        print("      a Teachable Machine export: photos are cropped to a square and resized with LANCZOS")
    options.resize = options.resize or (TEACHABLE_RESIZE if teachable else options.default_resize)
    options.resampling = options.resampling or (TEACHABLE_FILTER if teachable else DEFAULT_FILTER)
    options.stated_range = known or (TEACHABLE_RANGE if teachable else None)
    options.given_range = options.input_range
    options.input_range = options.input_range or options.stated_range or DEFAULT_RANGE


def _check_range(model: Model, contract: Contract, options: argparse.Namespace) -> None:
    """Say where the range of pixel values comes from, and warn if it looks wrong."""
    stated, given, used = options.stated_range, options.given_range, options.input_range
    if stated and given in (None, stated):
        print(f"      pixel values from {used.replace('..', ' to ')}")
        return
    if stated:
        print(f"      warning: the model itself says {stated}, not {given}")
    trials = try_ranges(model, contract)
    shown = "; ".join(f"{name}: {trial}" for name, trial in trials.items())
    if given is None:
        print(f"      pixel values from 0 to 1 are assumed; if trained on others, pass --input-range. Tried: {shown}")
    if used in trials and trials[used].is_alike:
        others = [name for name, trial in trials.items() if trial.is_plausible]
        hint = f"; --input-range {others[0]} looks plausible" if others else ""
        print(f"      warning: with pixels in {used}, {trials[used]} for drawn pictures{hint}")


def _report(step: int, text: str) -> None:
    print(f"[{step}/8] {text}", flush=True)


def _describe_junk(junk: JunkResult, threshold: Any) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in junk.failures.items())
    return (
        f"{junk.failed} of {junk.pictures} junk images score above {threshold:g} ({kinds}; the highest "
        f"{junk.maximum:.3f}): train with such images as negatives, or pass --allow-junk: {suggest('--allow-junk')}"
    )
