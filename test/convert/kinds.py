"""The kinds of Keras files that people have, each made here: of Keras 2 by tf_keras or by editing its configuration."""

import importlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

SIDE = 24
Pixels = np.ndarray


def scale(factor: float = 1 / 255, offset: float = 0.0) -> Callable[[Pixels], np.ndarray]:
    """Return what turns pixels of 0 to 255 into a network's input."""
    return lambda pixels: pixels * np.float32(factor) + np.float32(offset)


UNIT, BYTES, SIGNED = scale(), scale(1), scale(1 / 127.5, -1)


@dataclass(frozen=True)
class Kind:
    """A way to save a model at a path: returns the model. ``feed`` makes its input of pixels (N, H, W, C), 0 to 255."""

    file: str
    save: Callable[[Path], Any]
    arguments: tuple[str, ...] = ()
    labels: str = "a,b,c"
    feed: Callable[[Pixels], np.ndarray] = UNIT
    finish: Callable[[Any], Any] = lambda outputs: outputs
    tolerance: float = 1e-5


def body(
    library: Any, x: Any, classes: int = 3, activation: Any = "softmax", channels: int = 4, name: str = "scores"
) -> Any:
    """Return a small network over ``x``, in either Keras."""
    layers = library.layers
    x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, name=name)(x)


def liven(model: Any) -> Any:
    """Give a model's weights values that depend on the photo, the same each time."""
    random = np.random.default_rng(3)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if "variance" in weight.name or "gamma" in weight.name:
            weight.assign(random.uniform(0.5, 1.5, shape))
        elif len(shape) > 1:
            weight.assign(random.normal(0, 1.5 / np.sqrt(np.prod(shape[:-1])), shape))
    return model


def functional(
    library: Any = keras,
    before: Callable[[Any], Any] = lambda x: x,
    shape: tuple[int | None, ...] = (SIDE, SIDE, 3),
    dtype: str | None = None,
    batch: int | None = None,
    **rest: Any,
) -> Callable[[Path], Any]:
    """Return what saves a functional model with ``before`` in front."""

    def save(path: Path) -> Any:
        pixels = library.Input(shape, dtype=dtype, batch_size=batch)
        model = liven(library.Model(pixels, body(library, before(pixels), **rest)))
        model.save(path)
        return model

    return save


