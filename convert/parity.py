"""Proves that a converted network returns what Keras returns, as far as float32 can promise it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from convert.contract import Contract, check_outputs
from convert.errors import ConversionError
from convert.heatmap import keras_heatmap
from convert.keras_file import (
    Model,
    call_model,
    describe_end,
    find_output_layer,
    read_activation,
    read_weights,
    to_numpy,
    without_activation,
)
from convert.onnx_network import OnnxNetwork

INPUTS = 64
BATCH = 16
# Seeds of the runs with weights that differ by their last bit; of heat maps, only one in so many inputs.
NUDGES = (1, 2)
NOISE_STEP = 4
# How far a faithful network may be from Keras, in multiples of how far Keras is from itself. Both round about as often,
# but in other places.
NOISE_FACTOR = 8


@dataclass(frozen=True)
class Tolerance:
    """The largest differences allowed: of probabilities, of heat maps, and of logits relative to their scale.

    Networks that are noisy in Keras itself may differ by more, up to the caps.
    """

    scores: float
    cap: float
    heatmap: float
    heatmap_cap: float
    logits: float | None = None


# The Worker serves heat maps with four decimals; cells are further from 0 and 1 than their mean.
EXACT = Tolerance(scores=1e-5, cap=1e-4, heatmap=1e-4, heatmap_cap=1e-3, logits=1e-5)
# For weights rounded to float16, which has 11 significant bits.
ROUNDED = Tolerance(scores=1e-2, cap=1e-2, heatmap=5e-2, heatmap_cap=5e-2)


@dataclass(frozen=True)
class Parity:
    """How far the outputs of ``inputs`` images are from Keras's at most, and what was allowed.

    ``logits`` are relative to their scale, or None if there are none; ``labels`` counts the labels that changed.
    """

    inputs: int
    scores: float
    allowed: float
    logits: float | None
    allowed_logits: float
    labels: int

    def __str__(self) -> str:
        logits = ""
        if self.logits is not None:
            logits = f"; logits within {self.logits:.1e} of their scale, allowed {self.allowed_logits:.0e}"
        labels = "no label changes" if self.labels == 0 else f"{self.labels} labels change"
        return f"{self.inputs} inputs agree within {self.scores:.1e}, allowed {self.allowed:.0e}{logits}; {labels}"


def draw_inputs(height: int, width: int, channels: int = 3, count: int = INPUTS) -> np.ndarray:
    """Return (count, height, width, channels) float32 in [0, 1]: extremes, then noise, hard and smooth patterns."""
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
    drawn = np.stack(images).astype(np.float32)
    return drawn if channels == 3 else drawn.mean(axis=3, keepdims=True)


@dataclass(frozen=True)
class Reference:
    """The inputs to compare (N, height, width, C), and what Keras returns for them, by the way it was called.

    ``logits`` (N, size) is None if the network has no logits. In ``nudged`` runs each weight differs by its last bit:
    how far the scores are then from the others is the network's noise, and that of the logits relative to their scale.
    """

    inputs: np.ndarray
    outputs: dict[str, np.ndarray]
    nudged: tuple[np.ndarray, ...] = ()
    logits: np.ndarray | None = None
    logits_noise: float = 0.0
    threshold: float | None = None

    @property
    def noise(self) -> float:
        """How far Keras is from itself."""
        first, *others = (*self.outputs.values(), *self.nudged)
        return float(max((np.abs(other - first).max() for other in others), default=0.0))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest scores that Keras returns, each (N, size)."""
        runs = np.stack([*self.outputs.values(), *self.nudged])
        return runs.min(axis=0), runs.max(axis=0)

    def take(self, indices: np.ndarray) -> "Reference":
        """Return the part with the inputs at ``indices``."""
        return Reference(
            self.inputs[indices],
            {call: scores[indices] for call, scores in self.outputs.items()},
            tuple(scores[indices] for scores in self.nudged),
            None if self.logits is None else self.logits[indices],
            self.logits_noise,
            self.threshold,
        )


