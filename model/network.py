"""The networks that can be trained here. Input is RGB in [0, 1], output is P(positive class)."""

from dataclasses import dataclass

import keras
from keras import layers

LEARNING_RATE = 5e-4


@dataclass(frozen=True)
class Widths:
    """Filters of the three convolutions, units of the hidden dense layer, and the dropout after each pooling."""

    filters: tuple[int, int, int]
    units: int
    dropout: float


NETWORKS = {
    "classic": Widths((32, 64, 128), 128, 0.4),
    "small": Widths((8, 16, 32), 32, 0.1),
}


def build(kind: str = "classic", size: int = 128) -> keras.Sequential:
    """Return an untrained network from (N, size, size, 3) float32 in [0, 1] to (N, 1) P(positive).

    ``classic`` at 128 pixels is the network of the original Husky AI, layer for layer: 3,304,769 parameters.
    ``small`` is the same shape with few filters and little dropout, for data sets that seconds should suffice for.
    """
    widths = NETWORKS[kind]
    stack: list[keras.layers.Layer] = [keras.Input((size, size, 3), name="input")]
    for place, filters in enumerate(widths.filters, 1):
        stack += [
            layers.Conv2D(filters, 3, activation="relu", name=f"convolution_{place}"),
            layers.MaxPooling2D(name=f"pooling_{place}"),
            layers.Dropout(widths.dropout, name=f"dropout_{place}"),
        ]
    stack += [
        layers.Flatten(name="flatten"),
        layers.Dense(widths.units, activation="relu", name="hidden"),
        layers.Dense(1, activation="sigmoid", name="score"),
    ]
    return keras.Sequential(stack, name=f"husky_{kind}")


def compile_for_training(model: keras.Model) -> None:
    """Compile with the original's optimizer and loss, and the metrics that training watches."""
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy"), keras.metrics.AUC(name="auc", num_thresholds=1000)],
    )
