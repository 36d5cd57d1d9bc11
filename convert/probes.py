"""Probes: inputs with known outputs, stored so compactly that any runtime can rebuild them and test itself."""

import base64
import re
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import tensorflow as tf

from convert.contract import Contract
from convert.junk import to_grey
from convert.keras_file import Model, call_model
from convert.onnx_network import OnnxNetwork

COLOURS = np.uint8(
    [
        [[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]],
        [[0, 0, 0], [0, 255, 255], [255, 0, 255], [128, 128, 128]],
    ]
)
NOISE_SEEDS = (1,)
# The longer side of the grids to optimise, coarse first: it is part of the manifest.
GRIDS = (32, 64)
GOAL = 0.9
STARTS = 2
STEPS = 100
# A search ends early if the score rises by less than this factor within so many steps.
MIN_GAIN, PATIENCE = 1.1, 25
DECIMALS = 6
HEATMAP_DECIMALS = 4


def mulberry32(seed: int, count: int) -> np.ndarray:
    """Return ``count`` uint32 of the generator mulberry32 (T. Ettinger, 2017), as its JavaScript form gives them."""
    state = (np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)).astype(np.uint32)
    mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    return mixed ^ (mixed >> np.uint32(14))


def render(probe: dict[str, Any], height: int, width: int, channels: int = 3) -> np.ndarray:
    """Return the image that ``probe`` describes: (height, width, channels) uint8."""
    match probe["kind"]:
        case "noise":
            # floor(256 * u), where u is the generator's output / 2^32.
            return (
                (mulberry32(probe["seed"], height * width * channels) >> np.uint32(24))
                .astype(np.uint8)
                .reshape(height, width, channels)
            )
        case "grid":
            content = np.frombuffer(base64.b64decode(probe["rgb"]), np.uint8)
            return _enlarge(content.reshape(probe["rows"], probe["columns"], channels), height, width)
        case kind:
            raise ValueError(f"unknown kind of probe: {kind}")


def describe_basic_probes(channels: int = 3) -> list[dict[str, Any]]:
    """Return the probes that suit any network: flat colours, or greys if there is one channel, and noise."""
    noise = [{"name": f"noise-{seed}", "kind": "noise", "seed": seed} for seed in NOISE_SEEDS]
    return [_describe_grid("flat-colours", COLOURS if channels == 3 else to_grey(COLOURS)), *noise]


def add_expected(
    probes: list[dict[str, Any]], contract: Contract, score: Callable[[np.ndarray], np.ndarray]
) -> list[dict[str, Any]]:
    """Return ``probes`` with the scores (1, size) that ``score`` gives their images as ``expected``.

    The decisive one is first: the one whose scores differ most from the others'.
    """
    made = []
    for probe in probes:
        (found,) = score(_to_input(probe, contract))
        made.append(probe | {"expected": [round(float(value), DECIMALS) for value in found]})
    expected = np.array([probe["expected"] for probe in made])
    distances = np.abs(expected[:, None] - expected[None]).sum(axis=(1, 2))
    decisive = made.pop(int(distances.argmax()))
    return [decisive, *made]


def add_heatmap_values(probe: dict[str, Any], network: OnnxNetwork, contract: Contract) -> dict[str, Any]:
    """Return ``probe`` with the values of its heat map, row by row: with several labels, of the most probable one."""
    image = _to_input(probe, contract)
    (heatmap,), (scores,) = network.draw_heatmaps(image), network.score(image)
    plane = heatmap if contract.size == 1 else heatmap[..., int(scores.argmax())]
    return probe | {"heatmap": [round(float(value), HEATMAP_DECIMALS) for value in plane.ravel()]}


def _to_input(probe: dict[str, Any], contract: Contract) -> np.ndarray:
    return render(probe, contract.height, contract.width, contract.channels)[None] / np.float32(255)


def optimise_probe(model: Model, contract: Contract, input_range: str, label: str) -> dict[str, Any]:
    """Return a grid that scores as ``label``: the one result no accident produces.

    Ascends the first output along the gradient's sign, from seeded starts near grey, until the grid scores over
    ``GOAL``; a finer grid follows where coarse ones fail. Returns the best grid if none succeeds.
    """
    channels = contract.channels

    @tf.function(input_signature=[tf.TensorSpec((None, None, channels), tf.float32)])
    def ascend(grid: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        height, width = contract.height, contract.width
        rows = tf.range(height) * tf.shape(grid)[0] // height
        columns = tf.range(width) * tf.shape(grid)[1] // width
        with tf.GradientTape() as tape:
            tape.watch(grid)
            image = tf.gather(tf.gather(grid, rows, axis=0), columns, axis=1) / 255.0
            image = tf.ensure_shape(image, (height, width, channels))
            score = call_model(model, contract, input_range, image[None])[0, 0]
            gain = tf.math.log(tf.maximum(score, 1e-30))
        try:
            # A network of integers has no gradient.
            gradient = tape.gradient(gain, grid, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        except LookupError:
            # Neither has an operation such as resizing by areas.
            gradient = tf.zeros_like(grid)
        return score, tf.convert_to_tensor(gradient)

    best, best_score = np.empty(0), -1.0
    for side, start in product(GRIDS, range(STARTS)):
        shape = (min(side, contract.height), min(side, contract.width), channels)
        grid, score = _climb(ascend, np.random.default_rng(start).uniform(96, 160, shape))
        if score > best_score:
            best, best_score = grid, score
        if best_score > GOAL:
            break
    slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "first"
    return _describe_grid(f"optimised-{slug}", best)


def _climb(ascend: Callable, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the best grid (rows, columns, C) uint8 on the way up from ``start``, and its score."""
    grid = best = np.round(start)
    scores: list[float] = []
    while len(scores) < STEPS:
        score, gradient = (np.asarray(value) for value in ascend(tf.constant(grid, tf.float32)))
        if score > max(scores, default=-1.0):
            best = grid
        scores.append(float(score))
        if sys.stdout.isatty():
            print(f"\r\x1b[K      {len(grid[0])} x {len(grid)} cells: {max(scores):.3f}", end="", flush=True)
        stalled = len(scores) > PATIENCE and max(scores) < MIN_GAIN * max(scores[:-PATIENCE])
        if score > GOAL or stalled:
            break
        grid = np.clip(grid + 3 * np.sign(gradient), 0, 255)
    if sys.stdout.isatty():
        print("\r\x1b[K", end="")
    return best.astype(np.uint8), max(scores)


def _describe_grid(name: str, content: np.ndarray) -> dict[str, Any]:
    """Return the probe with cells of the colours ``content``: (rows, columns, C) uint8."""
    rows, columns = content.shape[:2]
    encoded = base64.b64encode(content.tobytes()).decode("ascii")
    return {"name": name, "kind": "grid", "rows": rows, "columns": columns, "rgb": encoded}


def _enlarge(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = grid.shape[:2]
    return grid[(np.arange(height) * rows // height)[:, None], np.arange(width) * columns // width]
