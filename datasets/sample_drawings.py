"""Draws a dozen still lifes, for a sample job on a machine that could download nothing.

Apples, pears and toy bears in red, yellow and blue: what the labels of the sample job ask for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 800, 600
# Drawn at twice the size and scaled down, which smooths the edges.
SCALE = 2
RED, YELLOW, BLUE = (200, 38, 44), (232, 190, 62), (40, 84, 168)
STALK, LEAF, DARK = (92, 62, 38), (74, 140, 62), (38, 34, 40)
WALLS = ((246, 238, 226), (222, 234, 240), (238, 226, 232), (228, 238, 222))
TABLES = ((196, 158, 118), (150, 160, 172), (176, 140, 128), (140, 156, 128))

Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw
Thing = tuple[Callable[[Draw, int, int, int, Colour], None], Colour]


def _apple(draw: Draw, x: int, y: int, r: int, colour: Colour) -> None:
    for side in (-1, 1):
        middle = x + side * r * 0.28
        draw.ellipse((middle - r * 0.76, y - r * 0.8, middle + r * 0.76, y + r), fill=colour)
    _shine(draw, x - 0.5 * r, y - 0.3 * r, 0.24 * r, colour)
    draw.line((x, y - 0.7 * r, x + 0.12 * r, y - 1.25 * r), fill=STALK, width=int(r * 0.1))
    draw.ellipse((x + 0.1 * r, y - 1.3 * r, x + 0.7 * r, y - 1.02 * r), fill=LEAF)


def _pear(draw: Draw, x: int, y: int, r: int, colour: Colour) -> None:
    draw.ellipse((x - r, y - 0.75 * r, x + r, y + r), fill=colour)
    draw.polygon(
        [(x - 0.93 * r, y - 0.1 * r), (x - 0.45 * r, y - 1.2 * r),
         (x + 0.45 * r, y - 1.2 * r), (x + 0.93 * r, y - 0.1 * r)], fill=colour
    )  # fmt: skip
    draw.ellipse((x - 0.5 * r, y - 1.65 * r, x + 0.5 * r, y - 0.65 * r), fill=colour)
    _shine(draw, x - 0.45 * r, y, 0.22 * r, colour)
    draw.line((x, y - 1.6 * r, x + 0.16 * r, y - 2.05 * r), fill=STALK, width=int(r * 0.1))


def _bear(draw: Draw, x: int, y: int, r: int, colour: Colour) -> None:
    for side in (-1, 1):
        _circle(draw, x + side * 0.55 * r, y - 1.75 * r, 0.28 * r, colour)
        _circle(draw, x + side * 0.8 * r, y - 0.25 * r, 0.3 * r, colour)
        _circle(draw, x + side * 0.5 * r, y + 0.75 * r, 0.34 * r, colour)
    draw.ellipse((x - 0.75 * r, y - 0.75 * r, x + 0.75 * r, y + r), fill=colour)
    _circle(draw, x, y - 1.15 * r, 0.72 * r, colour)
    draw.ellipse((x - 0.42 * r, y - 0.35 * r, x + 0.42 * r, y + 0.65 * r), fill=_lighter(colour))
    draw.ellipse((x - 0.32 * r, y - 1.2 * r, x + 0.32 * r, y - 0.7 * r), fill=_lighter(colour))
    _circle(draw, x, y - 1.05 * r, 0.1 * r, DARK)
    for side in (-1, 1):
        _circle(draw, x + side * 0.27 * r, y - 1.35 * r, 0.08 * r, DARK)


def _circle(draw: Draw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _shine(draw: Draw, x: float, y: float, r: float, colour: Colour) -> None:
    draw.ellipse((x - r * 0.7, y - r, x + r * 0.7, y + r), fill=_lighter(colour))


def _lighter(colour: Colour) -> Colour:
    return tuple(part + (255 - part) * 2 // 5 for part in colour)


SCENES: tuple[tuple[str, tuple[Thing, ...]], ...] = (
    ("apple", ((_apple, RED),)),
    ("yellow-apple", ((_apple, YELLOW),)),
    ("pear", ((_pear, YELLOW),)),
    ("bear", ((_bear, BLUE),)),
    ("red-bear", ((_bear, RED),)),
    ("two-apples", ((_apple, RED), (_apple, RED))),
    ("two-pears", ((_pear, YELLOW), (_pear, YELLOW))),
    ("apple-and-pear", ((_apple, RED), (_pear, YELLOW))),
    ("bear-and-apple", ((_bear, BLUE), (_apple, RED))),
    ("bears", ((_bear, RED), (_bear, YELLOW), (_bear, BLUE))),
    ("fruit", ((_pear, YELLOW), (_apple, RED), (_apple, YELLOW))),
    ("picnic", ((_bear, YELLOW), (_apple, RED), (_pear, YELLOW))),
)


def draw_all(folder: Path) -> list[Path]:
    """Writes one JPEG for each scene."""
    paths = []
    for number, (name, things) in enumerate(SCENES):
        path = folder / f"{name}.jpg"
        _scene(things, number).save(path, "JPEG", quality=90)
        paths.append(path)
    return paths


def _scene(things: Sequence[Thing], number: int) -> Image.Image:
    width, height, table = WIDTH * SCALE, HEIGHT * SCALE, HEIGHT * SCALE * 62 // 100
    picture = Image.new("RGB", (width, height), WALLS[number % len(WALLS)])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, table, width, height), fill=TABLES[number // 2 % len(TABLES)])
    r = {1: 150, 2: 125, 3: 105}[len(things)] * SCALE
    ground = table + (height - table) // 2
    places = [width * (2 * place + 1) // (2 * len(things)) for place in range(len(things))]
    shadows = Image.new("L", picture.size)
    for x in places:
        box = (x - r, ground - r // 6, x + 1.3 * r, ground + r // 5)
        ImageDraw.Draw(shadows).ellipse(box, fill=110)
    shadows = shadows.filter(ImageFilter.GaussianBlur(18 * SCALE))
    picture.paste((0, 0, 0), mask=shadows)
    for x, (thing, colour) in zip(places, things, strict=True):
        thing(draw, x, ground - r, r, colour)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
