"""Converts a Keras file into a release: an ONNX graph, proved equal to the file, and its manifest."""