def score_in_keras(model: Model, contract: Contract, input_range: str, images: np.ndarray) -> np.ndarray:
    """Return the scores (N, size) of ``images`` (N, H, W, C), float32 in [0, 1]."""
    return to_numpy(call_model(model, contract, input_range, tf.constant(images)))


def run_keras(
    model: Model, contract: Contract, input_range: str, threshold: float | None = None, count: int = INPUTS
) -> Reference:
    """Return what ``model`` returns, called directly and compiled, and its noise.

    Raises ``ConversionError`` if an output is not a probability.
    """
    inputs = draw_inputs(contract.height, contract.width, contract.channels, count)
    layer = find_output_layer(model, contract.output)
    ends_in = read_activation(layer)
    has_logits = contract.appended or ends_in == contract.activation

    def score(images: tf.Tensor) -> tf.Tensor:
        return call_model(model, contract, input_range, images)

    def compute_logits(images: tf.Tensor) -> tf.Tensor:
        with nullcontext() if contract.appended else without_activation(layer):
            return call_model(model, contract, input_range, images, as_logits=True)

    # Two calls: Keras sums in another order for a single image.
    outputs = {"model(x)": _run(score, inputs, BATCH), "compiled, one by one": _run(_compile(score, inputs), inputs, 1)}
    check_outputs(contract, outputs["model(x)"], describe_end(layer))
    call = _compile(compute_logits if has_logits else score, inputs)
    activate = {"softmax": tf.nn.softmax, "sigmoid": tf.nn.sigmoid}[contract.activation]
    logits, nudged, logits_noise = None, [], 0.0
    if has_logits:
        logits = _run(call, inputs, BATCH)
    for seed in NUDGES:
        with _nudged_weights(model, seed):
            found = _run(call, inputs, BATCH)
        if logits is not None:
            logits_noise = max(logits_noise, float(np.abs(found - logits).max() / _measure_scale(logits)))
        nudged.append(to_numpy(activate(found)) if has_logits else found)
    return Reference(inputs, outputs, tuple(nudged), logits, logits_noise, threshold)


def _measure_scale(logits: np.ndarray) -> float:
    return max(1.0, float(np.abs(logits).max()))


