"""Prepares a graph offline as ONNX Runtime would when it creates a session, so that an isolate need not."""

import tempfile
from pathlib import Path

import onnx
import onnxruntime

from convert.graph import canonicalise


def optimise(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``proto`` after ONNX Runtime's optimisations for any processor (constant folding and fusions).

    The result may contain operators of ONNX Runtime's own domain, com.microsoft. The same graph gives the same bytes.
    """
    with tempfile.TemporaryDirectory(prefix="husky-optimise-") as folder:
        target = Path(folder, "graph.onnx")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Of one thread, so that the arithmetic of constants does not depend on the number of cores.
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(target)
    canonicalise(optimised)
    onnx.checker.check_model(optimised)
    return optimised
