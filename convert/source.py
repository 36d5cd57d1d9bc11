"""Finds the Keras model, and the labels beside it, in what people have: a file, a zip or a folder."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from convert.errors import ConversionError

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
MAX_BYTES = 2 * 2**30
MAX_LABELS_BYTES = 2**20
MAX_JSON_BYTES = 16 * 2**20
# What a zip may unpack to: weights hardly compress, except those of small untrained models.
MAX_RATIO, ALWAYS_ALLOWED = 8, 64 * 2**20
MODEL_SUFFIXES = (".h5", ".hdf5", ".keras")
# The files of a .keras archive. Keras stores them unpacked on Hugging Face.
UNPACKED = ("metadata.json", "config.json", "model.weights.h5")
# Google's Teachable Machine calls the two files so; newer exports write keras_Model.h5.
TEACHABLE_MODEL, LABELS = "keras_model.h5", "labels.txt"
# Names that files of labels have in folders and zips, the first that exists counts.
LABEL_FILES = (
    LABELS,
    *(
        f"{name}.{suffix}"
        for name in ("class_indices", "labels", "classes", "class_names", "label_map")
        for suffix in ("json", "txt", "csv")
    ),
)

DIFFERENT = (
    (b"version https://git-lfs", "a Git LFS pointer, not the model itself: run git lfs pull, or download the file"),
    (b"<", "a web page, not the model itself: download the raw file"),
    (b"\x80", "a Python pickle, which runs code when opened: save the model with model.save('model.keras')"),
    (b'{"format":', "a TensorFlow.js model: save the Keras model that it was made from with model.save('model.keras')"),
    (
        b"{",
        "JSON without weights: pass the folder that also has them, or save the model with model.save('model.keras')",
    ),
    *(
        (start, "a compressed archive: unpack it, and pass what it contains")
        for start in (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")
    ),
)
PYTORCH, CHECKPOINT = "a PyTorch model", "a TensorFlow checkpoint"
PROGRAM, NOTEBOOK = "a Python program", "a notebook"
EXPORTS = {
    ".tflite": "a TensorFlow Lite model",
    ".pb": "a TensorFlow SavedModel",
    ".onnx": "an ONNX model",
    ".json": "a TensorFlow.js model",
    ".pt": PYTORCH,
    ".pth": PYTORCH,
    ".safetensors": PYTORCH,
    ".index": CHECKPOINT,
    ".py": PROGRAM,
    ".ipynb": NOTEBOOK,
}
# What a folder or zip without a Keras file may contain, by names or the ends of names.
OTHERS = {
    "data.pkl": PYTORCH,
    "pytorch_model.bin": PYTORCH,
    "saved_model.pb": EXPORTS[".pb"],
    "model.json": EXPORTS[".json"],
    ".tflite": EXPORTS[".tflite"],
    ".safetensors": PYTORCH,
    ".index": CHECKPOINT,
}


@dataclass(frozen=True)
class Source:
    """A Keras file as bytes, and what was found beside it.

    ``path`` names it in the manifest, ``title`` is the name of what the user passed, without suffix. ``labels`` is the
    content of a file of labels, ``teachable`` whether both have the names that Teachable Machine gives them.
    ``architecture`` is a Keras model as JSON, for weights saved without one.
    """

    path: Path
    title: str
    content: bytes
    kind: Literal["hdf5", "keras"]
    labels: bytes | None = None
    teachable: bool = False
    architecture: bytes | None = None


def find_source(path: Path) -> Source:
    """Return the model in ``path``: a Keras file, a zip that contains one, or a folder with one.

    Its first bytes, not its suffix, say what it is. Raises ``ConversionError`` with what to do instead.
    """
    if path.is_dir():
        return _read_folder(path)
    content = _read(path, MAX_BYTES)
    if content.startswith(ZIP) and not _is_keras_archive(content):
        return _read_zip(path, content)
    beside = path.parent / LABELS
    if path.name.lower() == TEACHABLE_MODEL and beside.is_file():
        return _build(path, path.stem, content, LABELS, _read(beside, MAX_LABELS_BYTES))
    return _add_architecture(_build(path, path.stem, content), path)


def read_labels_file(path: Path) -> bytes:
    """Return the content of a file of labels. Raises ``ConversionError`` if it cannot be read."""
    return _read(path, MAX_LABELS_BYTES)


def _build(
    path: Path, title: str, content: bytes, labels_name: str | None = None, labels: bytes | None = None
) -> Source:
    teachable = labels_name == LABELS and path.name.lower() == TEACHABLE_MODEL
    return Source(path, title, content, detect_kind(content, path.suffix or path.name), labels, teachable)


def detect_kind(content: bytes, suffix: str) -> Literal["hdf5", "keras"]:
    """Return the kind of the Keras file ``content``. Raises ``ConversionError`` if it is something else."""
    if content.startswith(HDF5):
        return "hdf5"
    if content.startswith(ZIP):
        return "keras"
    if not content:
        raise ConversionError("the file is empty: download it again")
    other = "a TensorFlow Lite model" if content[4:8] == b"TFL3" else EXPORTS.get(suffix.lower())
    beginning = content[:256].lstrip().replace(b'": ', b'":')
    for start, reason in DIFFERENT:
        if beginning.startswith(start) and other not in (PYTORCH, NOTEBOOK):
            raise ConversionError(f"not a Keras file, but {reason}")
    hint = f"; this looks like {other}: {_advise(other)}" if other else ""
    raise ConversionError(
        f"not a readable Keras file: only .h5 and .keras files can be converted, not '{suffix}'{hint}"
    )


def _advise(other: str) -> str:
    if other == CHECKPOINT:
        return (
            "it has weights but no model; build the model in Python, load them with model.load_weights(), and save it "
            "with model.save('model.keras')"
        )
    if other in (PROGRAM, NOTEBOOK):
        return "run it, and pass the file that model.save() writes"
    if "TensorFlow" in other:
        return (
            "save the Keras model with model.save('model.keras'), or in Teachable Machine export Tensorflow, Keras; if "
            "Keras 2 wrote a SavedModel, open it with tf_keras.models.load_model(FOLDER), and call .save('model.h5')"
        )
    if other == PYTORCH:
        return "it has no Keras model; train the network again in Keras"
    return "convert the Keras model that it was made from"


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise ConversionError(f"cannot read {path}: not a file")
        if path.stat().st_size > limit:
            raise ConversionError(f"cannot read {path}: larger than {limit // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ConversionError(f"cannot read {path}: {(error.strerror or 'error').lower()}") from None


def _read_folder(folder: Path) -> Source:
    files = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    names = [file.name for file in files]
    labels = next((name for name in LABEL_FILES if name in names), None)
    content = None if labels is None else _read(folder / labels, MAX_LABELS_BYTES)
    if set(UNPACKED) <= set(names):
        packed = _pack(lambda name: _read(folder / name, MAX_BYTES))
        return _build(folder.with_suffix(".keras"), folder.resolve().name, packed, labels, content)
    model = _choose(names, f"the folder {folder.name}")
    source = _build(folder / model, folder.resolve().name, _read(folder / model, MAX_BYTES), labels, content)
    return _add_architecture(source, folder / model)


def _add_architecture(source: Source, file: Path) -> Source:
    """Return ``source`` with the model as JSON in the folder of ``file``, if it needs one."""
    if source.kind != "hdf5" or b"model_config" in source.content:
        return source
    files = [each for each in sorted(file.parent.glob("*.json")) if each.is_file()]
    small = {each.name: _read(each, MAX_JSON_BYTES) for each in files if each.stat().st_size <= MAX_JSON_BYTES}
    return replace(source, architecture=_find_architecture(file.stem, small))


def _find_architecture(stem: str, files: Mapping[str, bytes]) -> bytes | None:
    """Return the only one of ``files`` that is a model as JSON, or of several the one with the name of the weights."""
    found = {PurePosixPath(name).stem: content for name, content in files.items() if _is_architecture(content)}
    return next(iter(found.values())) if len(found) == 1 else found.get(stem)


def _is_architecture(content: bytes) -> bool:
    try:
        described = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(described, dict) and described.get("class_name") in ("Functional", "Model", "Sequential")


def _pack(read: Callable[[str], bytes]) -> bytes:
    """Return the .keras archive of the files that ``read`` returns; the same files always give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in UNPACKED:
            archive.writestr(zipfile.ZipInfo(name), read(name))
    return packed.getvalue()


