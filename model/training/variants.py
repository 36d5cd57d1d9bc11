"""Variants of the network as ONNX files: other kernels, sizes, depths and precisions, and how well each does."""

import argparse
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.metrics import roc_auc_score

from convert.contract import read_contract
from convert.graph import canonicalise, to_onnx
from convert.heatmap import INPUT, OUTPUT
from convert.onnx_network import OnnxNetwork
from convert.weights import MIN_ELEMENTS
from model.training import classic
from model.training.dataset import Split, class_names, find_photos, load_split
from model.training.finishing import Rows, build_served, finish
from model.training.learning import learn
from model.training.lessons import prepare
from model.training.lite_network import IMAGENET, build
from model.training.photos import to_input
from model.training.recipe import Recipe, read_recipe
from model.training.slimming import Slimming
from model.training.strangers import split_strangers

CALIBRATION_VIEWS = 256
BATCH = 32


def make_candidates(options: argparse.Namespace, recipe: Recipe) -> Iterator[dict[str, object]]:
    """Write the candidates of ``recipe`` as ONNX and yield a description of each, with its AUC if there are photos.

    Without photos there is no int8, whose ranges they determine.
    """
    for candidate in recipe.candidates:
        print(f"{candidate.name}: {candidate.size} pixels", flush=True)
        own = replace(
            recipe,
            size=candidate.size,
            slimming=Slimming(candidate.slim, recipe.slimming.kernel),
            plan=replace(recipe.plan, epochs=0),
            teacher=replace(recipe.teacher, asked=False),
        )
        model, pixels, strangers = _train(options, own) if options.data else (_build_untrained(own), None, None)
        precisions = [name for name in candidate.precisions if options.data or name != "int8"]
        for precision, content in export_precisions(export(model), pixels, precisions):
            name = f"{candidate.name} {precision}"
            file = options.out / f"{re.sub('[^a-z0-9]+', '-', name)}.onnx"
            file.write_bytes(content)
            yield {
                "name": name,
                "file": file.name,
                "input": candidate.size,
                "bytes": len(content),
                "auc": round(measure_auc(content, strangers), 4) if strangers else None,
            }


def _train(options: argparse.Namespace, recipe: Recipe) -> tuple[keras.Model, np.ndarray, Split]:
    """Return the network to serve, the views it learnt from, and the validation photos of unseen sources."""
    names = class_names(options.data)
    validation = load_split(options.data, "validation", names, recipe.size)
    halves = split_strangers(validation, recipe.strangers)
    chosen = validation.select(halves.chosen)
    lessons = prepare(find_photos(options.data, "training", names), recipe, options.out)
    model, _ = learn(lessons, chosen, recipe, options.out)
    model, _ = finish(model, lessons, chosen, recipe)
    return model, lessons.pixels, validation.select(halves.both)


def _build_untrained(recipe: Recipe) -> keras.Model:
    model = build(recipe.size, recipe.plan.seed, recipe.slimming.kernels)
    kernel, bias = model.get_layer(IMAGENET).get_weights()
    rows = recipe.knowledge.keep + recipe.knowledge.clusters
    return build_served(model, recipe.teacher.classes, Rows(kernel[:, :rows], bias[:rows]), (1.0, 1.0), 0.0)


def make_classic(options: argparse.Namespace) -> dict[str, object]:
    """Write the original's network as ONNX and return its description; only a trained one has an AUC."""
    keras.utils.set_random_seed(1)
    model = keras.models.load_model(options.classic, compile=False) if options.classic else classic.build("classic")
    size = model.input_shape[1]
    content = export(model).SerializeToString()
    (options.out / "classic.onnx").write_bytes(content)
    auc = None
    if options.data and options.classic:
        photos = load_split(options.data, "validation", class_names(options.data), size)
        photos = photos.select(split_strangers(photos, read_recipe(options.recipe).strangers).both)
        auc = round(measure_auc(content, photos), 4)
    return {"name": "classic", "file": "classic.onnx", "input": size, "bytes": len(content), "auc": auc}


def export(model: keras.Model) -> onnx.ModelProto:
    """Return a network to serve as ONNX, as model:convert does."""
    return to_onnx(model, read_contract(model, ["positive", "negative"]))


def export_precisions(
    proto: onnx.ModelProto, pixels: np.ndarray | None, wanted: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, file) for each of ``wanted``: float32, float16 (weights only) and int8 (QDQ, weights per channel).

    ``pixels`` (N, H, W, 3) uint8 determine the ranges of int8. Raises ``ValueError`` for int8 without them.
    """
    for name in wanted:
        if name == "float32":
            yield name, proto.SerializeToString()
        elif name == "float16":
            half = onnx.ModelProto()
            half.CopyFrom(proto)
            store_as_float16(half)
            yield name, half.SerializeToString()
        elif name == "int8" and pixels is not None:
            yield name, _quantize(remove_heatmap(proto), pixels)
        else:
            raise ValueError(f"precision {name}: use float32 or float16, or int8 with photos")


def store_as_float16(proto: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, each followed by a Cast back to float32, in place.

    ONNX Runtime folds the Cast of a constant when it creates a session, so predictions cost the same.
    """
    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and weights.size >= MIN_ELEMENTS:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], f"Cast_{name}", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(proto, full_check=True)


def remove_heatmap(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``proto`` with the scores only: ONNX Runtime 1.30 divides by zero if an int8 layer has no rows."""
    bare = onnx.ModelProto()
    bare.CopyFrom(proto)
    for values, name in ((bare.graph.input, INPUT), (bare.graph.output, OUTPUT)):
        for value in [value for value in values if value.name == name]:
            values.remove(value)
    canonicalise(bare)
    return bare


def measure_auc(content: bytes, photos: Split) -> float:
    """Return the AUC of an ONNX file on ``photos``."""
    network = OnnxNetwork(content)
    scores = [
        network.score(to_input(photos.pixels[start : start + BATCH]))[:, 0]
        for start in range(0, len(photos.pixels), BATCH)
    ]
    return float(roc_auc_score(photos.labels, np.concatenate(scores)))


class _Calibration(CalibrationDataReader):
    def __init__(self, pixels: np.ndarray) -> None:
        self._feeds = iter([{"input": to_input(view[None])} for view in pixels])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def _quantize(proto: onnx.ModelProto, pixels: np.ndarray) -> bytes:
    chosen = pixels[np.linspace(0, len(pixels) - 1, CALIBRATION_VIEWS).astype(int)]
    with tempfile.TemporaryDirectory(prefix="husky-ai-int8-") as name:
        folder = Path(name)
        onnx.save(proto, folder / "float32.onnx")
        quant_pre_process(folder / "float32.onnx", folder / "ready.onnx", skip_symbolic_shape=True)
        quantize_static(
            folder / "ready.onnx",
            folder / "int8.onnx",
            _Calibration(chosen),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
        return (folder / "int8.onnx").read_bytes()
