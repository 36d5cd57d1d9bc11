"""The charts: small transparent SVG files, in colours that suit a light and a dark page."""

import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import matplotlib.ticker
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn import metrics

from model.training.evaluation import reliability

matplotlib.use("svg")

# Each has a contrast of about 4 to 1 against white and against GitHub's dark page.
INK = "#72808f"
GRID = "#72808f44"
BLUE = "#2f81f7"
ORANGE = "#d9730d"
# Backgrounds of white text, for none of a row and for all of it, right or wrong.
NONE = "#57606a"
RIGHT = "#1f6feb"
WRONG = "#b35900"

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "husky-ai",
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans", "sans-serif"],
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": "linecolor",
    "lines.linewidth": 2,
    "savefig.transparent": True,
}
COMPARED = (ORANGE, BLUE, INK)


@dataclass(frozen=True)
class Findings:
    """The figures of a training run."""

    names: tuple[str, str]
    labels: np.ndarray
    scores: np.ndarray
    evaluation: dict[str, object]
    groups: list[dict[str, object]]
    history: dict[str, list[float]]
    best_epoch: int


def draw_plots(folder: Path, found: Findings) -> None:
    """Write curves, roc, confusion, reliability and groups.svg into ``folder``; they depend only on ``found``."""
    with matplotlib.rc_context(STYLE):
        if found.history:
            _save(_draw_curves(found.history, found.best_epoch), folder / "curves.svg")
        _save(_draw_roc(found.labels, found.scores, found.evaluation), folder / "roc.svg")
        _save(_draw_confusion(found.evaluation["confusion"], found.names), folder / "confusion.svg")
        _save(_draw_reliability(found), folder / "reliability.svg")
        _save(_draw_groups(found), folder / "groups.svg")


def _draw_curves(history: dict[str, list[float]], best_epoch: int) -> Figure:
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    lines = {
        "loss": [("training (augmented)", "loss", BLUE), ("validation", "val_loss", ORANGE)],
        "auc": [("training", "auc", BLUE), ("validation", "val_auc", ORANGE)],
    }
    for panel, (key, title) in zip(panels, (("loss", "Loss"), ("auc", "AUC")), strict=True):
        for label, name, colour in lines[key]:
            if name in history:
                panel.plot(epochs, history[name], color=colour, label=label)
        panel.axvline(best_epoch, color=INK, linestyle=":", linewidth=1.5)
        panel.set(title=title, xlabel="epoch", xlim=(1, max(2, len(epochs))))
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.legend(loc="best")
    kept = history["val_auc"][best_epoch - 1]
    panels[1].plot(best_epoch, kept, "o", color=ORANGE, markersize=7, clip_on=False)
    panels[1].set_title(f"AUC: epoch {best_epoch} kept, {kept:.3f} on validation")
    return figure


def _draw_roc(labels: np.ndarray, scores: np.ndarray, evaluation: dict[str, object]) -> Figure:
    figure, axes = plt.subplots(figsize=(4.8, 4.6), layout="constrained")
    false_rate, true_rate, _ = metrics.roc_curve(labels, scores)
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1.5)
    axes.fill_between(false_rate, true_rate, color=BLUE, alpha=0.12, linewidth=0)
    axes.plot(false_rate, true_rate, color=BLUE)
    chosen = (float((scores[labels == 0] > 0.5).mean()), float((scores[labels == 1] > 0.5).mean()))
    axes.plot(*chosen, "o", color=ORANGE, markersize=8, clip_on=False)
    axes.annotate("threshold 0.5", chosen, xytext=(10, -14), textcoords="offset points", color=ORANGE)
    axes.text(0.97, 0.05, f"AUC {evaluation['auc']:.3f}", ha="right", fontsize=16, color=BLUE)
    axes.set(
        title="ROC on the validation photos", xlabel="false positive rate", ylabel="true positive rate",
        xlim=(0, 1), ylim=(0, 1.01), aspect="equal",
    )  # fmt: skip
    return figure


