"""What a model's first layers and its outputs say about the pixel values that it expects."""

import numbers
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convert import junk
from convert.contract import INTEGERS, Contract
from convert.input_range import INPUT_RANGES
from convert.keras_file import Layer, Model, is_model, kind_of, to_numpy
from convert.parity import score_in_keras

# Large networks take gigabytes for many pictures at once.
PICTURES, BATCH = 32, 4
# Outputs that vary by less are alike; outputs nearer to 1 are saturated.
LEAST_SPREAD, SATURATED = 0.01, 0.999
# A constant above this only makes sense for pixels up to 255.
LARGEST_OF_UNIT = 1.5
# Layers in front that keep the range.
TRANSPARENT = frozenset(
    "InputLayer Resizing CenterCrop Identity Dropout GaussianNoise Reshape GetItem SlicingOpLambda Stack Cast Permute "
    "ZeroPadding2D Cropping2D CastToFloat32 ExpandLastDim".split()
)
DIVISIONS = frozenset("TrueDivide Divide math.truediv math.divide".split())
PRODUCTS = frozenset("Multiply math.multiply".split())
SUMS = frozenset("Subtract Add BiasAdd math.subtract math.add __operators__.add nn.bias_add".split())


def read_known_range(model: Model) -> str | None:
    """Return the range that the first layer states, a Rescaling for example, or None."""
    if str(getattr(model.inputs[0].dtype, "name", model.inputs[0].dtype)) in INTEGERS:
        return "0..255"
    for layer in _walk(model):
        kind = kind_of(layer)
        if kind in ("TFOpLambda", "SlicingOpLambda"):
            kind = layer.get_config().get("function", kind)
        if kind in TRANSPARENT or kind.startswith("Random") or kind == "__operators__.getitem":
            continue
        if kind == "Rescaling":
            return "0..255" if np.max(np.abs(layer.scale)) < 0.1 else "0..1"
        if kind == "Normalization":
            mean = getattr(layer, "mean", None)
            return None if mean is None else _choose(np.max(to_numpy(mean)))
        if kind in DIVISIONS:
            return _choose(max(_read_constants(layer), default=0.0))
        if kind in PRODUCTS:
            smallest = min(_read_constants(layer), default=1.0)
            return "0..255" if smallest < 0.1 else None
        if kind in SUMS and max(_read_constants(layer), default=0.0) > LARGEST_OF_UNIT:
            return "0..255"
        return None
    return None


def _choose(constant: float) -> str:
    return "0..255" if constant > LARGEST_OF_UNIT else "0..1"


def _walk(model: Model) -> Iterator[Layer]:
    for layer in getattr(model, "operations", None) or model.layers:
        if is_model(layer):
            yield from _walk(layer)
        else:
            yield layer


def _read_constants(layer: Layer) -> list[float]:
    """Return the magnitudes of the constants that an arithmetic layer takes beside tensors of the network."""
    (node, *_) = layer._inbound_nodes
    arguments = getattr(node, "arguments", None)
    given = (
        (*arguments.args, *arguments.kwargs.values()) if arguments else (*node.call_args, *node.call_kwargs.values())
    )
    found = []
    for value in given:
        if isinstance(value, numbers.Number):
            found.append(abs(float(value)))
        elif isinstance(value, np.ndarray) or hasattr(value, "numpy"):
            found.append(float(np.max(np.abs(to_numpy(value)))))
        elif isinstance(value, list) and value and all(isinstance(item, numbers.Number) for item in value):
            found.append(float(np.max(np.abs(value))))
    return found


@dataclass(frozen=True)
class Trial:
    """How the outputs for drawn pictures vary if their pixel values have a range."""

    spread: float
    saturated: bool

    @property
    def is_alike(self) -> bool:
        """Whether the outputs are the same whatever the picture."""
        return self.spread < LEAST_SPREAD

    @property
    def is_plausible(self) -> bool:
        """Whether the outputs vary and leave doubt, as those of a trained network in its own range mostly do."""
        return not self.is_alike and not self.saturated

    def __str__(self) -> str:
        if self.is_alike:
            return "all outputs alike"
        return "all outputs saturated" if self.saturated else "plausible"


def try_ranges(model: Model, contract: Contract) -> dict[str, Trial]:
    """Return the trial of each range."""
    (pictures,) = junk.draw_batches(
        PICTURES, junk.TEST_SEED, contract.width, contract.height, PICTURES, contract.channels
    )
    tried = {}
    for name in INPUT_RANGES:
        parts = np.split(pictures.astype(np.float32), PICTURES // BATCH)
        scores = np.concatenate([score_in_keras(model, contract, name, part) for part in parts])
        spread = float(np.ptp(scores, axis=0).max())
        best = np.maximum(scores, 1 - scores) if contract.size == 1 else scores.max(axis=1)
        tried[name] = Trial(spread, bool((best > SATURATED).mean() > 0.9))
    return tried
