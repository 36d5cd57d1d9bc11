"""Writes the committed model in the form of release 0.1: one model.onnx, float16 weights, optimised when it loads.

npm run python -- -m bench.old_form --out FOLDER
"""

import argparse
import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORMAT = "husky-ai/manifest/1"


def write_old_form(release: Path, source: Path, out: Path) -> None:
    """Write model.onnx and manifest.json to ``out``: the Keras file ``source``, described as in ``release``."""
    from convert.contract import read_contract
    from convert.conversion import load_model
    from convert.graph import to_onnx
    from convert.release import describe_file
    from model.training.variants import store_as_float16

    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    if manifest["source"]["sha256"] != describe_file(source.read_bytes())["sha256"]:
        raise SystemExit(f"{release} was not converted from {source}")
    model = load_model(source)
    proto = to_onnx(model, read_contract(model, manifest["labels"]))
    store_as_float16(proto)
    graph = proto.SerializeToString(deterministic=True)
    del manifest["runtime"]
    # The Worker runs one of them twice, which makes three runs before the first answer, as in release 0.1.
    manifest["probes"] = manifest["probes"][:2]
    manifest |= {"format": FORMAT, "weights": "float16", "files": {"model.onnx": describe_file(graph)}}
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(graph)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="npm run python -- -m bench.old_form")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    options = parser.parse_args()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    write_old_form(ROOT / "model/release", ROOT / "model/huskymodel.h5", options.out)
