"""What Keras makes of photos, for the original in PyTorch to be compared with: see run.ts.

keras_side.py FOLDER OUT: the first photos of each class in FOLDER/validation; one OUT/<variant>.npz each.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import efficientnet_lite as lite
from photo import read_photo

PHOTOS = 24


def main(folder: Path, out: Path) -> None:
    """Write for each variant the pictures (N, size, size, 3) uint8 and the logits (N, 1000)."""
    paths = sorted(folder.glob("validation/*/*"))
    chosen = [paths[place] for place in np.linspace(0, len(paths) - 1, min(PHOTOS, len(paths))).astype(int)]
    for variant in ("lite0", "lite2"):
        size = lite.VARIANTS[variant].size
        model = lite.classifier(variant)
        lite.load_imagenet(model, variant)
        pictures = np.stack([read_photo(path, size, size) for path in chosen])
        logits = model.predict(pictures.astype(np.float32) / 255, batch_size=8, verbose=0)
        np.savez(out / f"{variant}.npz", pictures=pictures, logits=logits)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
