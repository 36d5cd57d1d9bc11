"""Draw circles, squares and triangles, teach a small network to tell them apart, and save it.

npm run python -- docs/tutorial/shapes.py FOLDER
"""

import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageDraw

LABELS = ["circle", "square", "triangle"]
HEIGHT, WIDTH = 48, 64
COUNT = 2000


def draw(label: str, random: np.random.Generator, size: tuple[int, int] = (4 * WIDTH, 4 * HEIGHT)) -> Image.Image:
    """Return an image of the shape with a random position, size, rotation and colours."""
    light, dark = random.integers((150, 0), (256, 106), (3, 2)).T.tolist()
    ground, ink = (light, dark) if random.random() < 0.5 else (dark, light)
    image = Image.new("RGB", size, tuple(ground))
    radius = size[1] * random.uniform(0.3, 0.45)
    x, y = random.uniform(radius, np.array(size) - radius)
    shape = ImageDraw.Draw(image)
    if label == "circle":
        shape.circle((x, y), radius, fill=tuple(ink))
    else:
        sides = {"square": 4, "triangle": 3}[label]
        shape.regular_polygon((x, y, radius), sides, rotation=int(random.integers(360)), fill=tuple(ink))
    return image


random = np.random.default_rng(1)
keras.utils.set_random_seed(1)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

answers = random.integers(len(LABELS), size=COUNT)
pictures = [draw(LABELS[answer], random).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR) for answer in answers]

network = keras.Sequential(
    [
        keras.Input((HEIGHT, WIDTH, 3)),
        keras.layers.Rescaling(1 / 127.5, offset=-1),
        keras.layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(32, 5, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
)
network.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
network.fit(np.stack(pictures), answers, batch_size=32, epochs=12, validation_split=0.2, verbose=2)
network.save(folder / "shapes.keras")
for label in LABELS:
    draw(label, random, (640, 480)).save(folder / f"{label}.png")
