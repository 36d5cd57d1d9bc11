"""The original's way, written anew: Pillow and Keras behind Python's own HTTP server.

    original.py MODEL --port N

The photo is the body of a POST to any path; the answer is {"score": P(husky)}. Each connection has a thread, and photos
are decoded side by side; Keras predicts one at a time, in as many threads as TensorFlow chooses.
"""

import argparse
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import keras
import numpy as np
from PIL import Image

# Keras does not promise that `predict` may be called by several threads at once.
PREDICTING = threading.Lock()


def predict(model: keras.Model, photo: bytes) -> float:
    """Return the first output for a photo: decoded whole, squeezed to the square, values in [0, 1]."""
    image = Image.open(io.BytesIO(photo)).convert("RGB").resize((128, 128))
    inputs = np.asarray(image, dtype=np.float32)[None] / 255.0
    with PREDICTING:
        return float(model.predict(inputs, verbose=0)[0, 0])


def main() -> None:
    """Serve on 127.0.0.1 until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    model = keras.models.load_model(options.model, compile=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(200, {"status": "ok"})

        def do_POST(self) -> None:
            photo = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self.answer(200, {"score": predict(model, photo)})
            except OSError as error:
                self.answer(422, {"error": str(error)})

        def answer(self, status: int, content: dict) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent: printing would cost time too."""

    class Server(ThreadingHTTPServer):
        # Five connections wait by default, and a sixth is turned away.
        request_queue_size = 64

    Server(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
