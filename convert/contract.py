"""What a network must look like to be served: shapes, outputs, labels."""

from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np

from convert.errors import ConversionError

CHANNELS = 3
MAX_SIDE = 1024
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Contract:
    """Input (N, height, width, 3), output (N, size) after ``activation``."""

    height: int
    width: int
    size: int
    activation: Literal["sigmoid", "softmax"]


def read_contract(model: keras.Model, labels: list[str]) -> Contract:
    """Return the contract of ``model``. Raises ``ConversionError`` if its shapes or the labels cannot be served."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ConversionError(
            f"the model must have one input and one output, found {len(model.inputs)} and {len(model.outputs)}"
        )
    given, answer = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    if len(given) != 4:
        raise ConversionError(f"the input must have four dimensions (batch, height, width, channels), found {given}")
    batch, height, width, channels = given
    if batch is not None or (answer and answer[0] is not None):
        raise ConversionError(f"the batch size must not be fixed, found {given} to {answer}")
    if channels != CHANNELS:
        raise ConversionError(f"the input must have {CHANNELS} channels (RGB, last), found {given}")
    if height is None or width is None:
        raise ConversionError(f"height and width of the input must be fixed, found {given}")
    if max(height, width) > MAX_SIDE:
        raise ConversionError(f"the input may measure at most {MAX_SIDE} pixels a side, found {given}")
    if len(answer) != 2 or answer[1] is None:
        raise ConversionError(f"the output must be (batch, 1) or (batch, classes), found {answer}")
    size = answer[1]
    wanted = 2 if size == 1 else size
    if len(labels) != wanted:
        kind = "positive, negative" if size == 1 else "one for each output"
        raise ConversionError(f"the model needs {wanted} labels ({kind}), given {len(labels)}: {', '.join(labels)}")
    return Contract(height, width, size, "sigmoid" if size == 1 else "softmax")


def check_outputs(contract: Contract, outputs: np.ndarray) -> None:
    """Raise ``ConversionError`` unless ``outputs`` (N, size) are probabilities."""
    if not np.isfinite(outputs).all():
        raise ConversionError("the network returns numbers that are not finite")
    if outputs.min() < 0 or outputs.max() > 1:
        raise ConversionError(
            f"the network must end in a {contract.activation}: found {outputs.min():.4g} to {outputs.max():.4g}"
        )
    if contract.size > 1 and np.abs(outputs.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        raise ConversionError("the outputs do not sum to 1: the network must end in a softmax")
