"""What a network must look like to be served: shapes, outputs, labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from convert.commands import suggest
from convert.errors import ConversionError

CHANNELS = (1, 3)
MAX_SIDE = 1024
SUM_TOLERANCE = 1e-3
# The memory of an isolate, for everything in it, and what ONNX Runtime takes without a network.
ISOLATE_BYTES, RUNTIME_BYTES = 128 * 2**20, 16_800_000
SMALLER = "use a smaller network, such as MobileNetV2 or EfficientNetB0"
# Activations whose outputs are neither probabilities nor logits.
NO_PROBABILITIES = (
    "ELU LeakyReLU PReLU ReLU elu gelu leaky_relu relu relu6 selu softplus softsign swish silu tanh".split()
)
INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "int64")


@dataclass(frozen=True)
class Contract:
    """Input (N, height, width, channels), output (N, size) after ``activation``: softmax, or sigmoid for each output.

    The rest says how the Keras model differs from this: it takes 4 ``dimensions``, 3 (no axis for the channel) or 2
    (one vector), in ``dtype``; its output is one of several, and ``appended`` if it lacks the activation.
    """

    height: int
    width: int
    size: int
    activation: Literal["sigmoid", "softmax"]
    channels: int = 3
    dimensions: int = 4
    dtype: str = "float32"
    output: int = 0
    appended: bool = False

    @property
    def independent(self) -> bool:
        """Whether each of several labels has a probability of its own."""
        return self.activation == "sigmoid" and self.size > 1


def read_contract(
    model: Any,
    labels: Sequence[str] | None,
    *,
    size: tuple[int, int] | None = None,
    output: str | None = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
    multi_label: bool = False,
    read_end: Callable[[int], str | None] = lambda _output: None,
) -> Contract:
    """Return the contract of ``model``. Raises ``ConversionError`` if its shapes or the labels cannot be served.

    ``size`` is (width, height), for models that leave it open; ``activation`` is what to append. ``read_end`` returns
    the activation that an output ends in, if known.
    """
    if len(model.inputs) != 1:
        raise ConversionError(
            f"the model must have one input, found {len(model.inputs)}: the service sends it one photo and nothing "
            "else; build a model that takes the photo alone, copy the weights, and save it"
        )
    index = _choose_output(model, output)
    height, width, channels, dimensions = _read_input(tuple(model.inputs[0].shape), size)
    dtype = _name_of(model.inputs[0].dtype)
    if dtype not in (*INTEGERS, "float32"):
        raise ConversionError(f"the input must be pixels, found {dtype}")
    classes = _count_outputs(tuple(model.outputs[index].shape))
    check_labels(classes, labels)
    if activation == "softmax" and (classes == 1 or multi_label):
        raise ConversionError("--activation softmax needs several labels that exclude each other; pass sigmoid")
    ends_in = read_end(index)
    if activation is not None and ends_in is not None:
        raise ConversionError(f"--activation: the model already ends in a {ends_in}; leave the option out")
    if classes == 1 and ends_in == "softmax":
        raise ConversionError(
            "the model ends in a softmax over one number, which is always 1, so it cannot tell anything apart: train "
            "it again with Dense(1, activation='sigmoid') or Dense(2, activation='softmax')"
        )
    # Nothing else has two sigmoids: labels that exclude each other would have one sigmoid, or a softmax.
    two_sigmoids = classes == 2 and ends_in == "sigmoid"
    independent = classes == 1 or multi_label or activation == "sigmoid" or two_sigmoids
    return Contract(
        height,
        width,
        classes,
        "sigmoid" if independent else "softmax",
        channels,
        dimensions,
        dtype,
        index,
        activation is not None,
    )


def count_weights(model: Any) -> int:
    """Return how many numbers the kernels of ``model`` have."""
    return sum(math.prod(weight.shape) for weight in model.weights if len(weight.shape) > 1)


def check_size(numbers: int) -> None:
    """Raise ``ConversionError`` if kernels of so many numbers alone exceed an isolate: converting them takes minutes.

    The exact limit applies to the converted network.
    """
    # While a model loads, its weights are there twice.
    if RUNTIME_BYTES + 2 * 4 * numbers > ISOLATE_BYTES:
        raise ConversionError(
            f"the network is too large: its {numbers / 1e6:.1f} million weights take {4 * numbers / 1e6:.0f} MB, twice "
            f"while it loads, and an isolate of the Worker has {ISOLATE_BYTES / 1e6:.0f} MB for everything; {SMALLER}"
        )


def check_labels(classes: int, labels: Sequence[str] | None) -> None:
    """Raise ``ConversionError`` unless there are as many labels as a network with so many outputs needs."""
    wanted = 2 if classes == 1 else classes
    kind = "positive, negative" if classes == 1 else "one for each output"
    if labels is None:
        example = "positive,negative" if classes == 1 else "first,second,…"
        raise ConversionError(
            f"the model needs {wanted} labels ({kind}), given none: pass --labels {example} or --labels-file FILE"
        )
    if len(labels) != wanted:
        shown = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
        raise ConversionError(f"the model needs {wanted} labels ({kind}), given {len(labels)}: {shown}")


def _choose_output(model: Any, wanted: str | None) -> int:
    names = [str(name) for name in getattr(model, "output_names", [])]
    count = len(model.outputs)
    if wanted is None:
        if count != 1:
            choices = ", ".join(names) or f"0 to {count - 1}"
            raise ConversionError(
                f"the model has {count} outputs ({choices}): choose one with --output, such as "
                f"{suggest('--output', names[0] if names else '0')}"
            )
        return 0
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < count:
        return int(wanted)
    raise ConversionError(f"--output: the model has no output '{wanted}', but {', '.join(names) or count}")


def _read_input(given: tuple[int | None, ...], size: tuple[int, int] | None) -> tuple[int, int, int, int]:
    """Return height, width and channels of the input, and its number of dimensions. The batch size does not matter."""
    if len(given) == 2 and given[1] is not None:
        if size is None or given[1] not in (channels * size[0] * size[1] for channels in CHANNELS):
            raise ConversionError(
                f"the input must be an image, found a vector of {given[1]}: if it holds the pixels of an image row by "
                f"row, pass its size, such as {suggest('--size', _square(given[1]))}"
            )
        return size[1], size[0], given[1] // (size[0] * size[1]), 2
    if len(given) == 3:
        given = (*given, 1)
        dimensions = 3
    elif len(given) == 4:
        dimensions = 4
    else:
        raise ConversionError(f"the input must have four dimensions (batch, height, width, channels), found {given}")
    _, height, width, channels = given
    if channels not in CHANNELS:
        if given[1] in CHANNELS:
            raise ConversionError(
                f"the channels must come last, found {given}: build the network with data_format='channels_last', and "
                "train it again"
            )
        hint = (
            ": RGBA photos lose their alpha on the way, so train the network on RGB"
            if channels == 4
            else ": if these are the features of another network, save both as one model"
        )
        raise ConversionError(f"the input must have 3 channels (RGB) or 1 (grey), last, found {given}{hint}")
    if size is not None:
        if height not in (None, size[1]) or width not in (None, size[0]):
            raise ConversionError(f"--size: the input of the model is fixed, {width} x {height}")
        width, height = size
    if height is None or width is None:
        raise ConversionError(
            f"height and width of the input must be fixed, found {given}: pass the size in training, such as "
            f"{suggest('--size', '224x224')}"
        )
    if max(height, width) > MAX_SIDE:
        raise ConversionError(f"the input may measure at most {MAX_SIDE} pixels a side, found {given}")
    return height, width, channels, dimensions


def _square(length: int) -> str:
    """Return the size of the square image whose pixels such a vector holds, as --size takes it."""
    sides = [round((length / channels) ** 0.5) for channels in CHANNELS]
    fitting = [side for side, channels in zip(sides, CHANNELS, strict=True) if side**2 * channels == length]
    side = (fitting or sides)[0]
    return f"{side}x{side}"


def _count_outputs(answer: tuple[int | None, ...]) -> int:
    """Return the number of scores of one photo in an output of this shape."""
    sizes = [length for length in answer[1:] if length != 1]
    if None in sizes or len(sizes) > 1 or not 2 <= len(answer) <= 4:
        raise ConversionError(
            f"the output must be (batch, 1) or (batch, classes), found {answer}: only classifiers are served; if an "
            "argmax ends the model, leave it out"
        )
    return sizes[0] if sizes else 1


def _name_of(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))


def check_outputs(contract: Contract, outputs: np.ndarray, ends_in: str | None = None) -> None:
    """Raise ``ConversionError``, with the option that helps, unless ``outputs`` (N, size) are probabilities.

    ``ends_in`` is the name of the model's last activation or layer, if known.
    """
    if not np.isfinite(outputs).all():
        raise ConversionError(
            "the network returns numbers that are not finite for plain colours or noise: its weights are damaged, or a "
            "Masking layer leaves nothing of a plain colour; train it again, or build it without that layer"
        )
    if ends_in in NO_PROBABILITIES and not contract.appended:
        raise ConversionError(
            f"the network must return probabilities, but it ends in {ends_in}: give the last layer the activation "
            f"{contract.activation}, and train it again"
        )
    if outputs.min() < 0 or outputs.max() > 1:
        number = " (a model that predicts a number instead of a class cannot be served)" if contract.size == 1 else ""
        raise ConversionError(
            f"the network must end in a {contract.activation}: found {outputs.min():.4g} to {outputs.max():.4g}; if it "
            f"was trained on logits (from_logits=True), pass {suggest('--activation', contract.activation)}{number}"
        )
    if contract.activation == "softmax" and np.abs(outputs.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        if ends_in == "sigmoid":
            raise ConversionError(
                f"the outputs do not sum to 1: each of the {contract.size} is a sigmoid of its own; if each label "
                f"applies or not, whatever the others, pass {suggest('--multi-label')}"
            )
        raise ConversionError(
            "the outputs do not sum to 1: the network must end in a softmax; if these are logits, pass "
            f"{suggest('--activation', contract.activation)}; if labels are independent, {suggest('--multi-label')}"
        )