def edit(path: Path, change: Callable[[dict], Any], version: str) -> None:
    """Change the configuration inside an .h5 file, as another version of Keras would have written it."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config = change(config) or config
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version


def every_layer(config: Any, name: str, change: Callable[[dict], Any]) -> None:
    if isinstance(config, dict):
        if config.get("class_name") == name:
            change(config["config"])
        for value in config.values():
            every_layer(value, name, change)
    elif isinstance(config, list):
        for value in config:
            every_layer(value, name, change)


def build_teachable() -> Any:
    """Return a small network with the structure of Teachable Machine's."""
    layers = tf_keras.layers
    pixels = tf_keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(pixels)
    x = layers.Conv2D(4, 3, strides=8, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(layers.ReLU(6.0)(x))
    mobile = tf_keras.Model(pixels, layers.BatchNormalization()(x), name="model1")
    trunk = tf_keras.Sequential([mobile, layers.GlobalAveragePooling2D()], name="sequential_1")
    hidden = layers.Dense(10, activation="relu")
    head = tf_keras.Sequential([hidden, layers.Dense(3, activation="softmax", use_bias=False)], name="sequential_3")
    model = tf_keras.Sequential([trunk, head])
    model.build((None, 224, 224, 3))
    return liven(model)


def export_teachable(model: Any, path: Path, labels: str) -> None:
    """Write what Teachable Machine exports: nested models of Keras 2.4, and labels.txt, in a zip."""
    file = path.with_name("keras_Model.h5")
    model.save(file)

    def change(config: dict) -> None:
        every_layer(config, "DepthwiseConv2D", lambda layer: layer.update(groups=1))

    edit(file, change, "2.4.0")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
        archive.writestr("labels.txt", labels)
    file.unlink()


def teachable(path: Path) -> Any:
    model = build_teachable()
    export_teachable(model, path, "0 Cat\n1 Dog, asleep\n2 Nothing")
    return model


def sequential(
    library: Any = keras,
    shape: tuple[int, ...] = (SIDE, SIDE, 3),
    batch: int | None = None,
    *,
    first: tuple = (),
    last: tuple = (),
) -> Callable[[Path], Any]:
    def save(path: Path) -> Any:
        layers = library.layers
        given = keras.Input(shape, batch_size=batch) if library is keras else layers.InputLayer(shape, batch_size=batch)
        rest = last or (layers.Flatten(), layers.Dense(3, activation="softmax"))
        model = liven(library.Sequential([given, *[make(layers) for make in first], *rest]))
        model.save(path)
        return model

    return save


def keras_2_list(path: Path) -> Any:
    """Write a Sequential as Keras 2.2 did: its configuration is a list, and there is no InputLayer."""
    model = sequential(tf_keras)(path)

    def change(config: dict) -> dict:
        first, *layers = config["config"]["layers"]
        layers[0]["config"]["batch_input_shape"] = first["config"]["batch_input_shape"]
        return {"class_name": "Sequential", "config": layers}

    edit(path, change, "2.2.4")
    return model


def keras_2_model(path: Path) -> Any:
    """Write a functional model as Keras 2.0 did: its class is Model, and dtypes are missing."""
    model = functional(tf_keras)(path)

    def change(config: dict) -> None:
        config["class_name"] = "Model"
        for name in ("Conv2D", "Dense", "ReLU", "BatchNormalization"):
            every_layer(config, name, lambda layer: layer.pop("dtype", None))

    edit(path, change, "2.0.5")
    return model


def keras_1(path: Path) -> Any:
    """Write a Sequential as Keras 1 did, with that version's names of classes and settings."""
    layers = tf_keras.layers
    model = liven(
        tf_keras.Sequential(
            [
                layers.InputLayer((SIDE, SIDE, 3)),
                layers.Conv2D(4, (3, 5), strides=2, padding="same", activation="relu", name="first"),
                layers.BatchNormalization(name="normal"),
                layers.MaxPooling2D(name="pool"),
                layers.Conv2D(5, 3, dilation_rate=2, use_bias=False, name="second"),
                layers.Dropout(0.5, name="drop"),
                layers.Flatten(name="flat"),
                layers.Dense(3, activation="softmax", name="scores"),
            ]
        )
    )
    model.save(path)
    unused = {
        "init": "glorot_uniform",
        "W_regularizer": {"name": "WeightRegularizer", "l2": 0.01},
        "b_constraint": None,
    }
    convolution = {"dim_ordering": "tf", "activation": "relu", "border_mode": "same", "subsample": [2, 2], **unused}
    described = [
        (
            "Convolution2D",
            {"name": "first", "nb_filter": 4, "nb_row": 3, "nb_col": 5, "bias": True, **convolution}
            | {"batch_input_shape": [None, SIDE, SIDE, 3], "input_dtype": "float32"},
        ),
        ("BatchNormalization", {"name": "normal", "epsilon": 0.001, "mode": 0, "axis": -1, "beta_regularizer": None}),
        ("MaxPooling2D", {"name": "pool", "pool_size": [2, 2], "border_mode": "valid", "dim_ordering": "tf"}),
        (
            "AtrousConvolution2D",
            {
                "name": "second",
                "nb_filter": 5,
                "nb_row": 3,
                "nb_col": 3,
                "bias": False,
                "atrous_rate": [2, 2],
                **unused,
            },
        ),
        ("Dropout", {"name": "drop", "p": 0.5}),
        ("Flatten", {"name": "flat"}),
        ("Dense", {"name": "scores", "output_dim": 3, "input_dim": 10, "activation": "softmax", **unused}),
    ]
    config = [{"class_name": kind, "config": {"trainable": True, **entry}} for kind, entry in described]
    edit(path, lambda _config: {"class_name": "Sequential", "config": config}, "1.2.2")
    return model


def keras_1_merged(path: Path) -> Any:
    """Write a functional model as Keras 1 did, whose branches its layer Merge joins."""
    layers = tf_keras.layers
    pixels = layers.Input((SIDE, SIDE, 3), name="pixels")
    left, right = (layers.Conv2D(4, 3, name=name)(pixels) for name in ("left", "right"))
    joined = layers.Concatenate(name="joined")([left, right])
    summed = layers.Add(name="summed")([joined, joined])
    pooled = layers.GlobalMaxPooling2D(name="pooled")(summed)
    model = liven(tf_keras.Model(pixels, layers.Dense(3, activation="softmax", name="scores")(pooled)))
    model.save(path)

    def downgrade(config: dict) -> None:
        config["class_name"] = "Model"
        for layer in config["config"]["layers"]:
            mode = {"Concatenate": "concat", "Add": "sum"}.get(layer["class_name"])
            if mode:
                layer["class_name"] = "Merge"
                layer["config"] = {"name": layer["name"], "mode": mode, "concat_axis": -1, "mode_type": "raw"}
            elif layer["class_name"] == "Conv2D":
                layer["class_name"] = "Convolution2D"
                layer["config"] = {"name": layer["name"], "nb_filter": 4, "nb_row": 3, "nb_col": 3}

    edit(path, downgrade, "1.1.0")
    return model


def tensorflow_2_13(path: Path) -> Any:
    """Write a .keras archive as TensorFlow 2.13 did: it named the groups of layers otherwise, and skipped numbers."""
    layers = tf_keras.layers
    inner = tf_keras.Sequential([layers.Conv2D(3, 1), layers.ReLU(), layers.Conv2D(4, 1), layers.Conv2D(4, 1)])
    model = layers_of(lambda _layers: layers.Conv2D(5, 3), lambda _layers: inner, library=tf_keras)(path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    stored = io.BytesIO(content["model.weights.h5"])

    def rename(group: h5py.Group) -> None:
        for name in sorted(group, reverse=True):
            if isinstance(group[name], h5py.Group):
                rename(group[name])
        if "layers" in group:
            numbered = [name.rpartition("_") for name in group["layers"] if name[-2:-1] == "_"]
            for base, _, number in sorted(numbered, reverse=True):
                group.move(f"layers/{base}_{number}", f"layers/{base}_{2 * int(number)}")
            group.move("layers", "_layer_checkpoint_dependencies")

    with h5py.File(stored, "r+") as file:
        rename(file)
    content["model.weights.h5"] = stored.getvalue()
    content["metadata.json"] = json.dumps({"keras_version": "2.13.1"}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return model


def edit_archive(path: Path, change: Callable[[dict], Any], version: str) -> None:
    """Change the configuration inside a .keras archive, as another version of Keras would have written it."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content |= {
        "config.json": json.dumps(config).encode(),
        "metadata.json": json.dumps({"keras_version": version}).encode(),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def keras_3_3(path: Path) -> Any:
    """Write a model in a Sequential as Keras 3.3 did: one output was a list, and RandomRotation had another setting."""
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    inner = keras.Model(pixels, layers.Conv2D(4, 3)(pixels))
    body = [layers.RandomRotation(0.1), inner, layers.Flatten(), layers.Dense(3, activation="softmax")]
    model = liven(keras.Sequential([keras.Input((SIDE, SIDE, 3)), *body]))
    model.save(path)

    def change(config: dict) -> None:
        for key in ("input_layers", "output_layers"):
            every_layer(config, "Functional", lambda inner, key=key: inner.update({key: [inner[key]]}))
        every_layer(config, "RandomRotation", lambda layer: layer.update(value_range=[0, 255]))

    edit_archive(path, change, "3.3.3")
    return model


def keras_3_3_crop(path: Path) -> Any:
    """Write a RandomCrop as Keras 3.3 did, which resized at inference."""
    model = layers_of(lambda layers: layers.Resizing(20, 13, crop_to_aspect_ratio=True))(path)

    def change(config: dict) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Resizing":
                kept = {key: layer["config"][key] for key in ("name", "height", "width", "data_format")}
                layer.update(class_name="RandomCrop", config=kept | {"seed": 1})

    edit_archive(path, change, "3.3.3")
    return model


def spectral(path: Path) -> Any:
    """Write a model with the wrapper SpectralNormalization, which tf_keras can no longer build."""
    layers = tf_keras.layers

    class SpectralNormalization(layers.SpectralNormalization):
        def build(self, input_shape: Any) -> None:
            layers.Wrapper.build(self, input_shape)
            self.kernel = self.layer.kernel
            self.vector_u = self.add_weight(name="vector_u", shape=(1, self.layer.filters), trainable=False)

    model = functional(tf_keras, SpectralNormalization(layers.Conv2D(4, 3)))(path)
    if path.suffix == ".keras":

        def name(config: dict) -> None:
            for layer in config["config"]["layers"]:
                if layer["class_name"] == "SpectralNormalization":
                    layer.update(module="keras.layers", registered_name=None)

        edit_archive(path, name, "2.15.0")
    return model


def mixed(library: Any) -> Callable[[Path], Any]:
    def save(path: Path) -> Any:
        policy = library.mixed_precision
        policy.set_global_policy("mixed_float16")
        try:
            return functional(library)(path)
        finally:
            policy.set_global_policy("float32")

    return save


def graph_layer(path: Path) -> Any:
    """Write x / 255 as TensorFlow 2.0 did: as a layer with one operation of a graph."""
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tf_keras.src.engine.base_layer import TensorFlowOpLayer

    node = NodeDef(name="truediv", op="RealDiv", input=["input", "truediv/y"])
    node.attr["T"].type = tf.float32.as_datatype_enum
    layer = TensorFlowOpLayer(node.SerializeToString(), "truediv", constants={1: np.float32(255)})
    return functional(tf_keras, lambda x: layer(x))(path)


def nested_compiled(path: Path) -> Any:
    inner = keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(4, 3), keras.layers.ReLU()])
    inner.compile("adam", "mse")
    return functional(before=inner)(path)


def renamed(save: Callable[[Path], Any], suffix: str) -> Callable[[Path], Any]:
    """Return what saves under a suffix that Keras goes by, and renames the file."""

    def save_and_rename(path: Path) -> Any:
        proper = path.with_name(f"proper{suffix}")
        model = save(proper)
        shutil.move(proper, path)
        return model

    return save_and_rename


def two_outputs(path: Path) -> Any:
    pixels = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(pixels, [keras.layers.Flatten(name="raw")(pixels), body(keras, pixels)])
    liven(model).save(path)
    return model


def normalising(path: Path) -> Any:
    layer = keras.layers.Normalization(mean=[120.0, 110.0, 100.0], variance=[3000.0, 3000.0, 3000.0])
    return functional(before=layer)(path)


def augmenting(library: Any) -> Callable[[Any], Any]:
    layers = library.layers
    model = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.2),
        layers.RandomZoom(0.2),
        layers.GaussianNoise(1),
    ]

    def apply(x: Any) -> Any:
        for layer in model:
            x = layer(x)
        return layers.Rescaling(1 / 255)(x)

    return apply


def arithmetic_2(x: Any) -> Any:
    return (
        tf.nn.silu(tf.nn.relu6((x / 255.0 - 0.5) * 2.0 + 1.0))
        - 0.5
        + tf.reduce_mean(x, axis=[1, 2], keepdims=True) / 255.0
    )


def arithmetic_3(x: Any) -> Any:
    ops = keras.ops
    return ops.silu(ops.relu6((x / 255.0 - 0.5) * 2.0 + 1.0)) - 0.5 + ops.mean(x, axis=[1, 2], keepdims=True) / 255.0


def preprocess(library: Any, module: str) -> Callable[[Any], Any]:
    return getattr(library.applications, module).preprocess_input


def named(library: Any) -> Callable[[Path], Any]:
    """Return what saves a model with a name that TensorFlow does not accept in a graph."""

    def save(path: Path) -> Any:
        pixels = library.Input((SIDE, SIDE, 3))
        model = liven(library.Model(pixels, body(library, pixels), name="my model é"))
        model.save(path)
        return model

    return save


def layers_of(*make: Callable[[Any], Any], library: Any = keras) -> Callable[[Path], Any]:
    """Return what saves a functional model with these layers in front."""

    def before(x: Any) -> Any:
        for layer in make:
            x = layer(library.layers)(x)
        return x

    return functional(library, before)


def attention(library: Any) -> Callable[[Any], Any]:
    """Return a block of a vision transformer, over patches, that ends in an image."""
    layers = library.layers

    def apply(x: Any) -> Any:
        x = layers.Reshape((36, 8))(layers.Conv2D(8, 4, strides=4)(x))
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(num_heads=2, key_dim=4)(normal, normal)])
        x = layers.Dense(8, activation="gelu")(x)
        return layers.Reshape((6, 6, 8))(x)

    return apply


def fixed_dropout(path: Path) -> Any:
    """Write a model with the dropout layer of the package efficientnet."""

    class FixedDropout(tf_keras.layers.Dropout):
        pass

    return functional(tf_keras, FixedDropout(0.2))(path)


def custom_training(library: Any) -> Callable[[Any], Any]:
    """Return a convolution with an initializer, a regularizer and a constraint of the author's own."""

    class OwnRegularizer(library.regularizers.L2):
        pass

    class OwnInitializer(library.initializers.Zeros):
        pass

    class OwnConstraint(library.constraints.NonNeg):
        pass

    return library.layers.Conv2D(
        4,
        3,
        kernel_initializer=OwnInitializer(),
        kernel_regularizer=OwnRegularizer(),
        activity_regularizer=OwnRegularizer(),
        bias_constraint=OwnConstraint(),
    )


def unpacked(path: Path) -> Any:
    """Write the files of a .keras archive to a folder, as Keras does on Hugging Face."""
    archive = path.with_suffix(".keras")
    model = functional()(archive)
    with zipfile.ZipFile(archive) as file:
        file.extractall(path)
    return model


def zipped(save: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Return what saves a folder, and zips it with macOS's additions."""

    def save_and_zip(path: Path) -> Any:
        folder = path.with_suffix("")
        model = save(folder)
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"{folder.name}/{file.name}")
                archive.writestr(f"__MACOSX/{folder.name}/._{file.name}", b"")
        return model

    return save_and_zip


def repacked(path: Path) -> Any:
    """Write a .keras archive as macOS packs it again."""
    model = functional()(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._config.json", b"")
    return model


def in_two_files(library: Any, weights: str, structure: str = "model.json") -> Callable[[Path], Any]:
    """Return what saves weights and the model as JSON to a folder, with labels."""

    def save(folder: Path) -> Any:
        folder.mkdir()
        whole = folder.with_suffix(".h5")
        model = functional(library)(whole)
        whole.unlink()
        model.save_weights(folder / weights)
        (folder / structure).write_text(model.to_json(), "utf-8")
        (folder / "labels.txt").write_text("a\nb\nc\n", "utf-8")
        return model

    return save


def convnext(library: Any) -> Callable[[Any], Any]:
    """Return a block of keras.applications' ConvNeXt."""
    layers = library.layers
    own = importlib.import_module(f"{library.__name__}.src.applications.convnext")

    def apply(x: Any) -> Any:
        x = layers.Conv2D(8, 4, strides=4)(x)
        inner = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(8, 7, padding="same", groups=8)(x))
        inner = layers.Dense(8)(layers.Dense(32, activation="gelu")(inner))
        return layers.Add()([x, own.StochasticDepth(0.2)(own.LayerScale(0.1, 8)(inner))])

    return apply


def autokeras(library: Any, shape: tuple[int, ...], dtype: str) -> Callable[[Path], Any]:
    """Return what saves a model that begins as AutoKeras's do."""

    class CastToFloat32(library.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.cast(inputs, tf.float32)

    class ExpandLastDim(library.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.expand_dims(inputs, -1)

    for layer in (CastToFloat32, ExpandLastDim):
        layer.__module__ = "autokeras.keras_layers"

    def before(x: Any) -> Any:
        x = CastToFloat32()(x)
        if len(shape) == 2:
            x = ExpandLastDim()(x)
        channels = int(x.shape[-1])
        return library.layers.Normalization(mean=[120.0] * channels, variance=[3000.0] * channels)(x)

    def save(path: Path) -> Any:
        known = library.utils.get_custom_objects()
        for layer in (CastToFloat32, ExpandLastDim):
            library.utils.register_keras_serializable()(layer)
        try:
            return functional(library, before, shape=shape, dtype=dtype)(path)
        finally:
            # Whoever converts the file has not registered them.
            for layer in (CastToFloat32, ExpandLastDim):
                del known[f"Custom>{layer.__name__}"]

    return save


def synchronised(path: Path) -> Any:
    """Write a model with the batch normalisation of training on several devices."""
    model = functional(tf_keras)(path)

    def rename(entry: Any) -> None:
        values = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ()
        if isinstance(entry, dict) and entry.get("class_name") == "BatchNormalization":
            entry["class_name"] = "SyncBatchNormalization"
        for value in values:
            rename(value)

    edit(path, rename, "2.8.0")
    return model


def patches(x: Any) -> Any:
    side = 4
    return tf.image.extract_patches(x, [1, side, side, 1], [1, side, side, 1], [1, 1, 1, 1], "VALID")


def volume(layers: Any) -> Any:
    return layers.Conv3D(4, (3, 3, 2), activation="relu")


PLAIN = ("--input-range", "0..1")
KINDS = {
    "Teachable Machine": Kind("converted_keras.zip", teachable, feed=SIGNED, labels=""),
    "Keras 2, list of layers": Kind("list.h5", keras_2_list, PLAIN),
    "Keras 2, class Model": Kind("model.h5", keras_2_model, PLAIN),
    "Keras 1": Kind("one.h5", keras_1, PLAIN),
    "Keras 1, merged branches": Kind("merged.h5", keras_1_merged, PLAIN),
    "Keras 2, .keras of TensorFlow 2.13": Kind("older.keras", tensorflow_2_13, PLAIN),
    "Keras 3.3, a model in a Sequential": Kind("inner.keras", keras_3_3, PLAIN),
    "Keras 3.3, crop": Kind("crop.keras", keras_3_3_crop, PLAIN),
    "Keras 2, spectral normalisation": Kind("spectral.h5", spectral, PLAIN),
    "Keras 2, spectral normalisation, .keras": Kind("spectral.keras", spectral, PLAIN),
    "Keras 2, mixed precision": Kind("mixed.h5", mixed(tf_keras), PLAIN, tolerance=5e-3),
    "Keras 2, .keras": Kind("two.keras", functional(tf_keras), PLAIN),
    "Keras 2, arithmetic": Kind("arithmetic.h5", functional(tf_keras, arithmetic_2), feed=BYTES),
    "Keras 2, an operation of a graph": Kind(
        "graph.h5", graph_layer, feed=BYTES, arguments=("--input-range", "0..255")
    ),
    "Keras 2, mode tf": Kind("tf.h5", functional(tf_keras, preprocess(tf_keras, "mobilenet_v2")), feed=BYTES),
    "Keras 2, mode torch": Kind("torch.h5", functional(tf_keras, preprocess(tf_keras, "densenet")), feed=BYTES),
    "Keras 2, mode caffe": Kind("caffe.h5", functional(tf_keras, preprocess(tf_keras, "vgg16")), feed=BYTES),
    "Keras 2, random layers": Kind("random.h5", functional(tf_keras, augmenting(tf_keras)), feed=BYTES),
    "Keras 2, fixed batch": Kind("fixed2.h5", functional(tf_keras, batch=32), PLAIN),
    "Keras 3, mixed precision": Kind("mixed.keras", mixed(keras), PLAIN, tolerance=5e-3),
    "Keras 3, arithmetic": Kind("arithmetic.keras", functional(before=arithmetic_3), feed=BYTES),
    "Keras 3, mode tf": Kind("tf.keras", functional(before=preprocess(keras, "mobilenet_v2")), feed=BYTES),
    "Keras 3, mode torch": Kind("torch.keras", functional(before=preprocess(keras, "densenet")), feed=BYTES),
    "Keras 3, mode caffe": Kind("caffe.keras", functional(before=preprocess(keras, "vgg16")), feed=BYTES),
    "Keras 3, random layers": Kind("random.keras", functional(before=augmenting(keras)), feed=BYTES),
    "Keras 3, fixed batch": Kind("fixed.h5", functional(batch=32), PLAIN),
    "normalising": Kind("normalising.keras", normalising, feed=BYTES),
    "nested and compiled": Kind("nested.keras", nested_compiled, PLAIN),
    "tf.nn.softmax": Kind("softmax.keras", functional(activation=tf.nn.softmax), PLAIN),
    "caffe outside the model": Kind(
        "outside.keras", functional(), ("--input-range", "caffe"), feed=keras.applications.vgg16.preprocess_input
    ),
    "torch outside the model": Kind(
        "outside2.keras", functional(), ("--input-range", "torch"), feed=keras.applications.densenet.preprocess_input
    ),
    "greyscale": Kind("grey.keras", functional(shape=(28, 28, 1)), PLAIN),
    "greyscale without a channel axis": Kind(
        "flat.keras",
        sequential(shape=(28, 28)),
        PLAIN,
        feed=lambda pixels: UNIT(pixels)[..., 0],
    ),
    "a vector of pixels": Kind(
        "vector.keras",
        sequential(shape=(784,), last=(keras.layers.Dense(3, activation="softmax"),)),
        (*PLAIN, "--size", "28x28"),
        feed=lambda pixels: UNIT(pixels).reshape(-1, 784),
    ),
    "logits of classes": Kind(
        "logits.keras", functional(activation=None), (*PLAIN, "--activation", "softmax"), finish=tf.nn.softmax
    ),
    "a logit": Kind(
        "logit.keras",
        functional(activation=None, classes=1),
        (*PLAIN, "--activation", "sigmoid"),
        "yes,no",
        finish=tf.nn.sigmoid,
    ),
    "independent labels": Kind("independent.keras", functional(activation="sigmoid"), (*PLAIN, "--multi-label")),
    "two sigmoids": Kind("two.h5", functional(activation="sigmoid", classes=2), PLAIN, "a,b"),
    "bytes": Kind(
        "bytes.keras",
        functional(before=keras.layers.Rescaling(1 / 255), dtype="uint8"),
        feed=lambda pixels: pixels.astype(np.uint8),
    ),
    "any size": Kind("any.keras", functional(shape=(None, None, 3)), (*PLAIN, "--size", f"{SIDE + 8}x{SIDE}")),
    "two outputs": Kind(
        "outputs.keras", two_outputs, (*PLAIN, "--output", "scores"), finish=lambda outputs: outputs[1]
    ),
    "Keras 2, a model with a space in its name": Kind("named.h5", named(tf_keras), PLAIN),
    "Keras 3, a model with a space in its name": Kind("named.keras", named(keras), PLAIN),
    "Keras 2, attention and gelu": Kind("attention.h5", functional(tf_keras, attention(tf_keras)), PLAIN),
    "Keras 3, attention and gelu": Kind("attention.keras", functional(before=attention(keras)), PLAIN),
    "Keras 2, grouped convolution": Kind(
        "grouped.h5", layers_of(lambda layers: layers.Conv2D(6, 3, groups=3), library=tf_keras), PLAIN
    ),
    "Keras 3, grouped convolution": Kind(
        "grouped.keras", layers_of(lambda layers: layers.Conv2D(6, 3, groups=3)), PLAIN
    ),
    "Keras 3, celu": Kind("celu.keras", layers_of(lambda layers: layers.Activation("celu")), PLAIN),
    "Keras 2, crops": Kind(
        "crops.h5",
        layers_of(
            lambda layers: layers.RandomCrop(20, 18),
            lambda layers: layers.CenterCrop(12, 13),
            lambda layers: layers.CenterCrop(16, 16),
            library=tf_keras,
        ),
        PLAIN,
    ),
    "Keras 2, the dropout of efficientnet": Kind("dropout.h5", fixed_dropout, PLAIN),
    "a layer for each time": Kind(
        "times.keras",
        layers_of(lambda layers: layers.TimeDistributed(layers.Dense(4, activation="relu"))),
        PLAIN,
    ),
    "HDF5 named .keras": Kind("hdf5.keras", renamed(functional(), ".h5"), PLAIN),
    ".hdf5": Kind("old.hdf5", renamed(functional(tf_keras), ".h5"), PLAIN),
    ".keras named .h5": Kind("archive.h5", renamed(functional(), ".keras"), PLAIN),
    "Keras 2, masking": Kind("masking.h5", layers_of(lambda layers: layers.Masking(0.5), library=tf_keras), PLAIN),
    "Keras 3, masking": Kind("masking.keras", layers_of(lambda layers: layers.Masking(0.5)), PLAIN),
    "Keras 2, custom initializer and regularizer": Kind(
        "training.h5", functional(tf_keras, custom_training(tf_keras)), PLAIN
    ),
    "Keras 3, custom initializer and regularizer": Kind(
        "training.keras", functional(before=custom_training(keras)), PLAIN
    ),
    "resized inside to a size whose scale is not exact": Kind(
        "resizing.keras", layers_of(lambda layers: layers.Resizing(32, 20)), PLAIN
    ),
    "resized inside by nearest neighbours": Kind(
        "nearest.keras", layers_of(lambda layers: layers.Resizing(32, 20, interpolation="nearest")), PLAIN
    ),
    "convolution of a volume": Kind(
        "volume.keras",
        layers_of(
            lambda layers: layers.Reshape((SIDE, SIDE, 3, 1)),
            volume,
            lambda layers: layers.MaxPooling3D((2, 2, 1)),
            lambda layers: layers.Reshape((11, 11, 8)),
        ),
        PLAIN,
    ),
    "an unpacked .keras archive": Kind("unpacked", unpacked, PLAIN),
    "an unpacked .keras archive in a zip": Kind("zipped.zip", zipped(unpacked), PLAIN),
    "a .keras archive packed again": Kind("repacked.keras", repacked, PLAIN),
    "Keras 2, weights and JSON": Kind("two2", in_two_files(tf_keras, "weights.h5"), PLAIN, labels=""),
    "Keras 2, newer weights and JSON": Kind("new2", in_two_files(tf_keras, "model.weights.h5"), PLAIN, labels=""),
    "Keras 3, weights and JSON": Kind("two3", in_two_files(keras, "model.weights.h5"), PLAIN, labels=""),
    "weights and JSON in a zip": Kind(
        "two.zip", zipped(in_two_files(tf_keras, "fer.h5", "fer.json")), PLAIN, labels=""
    ),
    "Keras 2, ConvNeXt": Kind("convnext.h5", functional(tf_keras, convnext(tf_keras)), PLAIN),
    "Keras 3, ConvNeXt": Kind("convnext.keras", functional(before=convnext(keras)), PLAIN),
    "Keras 2, AutoKeras": Kind("autokeras.h5", autokeras(tf_keras, (28, 28), "float32"), feed=lambda x: x[..., 0]),
    "Keras 3, AutoKeras": Kind("autokeras.keras", autokeras(keras, (SIDE, SIDE, 3), "uint8"), feed=BYTES),
    "Keras 2, normalised on several devices": Kind("devices.h5", synchronised, PLAIN),
    "Keras 3, shear": Kind("shear.keras", layers_of(lambda layers: layers.RandomShear(0.1)), PLAIN),
    "Keras 2, patches": Kind("patches.h5", functional(tf_keras, patches), PLAIN),
    "Keras 2, contrast": Kind("contrast.h5", functional(tf_keras, lambda x: tf.image.adjust_contrast(x, 1.3)), PLAIN),
    "one step of a sequence": Kind(
        "step.keras",
        sequential(last=(keras.layers.Reshape((1, -1)), keras.layers.Dense(3, activation="softmax"))),
        PLAIN,
    ),
    **{
        f"Keras {version}, resized inside, {interpolation}": Kind(
            f"{interpolation}.{suffix}",
            layers_of(lambda layers, name=interpolation: layers.Resizing(20, 32, interpolation=name), library=library),
            PLAIN,
        )
        for version, library, suffix in ((2, tf_keras, "h5"), (3, keras, "keras"))
        for interpolation in ("bicubic", "area", "lanczos3")
    },
    "Keras 2, resized inside, antialiased": Kind(
        "antialiased.h5",
        functional(tf_keras, lambda x: tf.image.resize(x, (11, 13), "lanczos3", antialias=True)),
        PLAIN,
    ),
    "Keras 3, resized inside, antialiased": Kind(
        "antialiased.keras",
        functional(before=lambda x: keras.ops.image.resize(x, (11, 13), "bicubic", antialias=True)),
        PLAIN,
    ),
}
