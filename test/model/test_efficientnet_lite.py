"""The network in Keras is the one its weights belong to; the PyTorch original computed the references."""

import json
from pathlib import Path

import numpy as np
import pytest

from model.training import efficientnet_lite as lite

REFERENCE = json.loads((Path(__file__).parent / "efficientnet_lite.json").read_text())
STEP = 25


@pytest.mark.parametrize(("variant", "parameters"), [("lite0", 4_652_008 + 42_016), ("lite2", 6_092_072 + 58_096)])
def test_returns_the_logits_of_the_original(variant, parameters):
    model = lite.build_classifier(variant, 96)
    weighted = [layer for layer in model.layers if layer.weights]
    assert lite.load_imagenet(model, variant) == len(weighted), "every layer with weights is ImageNet's"
    assert model.count_params() == parameters, "the published count plus the normalisations' moving averages"

    pixels = np.random.default_rng(7).integers(0, 256, (1, 96, 96, 3)).astype(np.float32)
    logits = model.predict(pixels / 255, verbose=0)[0, ::STEP]
    assert np.abs(logits - REFERENCE["logits"][variant]).max() < 1e-4
