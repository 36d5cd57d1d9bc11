"""A folder of photos becomes balanced, reproducible, augmented batches."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from draw_shapes import draw_folder
from model.training.augmentation import apply_maps, draw_maps
from model.training.classic import BalancedBatches, Deck
from model.training.dataset import DataError, Split, class_names, load_split
from model.training.photos import read_photo, to_input


@pytest.fixture
def lopsided() -> Split:
    """Return 5 positive and 40 negative images, each of a unique grey."""
    pixels = np.repeat(np.arange(45, dtype=np.uint8) * 5, 32 * 32 * 3).reshape(45, 32, 32, 3)
    labels = np.array([1.0] * 5 + [0.0] * 40, np.float32)
    return Split([Path(f"{index}.png") for index in range(45)], labels, pixels)


def epoch_of(batches: BalancedBatches) -> tuple[np.ndarray, np.ndarray]:
    parts = [batches[index] for index in range(len(batches))]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def test_an_epoch_draws_both_classes_equally_and_wastes_no_negative(lopsided):
    batches = BalancedBatches(lopsided, batch_size=6, epoch_size=20, seed=1)
    seen: list[int] = []
    for _ in range(4):
        views, labels = epoch_of(batches)
        assert views.shape == (20, 32, 32, 3)
        assert labels.shape == (20, 1)
        assert labels.sum() == 10
        seen += np.round(views[labels[:, 0] == 0, 16, 16, 0] * 51).astype(int).tolist()
        batches.on_epoch_end()
    assert sorted(seen) == list(range(5, 45)), "four epochs of ten show each of the forty negatives once"


def test_the_seed_alone_decides_what_is_drawn(lopsided):
    first, again, other = (BalancedBatches(lopsided, 8, 20, seed) for seed in (3, 3, 4))
    assert np.array_equal(epoch_of(first)[0], epoch_of(again)[0])
    assert not np.array_equal(first.order, other.order)
    before = first.order
    first.on_epoch_end()
    assert not np.array_equal(first.order, before)


def test_a_deck_repeats_only_when_used_up():
    deck = Deck(np.arange(7), np.random.default_rng(1))
    drawn = np.concatenate([deck.draw(3) for _ in range(7)])
    assert sorted(drawn.tolist()) == sorted(list(range(7)) * 3)
    assert len(set(drawn[:7].tolist())) == 7


def test_augmentation_keeps_values_and_varies_shape():
    random = np.random.default_rng(1)
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[0, 16:48, 24:40] = 200
    same = apply_maps(picture, np.float32([[1, 0, 0, 0, 1, 0, 0, 0]]))
    assert np.array_equal(same, picture)
    views = apply_maps(np.repeat(picture, 50, axis=0), draw_maps(random, 50, 64))
    assert views.min() >= 0
    assert views.max() <= 200.001
    assert (views[:, 32, 32, 0] > 190).all(), "the centre stays at the centre"
    areas = (views[..., 0] > 100).sum(axis=(1, 2)) / 512
    assert areas.min() > 0.6
    assert areas.max() < 1.7
    assert areas.std() > 0.1


def test_half_of_the_views_are_mirrored():
    maps = draw_maps(np.random.default_rng(2), 1000, 64)
    mirrored = (maps[:, 0] * maps[:, 4] - maps[:, 1] * maps[:, 3]) < 0
    assert 430 < mirrored.sum() < 570


def test_reads_the_classes_from_the_folders_positive_first(tmp_path):
    draw_folder(tmp_path, count=2, size=32)
    assert class_names(tmp_path) == ("husky", "nothusky")
    split = load_split(tmp_path, "training", ("husky", "nothusky"), 32)
    assert split.counts() == (2, 2)
    assert split.labels.tolist() == [1, 1, 0, 0]
    assert split.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: (data / "validation").rename(data / "test"), "no folder 'validation'"),
        (lambda data: (data / "training/cat").mkdir(), "two class folders"),
        (lambda data: (data / "validation/husky").rename(data / "validation/wolf"), "different class folders"),
        (lambda data: [photo.unlink() for photo in (data / "training/husky").iterdir()], "no photos in training/husky"),
        (lambda data: (data / "training/husky/bad.jpg").write_bytes(b"no photo"), "cannot read training/husky/bad.jpg"),
    ],
)
def test_names_unusable_data(tmp_path, spoil, reason):
    draw_folder(tmp_path, count=2, size=32)
    spoil(tmp_path)
    with pytest.raises(DataError, match=reason):
        load_split(tmp_path, "training", class_names(tmp_path), 32)


def test_reads_photos_as_the_original_does_but_upright(tmp_path):
    random = np.random.default_rng(1)
    photo = Image.fromarray(random.integers(0, 256, (90, 60, 4), np.uint8), "RGBA")
    photo.save(tmp_path / "alpha.png")
    expected = np.asarray(photo.convert("RGB").resize((32, 32)))
    assert np.array_equal(read_photo(tmp_path / "alpha.png", 32, 32), expected), (
        "alpha dropped, Pillow's default filter"
    )

    exif = Image.Exif()
    exif[0x0112] = 6
    photo.convert("RGB").save(tmp_path / "turned.png", exif=exif)
    turned = read_photo(tmp_path / "turned.png", 32, 32)
    assert np.abs(turned.astype(int) - np.rot90(expected, -1)).max() <= 1


def test_the_input_is_byte_over_255():
    assert to_input(np.uint8([0, 51, 255])).tolist() == [0.0, np.float32(0.2), 1.0]
