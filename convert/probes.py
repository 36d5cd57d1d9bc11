"""Probes: inputs with known outputs, stored so compactly that any runtime can rebuild them and test itself."""

import base64
import re
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from convert.contract import Contract
from convert.graph import INPUT_RANGES
from convert.onnx_network import OnnxNetwork

# Few, because an isolate scores all of them before its first request, while its code is still cold in V8.
COLOURS = np.uint8(
    [
        [[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]],
        [[0, 0, 0], [0, 255, 255], [255, 0, 255], [128, 128, 128]],
    ]
)
NOISE_SEEDS = (1,)
GRID = 16
GOAL = 0.9
STEPS = 300
STARTS = 3
DECIMALS = 6
HEATMAP_DECIMALS = 4


def mulberry32(seed: int, count: int) -> np.ndarray:
    """Return ``count`` uint32 of the generator mulberry32 (T. Ettinger, 2017), as its JavaScript form gives them."""
    state = (np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)).astype(np.uint32)
    mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    return mixed ^ (mixed >> np.uint32(14))


def render(probe: dict[str, Any], height: int, width: int) -> np.ndarray:
    """Return the image that ``probe`` describes: (height, width, 3) uint8."""
    match probe["kind"]:
        case "noise":
            # floor(256 * u), where u is the generator's output / 2^32.
            return (
                (mulberry32(probe["seed"], height * width * 3) >> np.uint32(24))
                .astype(np.uint8)
                .reshape(height, width, 3)
            )
        case "grid":
            content = np.frombuffer(base64.b64decode(probe["rgb"]), np.uint8)
            return _enlarge(content.reshape(probe["rows"], probe["columns"], 3), height, width)
        case kind:
            raise ValueError(f"unknown kind of probe: {kind}")


def make_probes(
    model: keras.Model,
    network: OnnxNetwork,
    contract: Contract,
    input_range: str,
    labels: list[str],
) -> list[dict[str, Any]]:
    """Return the probes of a manifest, with onnxruntime's scores as ``expected``.

    If the graph has a heat map, the optimised probe has its values too, row by row; with several labels, those of the
    most probable one.
    """
    probes = [
        _describe_grid("flat-colours", COLOURS),
        *({"name": f"noise-{seed}", "kind": "noise", "seed": seed} for seed in NOISE_SEEDS),
        _optimise_probe(model, contract, input_range, labels[0]),
    ]
    for probe in probes:
        pixels = render(probe, contract.height, contract.width)
        image = (pixels[None] / 255.0).astype(np.float32)
        scores = network.score(image)[0]
        probe["expected"] = [round(float(score), DECIMALS) for score in scores]
    if network.has_heatmap:
        (heatmap,) = network.draw_heatmaps(image)
        plane = heatmap if contract.size == 1 else heatmap[..., int(scores.argmax())]
        probe["heatmap"] = [round(float(value), HEATMAP_DECIMALS) for value in plane.ravel()]
    return probes


def _optimise_probe(model: keras.Model, contract: Contract, input_range: str, label: str) -> dict[str, Any]:
    """Return a grid that scores as ``label``: the one result no accident produces.

    Ascends the first output along the gradient's sign, from seeded starts near grey, until the grid, rounded to bytes,
    scores over ``GOAL``. Returns the best grid if none does.
    """
    factor, offset = INPUT_RANGES[input_range]
    rows = np.arange(contract.height) * GRID // contract.height
    columns = np.arange(contract.width) * GRID // contract.width

    @tf.function(input_signature=[tf.TensorSpec((GRID, GRID, 3), tf.float32)])
    def ascend(grid: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(grid)
            image = tf.gather(tf.gather(grid, rows, axis=0), columns, axis=1) / 255.0
            score = model((image * factor + offset)[None], training=False)[0, 0]
            gain = tf.math.log(tf.maximum(score, 1e-30))
        return score, tf.convert_to_tensor(tape.gradient(gain, grid))

    best, best_score = np.full((GRID, GRID, 3), 128, np.uint8), -1.0
    for start in range(STARTS):
        random = np.random.default_rng(start)
        grid = random.uniform(96, 160, (GRID, GRID, 3)).astype(np.float32)
        for _ in range(STEPS):
            grid = np.round(grid)
            score, gradient = (np.asarray(value) for value in ascend(tf.constant(grid)))
            if score > best_score:
                best, best_score = grid.astype(np.uint8), float(score)
            if score > GOAL:
                break
            grid = np.clip(grid + 3.0 * np.sign(gradient), 0, 255)
        if best_score > GOAL:
            break
    slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "first"
    return _describe_grid(f"optimised-{slug}", best)


def _describe_grid(name: str, content: np.ndarray) -> dict[str, Any]:
    """Return the probe with cells of the colours ``content``: (rows, columns, 3) uint8."""
    rows, columns = content.shape[:2]
    encoded = base64.b64encode(content.tobytes()).decode("ascii")
    return {"name": name, "kind": "grid", "rows": rows, "columns": columns, "rgb": encoded}


def _enlarge(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = grid.shape[:2]
    return grid[(np.arange(height) * rows // height)[:, None], np.arange(width) * columns // width]
