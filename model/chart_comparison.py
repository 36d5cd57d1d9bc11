"""The chart that sets models side by side, group by group."""

from pathlib import Path

import matplotlib.ticker
import numpy as np
from matplotlib import pyplot as plt

from chart_style import BLUE, INK, ORANGE, STYLE, save

COLOURS = (ORANGE, BLUE, INK)


def draw_comparison(path: Path, found: dict[str, dict[str, object]]) -> None:
    """Write to ``path`` what share of each group each model calls positive, with 95 % intervals."""
    with matplotlib.rc_context(STYLE):
        groups = [row["group"] for row in next(iter(found.values()))["groups"]][::-1]
        figure, axes = plt.subplots(figsize=(9, 1.2 + 0.46 * len(groups)), layout="constrained")
        height = 0.8 / len(found)
        for place, (name, entry) in enumerate(found.items()):
            rows = entry["groups"][::-1]
            at = np.arange(len(rows)) + 0.4 - height * (place + 0.5)
            colour = COLOURS[place % len(COLOURS)]
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
        save(figure, path)
