"""Draws a data set that a small network learns in seconds: discs ("husky") against crosses ("nothusky").

draw_shapes.py FOLDER [--count N] [--size PX] [--seed N]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SPLITS = {"training": 1.0, "validation": 0.5}


def draw_disc(random: np.random.Generator, size: int) -> Image.Image:
    """Return a filled warm disc on a cool, grainy background."""
    image, draw = _draw_background(random, size)
    radius = size * random.uniform(0.24, 0.34)
    x, y = size * random.uniform(0.4, 0.6, 2)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_draw_warm_colour(random))
    return image


def draw_cross(random: np.random.Generator, size: int) -> Image.Image:
    """Return a thin horizontal and a thin vertical bar, with the colours and background of the discs."""
    image, draw = _draw_background(random, size)
    x, y = size * random.uniform(0.25, 0.75, 2)
    thick, long = size * random.uniform(0.02, 0.05), size * random.uniform(0.3, 0.5)
    draw.rectangle((x - thick, y - long, x + thick, y + long), fill=_draw_warm_colour(random))
    draw.rectangle((x - long, y - thick, x + long, y + thick), fill=_draw_warm_colour(random))
    return image


def draw_folder(folder: Path, count: int = 120, size: int = 160, seed: int = 1) -> None:
    """Write ``training|validation/{husky,nothusky}``: ``count`` images a class to train on, half as many to validate.

    Every third is a PNG, the others are JPEGs. The same arguments draw the same images.
    """
    random = np.random.default_rng(seed)
    for split, share in SPLITS.items():
        for name, draw in (("husky", draw_disc), ("nothusky", draw_cross)):
            target = folder / split / name
            target.mkdir(parents=True, exist_ok=True)
            for index in range(max(1, round(count * share))):
                image = draw(random, size)
                if index % 3 == 0:
                    image.save(target / f"{index:04}.png")
                else:
                    image.save(target / f"{index:04}.jpg", quality=90)


def _draw_background(random: np.random.Generator, size: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    colour = random.integers([20, 40, 60], [90, 120, 160])
    grain = random.normal(0, 8, (size, size, 3))
    image = Image.fromarray(np.clip(colour + grain, 0, 255).astype(np.uint8))
    return image, ImageDraw.Draw(image)


def _draw_warm_colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers([180, 90, 20], [255, 200, 110])
    return int(red), int(green), int(blue)


def main() -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Draw a data set of discs and crosses.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=120, help="images of each class to train on")
    parser.add_argument("--size", type=int, default=160, help="pixels a side")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw_folder(options.folder, options.count, options.size, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
