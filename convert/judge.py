"""A Keras file of a binary model as a function from pictures to scores, and to what makes them worse."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from contract import read_contract
from graph import INPUT_RANGES
from inspect_file import inspect_file
from keras2 import mend_keras_2
from release import snapshot


class Judge:
    """Scores pictures (N, height, width, 3), float32 in [0, 1]."""

    def __init__(self, file: Path, input_range: str) -> None:
        """Load ``file`` after the same inspection as for converting. Raises ``ConversionError``."""
        with tempfile.TemporaryDirectory(prefix="husky-judge-") as scratch:
            source, self.content = snapshot(file, Path(scratch))
            inspect_file(source)
            if source.suffix == ".h5":
                mend_keras_2(source)
            model = keras.models.load_model(source, compile=False)
            # A score near 0 or 1 has no gradient left in float32; what goes into the last sigmoid has.
            logits = keras.models.load_model(source, compile=False)
        contract = read_contract(model, ["positive", "negative"])
        if getattr(logits.layers[-1], "activation", None) is keras.activations.sigmoid:
            logits.layers[-1].activation = keras.activations.linear
        self.width, self.height = contract.width, contract.height
        factor, offset = INPUT_RANGES[input_range]
        signature = [tf.TensorSpec((None, contract.height, contract.width, 3), tf.float32)]

        @tf.function(input_signature=signature)
        def score(pictures: tf.Tensor) -> tf.Tensor:
            return model(pictures * factor + offset, training=False)[:, 0]

        @tf.function(input_signature=signature)
        def gradient(pictures: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch(pictures)
                total = tf.reduce_sum(logits(pictures * factor + offset, training=False))
            return tf.convert_to_tensor(tape.gradient(total, pictures))

        self._score, self._gradient = score, gradient

    def scores(self, pictures: np.ndarray) -> np.ndarray:
        """Return P(positive) (N,)."""
        return self._score(pictures).numpy()

    def attacked(self, pictures: np.ndarray, positive: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the pictures with every value moved by ``epsilon`` to the side where the answer gets worse.

        This is the fast gradient sign method: Goodfellow et al., Explaining and Harnessing Adversarial Examples, 2015.
        ``positive`` (N,) says which answer is right.
        """
        towards = np.where(positive, -1, 1)[:, None, None, None]
        moved = pictures + epsilon * towards * np.sign(self._gradient(pictures).numpy())
        return np.clip(moved, 0, 1).astype(np.float32)
