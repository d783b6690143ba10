"""Finds the sheet of paper in a photo, by its edges."""

from __future__ import annotations

import cv2
import numpy as np

from worker_images.ai.pictures import Grey

_SIDE_PX = 800
#: A sheet fills at least a quarter of a photo that was made of it.
_LEAST_AREA = 0.25
#: Paper is brighter than the table on which it lies; a printed frame has paper on both sides.
_LEAST_STEP = 25
_LEAST_SIDES = 3
_PROBE_PX = 8


def paper_corners(photo: Grey) -> np.ndarray | None:
    """Return the paper's corners in pixels, clockwise from the upper left, or None without one:
    the photo, or the scan, is then taken to be all paper.
    """
    factor = min(1.0, _SIDE_PX / max(photo.shape))
    small = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    calm = cv2.medianBlur(small, 7)
    edges = cv2.dilate(cv2.Canny(calm, 20, 60), np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:5]:
        hull = cv2.convexHull(contour)
        quad = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, closed=True), closed=True)
        if len(quad) != 4 or cv2.contourArea(quad) < _LEAST_AREA * small.size:
            continue
        corners = _clockwise(quad.reshape(4, 2).astype(np.float32))
        if _brighter_inside(calm, corners) >= _LEAST_SIDES:
            return corners / factor
    return None


def flattening(corners: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the matrix (3 x 3) that lays the paper flat, and its (width, height) in pixels."""
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = max(sides[0], sides[2]), max(sides[1], sides[3])
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.getPerspectiveTransform(corners, flat), (round(width), round(height))


def _clockwise(quad: np.ndarray) -> np.ndarray:
    middle = quad.mean(axis=0)
    around = np.argsort(np.arctan2(quad[:, 1] - middle[1], quad[:, 0] - middle[0]))
    return quad[around]


def _brighter_inside(grey: Grey, corners: np.ndarray) -> int:
    """Return along how many sides the picture is clearly brighter within than without."""
    middle, bright = corners.mean(axis=0), 0
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = start + np.linspace(0.1, 0.9, 40)[:, None] * (end - start)
        inwards = middle - (start + end) / 2
        inwards = inwards / np.linalg.norm(inwards) * _PROBE_PX
        bright += bool(
            np.median(_at(grey, along + inwards) - _at(grey, along - inwards)) > _LEAST_STEP
        )
    return bright


def _at(grey: Grey, points: np.ndarray) -> np.ndarray:
    x = points[:, 0].round().astype(int).clip(0, grey.shape[1] - 1)
    y = points[:, 1].round().astype(int).clip(0, grey.shape[0] - 1)
    return grey[y, x].astype(int)