def _read_zip(path: Path, content: bytes) -> Source:
    limit = min(MAX_BYTES, ALWAYS_ALLOWED + MAX_RATIO * len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [entry.filename for entry in archive.infolist() if not _is_clutter(entry.filename)]
            if len(set(names)) != len(names):
                raise ConversionError("the zip contains two files with the same name")
            unpacked = _find_unpacked(names)
            beside = unpacked or PurePosixPath(_choose(names, "the zip"))
            labels = next((name for name in LABEL_FILES if str(beside.with_name(name)) in names), None)
            if unpacked:
                content = _pack(lambda name: read_member(archive, str(unpacked.with_name(name)), limit))
                model = path.with_suffix(".keras")
            else:
                content, model = read_member(archive, str(beside), limit), path / beside.name
            source = _build(
                model,
                path.stem,
                content,
                labels,
                None if labels is None else read_member(archive, str(beside.with_name(labels)), MAX_LABELS_BYTES),
            )
            described = {
                entry.filename: read_member(archive, entry.filename, MAX_JSON_BYTES)
                for entry in archive.infolist()
                if entry.filename in names
                and PurePosixPath(entry.filename).match("*.json")
                and PurePosixPath(entry.filename).parent == beside.parent
                and entry.file_size <= MAX_JSON_BYTES
            }
            return replace(source, architecture=_find_architecture(beside.stem, described))
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError):
        raise ConversionError("not a readable zip") from None


