"""The icon's faces: each has a shape of its own, so that nobody must tell colours apart."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from tray.summary import Face

if TYPE_CHECKING:
    from collections.abc import Callable

# Relative luminance between 0.14 and 0.30: at least 3:1 on a white and on a black bar alike.
COLOURS = {
    Face.OK: "#2a9a42",
    Face.ATTENTION: "#c67a00",
    Face.BROKEN: "#d6322f",
    Face.EMPTY: "#7c8794",
    Face.CHECKING: "#2f7fe0",
    Face.PAUSED: "#66788a",
    Face.OFFLINE: "#9060d0",
}
INK = "#ffffff"
# Panels keep a picture by its name: a changed drawing needs another number here.
_EDITION = 1
# Drawn this many times larger and shrunk: smooth edges at 16 pixels.
_OVER = 8
# Shapes are laid out on a grid of 16 by 16, the smallest size a bar asks for.
_GRID = 16


class _Pen:
    """Draws on the grid, in a face's colour."""

    def __init__(self, face: Face, size: int) -> None:
        self.unit = size * _OVER / _GRID
        self.colour = COLOURS[face]
        self.image = Image.new("RGBA", (size * _OVER, size * _OVER), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def box(self, *grid: float) -> list[float]:
        return [at * self.unit for at in grid]

    def line(self, *grid: float, width: float = 2, ink: str = INK) -> None:
        """A line with round ends through points given as x, y, x, y and so on."""
        points = self.box(*grid)
        wide = width * self.unit
        self.draw.line(points, fill=ink, width=round(wide), joint="curve")
        for x, y in zip(points[::2], points[1::2], strict=True):
            self.dot(x / self.unit, y / self.unit, width / 2, ink)

    def dot(self, x: float, y: float, radius: float, ink: str = INK) -> None:
        self.draw.ellipse(self.box(x - radius, y - radius, x + radius, y + radius), fill=ink)

    def polygon(self, *grid: float, round_by: float = 1) -> None:
        """A filled shape with rounded corners."""
        self.draw.polygon(self.box(*grid), fill=self.colour)
        self.line(*grid, *grid[:4], width=2 * round_by, ink=self.colour)


def _ok(pen: _Pen) -> None:
    pen.draw.ellipse(pen.box(0.5, 0.5, 15.5, 15.5), fill=pen.colour)
    pen.line(4.5, 8.4, 7, 10.9, 11.6, 5.6)


def _attention(pen: _Pen) -> None:
    pen.polygon(8, 2, 14.5, 13.8, 1.5, 13.8, round_by=1.4)
    pen.line(8, 6, 8, 9.2)
    pen.dot(8, 12.2, 1.15)


def _broken(pen: _Pen) -> None:
    pen.polygon(
        5.2, 1.2, 10.8, 1.2, 14.8, 5.2, 14.8, 10.8, 10.8, 14.8, 5.2, 14.8, 1.2, 10.8, 1.2, 5.2,
        round_by=0.7,
    )  # fmt: skip
    pen.line(5.4, 5.4, 10.6, 10.6)
    pen.line(10.6, 5.4, 5.4, 10.6)


def _empty(pen: _Pen) -> None:
    pen.draw.ellipse(pen.box(0.8, 0.8, 15.2, 15.2), outline=pen.colour, width=round(2 * pen.unit))
    pen.line(8, 5, 8, 11, ink=pen.colour)
    pen.line(5, 8, 11, 8, ink=pen.colour)


def _checking(pen: _Pen) -> None:
    ring = pen.box(1.6, 2.4, 14.4, 15.2)
    pen.draw.arc(ring, start=-10, end=265, fill=pen.colour, width=round(2.6 * pen.unit))
    pen.polygon(7.6, 1.2, 11.6, 3.7, 7.6, 6.2, round_by=0.5)


def _paused(pen: _Pen) -> None:
    pen.draw.rounded_rectangle(pen.box(1, 1, 15, 15), radius=3 * pen.unit, fill=pen.colour)
    for x in (4.6, 9.2):
        pen.draw.rectangle(pen.box(x, 4.4, x + 2.2, 11.6), fill=INK)


def _offline(pen: _Pen) -> None:
    pen.polygon(8, 1.2, 14.8, 8, 8, 14.8, 1.2, 8, round_by=0.9)
    pen.line(5.2, 8, 10.8, 8)


_SHAPES: dict[Face, Callable[[_Pen], None]] = {
    Face.OK: _ok,
    Face.ATTENTION: _attention,
    Face.BROKEN: _broken,
    Face.EMPTY: _empty,
    Face.CHECKING: _checking,
    Face.PAUSED: _paused,
    Face.OFFLINE: _offline,
}


def draw(face: Face, size: int = 64) -> Image.Image:
    """Draw a face at a size in pixels, transparent around its shape."""
    pen = _Pen(face, size)
    _SHAPES[face](pen)
    return pen.image.resize((size, size), Image.Resampling.BOX)


def icon_file(folder: Path, face: Face, size: int = 64) -> Path:
    """Return the face's PNG in a folder, drawn there once; another version has other names."""
    file = folder / f"levqor-{_EDITION}-{face}-{size}.png"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".png")
        with os.fdopen(handle, "wb") as out:
            draw(face, size).save(out, "PNG")
        Path(name).replace(file)
    return file
