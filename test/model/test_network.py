"""The classic network equals the original."""

import keras
import numpy as np

from model.training import classic


def test_classic_has_the_originals_layers_and_parameters():
    model = classic.build("classic", 128)
    assert model.count_params() == 3_304_769
    assert model.input_shape == (None, 128, 128, 3)
    assert model.output_shape == (None, 1)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Conv2D", "MaxPooling2D", "Dropout"] * 3 + ["Flatten", "Dense", "Dense"]
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.kernel_size, layer.padding) for layer in convolutions] == [
        (32, (3, 3), "valid"),
        (64, (3, 3), "valid"),
        (128, (3, 3), "valid"),
    ]
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.4}
    assert [layer.activation.__name__ for layer in model.layers[-2:]] == ["relu", "sigmoid"]


def test_output_is_a_probability_for_each_photo():
    scores = np.asarray(classic.build("small", 32)(np.random.default_rng(1).random((3, 32, 32, 3), np.float32)))
    assert scores.shape == (3, 1)
    assert ((scores > 0) & (scores < 1)).all()


def test_training_uses_the_originals_optimizer_and_loss():
    model = classic.build("small", 32)
    classic.compile_for_training(model)
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert np.isclose(float(model.optimizer.learning_rate.numpy()), 5e-4)
    assert isinstance(model.loss, keras.losses.BinaryCrossentropy)
