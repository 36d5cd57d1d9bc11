"""The converted network in ONNX Runtime, as the Worker uses it."""

import numpy as np
import onnxruntime

from heatmap import INPUT, OUTPUT


class OnnxNetwork:
    """A model.onnx on the CPU: pictures (N, H, W, 3) float32 in [0, 1] in, probabilities out."""

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.has_heatmap = OUTPUT in [output.name for output in self._session.get_outputs()]

    def scores(self, pictures: np.ndarray) -> np.ndarray:
        """Return (N, size)."""
        return self._run("scores", pictures, 0)

    def heatmaps(self, pictures: np.ndarray) -> np.ndarray:
        """Return (N, rows, columns) or (N, rows, columns, size); only where ``has_heatmap``."""
        return self._run(OUTPUT, pictures, len(pictures))

    def _run(self, output: str, pictures: np.ndarray, heatmaps: int) -> np.ndarray:
        feeds = {"input": pictures}
        if self.has_heatmap:
            feeds[INPUT] = np.array([heatmaps], np.int64)
        return self._session.run([output], feeds)[0]
