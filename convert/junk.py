"""Junk images: noise, plain colours, gradients, patterns and pages, none of which shows any class.

A seed reproduces them. Conversion tests models with ``TEST_SEED``, so training must use another seed. Only numpy and
Pillow are needed.
"""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TEST_SEED = 20190824
PAGE_SCALE = 3
WORDS = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an".split()

# Pillow's convert("L"): ITU-R 601-2 luma in 16-bit fixed point.
LUMA = np.array([19595, 38470, 7471])

Random = np.random.Generator
# Draws (height, width, 3) in [0, 255], of any float or integer type.
Draw = Callable[[Random, int, int], np.ndarray]


def draw_images(count: int, seed: int, width: int, height: int) -> np.ndarray:
    """Return (count, height, width, 3) float32 in [0, 1], every value a byte / 255, alternating between the kinds.

    Image ``i`` is of ``kind_of(i)`` and does not depend on ``count``.
    """
    return np.stack([draw_image(index, seed, width, height) for index in range(count)])


def draw_batches(count: int, seed: int, width: int, height: int, size: int, channels: int = 3) -> Iterator[np.ndarray]:
    """Yield the images of ``draw_images``, ``size`` at a time; in grey, (size, height, width, 1), for one channel."""
    for start in range(0, count, size):
        batch = np.stack([draw_image(index, seed, width, height) for index in range(start, min(start + size, count))])
        yield batch if channels == 3 else to_grey(np.round(batch * 255)) / np.float32(255)


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (..., 3) of 0 to 255 as Pillow's ``convert("L")`` does: (..., 1) uint8."""
    return ((pixels.astype(np.int64) @ LUMA + 0x8000) >> 16).astype(np.uint8)[..., None]


def kind_of(index: int) -> str:
    """Return the name of the kind of image ``index``."""
    return KINDS[index % len(KINDS)]


def draw_image(index: int, seed: int, width: int, height: int) -> np.ndarray:
    """Return image ``index``: (height, width, 3) float32 in [0, 1]."""
    drawn = DRAW[kind_of(index)](np.random.default_rng([seed, index]), height, width)
    return (np.clip(np.round(drawn), 0, 255) / 255.0).astype(np.float32)


def _solid(random: Random, height: int, width: int) -> np.ndarray:
    return np.broadcast_to(_draw_colour(random), (height, width, 3))


def _solid_with_grain(random: Random, height: int, width: int) -> np.ndarray:
    return _draw_colour(random) + random.normal(0, random.uniform(1, 12), (height, width, 3))


def _noise(random: Random, height: int, width: int) -> np.ndarray:
    return random.integers(0, 256, (height, width, 3))


def _grey_noise(random: Random, height: int, width: int) -> np.ndarray:
    return np.repeat(random.normal(random.uniform(60, 200), random.uniform(15, 90), (height, width, 1)), 3, axis=2)


def _salt_and_pepper(random: Random, height: int, width: int) -> np.ndarray:
    drawn = np.tile(_draw_colour(random), (height, width, 1))
    drawn[random.random((height, width)) < random.uniform(0.01, 0.4)] = 0
    drawn[random.random((height, width)) < random.uniform(0.01, 0.4)] = 255
    return drawn


def _block_noise(random: Random, height: int, width: int) -> np.ndarray:
    return _enlarge_cells(random, height, width, Image.Resampling.NEAREST)


def _smooth_noise(random: Random, height: int, width: int) -> np.ndarray:
    return _enlarge_cells(random, height, width, Image.Resampling.BICUBIC)


def _cloud_noise(random: Random, height: int, width: int) -> np.ndarray:
    """Noise with the 1/f spectrum of photos: octaves of smooth noise, the coarse ones strongest."""
    drawn, total = np.zeros((height, width, 3)), 0.0
    for cells in (2, 4, 8, 16, 32):
        coarse = random.normal(0, 1, (cells, cells, 3 if random.random() < 0.5 else 1)).repeat(3, axis=2)[..., :3]
        drawn += _resize(coarse, height, width, Image.Resampling.BICUBIC) / cells
        total += 1 / cells
    return _draw_colour(random) + drawn / total * random.uniform(30, 110)


def _linear_gradient(random: Random, height: int, width: int) -> np.ndarray:
    along = _draw_ramp(random, height, width)
    return _mix(random, (along - along.min()) / max(float(np.ptp(along)), 1e-9))


