"""Small networks to convert."""

import keras
import numpy as np


def sigmoid_network(size: int = 24, name: str = "binary") -> keras.Model:
    """Return a small network with one sigmoid, shaped like the classic one."""
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name=name,
    )


def softmax_network(height: int, width: int, classes: int) -> keras.Model:
    """Return a functional network with a branch, which expects inputs from 0 to 255."""
    pixels = keras.Input((height, width, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    body = keras.layers.Conv2D(6, 3, strides=2, padding="same")(scaled)
    body = keras.layers.BatchNormalization()(body)
    body = keras.layers.Activation("relu")(body)
    branch = keras.layers.DepthwiseConv2D(3, padding="same", activation="relu")(body)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([body, branch]))
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(pooled))


def pooling_network(size: int = 32, name: str = "pooling") -> keras.Model:
    """Return a small mobile network: separable convolutions, ReLU6, one pooling and a linear head."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.Conv2D(16, 1),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ],
        name=name,
    )
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weights.shape) for weights in layer.get_weights()])
    return model
