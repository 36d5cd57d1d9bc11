"""The manifest of a converted model: everything a runtime must know, reproducible byte for byte."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tensorflow as tf

from convert.baseline import check_baseline
from convert.contract import Contract
from convert.heatmap import INPUT, OUTPUT
from convert.junk_gate import JunkResult
from convert.parity import INPUTS
from convert.release import describe_file
from convert.weights import GRAPH, WEIGHTS, Served

FORMAT = "husky-ai/manifest/2"
TOOLS = ("numpy", "onnx", "onnxruntime", "tf2onnx")


def read_metrics(source: Path, sha256: str) -> dict[str, Any] | None:
    """Return the metrics in metrics.json beside ``source``, or None if that describes a file of another SHA-256."""
    try:
        metrics = json.loads((source.parent / "metrics.json").read_text("utf-8"))
        if metrics["source"]["sha256"] != sha256:
            return None
        found = metrics["validation"]
        kept = ("photos", "auc", "accuracy", "balanced_accuracy", "precision", "recall")
        return {"validation": {name: found[name] for name in kept}}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_metrics_baseline(source: Path, sha256: str, labels: Sequence[str]) -> dict[str, Any] | None:
    """Return the baseline in metrics.json beside ``source``, or None if there is none for a file of this SHA-256."""
    try:
        metrics = json.loads((source.parent / "metrics.json").read_text("utf-8"))
        return check_baseline(metrics["baseline"], labels) if metrics["source"]["sha256"] == sha256 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def build_manifest(
    *,
    name: str,
    contract: Contract,
    heatmap: tuple[int, int] | None,
    labels: Sequence[str],
    threshold: float | None,
    resampling: str,
    resize: str | None,
    keras: int,
    served: Served,
    memory: int,
    source: Path,
    source_content: bytes,
    tolerance: float,
    junk: JunkResult | None,
    baseline: dict[str, Any] | None,
    probes: list[dict[str, Any]],
) -> bytes:
    """Return the bytes of manifest.json.

    ``keras`` is the version of Keras that opened the file, 2 or 3; ``heatmap`` is the graph's (rows, columns), or None
    if it has none; ``memory`` is what ONNX Runtime takes in wasm with this network, in bytes. Without ``resize``, the
    Worker squeezes photos as it did before there was a choice. Without ``baseline``, that of metrics.json is taken.
    """
    described = describe_file(source_content)
    tools = _read_tool_versions(keras)
    baseline = baseline or read_metrics_baseline(source, described["sha256"], labels)
    content = {
        "format": FORMAT,
        "name": name,
        "input": {
            "name": "input",
            "width": contract.width,
            "height": contract.height,
            "layout": "NHWC",
            "color": "RGB" if contract.channels == 3 else "L",
            "dtype": "float32",
            "range": [0, 1],
            "resampling": resampling,
        }
        | ({"resize": resize} if resize else {}),
        "output": {"name": "scores", "activation": contract.activation, "size": contract.size},
        "heatmap": heatmap and {"input": INPUT, "output": OUTPUT, "rows": heatmap[0], "columns": heatmap[1]},
        "labels": list(labels),
        "threshold": threshold,
        "runtime": {"name": "onnxruntime-web", "version": tools["onnxruntime"], "memory": memory},
        "files": {GRAPH: describe_file(served.graph), WEIGHTS: describe_file(served.weights)},
        "weights": served.tensors,
        "source": {"file": source.name, **described},
        "tools": tools,
        "parity": {"inputs": INPUTS, "tolerance": tolerance},
        "junk": junk
        and {
            "pictures": junk.pictures,
            "seed": junk.seed,
            "mean": round(junk.mean, 6),
            "maximum": round(junk.maximum, 6),
            "failures": junk.failures,
        },
        "metrics": read_metrics(source, described["sha256"]),
        **({"baseline": baseline} if baseline else {}),
        "probes": probes,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _read_tool_versions(keras: int) -> dict[str, str]:
    versions = {tool: version(tool) for tool in (*TOOLS, "keras" if keras == 3 else "tf_keras")}
    versions["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions["tensorflow"] = tf.__version__
    return dict(sorted(versions.items()))
