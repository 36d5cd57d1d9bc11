"""A binary Keras model as two functions of images: its scores, and its adversarial examples."""

import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import tensorflow as tf

from convert.contract import read_contract
from convert.keras_file import (
    call_model,
    find_output_layer,
    load_model,
    prepare_copy,
    read_activation,
    without_activation,
)
from convert.source import find_source


class Judge:
    """Scores and attacks images (N, height, width, C), float32 in [0, 1]."""

    def __init__(self, file: Path, input_range: str) -> None:
        """Inspect ``file`` as conversion does, then load it. Raises ``ConversionError``."""
        with tempfile.TemporaryDirectory(prefix="husky-judge-") as scratch:
            source = find_source(file)
            self.content = source.content
            copy = Path(scratch, "source.keras" if source.kind == "keras" else "source.h5")
            copy.write_bytes(source.content)
            prepare_copy(copy)
            model = load_model(copy)
        contract = read_contract(model, ["positive", "negative"])
        last = find_output_layer(model)
        self.width, self.height, self.channels = contract.width, contract.height, contract.channels
        signature = [tf.TensorSpec((None, contract.height, contract.width, contract.channels), tf.float32)]

        @tf.function(input_signature=signature)
        def score(images: tf.Tensor) -> tf.Tensor:
            return call_model(model, contract, input_range, images)[:, 0]

        @tf.function(input_signature=signature)
        def gradient(images: tf.Tensor) -> tf.Tensor:
            # In float32 a score near 0 or 1 has no gradient, but its logit does.
            bare = without_activation(last) if read_activation(last) == "sigmoid" else nullcontext()
            with tf.GradientTape() as tape, bare:
                tape.watch(images)
                total = tf.reduce_sum(call_model(model, contract, input_range, images))
            return tf.convert_to_tensor(tape.gradient(total, images))

        self._score, self._gradient = score, gradient

    def score(self, images: np.ndarray) -> np.ndarray:
        """Return P(positive) (N,)."""
        return self._score(images).numpy()

    def attack(self, images: np.ndarray, positive: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the images with each value moved by ``epsilon`` in the direction that worsens the score.

        The fast gradient sign method: Goodfellow et al., Explaining and Harnessing Adversarial Examples, 2015.
        ``positive`` (N,) holds the true classes.
        """
        direction = np.where(positive, -1, 1)[:, None, None, None]
        moved = images + epsilon * direction * np.sign(self._gradient(images).numpy())
        return np.clip(moved, 0, 1).astype(np.float32)
