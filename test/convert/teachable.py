"""Trains a small network with Teachable Machine's structure on three pictures, and exports it as that does.

node scripts/python.ts test/convert/teachable.py ZIP PICTURE PICTURE PICTURE

The labels are the pictures' names.
"""

import sys
from pathlib import Path

import numpy as np
import tf_keras
from PIL import Image

from kinds import build_teachable, export_teachable

VIEWS = 60
SIDE = 224


def draw_views(path: Path, random: np.random.Generator) -> np.ndarray:
    """Return (VIEWS, SIDE, SIDE, 3) parts of the picture, from -1 to 1."""
    views = []
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    shorter = min(whole.size)
    for _ in range(VIEWS):
        side = int(shorter * random.uniform(0.8, 1))
        left, top = (int(random.uniform(0.3, 0.7) * (length - side)) for length in whole.size)
        view = whole.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        views.append(np.asarray(view) * random.uniform(0.9, 1.1))
    return np.clip(np.float32(views), 0, 255) / np.float32(127.5) - 1


random = np.random.default_rng(2)
tf_keras.utils.set_random_seed(2)
target, *files = (Path(argument) for argument in sys.argv[1:])
photos = np.concatenate([draw_views(file, random) for file in files])
answers = np.repeat(np.arange(len(files)), VIEWS)
model = build_teachable()
model.compile(tf_keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(photos, answers, batch_size=30, epochs=20, verbose=2)
export_teachable(model, target, "\n".join(f"{index} {file.stem}" for index, file in enumerate(files)))
