"""Writes the results of a training: the model, its metrics and its plots, all or nothing."""

import hashlib
import json
import logging
import signal
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import keras

from convert.baseline import count_scores
from model.training.charts import Findings, draw_plots
from model.training.dataset import Photos, Split
from model.training.evaluation import evaluate, evaluate_groups, evaluate_strangers, score
from model.training.strangers import Halves

FORMAT = "husky-ai/metrics/2"
MODEL_FILE = "huskymodel.h5"
METRICS_FILE = "metrics.json"


@dataclass(frozen=True)
class Run:
    """A finished training: its inputs and its outputs."""

    network: str
    names: tuple[str, str]
    training: Photos
    validation: Split
    strangers: Halves
    settings: dict[str, object]
    """The settings of the training, and the epoch it kept (``best_epoch``, from 1)."""
    groups: dict[str, list[str]]
    model: keras.Model
    history: dict[str, list[float]]


def write_results(folder: Path, run: Run) -> dict[str, object]:
    """Write model, metrics.json and plots of ``run`` into ``folder`` and return the metrics.

    Measures the file as written, loaded again. All files are complete in a scratch folder before the first moves;
    metrics.json moves last and names the model by its SHA-256, which exposes a mixture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".train-", dir=folder) as name:
        scratch = Path(name)
        model_file = scratch / MODEL_FILE
        save_h5(run.model, model_file)
        saved = keras.models.load_model(model_file, compile=False)
        scores = score(saved, run.validation)
        metrics = _describe(run, saved.count_params(), model_file.read_bytes())
        labels = run.validation.labels
        metrics["validation"] = evaluation = evaluate(labels, scores)
        metrics["strangers"] = evaluate_strangers(labels, scores, run.strangers)
        metrics["groups"] = groups = evaluate_groups(run.validation.paths, labels, scores, run.groups)
        metrics["history"] = run.history
        metrics["baseline"] = count_scores(scores)
        (scratch / "plots").mkdir()
        found = Findings(run.names, labels, scores, evaluation, groups, run.history, run.settings["best_epoch"])
        draw_plots(scratch / "plots", found)
        (scratch / METRICS_FILE).write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
        plots = sorted(f"plots/{plot.name}" for plot in (scratch / "plots").iterdir())
        _move(scratch, folder, [*plots, MODEL_FILE, METRICS_FILE])
    return metrics


def save_h5(model: keras.Model, path: Path) -> None:
    """Save architecture and weights only: no optimizer state, no training configuration."""
    logging.getLogger("absl").setLevel(logging.ERROR)  # Keras remarks on each .h5 that .keras is newer
    model.save(path, include_optimizer=False)


def _describe(run: Run, parameters: int, content: bytes) -> dict[str, object]:
    splits = {"training": run.training, "validation": run.validation}
    return {
        "format": FORMAT,
        "source": {"file": MODEL_FILE, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "network": {"name": run.network, "parameters": parameters, "input": list(run.validation.pixels.shape[1:])},
        "data": {name: dict(zip(run.names, split.counts(), strict=True)) for name, split in splits.items()},
        "training": run.settings,
        "tools": {
            **{tool: version(tool) for tool in ("keras", "numpy", "pillow", "scikit-learn")},
            "backend": keras.backend.backend(),
        },
    }


def _move(source: Path, target: Path, names: list[str]) -> None:
    """Rename the files one by one, ignoring interrupts until all are in place."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for name in names:
            (target / name).parent.mkdir(exist_ok=True)
            (source / name).replace(target / name)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
