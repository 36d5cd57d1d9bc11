"""Proof that the ONNX graph answers as the Keras file does."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from contract import Contract, check_outputs
from graph import INPUT_RANGES
from heatmap import keras_heatmap
from inspect_file import ConversionError
from onnx_network import OnnxNetwork

INPUTS = 64
BATCH = 16


@dataclass(frozen=True)
class Tolerance:
    """The largest differences that are allowed."""

    scores: float
    heatmap: float


# What is served of a heat map has four decimals; its cells are further from 0 and 1 than their mean.
EXACT = Tolerance(scores=1e-5, heatmap=1e-4)
# With weights rounded to float16, that is to 11 binary digits.
ROUNDED = Tolerance(scores=1e-2, heatmap=5e-2)


@dataclass(frozen=True)
class Parity:
    """How many inputs were compared, within which tolerance, and the largest difference found."""

    inputs: int
    tolerance: float
    largest: float


def parity_inputs(height: int, width: int, count: int = INPUTS) -> np.ndarray:
    """Return (count, height, width, 3) float32 in [0, 1]: the extremes first, then noise, smooth and harsh pictures."""
    random = np.random.default_rng(20190824)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    pictures: list[np.ndarray] = []
    for colour in ([0, 0, 0], [1, 1, 1], [0.5] * 3, [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]):
        pictures.append(np.broadcast_to(np.float32(colour), (height, width, 3)))
    for grey in ((rows + columns) % 2, columns % 2, rows % 2, rows / height, columns / width):
        pictures.append(np.repeat(grey[..., None], 3, axis=2))
    kind = 0
    while len(pictures) < count:
        match kind % 3:
            case 0:
                picture = random.random((height, width, 3))
            case 1:
                picture = random.integers(0, 2, (height, width, 3))
            case _:
                waves = [
                    np.sin(rows * random.uniform(0, 0.4) + columns * random.uniform(0, 0.4) + random.uniform(0, 6.28))
                    for _ in range(3)
                ]
                picture = np.stack(waves, axis=2) * random.uniform(0.1, 0.5) + 0.5
        pictures.append(picture)
        kind += 1
    return np.stack(pictures).astype(np.float32)


def prove_parity(
    source: Path, graph: bytes, contract: Contract, input_range: str, tolerance: Tolerance = EXACT
) -> Parity:
    """Compare the Keras file, freshly loaded, called both ways, with ``graph`` alone, in eights and sixteens.

    Raises ``ConversionError`` where a score differs by more than ``tolerance``, or an output is no probability.
    """
    inputs = parity_inputs(contract.height, contract.width)
    keras_inputs = _for_keras(inputs, input_range)

    model = keras.models.load_model(source, compile=False)
    expected = {
        "model(x)": np.concatenate([keras.ops.convert_to_numpy(model(part)) for part in _parts(keras_inputs, BATCH)]),
        "predict": model.predict(keras_inputs, batch_size=BATCH, verbose=0),
    }
    check_outputs(contract, expected["model(x)"])

    network = OnnxNetwork(graph)
    largest = 0.0
    for batch in (1, BATCH // 2, BATCH):
        found = np.concatenate([network.scores(part) for part in _parts(inputs, batch)])
        for way, answers in expected.items():
            difference = np.abs(found - answers).max() if found.shape == answers.shape else np.inf
            if not difference <= tolerance.scores:
                raise ConversionError(
                    f"ONNX and Keras differ: by {difference:.2g} from {way}, batches of {batch}; "
                    f"allowed {tolerance.scores:g}"
                )
            largest = max(largest, float(difference))
    return Parity(len(inputs), tolerance.scores, largest)


def prove_heatmaps(
    source: Path, network: OnnxNetwork, liked: np.ndarray, input_range: str, tolerance: Tolerance = EXACT
) -> float:
    """Return the largest difference of the heat maps of Keras and of ``network``, which has one.

    On the inputs of ``prove_parity``, and on views of ``liked`` (height, width, 3), a picture that the network takes
    for its class: on the others there may be nothing to see. Raises ``ConversionError`` where a value differs by more
    than ``tolerance``.
    """
    views = [liked, liked[:, ::-1], liked[::-1], liked[::-1, ::-1]]
    views += [np.roll(liked, (shift // 2, shift), axis=(0, 1)) for shift in range(3, 39, 3)]
    inputs = np.concatenate([np.stack(views).astype(np.float32), parity_inputs(*liked.shape[:2])])
    model = keras.models.load_model(source, compile=False)
    largest = 0.0
    for part in _parts(inputs, BATCH):
        found = network.heatmaps(part)
        expected = keras_heatmap(model, _for_keras(part, input_range), *found.shape[1:3])
        difference = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
        if not difference <= tolerance.heatmap:
            raise ConversionError(
                f"the heat maps of ONNX and Keras differ: by {difference:.2g}, allowed {tolerance.heatmap:g}"
            )
        largest = max(largest, float(difference))
    return largest


def _for_keras(inputs: np.ndarray, input_range: str) -> np.ndarray:
    factor, offset = (np.float32(number) for number in INPUT_RANGES[input_range])
    return inputs if input_range == "0..1" else inputs * factor + offset


def _parts(inputs: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]
