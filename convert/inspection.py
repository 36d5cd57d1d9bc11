"""Inspects what a Keras file would build, before Keras opens it.

A Keras file can contain code (a Lambda layer's bytecode), name any importable class, or link to other files. The
inspection reads only JSON and HDF5 structure, and refuses everything that is not on a list of Keras's own classes.
"""

import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py

from convert import keras_classes as known
from convert.contract import check_size
from convert.errors import ConversionError
from convert.hdf5 import WEIGHTS_ALONE, check_structure, count_weights
from convert.keras_1 import upgrade_keras_1
from convert.keras_3 import is_early, upgrade_keras_3
from convert.layer_names import rename_layers
from convert.source import ALWAYS_ALLOWED, MAX_BYTES, MAX_RATIO, detect_kind, read_member

MAX_CONFIG_BYTES = 16 * 2**20
# Where Keras 2 looks for the classes of models in a .keras archive.
MODEL_MODULES = {"Functional": "tf_keras.src.engine.functional", "Sequential": "keras"}
KERAS_ENTRIES = {"metadata.json", "config.json", "model.weights.h5"}
LAMBDAS = ("Lambda", "__lambda__")
# The network is served in float32, whatever it was trained in.
FLOAT32 = "float32"
DAMAGED_ARCHIVE = "not a readable .keras archive: it is damaged, so download it again"
REBUILD = "build the model of Keras's own layers, copy the weights, and save it"
FLOATS = {"bfloat16", "float16", FLOAT32, "float64", "half", "mixed_bfloat16", "mixed_float16"}
POLICIES = {"DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1"}
# What inference does not use, by the end of its key, and what replaces a custom one: the file contains all weights.
UNUSED = {"_initializer": "zeros", "_regularizer": None, "_constraint": None}


@dataclass(frozen=True)
class Inspected:
    """A model that passed: its configuration, which Keras wrote it, and the weights of a .keras archive."""

    kind: Literal["hdf5", "keras"]
    version: str
    config: dict[str, Any]
    weights: bytes | None = None

    @property
    def keras(self) -> Literal[2, 3]:
        """The major version of the Keras that wrote the file."""
        return 3 if self.version.startswith("3") else 2


def inspect_file(path: Path, architecture: bytes | None = None) -> Inspected:
    """Return what ``path`` (.h5, .keras) holds; ``architecture`` is the model as JSON, for a file of weights alone.

    Raises ``ConversionError``, naming the layer, unless it holds only Keras's own layers.
    """
    with path.open("rb") as file:
        kind = detect_kind(file.read(64), path.suffix or path.name)
    text, version, weights = _read_h5(path, architecture) if kind == "hdf5" else _read_archive(path)
    try:
        config = json.loads(text)
        if version.startswith("1."):
            config = upgrade_keras_1(config)
        elif is_early(version):
            config = upgrade_keras_3(config, version)
        # Losses, metrics and optimizers are never loaded, so custom ones do no harm.
        config = _simplify(config)
    except (ValueError, RecursionError):
        raise ConversionError("the model's configuration is not valid JSON") from None
    if not isinstance(config, dict) or "class_name" not in config:
        raise ConversionError("the model's configuration describes no model")
    try:
        _walk(config, ())
    except RecursionError:
        raise ConversionError("the model's configuration is nested too deeply") from None
    return Inspected("hdf5" if weights is None else "keras", version, config, weights)


def write_inspected(inspected: Inspected, path: Path) -> None:
    """Make the private copy ``path`` of an inspected file hold exactly the configuration that was inspected."""
    text = json.dumps(inspected.config)
    if inspected.weights is None:
        with h5py.File(path, "r+") as file:
            if "model_weights" not in file:
                _move_weights(file, inspected.version)
            file.attrs["model_config"] = text
            file.attrs.pop("training_config", None)
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": inspected.version}))
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", _weights_of(inspected))


def _weights_of(inspected: Inspected) -> bytes:
    if inspected.keras != 2:
        return inspected.weights
    try:
        return rename_layers(inspected.weights)
    except (OSError, RuntimeError, ValueError, KeyError):
        raise ConversionError(DAMAGED_ARCHIVE) from None


def _move_weights(file: h5py.File, version: str) -> None:
    """Turn a file of weights into one of a model, in place."""
    names = list(file)
    group = file.create_group("model_weights")
    for name in names:
        file.move(name, f"model_weights/{name}")
    for name, value in file.attrs.items():
        group.attrs[name] = value
    file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"


def _simplify(value: Any) -> Any:
    """Return the configuration without training configurations, and with float32 in place of any other precision."""
    if isinstance(value, list):
        return [_simplify(item) for item in value]
    if not isinstance(value, dict):
        return value
    config = value.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    if value.get("class_name") in list(POLICIES) and name in list(FLOATS):
        return FLOAT32
    if value.get("class_name") == "RandomShear":
        # Keras cannot read what it writes of this layer, which does nothing at inference.
        value = value | {"class_name": "Identity", "registered_name": None, "config": {"name": name}}
    if value.get("class_name") == "SpectralNormalization" and value.get("registered_name") is None:
        # Without it, tf_keras does not look among the classes that it is given.
        value = value | {"registered_name": "SpectralNormalization"}
    return {key: _simplify_entry(key, item) for key, item in value.items() if key != "compile_config"}


