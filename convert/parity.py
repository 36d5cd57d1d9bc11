"""Proves that a converted network returns what Keras returns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from convert.contract import Contract, check_outputs
from convert.errors import ConversionError
from convert.graph import INPUT_RANGES
from convert.heatmap import keras_heatmap
from convert.onnx_network import OnnxNetwork

INPUTS = 64
BATCH = 16


@dataclass(frozen=True)
class Tolerance:
    """The largest differences allowed."""

    scores: float
    heatmap: float


# The Worker serves heat maps with four decimals; cells are further from 0 and 1 than their mean.
EXACT = Tolerance(scores=1e-5, heatmap=1e-4)
# For weights rounded to float16, which has 11 significant bits.
ROUNDED = Tolerance(scores=1e-2, heatmap=5e-2)


@dataclass(frozen=True)
class Parity:
    """The number of inputs compared, the tolerance, and the largest difference found."""

    inputs: int
    tolerance: float
    largest: float


def draw_inputs(height: int, width: int, count: int = INPUTS) -> np.ndarray:
    """Return (count, height, width, 3) float32 in [0, 1]: extremes first, then noise, hard and smooth patterns."""
    random = np.random.default_rng(20190824)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    images: list[np.ndarray] = []
    for colour in ([0, 0, 0], [1, 1, 1], [0.5] * 3, [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]):
        images.append(np.broadcast_to(np.float32(colour), (height, width, 3)))
    for grey in ((rows + columns) % 2, columns % 2, rows % 2, rows / height, columns / width):
        images.append(np.repeat(grey[..., None], 3, axis=2))
    kind = 0
    while len(images) < count:
        match kind % 3:
            case 0:
                image = random.random((height, width, 3))
            case 1:
                image = random.integers(0, 2, (height, width, 3))
            case _:
                waves = [
                    np.sin(rows * random.uniform(0, 0.4) + columns * random.uniform(0, 0.4) + random.uniform(0, 6.28))
                    for _ in range(3)
                ]
                image = np.stack(waves, axis=2) * random.uniform(0.1, 0.5) + 0.5
        images.append(image)
        kind += 1
    return np.stack(images).astype(np.float32)


@dataclass(frozen=True)
class Reference:
    """The inputs to compare (N, height, width, 3), and what Keras returns for them, by the way it was called."""

    inputs: np.ndarray
    outputs: dict[str, np.ndarray]

    def take(self, indices: np.ndarray) -> "Reference":
        """Return the part with the inputs at ``indices``."""
        return Reference(self.inputs[indices], {call: scores[indices] for call, scores in self.outputs.items()})


def score_in_keras(model: keras.Model, input_range: str, images: np.ndarray) -> np.ndarray:
    """Return the scores (N, size) of ``images`` (N, H, W, 3), float32 in [0, 1]."""
    return keras.ops.convert_to_numpy(model(_scale_for_keras(images, input_range)))


def run_keras(model: keras.Model, contract: Contract, input_range: str) -> Reference:
    """Return what ``model`` returns, called directly and by predict.

    Raises ``ConversionError`` if an output is not a probability.
    """
    inputs = draw_inputs(contract.height, contract.width)
    scaled = _scale_for_keras(inputs, input_range)
    outputs = {
        "model(x)": np.concatenate([score_in_keras(model, input_range, part) for part in _split(inputs, BATCH)]),
        "predict": model.predict(scaled, batch_size=BATCH, verbose=0),
    }
    check_outputs(contract, outputs["model(x)"])
    return Reference(inputs, outputs)


def prove_parity(
    network: OnnxNetwork, reference: Reference, tolerance: Tolerance = EXACT, batches: Sequence[int] = (1, 8, BATCH)
) -> Parity:
    """Compare ``network``, in each of ``batches``, with Keras.

    Raises ``ConversionError`` if a score differs by more than ``tolerance``.
    """
    found = {
        f"in batches of {batch}": np.concatenate([network.score(part) for part in _split(reference.inputs, batch)])
        for batch in batches
    }
    return compare_scores(found, reference, tolerance)


def compare_scores(found: Mapping[str, np.ndarray], reference: Reference, tolerance: Tolerance = EXACT) -> Parity:
    """Compare the scores (N, size) of each run in ``found``, by how it was made, with Keras.

    Raises ``ConversionError`` if a score differs by more than ``tolerance``.
    """
    largest = 0.0
    for run, scores in found.items():
        for call, expected in reference.outputs.items():
            difference = np.abs(scores - expected).max() if scores.shape == expected.shape else np.inf
            if not difference <= tolerance.scores:
                raise ConversionError(
                    f"ONNX and Keras differ: by {difference:.2g} from {call}, {run}; allowed {tolerance.scores:g}"
                )
            largest = max(largest, float(difference))
    return Parity(len(reference.inputs), tolerance.scores, largest)


def prove_heatmaps(
    network: OnnxNetwork,
    model: keras.Model,
    positive: np.ndarray,
    input_range: str,
    tolerance: Tolerance = EXACT,
) -> float:
    """Return the largest difference between the heat maps of ``model`` and of ``network``.

    The inputs are those of ``run_keras`` and views of ``positive`` (height, width, 3), an image that scores as
    positive: the maps of all others may be empty. Raises ``ConversionError`` if a value differs by more than
    ``tolerance``.
    """
    views = [positive, positive[:, ::-1], positive[::-1], positive[::-1, ::-1]]
    views += [np.roll(positive, (shift // 2, shift), axis=(0, 1)) for shift in range(3, 39, 3)]
    inputs = np.concatenate([np.stack(views).astype(np.float32), draw_inputs(*positive.shape[:2])])
    largest = 0.0
    for part in _split(inputs, BATCH):
        found = network.draw_heatmaps(part)
        expected = keras_heatmap(model, _scale_for_keras(part, input_range), *found.shape[1:3])
        difference = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
        if not difference <= tolerance.heatmap:
            raise ConversionError(
                f"the heat maps of ONNX and Keras differ: by {difference:.2g}, allowed {tolerance.heatmap:g}"
            )
        largest = max(largest, float(difference))
    return largest


def _scale_for_keras(inputs: np.ndarray, input_range: str) -> np.ndarray:
    factor, offset = (np.float32(number) for number in INPUT_RANGES[input_range])
    return inputs if input_range == "0..1" else inputs * factor + offset


def _split(inputs: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]
