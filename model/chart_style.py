"""How the charts of this project look: small SVG files, transparent, in tones that hold on a light and a dark page."""

import re
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

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


def save(figure: Figure, path: Path) -> None:
    """Write ``figure`` as SVG and close it; the same figure gives the same bytes."""
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # The backend indents and pads generously; this keeps the files small and their diffs short.
    path.write_text(re.sub(r"[ \t]+\n", "\n", path.read_text("utf-8")), "utf-8")
