"""Hostile files, as users convert them: no payload runs, nothing outside is read, and each ends in a message."""

import base64
import io
import json
import marshal
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from convert import convert
from networks import sigmoid_network

SECONDS, BYTES = 60, 1.5 * 2**30
PATIENCE = 10 * SECONDS  # of the clock, on a machine that does other work as well
SECRET = "the content of another file"
# Runs a command, and prints the processor seconds and the peak memory (KiB) of its processes. Linux counts the peak of
# the process that forked a command as the command's own, so the tests, which hold TensorFlow, start it through this.
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode
sys.stdout.flush()
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def h5(path: Path, change: Callable[[h5py.File, dict], object]) -> Path:
    """Write a small model whose configuration or structure ``change`` alters."""
    sigmoid_network().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(file, config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def archive(
    path: Path, config: Callable[[dict], object] | None = None, weights: Callable[[h5py.File], object] | None = None
) -> Path:
    """Write a .keras archive, altered in the same way."""
    proper = path.with_name("proper.keras")
    sigmoid_network().save(proper)
    with zipfile.ZipFile(proper) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        described = json.loads(source.read("config.json"))
        stored = io.BytesIO(source.read("model.weights.h5"))
        if config:
            config(described)
        if weights:
            with h5py.File(stored, "r+") as opened:
                weights(opened)
        file.writestr("metadata.json", source.read("metadata.json"))
        file.writestr("config.json", json.dumps(described))
        file.writestr("model.weights.h5", stored.getvalue())
    proper.unlink()
    return path


def layers_of(config: dict) -> list[dict]:
    return config["config"]["layers"]


def call(module: str, function: str, **config: object) -> Callable[[dict], object]:
    """Return what makes a layer of the configuration a call of a function, as in CVE-2025-1550."""

    def change(described: dict) -> None:
        entry = {"module": module, "class_name": "function", "config": function, "registered_name": function}
        layers_of(described).insert(
            1, {"class_name": function, "module": module, "config": config, "registered_name": function}
        )
        layers_of(described)[-1]["config"]["activation"] = entry

    return change


def add_layer(kind: str, module: str = "keras.layers", **config: object) -> Callable[[dict], object]:
    layer = {"class_name": kind, "module": module, "config": {"name": "hostile", **config}, "registered_name": None}
    return lambda described: layers_of(described).insert(1, layer)


def lambda_of(marker: Path) -> dict:
    """Return the configuration of a Lambda layer that writes ``marker`` when it is loaded or runs."""
    code = marshal.dumps(compile(f"open({str(marker)!r}, 'w')", "x", "eval"))
    return {"function": [base64.b64encode(code).decode(), None, None], "function_type": "lambda", "arguments": {}}


def activation(name: str) -> Callable[[h5py.File, dict], object]:
    return lambda _file, config: layers_of(config)[-1]["config"].update(activation=name)


def cycle(file: h5py.File, _config: dict) -> None:
    file["model_weights/again"] = file["model_weights"]


def huge_dataset(file: h5py.File, _config: dict | None = None) -> None:
    file.create_dataset("huge", (2**20, 2**20), "f4", chunks=(1024, 1024), compression="gzip")


def external_storage(secret: Path) -> Callable[[h5py.File], object]:
    return lambda file: file.create_dataset("raw", (4,), "f4", external=[(str(secret), 0, 16)])


def duplicates(path: Path) -> Path:
    archive(path)
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", json.dumps({"class_name": "Lambda"}))
    return path


def traversal(path: Path) -> Path:
    archive(path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("../escaped.txt", "x")
    return path


def weights_bomb(path: Path) -> Path:
    """Less than 1 MB that unpacks to 400 MB."""
    archive(path)
    bomb = path.with_name("bomb.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        file.writestr("metadata.json", source.read("metadata.json"))
        file.writestr("config.json", source.read("config.json"))
        with file.open("model.weights.h5", "w", force_zip64=True) as stream:
            for _ in range(40):
                stream.write(bytes(10 * 2**20))
    bomb.rename(path)
    return path


def nested(path: Path) -> Path:
    def change(file: h5py.File, _config: dict) -> None:
        group = file
        for _ in range(300):
            group = group.create_group("g")

    return h5(path, change)


def large_layers(described: dict) -> None:
    """Weights of 400 GB that only the configuration mentions."""
    layers_of(described)[-2]["config"]["units"] = 10**9


def endless_upsampling(path: Path) -> Path:
    """A network of a few kilobytes that needs 100 GB for one photo."""
    layers = keras.layers
    body = [layers.UpSampling2D(100), layers.UpSampling2D(40), layers.GlobalMaxPooling2D()]
    keras.Sequential([keras.Input((24, 24, 3)), *body, layers.Dense(1, activation="sigmoid")]).save(path)
    return path


def truncated(path: Path) -> Path:
    sigmoid_network().save(path)
    path.write_bytes(path.read_bytes()[:3000])
    return path


CODE = "would run code|not one of|custom object"
OUTSIDE = "is a link|another file|occurs twice|files other than"
SIZE = "far more|exceeds|unpacks to"
HOSTILE: dict[str, tuple[str, Callable[[Path, Path, Path], object], str]] = {
    "CVE-2025-1550, any function": (
        "x.keras",
        lambda p, m, _s: archive(p, call("os", "system", command=f"touch {m}")),
        CODE,
    ),
    "CVE-2025-8747, keras.utils.get_file": (
        "x.keras",
        lambda p, m, _s: archive(p, call("keras.utils", "get_file", fname=str(m), origin="http://127.0.0.1:9/x")),
        CODE,
    ),
    "CVE-2025-9905, Lambda in .h5": (
        "x.h5",
        lambda p, m, _s: h5(p, lambda _f, c: layers_of(c).insert(1, {"class_name": "Lambda", "config": lambda_of(m)})),
        CODE,
    ),
    "Lambda in .h5 of Keras 2": (
        "x.h5",
        lambda p, m, _s: h5(
            p,
            lambda f, c: (
                f.attrs.__setitem__("keras_version", "2.4.0"),
                layers_of(c).insert(1, {"class_name": "Lambda", "config": lambda_of(m)}),
            ),
        ),
        CODE,
    ),
    "CVE-2025-9906, unsafe deserialization": (
        "x.keras",
        lambda p, _m, _s: archive(p, call("keras.config", "enable_unsafe_deserialization")),
        CODE,
    ),
    "CVE-2025-12058, vocabulary of another file": (
        "x.keras",
        lambda p, _m, s: archive(p, add_layer("StringLookup", vocabulary=str(s))),
        CODE,
    ),
    "CVE-2025-49655, TorchModuleWrapper": (
        "x.keras",
        lambda p, _m, _s: archive(p, add_layer("TorchModuleWrapper", module="gASV")),
        CODE,
    ),
    "CVE-2026-1462, TFSMLayer": ("x.keras", lambda p, _m, s: archive(p, add_layer("TFSMLayer", filepath=str(s))), CODE),
    "CVE-2026-1669, external storage": ("x.keras", lambda p, _m, s: archive(p, weights=external_storage(s)), OUTSIDE),
    "CVE-2026-0897, a declared shape": ("x.keras", lambda p, _m, _s: archive(p, weights=huge_dataset), SIZE),
    "a declared shape in .h5": ("x.h5", lambda p, _m, _s: h5(p, huge_dataset), SIZE),
    "an operation that writes": (
        "x.h5",
        lambda p, m, _s: h5(p, lambda _f, c: add_layer("TFOpLambda", function="io.write_file", filename=str(m))(c)),
        CODE,
    ),
    "a graph's operation that writes": (
        "x.h5",
        lambda p, _m, _s: h5(
            p, lambda _f, c: add_layer("TensorFlowOpLayer", node_def={"op": "WriteFile"}, constants={})(c)
        ),
        CODE,
    ),
    "a layer of another module": (
        "x.keras",
        lambda p, _m, _s: archive(p, add_layer("Dense", module="subprocess")),
        CODE,
    ),
    "an operation of another module": (
        "x.keras",
        lambda p, _m, _s: archive(p, add_layer("Add", module="keras.src.ops.file")),
        CODE,
    ),
    "an activation string": ("x.h5", lambda p, _m, _s: h5(p, activation("os.system")), CODE),
    "an activation of the library": ("x.h5", lambda p, _m, _s: h5(p, activation("deserialize")), CODE),
    "a soft link": (
        "x.h5",
        lambda p, _m, _s: h5(p, lambda f, _c: f.__setitem__("model_weights/x", h5py.SoftLink("/"))),
        OUTSIDE,
    ),
    "an external link": (
        "x.h5",
        lambda p, _m, s: h5(p, lambda f, _c: f.__setitem__("model_weights/x", h5py.ExternalLink(str(s), "/"))),
        OUTSIDE,
    ),
    "a cycle of hard links": ("x.h5", lambda p, _m, _s: h5(p, cycle), OUTSIDE),
    "groups in groups": ("x.h5", lambda p, _m, _s: nested(p), "nested more than"),
    "two entries of one name": ("x.keras", lambda p, _m, _s: duplicates(p), OUTSIDE),
    "an entry outside the archive": ("x.keras", lambda p, _m, _s: traversal(p), OUTSIDE),
    "a bomb of weights": ("x.keras", lambda p, _m, _s: weights_bomb(p), SIZE),
    "weights that only the configuration has": (
        "x.keras",
        lambda p, _m, _s: archive(p, large_layers),
        "cannot load|far more|memory",
    ),
    "a bomb at inference": ("x.keras", lambda p, _m, _s: endless_upsampling(p), "memory"),
    "a truncated file": ("x.h5", lambda p, _m, _s: truncated(p), "not a readable HDF5"),
    "noise": (
        "x.h5",
        lambda p, _m, _s: p.write_bytes(b"\x89HDF\r\n\x1a\n" + np.random.default_rng(1).bytes(5000)),
        "not a readable",
    ),
    "an empty archive": ("x.keras", lambda p, _m, _s: p.write_bytes(b"PK\x05\x06" + bytes(18)), "not a readable|lacks"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ends_in_a_message(tmp_path, name):
    file, write, reason = HOSTILE[name]
    marker, secret = tmp_path / "ran", tmp_path / "secret"
    secret.write_text(SECRET)
    path = tmp_path / file
    write(path, marker, secret)
    marker.unlink(missing_ok=True)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    command = [
        sys.executable,
        "-m",
        "convert.convert",
        path,
        "--labels",
        "yes,no",
        "--input-range",
        "0..1",
        "--out",
        tmp_path / "out",
    ]
    measured = [sys.executable, "-c", MEASURED, *command]
    process = subprocess.run(measured, capture_output=True, text=True, cwd=convert.ROOT, timeout=PATIENCE)
    *lines, usage = (process.stdout + process.stderr).splitlines()
    seconds, peak = map(float, usage.split())
    printed = "\n".join(lines)
    assert process.returncode == 1
    (message,) = [line for line in lines if line.startswith("Not converted: ")]
    assert re.search(reason, message), message
    assert "Traceback" not in printed
    assert SECRET not in printed
    assert not marker.exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before
    assert seconds < SECONDS
    assert peak * 1024 < BYTES
