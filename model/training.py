"""Fitting a network to a data set, repeatably."""

import keras
import tensorflow as tf

from dataset import BalancedBatches, Split
from network import LEARNING_RATE, build, compile_for_training
from photo import to_input

EPOCH_SIZE = 3200
PATIENCE = 10


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
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train from scratch and return the model of the epoch with the best validation AUC, and the history.

    Stops when the AUC has not risen for ``PATIENCE`` epochs. The same arguments give the same weights on the same
    machine with the same TensorFlow.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
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
        callbacks=[best, *callbacks],
    )
    return model, {name: [round(float(value), 6) for value in values] for name, values in result.history.items()}


def settings(training: Split, history: dict[str, list[float]], *, seed: int, batch_size: int) -> dict[str, object]:
    """Return what a training by ``fit`` was told, and which epoch it kept: the first with the best validation AUC."""
    return {
        "seed": seed,
        "epochs": len(history["loss"]),
        "best_epoch": history["val_auc"].index(max(history["val_auc"])) + 1,
        "patience": PATIENCE,
        "photos_per_epoch": epoch_size(training),
        "batch_size": batch_size,
        "learning_rate": LEARNING_RATE,
    }