def _simplify_entry(key: str, item: Any) -> Any:
    if key == "dtype" and isinstance(item, str) and item in FLOATS:
        return FLOAT32
    for ending, unused in UNUSED.items():
        if key.endswith(ending) and _is_custom(item):
            return unused
    return _simplify(item)


def _is_custom(item: Any) -> bool:
    """Whether a configuration names a custom class. Code from the file counts as none, so that it is refused."""
    kind = item.get("class_name") if isinstance(item, dict) else None
    if not isinstance(kind, str) or kind in (*LAMBDAS, "function"):
        return False
    return kind not in known.CLASSES or item.get("registered_name") not in (None, kind)


def _walk(value: object, trail: tuple[str, ...]) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, trail)
    elif isinstance(value, dict):
        if "class_name" in value:
            trail = (*trail, _describe(value))
            _check(value, trail)
        for key, item in value.items():
            if key.endswith("activation"):
                _check_activation(item, trail)
            _walk(item, trail)


def _describe(entry: dict[str, Any]) -> str:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    kind = str(entry["class_name"])[:80]
    return f"'{str(name)[:80]}' ({kind})" if isinstance(name, str) else kind


def _check(entry: dict[str, Any], trail: tuple[str, ...]) -> None:
    where = " in ".join(reversed(trail))
    kind, module, registered = entry["class_name"], entry.get("module"), entry.get("registered_name")
    if kind in LAMBDAS:
        config = entry.get("config")
        arguments = config.get("arguments") if isinstance(config, dict) else None
        if isinstance(arguments, dict) and arguments.keys() == {"i", "parts"}:
            raise ConversionError(
                f"{where}: this model splits photos between several GPUs: save the model that was passed to "
                "multi_gpu_model instead"
            )
        raise ConversionError(
            f"{where}: a Lambda layer, which would run code from the file: replace it by Keras's own layers, such as "
            "Rescaling(1 / 255) for x / 255 or Rescaling(1 / 127.5, offset=-1) for x / 127.5 - 1; copy the weights, "
            "and save it"
        )
    if kind == "function":
        if str(entry.get("config")) not in known.ACTIVATIONS or registered not in (
            None,
            "function",
            entry.get("config"),
        ):
            name = str(entry.get("config"))[:80]
            raise ConversionError(
                f"{where}: '{name}', a function that is not one of Keras's own activations; {REBUILD}"
            )
        allowed: re.Pattern[str] | None = None
    elif not isinstance(kind, str):
        raise ConversionError(f"{where}: not one of the Keras layers that can be converted")
    elif kind in known.FUNCTION_LAYERS:
        _check_function(entry, where)
        allowed = known.FUNCTION_LAYER_MODULE
    elif kind in known.GRAPH_LAYERS:
        _check_graph_operation(entry, where)
        allowed = None
    elif isinstance(module, str) and known.OPERATION_MODULE.fullmatch(module) and kind in known.OPERATIONS:
        allowed = known.OPERATION_MODULE
    elif kind in known.AUTOKERAS or (registered in known.AUTOKERAS and registered == f"Custom>{kind}"):
        allowed, registered = known.AUTOKERAS_MODULE, kind
    elif kind in known.CLASSES:
        allowed = known.CONVNEXT_MODULE if kind in known.CONVNEXT.split() else None
    else:
        raise ConversionError(f"{where}: not one of the Keras layers that can be converted{_advise(kind, module)}")
    if kind != "function" and registered not in (None, kind):
        raise ConversionError(f"{where}: a custom object, registered as '{str(registered)[:80]}'; {REBUILD}")
    if module is not None and str(module) not in known.MODULES and not (allowed and allowed.fullmatch(str(module))):
        raise ConversionError(f"{where}: a custom object, from module '{str(module)[:80]}'; {REBUILD}")


def _advise(kind: str, module: object) -> str:
    if kind == "KerasLayer":
        return ": it loads a network from TensorFlow Hub; build the model with keras.applications instead"
    if kind == "ModuleWrapper":
        return (
            ": the model was built with layers of both keras and tf.keras; import all of them from one of the two, "
            "build it again, copy the weights, and save it"
        )
    if isinstance(module, str) and module.startswith("keras_hub."):
        return ": it is a layer of KerasHub; build the model with keras.applications instead"
    if kind in known.OPERATIONS and module is None:
        return f": {known.ARITHMETIC_IN_HDF5}"
    if kind == "QuantizedDTypePolicy":
        return ": the model is quantised; save it before quantize() is called"
    if kind in known.OPTIMIZATIONS:
        strip = known.OPTIMIZATIONS[kind]
        if strip is None:
            return ": a layer of quantisation-aware training; save the model before quantize_model() is called"
        return f": a layer for training only; remove it with tfmot.{strip}(model), and save that model"
    if kind in known.TEXT:
        return ": it is for text or tables; an image classifier does not need it, so build the model without it"
    if kind in known.SOUND:
        return ": it is for sound, and this service takes photos"
    if kind in known.FOREIGN_NETWORKS:
        return ": it runs a network from outside Keras; build the model of Keras's own layers, and copy the weights"
    if kind in known.RECURRENT:
        return ": a recurrent layer loops over its input, which the Worker does not serve; use convolutions instead"
    return f"; a custom layer needs its code: {REBUILD}"


