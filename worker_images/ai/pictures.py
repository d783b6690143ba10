"""Pictures and PDF pages as grey arrays, upright as the camera says, within limits."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import cv2
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from worker_images.base.errors import BadInput

Grey = NDArray[np.uint8]

MAX_FILE_BYTES = 50 * 1024**2
#: A 100 megapixel page takes 100 MB as grey; phones take up to 50, an A3 scan at 600 dpi has 70.
MAX_PIXELS = 100_000_000
MAX_PAGES = 50
#: What scanners use for text.
PDF_DPI = 300
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_PDF = b"%PDF-"
#: What decoders are seen to raise on damaged files.
_DECODERS_RAISE = (OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, struct.error)
#: PDFium is not thread-safe: https://pypdfium2.readthedocs.io/en/stable/python_api.html
_ONE_PDF_AT_ONCE = threading.Lock()


def page_count(data: bytes) -> int:
    """Return how many pages a file has. Raises: BadInput for what is no picture and no PDF."""
    if is_pdf(data):
        with _pdf(data) as document:
            return len(document)
    with _picture(data) as picture:
        # A phone's JPEG may hold a depth map as its second frame: only a TIFF has pages.
        return getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1


def page(data: bytes, number: int) -> Grey:
    """Return page `number` (from 0) in grey: 8 bits, turned as its EXIF tag says.

    Raises: BadInput when it is broken or larger than 100 megapixels.
    """
    if is_pdf(data):
        with _pdf(data) as document:
            return _rendered(document[number])
    with _picture(data) as picture:
        picture.seek(number)
        return _decoded(picture)


def is_pdf(data: bytes) -> bool:
    """Whether a file starts as a PDF does; the header may come a little late."""
    return _PDF in data[:1024]


def flat_light(grey: Grey) -> Grey:
    """Return the picture as if lit evenly: each pixel against the paper around it.

    The paper is what is left when everything thinner than a twelfth of the shorter side, such as
    writing, is closed; it is found on a small copy without grain, since light changes slowly.
    """
    height, width = grey.shape
    factor = max(1.0, min(height, width) / 500)
    size_px = (round(width / factor), round(height / factor))
    small = cv2.medianBlur(cv2.resize(grey, size_px, interpolation=cv2.INTER_AREA), 5)
    size = round(min(small.shape) / 12) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), (0, 0), size / 3)
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(grey, cv2.max(paper, 20), scale=255)


def _decoded(picture: Image.Image) -> Grey:
    _check_size(*picture.size)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        return (np.asarray(upright) >> 8).astype(np.uint8)
    if "A" in upright.getbands() or "transparency" in upright.info:
        paper = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(paper, upright.convert("RGBA"))
    return np.asarray(upright.convert("L"))


def _rendered(sheet: pdfium.PdfPage) -> Grey:
    scale = PDF_DPI / 72
    _check_size(round(sheet.get_width() * scale), round(sheet.get_height() * scale))
    return sheet.render(scale=scale, grayscale=True).to_numpy().squeeze().copy()


@contextmanager
def _picture(data: bytes) -> Iterator[Image.Image]:
    """Yield an open picture; what its decoder raises within is a BadInput."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            yield opened
    except UnidentifiedImageError as error:
        raise BadInput(
            "NOT_A_PICTURE",
            f"file_key: 열 수 없는 파일입니다. {', '.join(_FORMATS)}, PDF만 사용할 수 있습니다.",
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(str(error)) from error
    except _DECODERS_RAISE as error:
        raise BadInput(
            "BROKEN_PICTURE", "file_key: 손상된 이미지입니다. 다시 업로드해 주세요."
        ) from error


@contextmanager
def _pdf(data: bytes) -> Iterator[pdfium.PdfDocument]:
    """Yield an open PDF; what PDFium raises within is a BadInput."""
    with _ONE_PDF_AT_ONCE:
        try:
            with closing(pdfium.PdfDocument(data)) as document:
                yield document
        except pdfium.PdfiumError as error:
            raise BadInput(
                "BROKEN_PDF", "file_key: PDF를 열 수 없습니다. 암호가 없고 손상되지 않아야 합니다."
            ) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width} x {height}")


def _too_large(size: str) -> BadInput:
    allowed = f"{MAX_PIXELS:,} 픽셀까지 사용할 수 있습니다."
    return BadInput("PICTURE_TOO_LARGE", f"file_key: 이미지가 너무 큽니다 ({size}). {allowed}")


def as_png(grey: Grey) -> bytes:
    """Return a picture as a PNG that is quick to write."""
    return cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