def _radial_gradient(random: Random, height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    away = np.hypot(rows - random.uniform(0, 1), columns - random.uniform(0, 1))
    return _mix(random, np.clip(away / random.uniform(0.3, 1.2), 0, 1))


def _checkerboard(random: Random, height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    side = random.integers(1, max(2, min(height, width) // 3))
    return _mix(random, ((rows // side + columns // side) % 2).astype(float))


def _stripes(random: Random, height: int, width: int) -> np.ndarray:
    periods = random.uniform(1.5, max(2.0, min(height, width) / 3))
    waves = np.sin(_draw_ramp(random, height, width) * 2 * np.pi * periods)
    return _mix(random, (waves > 0).astype(float) if random.random() < 0.5 else waves / 2 + 0.5)


def _blank_page(random: Random, height: int, width: int) -> np.ndarray:
    """A sheet of paper: nearly white, slightly uneven, sometimes ruled, sometimes with the edge of the table."""
    light = _mix(random, _draw_ramp(random, height, width) * 0.5 + 0.5, ([235, 235, 225], [256, 256, 256]))
    page, paper = _enlarge_page(light)
    if random.random() < 0.5:
        step = random.integers(6, 20) * PAGE_SCALE
        for y in range(int(step), page.height, int(step)):
            paper.line((0, y, page.width, y), fill=(170, 190, 220), width=1)
    if random.random() < 0.3:
        frame = _draw_colour(random).astype(int)
        paper.rectangle((0, 0, page.width - 1, page.height - 1), outline=tuple(frame), width=page.width // 12)
    return _shrink_page(page, height, width)


def _text_page(random: Random, height: int, width: int) -> np.ndarray:
    """Lines of words under a heading, dark on light or light on dark."""
    light, dark = random.integers(215, 256, 3), random.integers(0, 90, 3)
    ground, ink = (light, dark) if random.random() < 0.8 else (dark, light)
    page, paper = _enlarge_page(np.broadcast_to(ground, (height, width, 3)))
    margin = page.width * random.uniform(0.02, 0.12)
    size = max(4.0, page.height * random.uniform(0.025, 0.09))
    y, scale = margin, random.uniform(1, 2.2)
    while y < page.height - margin:
        font = ImageFont.load_default(size * scale)
        words: list[str] = []
        while font.getlength(" ".join(words)) < page.width - 2 * margin:
            words.append(WORDS[random.integers(len(WORDS))])
        paper.text((margin, y), " ".join(words[:-1]) or words[0][:1], fill=tuple(ink.tolist()), font=font)
        y += size * scale * 1.35
        scale = 1.0
    return _shrink_page(page, height, width)


def _scribble(random: Random, height: int, width: int) -> np.ndarray:
    page, paper = _enlarge_page(np.broadcast_to(_draw_colour(random), (height, width, 3)))
    for _ in range(random.integers(3, 30)):
        points = random.uniform(0, 1, (random.integers(2, 6), 2)) * [page.width, page.height]
        ink = tuple(_draw_colour(random).astype(int).tolist())
        paper.line([tuple(point) for point in points.tolist()], fill=ink, width=int(random.integers(1, 10)))
    return _shrink_page(page, height, width)


def _shapes(random: Random, height: int, width: int) -> np.ndarray:
    page, paper = _enlarge_page(np.broadcast_to(_draw_colour(random), (height, width, 3)))
    for _ in range(random.integers(1, 12)):
        x, y = np.sort(random.uniform(0, 1, (2, 2)), axis=1) * [[page.width], [page.height]]
        draw = paper.ellipse if random.random() < 0.5 else paper.rectangle
        draw((x[0], y[0], x[1], y[1]), fill=tuple(_draw_colour(random).astype(int).tolist()))
    return _shrink_page(page, height, width)


DRAW: dict[str, Draw] = {
    "solid colour": _solid,
    "solid colour with grain": _solid_with_grain,
    "noise": _noise,
    "grey noise": _grey_noise,
    "salt and pepper": _salt_and_pepper,
    "block noise": _block_noise,
    "smooth noise": _smooth_noise,
    "cloud noise": _cloud_noise,
    "linear gradient": _linear_gradient,
    "radial gradient": _radial_gradient,
    "checkerboard": _checkerboard,
    "stripes": _stripes,
    "blank page": _blank_page,
    "text page": _text_page,
    "scribble": _scribble,
    "shapes": _shapes,
}
KINDS = tuple(DRAW)


def _draw_colour(random: Random) -> np.ndarray:
    """Any colour; one in four is a grey, including black and white."""
    if random.random() < 0.25:
        return np.full(3, float(random.choice([0, 255, *random.integers(0, 256, 4)])))
    return random.integers(0, 256, 3).astype(float)


def _mix(random: Random, share: np.ndarray, limits: tuple[list[int], list[int]] | None = None) -> np.ndarray:
    """Return two colours mixed by ``share`` (height, width) in [0, 1]: (height, width, 3)."""
    one, other = (
        (random.integers(*limits) for _ in range(2)) if limits else (_draw_colour(random), _draw_colour(random))
    )
    return one + share[..., None] * (other - one)


def _draw_ramp(random: Random, height: int, width: int) -> np.ndarray:
    """Return each pixel's position along a random direction, in units of the image's sides: (height, width)."""
    angle = random.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return rows * np.sin(angle) + columns * np.cos(angle)


def _enlarge_cells(random: Random, height: int, width: int, resampling: Image.Resampling) -> np.ndarray:
    cells = random.integers(2, 33, 2)
    coarse = random.integers(0, 256, (*cells, 3)) if random.random() < 0.7 else random.integers(0, 256, (*cells, 1))
    return _resize(coarse.repeat(3 // coarse.shape[2], axis=2).astype(float), height, width, resampling)


def _resize(coarse: np.ndarray, height: int, width: int, resampling: Image.Resampling) -> np.ndarray:
    channels = [Image.fromarray(coarse[..., channel].astype(np.float32)) for channel in range(3)]
    return np.stack([np.asarray(channel.resize((width, height), resampling)) for channel in channels], axis=2)


def _enlarge_page(ground: np.ndarray) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an enlarged image of ``ground`` and its pen: details get reduced later, as in photos."""
    height, width = ground.shape[:2]
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    image = image.resize((width * PAGE_SCALE, height * PAGE_SCALE), Image.Resampling.BICUBIC)
    return image, ImageDraw.Draw(image)


def _shrink_page(page: Image.Image, height: int, width: int) -> np.ndarray:
    return np.asarray(page.resize((width, height), Image.Resampling.BICUBIC))
