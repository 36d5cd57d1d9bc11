"""A network as ONNX in the precisions that are compared, and how well each does."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.metrics import roc_auc_score

from contract import read_contract
from dataset import Split
from graph import to_onnx
from half import store_as_float16
from heatmap import INPUT
from onnx_network import OnnxNetwork
from photo import to_input

CALIBRATION_VIEWS = 256
BATCH = 32


def export(model: keras.Model) -> onnx.ModelProto:
    """Return the ONNX form of a network to serve, as model:convert makes it."""
    return to_onnx(model, read_contract(model, ["positive", "negative"]))


def precisions(proto: onnx.ModelProto, pixels: np.ndarray, wanted: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, file) for each of ``wanted``: float32, float16 (weights only) and int8 (QDQ, weights per channel).

    ``pixels`` (N, H, W, 3) uint8 are what int8 finds its ranges with.
    """
    for name in wanted:
        if name == "float32":
            yield name, proto.SerializeToString()
        elif name == "float16":
            half = onnx.ModelProto()
            half.CopyFrom(proto)
            store_as_float16(half)
            yield name, half.SerializeToString()
        elif name == "int8":
            yield name, _quantized(proto, pixels)
        else:
            raise ValueError(f"no precision {name}: float32, float16 or int8")


def measure(content: bytes, photos: Split) -> float:
    """Return the AUC of an ONNX file on ``photos``."""
    network = OnnxNetwork(content)
    scores = [
        network.scores(to_input(photos.pixels[start : start + BATCH]))[:, 0]
        for start in range(0, len(photos.pixels), BATCH)
    ]
    return float(roc_auc_score(photos.labels, np.concatenate(scores)))


class _Calibration(CalibrationDataReader):
    def __init__(self, inputs: list[str], pixels: np.ndarray) -> None:
        none = {INPUT: np.array([0], np.int64)} if INPUT in inputs else {}
        self._feeds = iter([{"input": to_input(view[None]), **none} for view in pixels])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _quantized(proto: onnx.ModelProto, pixels: np.ndarray) -> bytes:
    chosen = pixels[np.linspace(0, len(pixels) - 1, CALIBRATION_VIEWS).astype(int)]
    with tempfile.TemporaryDirectory(prefix="husky-ai-int8-") as name:
        folder = Path(name)
        onnx.save(proto, folder / "float32.onnx")
        quant_pre_process(folder / "float32.onnx", folder / "ready.onnx", skip_symbolic_shape=True)
        quantize_static(
            folder / "ready.onnx",
            folder / "int8.onnx",
            _Calibration([entry.name for entry in proto.graph.input], chosen),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
        return (folder / "int8.onnx").read_bytes()
