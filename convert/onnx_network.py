"""Runs a converted network in ONNX Runtime, as the Worker does."""

import numpy as np
import onnxruntime

from convert.heatmap import INPUT, OUTPUT
from convert.weights import WEIGHTS


class OnnxNetwork:
    """A graph on the CPU: maps images (N, H, W, 3), float32 in [0, 1], to probabilities."""

    def __init__(self, graph: bytes, widened: bytes | None = None) -> None:
        """Create a session; with ``widened``, the external weights, as the Worker does, without optimisation."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if widened is not None:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            if widened:
                options.add_external_initializers_from_files_in_memory([WEIGHTS], [widened], [len(widened)])
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.has_heatmap = OUTPUT in [output.name for output in self._session.get_outputs()]

    def score(self, images: np.ndarray) -> np.ndarray:
        """Return the scores: (N, size)."""
        return self._run("scores", images, 0)

    def draw_heatmaps(self, images: np.ndarray) -> np.ndarray:
        """Return (N, rows, columns) or (N, rows, columns, size); requires ``has_heatmap``."""
        return self._run(OUTPUT, images, len(images))

    def _run(self, output: str, images: np.ndarray, heatmaps: int) -> np.ndarray:
        feeds = {"input": images}
        if self.has_heatmap:
            feeds[INPUT] = np.array([heatmaps], np.int64)
        return self._session.run([output], feeds)[0]