def _find_unpacked(names: list[str]) -> PurePosixPath | None:
    """Return the configuration of an unpacked .keras archive among the files of a zip."""
    places = [PurePosixPath(name) for name in names if PurePosixPath(name).name == "config.json"]
    return next((place for place in places if all(str(place.with_name(name)) in names for name in UNPACKED)), None)


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the bytes of an entry. The limit applies to what unpacks, not to the size in the header."""
    with archive.open(name) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ConversionError(f"{name} in the archive exceeds {limit // 2**20} MiB")
    return content


def _choose(names: list[str], where: str) -> str:
    """Return the only Keras file among ``names``."""
    models = [name for name in names if name.lower().endswith(MODEL_SUFFIXES)]
    if len(models) > 1:
        raise ConversionError(f"{where} contains several models ({', '.join(sorted(models)[:5])}): pass one of them")
    if models:
        return models[0]
    for ending, other in OTHERS.items():
        if any(name == ending or name.endswith(ending if ending[0] == "." else f"/{ending}") for name in names):
            raise ConversionError(f"{where} contains {other}, not a Keras file: {_advise(other)}")
    raise ConversionError(f"{where} contains no Keras file (.h5, .hdf5, .keras)")


def _is_keras_archive(content: bytes) -> bool:
    """Whether a zip is a .keras file; one that cannot be read counts as one, and is refused as such later."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return True
    # macOS adds files of its own to a .keras archive that it packs again.
    return "config.json" in names and not any(
        name.lower().endswith(TEACHABLE_MODEL) or name.startswith("__MACOSX/") for name in names
    )


def _is_clutter(name: str) -> bool:
    return name.endswith("/") or bool(re.search(r"(^|/)(__MACOSX/|\.)", name))
