"""Make the networks among which the default one was chosen: other kernels, inputs, depths and precisions.

npm run model:candidates -- --data FOLDER [--recipe FILE] [--out FOLDER]

Each starts from a network that model:train left in its cache, is taught a little more by the same lessons, and is
written as ONNX beside candidates.json with its size and its AUC on the validation photos. ``npm run bench -- models``
times them.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from recipe import Recipe

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "convert"))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="npm run model:candidates --", description="Make networks to compare.")
    parser.add_argument("--data", type=Path, help="folder with training|validation/{husky,nothusky} in it")
    parser.add_argument("--classic", type=Path, help="the trained classic network (.h5); else it is untrained")
    parser.add_argument("--only-classic", action="store_true", help="nothing to train: enough to compare the time")
    parser.add_argument("--recipe", type=Path, default=HERE / "husky.toml", help="default: husky.toml")
    parser.add_argument("--taught", type=Path, default=HERE, help="what --out of model:train was (default: model)")
    parser.add_argument("--out", type=Path, default=HERE / ".cache" / "candidates", help="default: %(default)s")
    options = parser.parse_args(arguments)
    if (options.data is None) != options.only_classic:
        parser.error("--data FOLDER or --only-classic is needed")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parse(arguments)
    from dataset import DataError, class_names
    from recipe import RecipeError, read_recipe

    try:
        options.out.mkdir(parents=True, exist_ok=True)
        found = []
        made = [] if options.only_classic else make(options, read_recipe(options.recipe), class_names(options.data))
        for entry in itertools.chain([classic(options)], made):
            found.append(entry)
            # Whoever stops it half-way keeps what there is.
            (options.out / "candidates.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    except (DataError, RecipeError, OSError, ValueError) as reason:
        print(f"Not made: {reason}", file=sys.stderr)
        return 1
    for entry in found:
        print(f"{entry['name']:32} {entry['bytes'] / 1e6:6.2f} MB   AUC {entry['auc'] or ''}")
    return 0


def make(options: argparse.Namespace, recipe: "Recipe", names: tuple[str, str]) -> Iterator[dict[str, object]]:
    """Write the candidates of ``recipe`` as ONNX and yield what each is and how well it does."""
    import keras

    from dataset import find_photos, load_split
    from distillation import divergence, teach
    from finishing import finish
    from lessons import prepare
    from lite_network import build, kernels_of
    from precisions import export, measure, precisions
    from slimming import Slimming, slimmed
    from train import CACHE, TAUGHT

    training = find_photos(options.data, "training", names)
    at_size = cache(lambda size: prepare(training, replace(recipe, size=size), options.taught / CACHE))
    for candidate in recipe.candidates:
        print(f"{candidate.name}: {candidate.size} pixels, {candidate.blocks} blocks", flush=True)
        taught = keras.models.load_model(options.taught / CACHE / TAUGHT, custom_objects={"divergence": divergence})
        slimming = Slimming(candidate.slim, recipe.slimming.kernel)
        taught = slimmed(taught, slimming, at_size(recipe.size), recipe.plan.seed)
        validation = load_split(options.data, "validation", names, candidate.size)
        model = build(candidate.size, recipe.plan.seed, candidate.blocks, kernels_of(taught))
        carry_over(taught, model)
        lessons = at_size(candidate.size)
        if candidate.epochs > 0:
            plan = replace(recipe.plan, epochs=candidate.epochs, learning_rate=candidate.learning_rate)
            model, _ = teach(lessons, validation, plan, verbose=2, model=model)
        model, _ = finish(model, lessons, validation, recipe)
        graph = export(model)
        for precision, content in precisions(graph, lessons.pixels, candidate.precisions):
            name = f"{candidate.name} {precision}"
            file = options.out / f"{name.replace(' ', '-')}.onnx"
            file.write_bytes(content)
            yield {
                "name": name,
                "file": file.name,
                "input": candidate.size,
                "blocks": candidate.blocks,
                "bytes": len(content),
                "auc": round(measure(content, validation), 4),
            }


def classic(options: argparse.Namespace) -> dict[str, object]:
    """Write the original's network as ONNX and return what it is; its AUC is only known where it is trained."""
    import keras

    from dataset import class_names, load_split
    from network import build
    from precisions import export, measure

    keras.utils.set_random_seed(1)
    model = keras.models.load_model(options.classic, compile=False) if options.classic else build("classic")
    size = model.input_shape[1]
    content = export(model).SerializeToString()
    (options.out / "classic.onnx").write_bytes(content)
    auc = None
    if options.data and options.classic:
        photos = load_split(options.data, "validation", class_names(options.data), size)
        auc = round(measure(content, photos), 4)
    return {"name": "classic", "file": "classic.onnx", "input": size, "bytes": len(content), "auc": auc}


def carry_over(source: "keras.Model", target: "keras.Model") -> None:
    """Give the layers of ``target`` the weights of the like-named ones of ``source``, where the shapes agree."""
    known = {layer.name: layer.get_weights() for layer in source.layers}
    for layer in target.layers:
        weights = known.get(layer.name, [])
        if weights and [part.shape for part in weights] == [part.shape for part in layer.get_weights()]:
            layer.set_weights(weights)


if __name__ == "__main__":
    sys.exit(main())
