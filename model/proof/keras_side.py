"""Writes what Keras computes for photos, to compare with the original in PyTorch: see run.ts.

python -m model.proof.keras_side FOLDER OUT: photos of FOLDER/validation; one OUT/<variant>.npz each.
"""

import sys
from pathlib import Path

import numpy as np

from model.training import efficientnet_lite as lite
from model.training.photos import read_photo

PHOTOS = 24


def main(folder: Path, out: Path) -> None:
    """Write the images (N, size, size, 3) uint8 and the logits (N, 1000) of each variant."""
    paths = sorted(folder.glob("validation/*/*"))
    chosen = [paths[place] for place in np.linspace(0, len(paths) - 1, min(PHOTOS, len(paths))).astype(int)]
    for variant in ("lite0", "lite2"):
        size = lite.VARIANTS[variant].size
        model = lite.build_classifier(variant)
        lite.load_imagenet(model, variant)
        pixels = np.stack([read_photo(path, size, size) for path in chosen])
        logits = model.predict(pixels.astype(np.float32) / 255, batch_size=8, verbose=0)
        np.savez(out / f"{variant}.npz", pixels=pixels, logits=logits)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
