"""Charts of a training run as small SVG files, transparent and in tones that hold on a light and a dark page."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn import metrics

# Each keeps a contrast of about 4 to 1 against white and against GitHub's dark page.
INK = "#72808f"
GRID = "#72808f44"
BLUE = "#2f81f7"
ORANGE = "#d9730d"
# Grounds for white text: none of a row, and all of it, right or wrong.
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


def draw_plots(
    folder: Path,
    history: dict[str, list[float]],
    best_epoch: int,
    labels: np.ndarray,
    scores: np.ndarray,
    evaluation: dict[str, object],
    names: tuple[str, str],
) -> None:
    """Write curves.svg, roc.svg and confusion.svg into ``folder``; the same arguments give the same bytes."""
    with matplotlib.rc_context(STYLE):
        _save(_curves(history, best_epoch), folder / "curves.svg")
        _save(_roc(labels, scores, evaluation), folder / "roc.svg")
        _save(_confusion(evaluation["confusion"], names), folder / "confusion.svg")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # The backend indents and pads generously; this keeps the files small and their diffs short.
    path.write_text(re.sub(r"[ \t]+\n", "\n", path.read_text("utf-8")), "utf-8")


def _curves(history: dict[str, list[float]], best_epoch: int) -> Figure:
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for panel, (key, title) in zip(panels, (("loss", "Binary cross-entropy"), ("auc", "AUC")), strict=True):
        panel.plot(epochs, history[key], color=BLUE, label="training (augmented, balanced)")
        panel.plot(epochs, history[f"val_{key}"], color=ORANGE, label="validation")
        panel.axvline(best_epoch, color=INK, linestyle=":", linewidth=1.5)
        panel.set(title=title, xlabel="epoch", xlim=(1, max(2, len(epochs))))
        panel.xaxis.get_major_locator().set_params(integer=True)
    kept = history["val_auc"][best_epoch - 1]
    panels[1].plot(best_epoch, kept, "o", color=ORANGE, markersize=7, clip_on=False)
    panels[1].set_title(f"AUC: epoch {best_epoch} kept, {kept:.3f} on validation")
    panels[0].legend(loc="best")
    return figure


def _roc(labels: np.ndarray, scores: np.ndarray, evaluation: dict[str, object]) -> Figure:
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


def _confusion(confusion: dict[str, int], names: tuple[str, str]) -> Figure:
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
            _cell(axes, row, column, counts[row, column], shares[row, column])
    axes.set(
        title="Confusion at threshold 0.5", xlabel="the model says", ylabel="the photo shows",
        xticks=[0, 1], yticks=[0, 1], xticklabels=names, yticklabels=names, xlim=(-0.5, 1.5), ylim=(1.5, -0.5),
        aspect="equal",
    )  # fmt: skip
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    full = RIGHT if row == column else WRONG
    colour = (1 - share) * np.array(to_rgb(NONE)) + share * np.array(to_rgb(full))
    axes.add_patch(plt.Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, color=colour, linewidth=0))
    axes.text(column, row - 0.05, f"{count:,}", ha="center", va="center", fontsize=22, weight="bold", color="white")
    axes.text(column, row + 0.22, f"{share:.0%} of the row", ha="center", va="center", color="white")
