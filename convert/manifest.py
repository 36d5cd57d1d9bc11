"""The manifest of a converted model: all that a runtime must know, the same bytes for the same conversion."""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tensorflow as tf

from contract import Contract
from heatmap import INPUT, OUTPUT
from junk_gate import JunkResult
from parity import Parity

FORMAT = "husky-ai/manifest/1"
TOOLS = ("keras", "numpy", "onnx", "onnxruntime", "tf2onnx")


def describe_file(content: bytes) -> dict[str, Any]:
    """Return size and SHA-256 (hex) of a file's content."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def metrics_beside(source: Path, sha256: str) -> dict[str, Any] | None:
    """Return the metrics for a manifest, from metrics.json in the folder of ``source``, where it is about that file."""
    try:
        metrics = json.loads((source.parent / "metrics.json").read_text("utf-8"))
        if metrics["source"]["sha256"] != sha256:
            return None
        found = metrics["validation"]
        kept = ("photos", "auc", "accuracy", "balanced_accuracy", "precision", "recall")
        return {"validation": {name: found[name] for name in kept}}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def build_manifest(
    *,
    name: str,
    contract: Contract,
    heatmap: tuple[int, int] | None,
    labels: list[str],
    threshold: float | None,
    resampling: str,
    weights: str,
    graph: bytes,
    source: Path,
    source_content: bytes,
    parity: Parity,
    junk: JunkResult,
    probes: list[dict[str, Any]],
) -> bytes:
    """Return the bytes of manifest.json; ``heatmap`` is (rows, columns) of the graph's, None where it has none."""
    described = describe_file(source_content)
    content = {
        "format": FORMAT,
        "name": name,
        "input": {
            "name": "input",
            "width": contract.width,
            "height": contract.height,
            "layout": "NHWC",
            "color": "RGB",
            "dtype": "float32",
            "range": [0, 1],
            "resampling": resampling,
        },
        "output": {"name": "scores", "activation": contract.activation, "size": contract.size},
        "heatmap": heatmap and {"input": INPUT, "output": OUTPUT, "rows": heatmap[0], "columns": heatmap[1]},
        "labels": labels,
        "threshold": threshold,
        "weights": weights,
        "files": {"model.onnx": describe_file(graph)},
        "source": {"file": source.name, **described},
        "tools": _tool_versions(),
        "parity": {"inputs": parity.inputs, "tolerance": parity.tolerance},
        "junk": {
            "pictures": junk.pictures,
            "seed": junk.seed,
            "mean": round(junk.mean, 6),
            "maximum": round(junk.maximum, 6),
            "failures": junk.failures,
        },
        "metrics": metrics_beside(source, described["sha256"]),
        "probes": probes,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _tool_versions() -> dict[str, str]:
    versions = {tool: version(tool) for tool in TOOLS}
    versions["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions["tensorflow"] = tf.__version__
    return dict(sorted(versions.items()))