def _draw_confusion(confusion: dict[str, int], names: tuple[str, str]) -> Figure:
    figure, axes = plt.subplots(figsize=(4.8, 4.2), layout="constrained")
    counts = np.array(
        [
            [confusion["true_positive"], confusion["false_negative"]],
            [confusion["false_positive"], confusion["true_negative"]],
        ]
    )
    shares = counts / counts.sum(axis=1, keepdims=True)
    for row in range(2):
        for column in range(2):
            _draw_cell(axes, row, column, counts[row, column], shares[row, column])
    axes.set(
        title="Confusion at threshold 0.5", xlabel="the model says", ylabel="the photo shows",
        xticks=[0, 1], yticks=[0, 1], xticklabels=names, yticklabels=names, xlim=(-0.5, 1.5), ylim=(1.5, -0.5),
        aspect="equal",
    )  # fmt: skip
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _draw_cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    full = RIGHT if row == column else WRONG
    colour = (1 - share) * np.array(to_rgb(NONE)) + share * np.array(to_rgb(full))
    axes.add_patch(plt.Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, color=colour, linewidth=0))
    axes.text(column, row - 0.05, f"{count:,}", ha="center", va="center", fontsize=22, weight="bold", color="white")
    axes.text(column, row + 0.22, f"{share:.0%} of the row", ha="center", va="center", color="white")


def _draw_reliability(found: Findings) -> Figure:
    figure, axes = plt.subplots(figsize=(4.8, 4.6), layout="constrained")
    bins = reliability(found.labels, found.scores)
    photos = np.array([entry["photos"] for entry in bins])
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1.5)
    axes.plot([entry["score"] for entry in bins], [entry["positive"] for entry in bins], color=BLUE)
    axes.scatter(
        [entry["score"] for entry in bins], [entry["positive"] for entry in bins],
        s=20 + 160 * np.sqrt(photos / photos.max()), color=BLUE, alpha=0.8, zorder=3, clip_on=False,
    )  # fmt: skip
    error = found.evaluation["expected_calibration_error"]
    axes.text(0.97, 0.05, f"ECE {error:.3f}", ha="right", fontsize=16, color=BLUE)
    axes.set(
        title="What a score is worth", xlabel="mean score of the photos in a bin", ylabel="share that are positive",
        xlim=(0, 1), ylim=(0, 1.01), aspect="equal",
    )  # fmt: skip
    return figure


def _draw_groups(found: Findings) -> Figure:
    rows = found.groups[::-1]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.36 * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        colour = BLUE if row["positive"] else ORANGE
        axes.barh(place, row["share"], color=colour, alpha=0.85, height=0.62)
        axes.plot(row["interval"], [place, place], color=INK, linewidth=1.5)
        text = f"{row['share']:.0%} of {row['photos']}"
        axes.text(row["interval"][1] + 0.01, place, text, va="center", color=INK)
    positive, _ = found.names
    axes.set(
        title=f"Called {positive} at 0.5, with 95 % intervals", xlim=(0, 1.18), yticks=range(len(rows)),
        yticklabels=[row["group"] for row in rows], xticks=np.linspace(0, 1, 6),
    )  # fmt: skip
    axes.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    return figure


def draw_comparison(path: Path, found: dict[str, dict[str, object]]) -> None:
    """Write to ``path`` the share of each group that each model calls positive, with 95 % intervals."""
    with matplotlib.rc_context(STYLE):
        groups = [row["group"] for row in next(iter(found.values()))["groups"]][::-1]
        figure, axes = plt.subplots(figsize=(9, 1.2 + 0.46 * len(groups)), layout="constrained")
        height = 0.8 / len(found)
        for place, (name, entry) in enumerate(found.items()):
            rows = entry["groups"][::-1]
            at = np.arange(len(rows)) + 0.4 - height * (place + 0.5)
            colour = COMPARED[place % len(COMPARED)]
            label = f"{name} (AUC {entry['auc']:.3f})"
            axes.barh(at, [row["share"] for row in rows], height=height * 0.86, color=colour, alpha=0.85, label=label)
            for middle, row in zip(at, rows, strict=True):
                axes.plot(row["interval"], [middle, middle], color=INK, linewidth=1.2)
        axes.set(
            title="Called positive at 0.5, with 95 % intervals",
            xlim=(0, 1.02),
            yticks=range(len(groups)),
            yticklabels=groups,
        )
        axes.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=len(found))
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """Write ``figure`` as SVG and close it; equal figures give equal bytes."""
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # Trailing white space of the backend would only enlarge the files and their diffs.
    path.write_text(re.sub(r"[ \t]+\n", "\n", path.read_text("utf-8")), "utf-8")
