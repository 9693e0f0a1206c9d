"""The icon: a shape and a colour for each state, plain on every bar at every size."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image, ImageChops, ImageColor

from tray.icon import draw, icon_file
from tray.summary import COLOURS, IconState

SIZES = [16, 22, 24, 32, 48, 64]


def luminance(colour):
    """Relative luminance, WCAG 2."""
    parts = [part / 255 for part in ImageColor.getrgb(colour)]
    lin = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("icon", IconState)
@pytest.mark.parametrize("bar", ["#ffffff", "#1e1e1e"])
def test_every_icon_stands_out_from_a_light_and_a_dark_bar(icon, bar):
    assert contrast(COLOURS[icon], bar) >= 3.0


def silhouette(icon, size):
    """The shape alone, without colour: what is opaque, and what inside it is white."""
    image = draw(icon, size)
    red, green, blue, alpha = image.split()
    white = ImageChops.darker(ImageChops.darker(red, green), blue).point(lambda v: 255 * (v > 200))
    return ImageChops.subtract(alpha.point(lambda v: 255 * (v > 127)), white)


@pytest.mark.parametrize("size", SIZES)
def test_the_icons_differ_in_shape_and_not_in_colour_alone(size):
    for one, other in combinations(IconState, 2):
        apart = ImageChops.difference(silhouette(one, size), silhouette(other, size))
        assert apart.histogram()[255] >= size * size * 0.06, (one, other)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("icon", IconState)
def test_a_icon_fills_its_square_and_leaves_the_corners_clear(icon, size):
    alpha = draw(icon, size).getchannel("A")
    left, top, right, bottom = alpha.getbbox()

    assert draw(icon, size).size == (size, size)
    assert max(right - left, bottom - top) >= size * 0.8
    assert alpha.getpixel((0, 0)) == 0


@pytest.mark.parametrize("icon", IconState)
def test_a_icon_is_sharp_at_sixteen_pixels(icon):
    """Most pixels are fully the icon's colour, ink or clear: few are smeared in between."""
    colour, ink = ImageColor.getrgb(COLOURS[icon]), (255, 255, 255)
    image = draw(icon, 16)
    raw = image.tobytes()
    pixels = [tuple(raw[n : n + 4]) for n in range(0, len(raw), 4)]
    plain = [
        p
        for p in pixels
        if p[3] < 16
        or (
            p[3] > 239
            and any(max(abs(a - b) for a, b in zip(p, c, strict=False)) < 40 for c in (colour, ink))
        )
    ]

    assert len(plain) >= 256 * 0.5


def test_a_icon_is_drawn_once_and_kept_as_a_file(tmp_path):
    file = icon_file(tmp_path / "icons", IconState.OK)
    first = file.stat().st_mtime_ns

    assert icon_file(tmp_path / "icons", IconState.OK) == file
    assert file.stat().st_mtime_ns == first
    assert [one.name for one in file.parent.iterdir()] == ["levqor-1-ok-64.png"]
    with Image.open(file) as image:
        assert image.size == (64, 64)
