"""Inspects what a Keras file would build, before Keras opens it.

A Keras file can contain code (a Lambda layer's bytecode), name any importable class, or link to other files. The
inspection reads only JSON and HDF5 structure, and refuses everything that is not on a list of Keras's own classes.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path

import h5py

from convert.errors import ConversionError
from convert.keras_classes import ACTIVATIONS, CLASSES, MODULES

MAX_CONFIG_BYTES = 16 * 2**20
MAX_WEIGHTS_BYTES = 2 * 2**30
KERAS_ENTRIES = {"metadata.json", "config.json", "model.weights.h5"}


def inspect_file(path: Path) -> None:
    """Raise ``ConversionError``, naming the layer, unless ``path`` (.h5, .keras) holds only Keras's own layers."""
    match path.suffix.lower():
        case ".h5":
            text = _read_h5_config(path)
        case ".keras":
            text = _read_keras_config(path)
        case suffix:
            raise ConversionError(f"only .h5 and .keras files can be converted, not '{suffix or path.name}'")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        raise ConversionError("the model's configuration is not valid JSON") from None
    if not isinstance(config, dict) or "class_name" not in config:
        raise ConversionError("the model's configuration describes no model")
    # Losses, metrics and the optimizer are never loaded (compile=False), so custom ones do no harm.
    config.pop("compile_config", None)
    try:
        _walk(config, ())
    except RecursionError:
        raise ConversionError("the model's configuration is nested too deeply") from None


def _walk(value: object, trail: tuple[str, ...]) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, trail)
    elif isinstance(value, dict):
        if "class_name" in value:
            trail = (*trail, _describe(value))
            _check(value, trail)
        for item in value.values():
            _walk(item, trail)


def _describe(entry: dict[str, object]) -> str:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    kind = str(entry["class_name"])[:80]
    return f"'{str(name)[:80]}' ({kind})" if isinstance(name, str) else kind


def _check(entry: dict[str, object], trail: tuple[str, ...]) -> None:
    where = " in ".join(reversed(trail))
    kind = entry["class_name"]
    if kind in ("Lambda", "TFOpLambda", "__lambda__"):
        raise ConversionError(f"{where}: a Lambda layer, which would run code from the file")
    module = entry.get("module")
    registered = entry.get("registered_name")
    if kind == "function":
        if str(entry.get("config")) not in ACTIVATIONS or registered not in (None, "function", entry.get("config")):
            raise ConversionError(f"{where}: a function that is not one of Keras's own activations")
    elif not isinstance(kind, str) or kind not in CLASSES:
        raise ConversionError(f"{where}: not one of the Keras layers that can be converted")
    elif registered not in (None, kind):
        raise ConversionError(f"{where}: a custom object, registered as '{str(registered)[:80]}'")
    if module is not None and str(module) not in MODULES:
        raise ConversionError(f"{where}: a custom object, from module '{str(module)[:80]}'")


def _read_h5_config(path: Path) -> str:
    try:
        with h5py.File(path, "r") as file:
            _check_links(file)
            config = file.attrs.get("model_config")
    except OSError:
        raise ConversionError("not a readable HDF5 file") from None
    if config is None:
        raise ConversionError("the file contains weights but no model (no model_config); save the whole model")
    return config.decode("utf-8", "replace") if isinstance(config, bytes) else str(config)


def _read_keras_config(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or not {name for name in names if name != "assets/"} <= KERAS_ENTRIES:
                raise ConversionError("the .keras archive contains files other than a model's")
            if not {"config.json", "model.weights.h5"} <= set(names):
                raise ConversionError("the .keras archive lacks config.json or model.weights.h5")
            with h5py.File(io.BytesIO(_read_member(archive, "model.weights.h5", MAX_WEIGHTS_BYTES)), "r") as weights:
                _check_links(weights)
            return _read_member(archive, "config.json", MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        raise ConversionError("not a readable .keras archive") from None


def _read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the bytes of an entry. The limit applies to what unpacks, not to the size in the header."""
    with archive.open(name) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ConversionError(f"{name} in the .keras archive exceeds {limit // 2**20} MiB")
    return content


def _check_links(group: h5py.Group) -> None:
    """Refuse links and external storage: loading them would read other files of this machine."""
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ConversionError(f"'{name}' in the HDF5 file is a link, not data")
        member = group[name]
        if isinstance(member, h5py.Group):
            _check_links(member)
        elif isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
            raise ConversionError(f"'{name}' in the HDF5 file is stored in another file")