def _check_activation(value: object, trail: tuple[str, ...]) -> None:
    where = " in ".join(reversed(trail))
    if isinstance(value, str) and value not in known.ACTIVATIONS and value not in known.ACTIVATION_LAYERS:
        raise ConversionError(f"{where}: the activation '{value[:80]}' is not one of Keras's own; {REBUILD}")
    if isinstance(value, list) or (isinstance(value, dict) and "class_name" not in value):
        raise ConversionError(f"{where}: the activation is a function of the author's own; {REBUILD}")


def _check_function(entry: dict[str, Any], where: str) -> None:
    config = entry.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    if not isinstance(function, str) or function not in known.FUNCTIONS:
        raise ConversionError(
            f"{where}: calls 'tf.{str(function)[:80]}', which would run code from the file; only plain arithmetic is "
            f"allowed: {REBUILD}"
        )


def _check_graph_operation(entry: dict[str, Any], where: str) -> None:
    config = entry.get("config")
    described = config.get("node_def") if isinstance(config, dict) else None
    operation = described.get("op") if isinstance(described, dict) else None
    if isinstance(described, str):
        operation = _parse_operation(described)
    if not isinstance(operation, str) or operation not in known.GRAPH_OPERATIONS:
        raise ConversionError(
            f"{where}: the operation '{str(operation)[:80]}' would run code from the file; only plain arithmetic is "
            f"allowed: {REBUILD}"
        )


def _parse_operation(node: str) -> str | None:
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework.node_def_pb2 import NodeDef  # takes seconds

    try:
        return NodeDef.FromString(node.encode("utf-8")).op
    except (DecodeError, UnicodeError):
        return None


def _read_h5(path: Path, architecture: bytes | None) -> tuple[str, str, bytes | None]:
    try:
        with h5py.File(path, "r") as file:
            check_structure(file, path.stat().st_size)
            check_size(count_weights(file))
            is_data = not any(isinstance(file[name], h5py.Group) for name in file)
            names = ("model_config", "keras_version", "backend")
            config, version, backend = (file.attrs.get(name) for name in names)
            is_group = WEIGHTS_ALONE in file.attrs
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        raise ConversionError("not a readable HDF5 file: it is damaged or incomplete, so download it again") from None
    if backend is not None and _decode(backend) == "theano":
        raise ConversionError(
            "Keras on Theano wrote it, with flipped kernels: open it with Keras 2.2 on TensorFlow, and save it again"
        )
    if config is not None:
        return _decode(config), _decode(version) if version is not None else "2", None
    if is_data:
        raise ConversionError("the file contains data, such as photos, but no Keras model: pass the file of the model")
    if architecture is None:
        raise ConversionError(
            "the file contains weights but no model (no model_config): build the model in Python, load these weights, "
            "and save the whole model with model.save('model.keras'); or pass a folder that also has the model as JSON "
            "(model.to_json())"
        )
    described = json.loads(architecture)
    # Keras 3 names no version, but the module.
    written = described.get("keras_version") or ("3" if "module" in described else "2")
    version = _decode(written if version is None else version)
    if is_group:
        return json.dumps(described), version, None
    described.setdefault("module", MODEL_MODULES.get(described["class_name"]))
    return json.dumps(described), version, path.read_bytes()


def _read_archive(path: Path) -> tuple[str, str, bytes]:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or not {name for name in names if name != "assets/"} <= KERAS_ENTRIES:
                raise ConversionError("the .keras archive contains files other than a model's")
            if not {"config.json", "model.weights.h5"} <= set(names):
                raise ConversionError("the .keras archive lacks config.json or model.weights.h5")
            config = read_member(archive, "config.json", MAX_CONFIG_BYTES).decode("utf-8", "replace")
            weights = read_member(archive, "model.weights.h5", min(MAX_BYTES, ALWAYS_ALLOWED + MAX_RATIO * size))
            metadata = read_member(archive, "metadata.json", MAX_CONFIG_BYTES) if "metadata.json" in names else b"{}"
            with h5py.File(io.BytesIO(weights), "r") as file:
                check_structure(file, len(weights))
                check_size(count_weights(file))
        described = json.loads(metadata)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, KeyError, EOFError):
        raise ConversionError(DAMAGED_ARCHIVE) from None
    version = described.get("keras_version") if isinstance(described, dict) else None
    return config, version if isinstance(version, str) else "3", weights


def _decode(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
