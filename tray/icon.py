"""The icon's states: each has a shape of its own, so that nobody must tell colours apart."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from core.home import write_private
from tray.summary import COLOURS, IconState

INK = "#ffffff"
# Panels keep a picture by its name: a changed drawing needs another number here.
_EDITION = 1
# Drawn this many times larger and shrunk: smooth edges at 16 pixels.
_OVER = 8
# Shapes are laid out on a grid of 16 by 16, the smallest size a bar asks for.
_GRID = 16


class _Pen:
    """Draws on the grid, in an icon's colour."""

    def __init__(self, icon: IconState, size: int) -> None:
        self.unit = size * _OVER / _GRID
        self.colour = COLOURS[icon]
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


def draw(icon: IconState, size: int = 64) -> Image.Image:
    """Draw an icon at a size in pixels, transparent around its shape."""
    pen = _Pen(icon, size)
    colour, draw, box = pen.colour, pen.draw, pen.box
    match icon:
        case IconState.OK:
            draw.ellipse(box(0.5, 0.5, 15.5, 15.5), fill=colour)
            pen.line(4.5, 8.4, 7, 10.9, 11.6, 5.6)
        case IconState.ATTENTION:
            pen.polygon(8, 2, 14.5, 13.8, 1.5, 13.8, round_by=1.4)
            pen.line(8, 6, 8, 9.2)
            pen.dot(8, 12.2, 1.15)
        case IconState.BROKEN:
            octagon = (5.2, 1.2, 10.8, 1.2, 14.8, 5.2, 14.8, 10.8, 10.8, 14.8, 5.2, 14.8, 1.2, 10.8)
            pen.polygon(*octagon, 1.2, 5.2, round_by=0.7)
            pen.line(5.4, 5.4, 10.6, 10.6)
            pen.line(10.6, 5.4, 5.4, 10.6)
        case IconState.EMPTY:
            draw.ellipse(box(0.8, 0.8, 15.2, 15.2), outline=colour, width=round(2 * pen.unit))
            pen.line(8, 5, 8, 11, ink=colour)
            pen.line(5, 8, 11, 8, ink=colour)
        case IconState.CHECKING:
            ring, width = box(1.6, 2.4, 14.4, 15.2), round(2.6 * pen.unit)
            draw.arc(ring, start=-10, end=265, fill=colour, width=width)
            pen.polygon(7.6, 1.2, 11.6, 3.7, 7.6, 6.2, round_by=0.5)
        case IconState.PAUSED:
            draw.rounded_rectangle(box(1, 1, 15, 15), radius=3 * pen.unit, fill=colour)
            draw.rectangle(box(4.6, 4.4, 6.8, 11.6), fill=INK)
            draw.rectangle(box(9.2, 4.4, 11.4, 11.6), fill=INK)
        case _:  # OFFLINE
            pen.polygon(8, 1.2, 14.8, 8, 8, 14.8, 1.2, 8, round_by=0.9)
            pen.line(5.2, 8, 10.8, 8)
    return pen.image.resize((size, size), Image.Resampling.BOX)


def icon_file(folder: Path, icon: IconState) -> Path:
    """Return the icon's PNG in a folder, drawn there once; another version has other names."""
    file = folder / f"levqor-{_EDITION}-{icon}-64.png"
    if not file.exists():
        png = BytesIO()
        draw(icon).save(png, "PNG")
        write_private(file, png.getvalue())
    return file
