"""Finds the sheet in a picture of any rotation and lays it flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from worker_images.ai.omr import layout as page
from worker_images.ai.omr.layout import Layout
from worker_images.ai.omr.sheet import DICTIONARY
from worker_images.ai.pictures import Grey, flat_light
from worker_images.base.errors import BadInput

#: The flat sheet: a bubble is 38 pixels wide.
PIXELS_PER_MM = 8.0
#: Three markers fix the perspective (12 points); two can be off by a bubble at the far end.
ENOUGH_MARKERS = 3
#: Longer sides are reduced: a 48 megapixel photo shows a marker no better.
_MAX_SIDE_PX = 3000
#: A marker's module has to span two pixels or more.
_SMALL_SIDE_PX = 1400


@dataclass(frozen=True)
class FlatSheet:
    """The sheet seen from above at 8 pixels a mm; `markers` of its four were found."""

    picture: Grey
    markers: int


def flatten(photo: Grey, layout: Layout) -> FlatSheet:
    """Return the sheet in `photo`.

    Raises: BadInput when fewer than three markers are seen, or when they name another layout.
    """
    photo = _sized(photo)
    found = _markers(photo, layout)
    own = {marker_id: quad for marker_id, quad in found.items() if marker_id in layout.marker_ids()}
    if len(own) < ENOUGH_MARKERS:
        _refuse_another_layout(found, layout)
        raise BadInput(
            "SHEET_NOT_FOUND",
            f"답안지의 네 모서리 표식 중 {len(own)}개만 보입니다. 3개 이상 필요합니다. "
            "답안지 전체가 나오도록 다시 촬영해 주세요.",
        )
    ids = layout.marker_ids()
    seen = np.concatenate([own[marker_id] for marker_id in own])
    printed = np.concatenate([_printed(ids.index(marker_id)) for marker_id in own])
    matrix, _ = cv2.findHomography(seen, printed, cv2.RANSAC, 1.5 * PIXELS_PER_MM)
    size = (round(page.PAGE_WIDTH_MM * PIXELS_PER_MM), round(page.PAGE_HEIGHT_MM * PIXELS_PER_MM))
    flat = cv2.warpPerspective(photo, matrix, size, borderValue=255)
    return FlatSheet(flat, len(own))


def _sized(photo: Grey) -> Grey:
    height, width = photo.shape
    longer = max(height, width)
    if longer > _MAX_SIDE_PX:
        factor, how = _MAX_SIDE_PX / longer, cv2.INTER_AREA
    elif longer < _SMALL_SIDE_PX:
        factor, how = _SMALL_SIDE_PX / longer, cv2.INTER_CUBIC
    else:
        return photo
    return cv2.resize(photo, None, fx=factor, fy=factor, interpolation=how)


def _markers(photo: Grey, layout: Layout) -> dict[int, np.ndarray]:
    """Return the markers' corners by id, of the first view of the photo that shows all four."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    detector = cv2.aruco.ArucoDetector(dictionary, parameters)
    found: dict[int, np.ndarray] = {}
    for view in _views(photo):
        corners, ids, _ = detector.detectMarkers(view)
        for quad, marker_id in zip(corners, () if ids is None else ids.ravel(), strict=True):
            found.setdefault(int(marker_id), quad.reshape(4, 2))
        if set(layout.marker_ids()) <= set(found):
            break
    return found


def _views(photo: Grey) -> Iterator[Grey]:
    """Yield the photo as it is, then with the shadows taken out, then without grain."""
    yield photo
    even = flat_light(photo)
    yield even
    yield cv2.medianBlur(even, 5)


def _printed(corner: int) -> np.ndarray:
    """Return a marker's corners on the flat sheet, clockwise from its upper left."""
    x_mm, y_mm = page.marker_origin(corner)
    far_x, far_y = x_mm + page.MARKER_MM, y_mm + page.MARKER_MM
    quad = np.array([(x_mm, y_mm), (far_x, y_mm), (far_x, far_y), (x_mm, far_y)])
    return quad * PIXELS_PER_MM


def _refuse_another_layout(found: dict[int, np.ndarray], layout: Layout) -> None:
    """Raise BadInput when at least two markers agree that another layout was printed."""
    for field, wanted, part in (("questions", layout.questions, 0), ("choices", layout.choices, 1)):
        named = [page.printed_by(marker_id)[part] for marker_id in found]
        for number in {number for number in named if number is not None}:
            if number != wanted and named.count(number) >= 2:
                raise BadInput(
                    "SHEET_OF_ANOTHER_LAYOUT",
                    f"{field}: {wanted}. 촬영된 답안지는 {field}={number}(으)로 인쇄되었습니다.",
                )