def _compile(call: Callable[[tf.Tensor], tf.Tensor], inputs: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    return tf.function(call, input_signature=[tf.TensorSpec((None, *inputs.shape[1:]), tf.float32)])


def _run(call: Callable[[tf.Tensor], tf.Tensor], inputs: np.ndarray, batch: int) -> np.ndarray:
    return np.concatenate([to_numpy(call(tf.constant(part))) for part in _split(inputs, batch)])


@contextmanager
def _nudged_weights(model: Model, seed: int) -> Iterator[None]:
    """Move each float32 weight by its last bit, up or down, meanwhile."""
    random = np.random.default_rng(seed)
    before = read_weights(model)
    for weight, value in zip(model.weights, before, strict=True):
        if value.dtype == np.float32:
            direction = random.choice(np.float32([-np.inf, np.inf]), value.shape)
            weight.assign(np.nextafter(value, direction))
    try:
        yield
    finally:
        for weight, value in zip(model.weights, before, strict=True):
            if value.dtype == np.float32:
                weight.assign(value)


def prove_parity(
    network: OnnxNetwork, reference: Reference, tolerance: Tolerance = EXACT, batches: Sequence[int] = (1, 8, BATCH)
) -> Parity:
    """Compare ``network``, in each of ``batches``, with Keras.

    Raises ``ConversionError`` if a score or logit differs by more than ``tolerance``, or a label changes.
    """
    found = {
        f"in batches of {batch}": np.concatenate([network.score(part) for part in _split(reference.inputs, batch)])
        for batch in batches
    }
    logits = None
    if tolerance.logits is not None and reference.logits is not None:
        parts = [network.compute_logits(part) for part in _split(reference.inputs, BATCH)]
        logits = None if parts[0] is None else np.concatenate(parts)
    return compare_scores(found, reference, tolerance, logits)


def compare_scores(
    found: Mapping[str, np.ndarray],
    reference: Reference,
    tolerance: Tolerance = EXACT,
    logits: np.ndarray | None = None,
) -> Parity:
    """Compare the scores (N, size) of each run in ``found``, by how it was made, with Keras; and ``logits``, if given.

    Raises ``ConversionError`` if one differs by more than ``tolerance``, or a label changes.
    """
    allowed = min(tolerance.cap, max(tolerance.scores, NOISE_FACTOR * reference.noise))
    allowed_logits = max(tolerance.logits or 0, NOISE_FACTOR * reference.logits_noise)
    largest, changed = 0.0, 0
    lowest, highest = reference.bounds
    expected = next(iter(reference.outputs.values()))
    for run, scores in found.items():
        # What lies between results of Keras differs from none of them.
        outside = np.maximum(lowest - scores, scores - highest) if scores.shape == expected.shape else np.array(np.inf)
        difference = max(0.0, float(outside.max()))
        if not difference <= allowed:
            raise ConversionError(f"ONNX and Keras differ: by {difference:.2g}, {run}; allowed {allowed:g}")
        largest = max(largest, difference)
        changed = max(changed, _count_changed(scores, expected, reference))
    relative = None
    if logits is not None and reference.logits is not None:
        relative = float(np.abs(logits - reference.logits).max() / _measure_scale(reference.logits))
        if not relative <= allowed_logits:
            raise ConversionError(
                f"ONNX and Keras differ: by {relative:.2g} of the largest logit; allowed {allowed_logits:g}"
            )
    if changed and tolerance.logits is not None:
        raise ConversionError(f"ONNX and Keras differ: in the label of {changed} of {len(reference.inputs)} inputs")
    return Parity(len(reference.inputs), largest, allowed, relative, allowed_logits, changed)


def _count_changed(scores: np.ndarray, expected: np.ndarray, reference: Reference) -> int:
    """Return how many labels differ, other than where Keras's own noise decides."""
    doubt = max(1e-6, 2 * reference.noise)
    if reference.threshold is not None:
        differ = (scores > reference.threshold) != (expected > reference.threshold)
        return int((differ & (np.abs(expected - reference.threshold) > doubt)).any(axis=1).sum())
    rows = np.arange(len(expected))
    margin = expected.max(axis=1) - expected[rows, scores.argmax(axis=1)]
    return int((margin > doubt).sum())


def prove_heatmaps(
    network: OnnxNetwork,
    model: Model,
    contract: Contract,
    positive: np.ndarray,
    input_range: str,
    tolerance: Tolerance = EXACT,
) -> tuple[float, float]:
    """Return the largest difference between the heat maps of ``model`` and of ``network``, and what was allowed.

    The inputs are those of ``run_keras`` and views of ``positive`` (height, width, C), an image that scores as
    positive: the maps of all others may be empty. Raises ``ConversionError`` if a value differs by more than
    ``tolerance``, or than Keras's own noise explains.
    """
    views = [positive, positive[:, ::-1], positive[::-1], positive[::-1, ::-1]]
    views += [np.roll(positive, (shift // 2, shift), axis=(0, 1)) for shift in range(3, 39, 3)]
    inputs = np.concatenate([np.stack(views).astype(np.float32), draw_inputs(*positive.shape)])
    found = np.concatenate([network.draw_heatmaps(part) for part in _split(inputs, BATCH)])

    def draw(images: tf.Tensor) -> np.ndarray:
        return keras_heatmap(model, contract, input_range, images, *found.shape[1:3])

    expected = _run(draw, inputs, BATCH)
    with _nudged_weights(model, NUDGES[0]):
        noise = np.abs(_run(draw, inputs[::NOISE_STEP], BATCH) - expected[::NOISE_STEP]).max()
    allowed = max(tolerance.heatmap, min(tolerance.heatmap_cap, NOISE_FACTOR * noise))
    difference = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
    if not difference <= allowed:
        raise ConversionError(f"the heat maps of ONNX and Keras differ: by {difference:.2g}, allowed {allowed:g}")
    return float(difference), float(allowed)


def _split(inputs: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]
