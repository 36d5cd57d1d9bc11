"""The network of the original Husky AI, and its training from scratch. RGB in [0, 1] to P(positive)."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from model.training.augmentation import apply_maps, draw_maps
from model.training.dataset import Split
from model.training.photos import to_input

LEARNING_RATE = 5e-4
EPOCH_SIZE = 3200
PATIENCE = 10


@dataclass(frozen=True)
class Widths:
    """The filters of the three convolutions, the units of the hidden layer, and the dropout after each pooling."""

    filters: tuple[int, int, int]
    units: int
    dropout: float


NETWORKS = {
    "classic": Widths((32, 64, 128), 128, 0.4),
    "small": Widths((8, 16, 32), 32, 0.1),
}


def build(kind: str = "classic", size: int = 128) -> keras.Sequential:
    """Return an untrained network from (N, size, size, 3) float32 in [0, 1] to (N, 1) P(positive).

    ``classic`` at 128 pixels is the original network, layer for layer: 3,304,769 parameters. ``small`` has the same
    shape with few filters and little dropout, and learns simple data sets in seconds.
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


class Deck:
    """Draws from a set without replacement, and reshuffles once it is used up."""

    def __init__(self, members: np.ndarray, random: np.random.Generator) -> None:
        self._members = members
        self._random = random
        self._rest = np.empty(0, members.dtype)

    def draw(self, count: int) -> np.ndarray:
        """Return the next ``count`` members."""
        while len(self._rest) < count:
            self._rest = np.concatenate([self._rest, self._random.permutation(self._members)])
        drawn, self._rest = self._rest[:count], self._rest[count:]
        return drawn


class BalancedBatches(keras.utils.PyDataset):
    """Batches of augmented photos, half of them positive in each epoch; only the seed decides what they contain.

    The deck of each class outlasts the epoch: photos of the small class repeat (each time as a new view), and every
    photo of the large class is seen once, over several epochs, before any repeats.
    """

    def __init__(self, split: Split, batch_size: int, epoch_size: int, seed: int) -> None:
        super().__init__()
        self._split = split
        self._batch_size = batch_size
        self._half = max(1, epoch_size // 2)
        self._random = np.random.default_rng(seed)
        self._positive = Deck(np.flatnonzero(split.labels == 1), self._random)
        self._negative = Deck(np.flatnonzero(split.labels == 0), self._random)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-2 * self._half // self._batch_size)

    def on_epoch_end(self) -> None:
        """Draw the photos and the views of the next epoch."""
        drawn = np.concatenate([self._positive.draw(self._half), self._negative.draw(self._half)])
        self.order = self._random.permutation(drawn)
        self.maps = draw_maps(self._random, len(self.order), self._split.pixels.shape[1])

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return batch ``index``: (B, size, size, 3) float32 in [0, 1] and (B, 1) labels."""
        part = slice(index * self._batch_size, (index + 1) * self._batch_size)
        chosen = self.order[part]
        views = apply_maps(self._split.pixels[chosen], self.maps[part])
        return to_input(views), self._split.labels[chosen, None]


def epoch_size(training: Split) -> int:
    """Return how many photos an epoch draws: twice the larger class, at most ``EPOCH_SIZE``."""
    return min(EPOCH_SIZE, 2 * max(training.counts()))


def fit(
    training: Split,
    validation: Split,
    *,
    network: str,
    epochs: int,
    batch_size: int,
    seed: int,
    verbose: int = 0,
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train from scratch and return the model of the epoch with the best validation AUC, and the history.

    Stops after ``PATIENCE`` epochs without a better AUC. The same arguments give the same weights on the same machine
    with the same TensorFlow.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        from tensorflow import config

        config.experimental.enable_op_determinism()
    model = build(network, training.pixels.shape[1])
    compile_for_training(model)
    best = keras.callbacks.EarlyStopping(
        monitor="val_auc", mode="max", patience=PATIENCE, restore_best_weights=True, verbose=0
    )
    result = model.fit(
        BalancedBatches(training, batch_size, epoch_size(training), seed),
        validation_data=(to_input(validation.pixels), validation.labels[:, None]),
        validation_batch_size=64,
        epochs=epochs,
        verbose=verbose,
        callbacks=[best],
    )
    return model, {name: [round(float(value), 6) for value in values] for name, values in result.history.items()}


def describe_settings(
    training: Split, history: dict[str, list[float]], *, seed: int, batch_size: int
) -> dict[str, object]:
    """Return the settings of a training by ``fit``, and the epoch it kept: the first with the best validation AUC."""
    return {
        "seed": seed,
        "epochs": len(history["loss"]),
        "best_epoch": history["val_auc"].index(max(history["val_auc"])) + 1,
        "patience": PATIENCE,
        "photos_per_epoch": epoch_size(training),
        "batch_size": batch_size,
        "learning_rate": LEARNING_RATE,
    }
