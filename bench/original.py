"""The original's approach, rewritten: Pillow and Keras behind Python's own HTTP server.

    original.py MODEL

The photo is the body of a POST to any path; the answer is {"score": P(husky)}. Each connection has a thread, so photos
are decoded in parallel; Keras predicts one at a time, in as many threads as TensorFlow chooses. Prints its address.
"""

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import keras
import numpy as np
from PIL import Image

MODEL = keras.models.load_model(sys.argv[1], compile=False)
HEIGHT, WIDTH = MODEL.input_shape[1:3]

# Keras does not promise that several threads may call `predict` at once.
PREDICTING = threading.Lock()


def predict(photo: bytes) -> float:
    """Return the first output for a photo: decoded at full size, squeezed to the square, values in [0, 1]."""
    image = Image.open(io.BytesIO(photo)).convert("RGB").resize((WIDTH, HEIGHT))
    inputs = np.asarray(image, dtype=np.float32)[None] / 255.0
    with PREDICTING:
        return float(MODEL.predict(inputs, verbose=0)[0, 0])


class Handler(BaseHTTPRequestHandler):
    """Answer each POST with the score of its photo."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Predict, or answer 422 to what Pillow cannot read."""
        photo = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, content = 200, {"score": predict(photo)}
        except OSError as error:
            status, content = 422, {"error": str(error)}
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent: printing takes time too."""


if __name__ == "__main__":
    # The default lets five connections wait.
    ThreadingHTTPServer.request_queue_size = 64
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
