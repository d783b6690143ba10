"""Files as phones and scanners make them, as grey pages."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image

from worker_images.ai import pictures
from worker_images.base.errors import BadInput

#: Black above, white below.
HALVES = np.vstack([np.zeros((40, 120), np.uint8), np.full((40, 120), 255, np.uint8)])


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_a_grey_page(kind: str, mode: str) -> None:
    data = saved(Image.fromarray(HALVES).convert(mode), kind)

    assert pictures.page_count(data) == 1
    grey = pictures.page(data, 0)
    assert (grey.shape, grey.dtype) == (HALVES.shape, np.uint8)
    assert np.abs(grey.astype(int) - HALVES).mean() < 4


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(HALVES).convert("1"),
        Image.fromarray(HALVES.astype(np.uint16) * 257),
        Image.fromarray(HALVES).convert("P"),
        Image.merge("LA", (Image.new("L", (120, 80)), Image.fromarray(255 - HALVES))),
    ],
    ids=["1 bit", "16 bits", "palette", "transparent paper"],
)
def test_depth_and_transparency_change_nothing(picture: Image.Image) -> None:
    grey = pictures.page(saved(picture, "PNG"), 0)

    assert np.array_equal(grey > 127, HALVES > 127)


def test_a_depth_map_beside_a_photo_is_no_page() -> None:
    photo, depth = Image.fromarray(HALVES), Image.new("L", (30, 20))

    assert pictures.page_count(saved(photo, "MPO", save_all=True, append_images=[depth])) == 1


def test_a_tiff_of_a_scanner_has_pages() -> None:
    first, second = Image.fromarray(HALVES), Image.fromarray(255 - HALVES)
    data = saved(first, "TIFF", save_all=True, append_images=[second])

    assert pictures.page_count(data) == 2
    assert np.array_equal(pictures.page(data, 1), 255 - HALVES)


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 120 * 80 - 1)

    with pytest.raises(BadInput, match="120 x 80"):
        pictures.page(saved(Image.fromarray(HALVES), "PNG"), 0)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "PDF"])
def test_a_damaged_file_is_refused_and_never_raises_anything_else(kind: str) -> None:
    random = np.random.default_rng(1)
    noise = Image.fromarray(random.integers(0, 255, (60, 60), np.uint8))
    whole = saved(noise, kind)

    for _ in range(200):
        data = bytearray(whole[: random.integers(20, len(whole))])
        for place in random.integers(0, len(data), 6):
            data[place] = random.integers(256)
        try:
            for number in range(min(3, pictures.page_count(bytes(data)))):
                pictures.page(bytes(data), number)
        except BadInput:
            continue


def test_pdfs_are_rendered_by_several_jobs_beside_each_other() -> None:
    data = saved(Image.fromarray(HALVES), "PDF", resolution=72)

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: pictures.page(data, 0), range(40)))

    assert all(np.array_equal(each, pages[0]) for each in pages)
    assert pages[0][:100].mean() < 40
    assert pages[0][-100:].mean() > 200
