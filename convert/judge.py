"""A binary Keras model as two functions of images: its scores, and its adversarial examples."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from convert.contract import read_contract
from convert.graph import INPUT_RANGES
from convert.inspection import inspect_file
from convert.keras2 import add_input_layers
from convert.release import snapshot


class Judge:
    """Scores and attacks images (N, height, width, 3), float32 in [0, 1]."""

    def __init__(self, file: Path, input_range: str) -> None:
        """Inspect ``file`` as conversion does, then load it. Raises ``ConversionError``."""
        with tempfile.TemporaryDirectory(prefix="husky-judge-") as scratch:
            source, self.content = snapshot(file, Path(scratch))
            inspect_file(source)
            if source.suffix == ".h5":
                add_input_layers(source)
            model = keras.models.load_model(source, compile=False)
            # In float32 a score near 0 or 1 has no gradient, but its logit does.
            logits = keras.models.load_model(source, compile=False)
        contract = read_contract(model, ["positive", "negative"])
        if getattr(logits.layers[-1], "activation", None) is keras.activations.sigmoid:
            logits.layers[-1].activation = keras.activations.linear
        self.width, self.height = contract.width, contract.height
        factor, offset = INPUT_RANGES[input_range]
        signature = [tf.TensorSpec((None, contract.height, contract.width, 3), tf.float32)]

        @tf.function(input_signature=signature)
        def score(images: tf.Tensor) -> tf.Tensor:
            return model(images * factor + offset, training=False)[:, 0]

        @tf.function(input_signature=signature)
        def gradient(images: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch(images)
                total = tf.reduce_sum(logits(images * factor + offset, training=False))
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
