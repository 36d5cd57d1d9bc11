"""Runs a converted network in ONNX Runtime, as the Worker does."""

import numpy as np
import onnx
import onnxruntime

from convert.heatmap import INPUT, OUTPUT
from convert.weights import WEIGHTS

ACTIVATIONS = ("Sigmoid", "Softmax")


class OnnxNetwork:
    """A graph on the CPU: maps images (N, H, W, C), float32 in [0, 1], to probabilities."""

    def __init__(self, graph: bytes, widened: bytes | None = None) -> None:
        """Create a session; with ``widened``, the external weights, as the Worker does, without optimisation."""
        self._graph, self._widened = graph, widened
        self._session = self._open(graph)
        self._session_with_logits: onnxruntime.InferenceSession | None = None
        self.has_heatmap = OUTPUT in [output.name for output in self._session.get_outputs()]

    def score(self, images: np.ndarray) -> np.ndarray:
        """Return the scores: (N, size)."""
        return self._run("scores", images, 0)

    def draw_heatmaps(self, images: np.ndarray) -> np.ndarray:
        """Return (N, rows, columns) or (N, rows, columns, size); requires ``has_heatmap``."""
        return self._run(OUTPUT, images, len(images))

    def compute_logits(self, images: np.ndarray) -> np.ndarray | None:
        """Return the input of the last sigmoid or softmax: (N, size), or None if the graph ends otherwise."""
        if self._session_with_logits is None:
            exposed = _expose_logits(self._graph)
            if exposed is None:
                return None
            self._session_with_logits = self._open(exposed)
        return self._run("logits", images, 0, self._session_with_logits)

    def _open(self, graph: bytes) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if self._widened is not None:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            if self._widened:
                files = [WEIGHTS], [self._widened], [len(self._widened)]
                options.add_external_initializers_from_files_in_memory(*files)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def _run(
        self, output: str, images: np.ndarray, heatmaps: int, session: onnxruntime.InferenceSession | None = None
    ) -> np.ndarray:
        feeds = {"input": images}
        if self.has_heatmap:
            feeds[INPUT] = np.array([heatmaps], np.int64)
        return (session or self._session).run([output], feeds)[0]


def _expose_logits(content: bytes) -> bytes | None:
    """Return the graph with a further output ``logits``, what the last activation gets; or None if it has none."""
    proto = onnx.load_from_string(content)
    (last,) = (node for node in proto.graph.node if "scores" in node.output)
    if last.op_type in ACTIVATIONS:
        proto.graph.node.append(onnx.helper.make_node("Identity", [last.input[0]], ["logits"]))
    elif last.op_type == "FusedGemm":
        # ONNX Runtime's optimisation of a dense layer with its activation.
        bare = onnx.helper.make_node("Gemm", last.input, ["logits"])
        bare.attribute.extend(field for field in last.attribute if not field.name.startswith("activation"))
        proto.graph.node.append(bare)
    else:
        return None
    proto.graph.output.append(onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None))
    return proto.SerializeToString()
