"""The palette of labels, read from the style sheets as a browser reads them."""

import math
import re
from itertools import combinations, pairwise
from operator import mul

import pytest
from django.conf import settings

Rgb = tuple[float, float, float]  # linear, 0 to 1

CSS = settings.BASE_DIR / "static" / "css"
NUMBERS = range(1, 25)
THEMES = ("light", "dark")
READABLE = 4.5
VISIBLE = 3.0  # an edge, a mark
# How a person with each kind of colour blindness sees linear RGB (Machado et al. 2009, severity 1).
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def declarations(text: str) -> dict[str, str]:
    return {
        name: " ".join(value.split()) for name, value in re.findall(r"(--[\w-]+):([^;]+);", text)
    }


TOKENS = declarations((CSS / "tokens.css").read_text())
LABELS = (CSS / "labels.css").read_text()
SHARED = declarations(LABELS.split('[class*="label-"]')[1])


def colour(name: str, label: int, theme: str) -> Rgb:
    """The value of a custom property on an element with the class of the label."""
    own = declarations(re.search(rf"\.label-{label} \{{([^}}]+)\}}", LABELS)[1])
    known = TOKENS | SHARED | own
    value = known[name]
    while "var(" in value:
        value = re.sub(r"var\((--[\w-]+)\)", lambda found: known[found[1]], value)
    if value.startswith("light-dark("):
        value = re.findall(r"oklch\([^)]*\)", value)[THEMES.index(theme)]
    lightness, chroma, hue = map(float, re.fullmatch(r"oklch\((.*)\)", value)[1].split())
    return to_rgb(lightness, chroma, hue)


def to_rgb(lightness: float, chroma: float, hue: float) -> Rgb:
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def to_oklab(rgb: Rgb) -> Rgb:
    red, green, blue = (min(1, max(0, part)) for part in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """As WCAG 2.2 defines it."""
    light, dark = sorted(
        (0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def difference(one: Rgb, other: Rgb) -> float:
    """To the eyes that tell these two apart least; 0.02 is a just noticeable difference."""

    def seen(rgb: Rgb, eye: tuple[Rgb, Rgb, Rgb]) -> Rgb:
        return to_oklab(tuple(sum(map(mul, row, rgb)) for row in eye))

    return min(math.dist(seen(one, eye), seen(other, eye)) for eye in EYES.values())


def test_the_formulas_agree_with_known_colours():
    white, black = to_rgb(1, 0, 0), to_rgb(0, 0, 0)
    red = to_rgb(0.62796, 0.25768, 29.234)

    assert contrast(white, black) == pytest.approx(21, abs=0.01)
    assert red == pytest.approx((1, 0, 0), abs=0.001)
    assert contrast(white, red) == pytest.approx(3.998, abs=0.01)
    assert math.hypot(*to_oklab((1, 0, 0))[1:]) == pytest.approx(0.25768, abs=0.001)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), [("ink", "fill"), ("on", "")])
def test_the_name_of_a_label_is_readable_on_its_colour(theme, text, ground):
    for label in NUMBERS:
        above = colour(f"--label-{text}", label, theme)
        below = colour(f"--label-{ground}" if ground else "--label", label, theme)

        assert contrast(above, below) >= READABLE, label


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["--panel", "--float"])
def test_every_swatch_of_the_palette_stands_out_from_its_ground(theme, ground):
    """By its colour, or by the edge that all of them have."""
    palette = (CSS / "labelset.css").read_text().split(".palette-choice {")[1]
    assert "inset 0 0 0 1px var(--neutral-8)" in palette
    for label in NUMBERS:
        below = colour(ground, label, theme)
        shown = [colour(name, label, theme) for name in ("--label", "--neutral-8")]

        assert max(contrast(one, below) for one in shown) >= VISIBLE, label


@pytest.mark.parametrize("theme", THEMES)
def test_the_mark_of_the_chosen_colour_is_visible_on_it(theme):
    for label in NUMBERS:
        mark = colour("--label-on", label, theme)

        assert contrast(mark, colour("--label", label, theme)) >= READABLE, label


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["--label", "--label-fill", "--label-ink", "--label-edge"])
def test_every_colour_is_one_that_screens_can_show(theme, name):
    """A browser shows any other as one of its own choice, which nothing here has measured."""
    for label in NUMBERS:
        assert all(-0.001 <= part <= 1.001 for part in colour(name, label, theme)), label


def test_neighbours_differ_for_colour_blind_eyes_too():
    palette = [colour("--label", label, "light") for label in NUMBERS]

    assert min(difference(one, other) for one, other in pairwise(palette)) >= 0.07


def test_the_ten_labels_with_keys_all_differ_for_colour_blind_eyes_too():
    palette = [colour("--label", label, "light") for label in NUMBERS[:10]]

    assert min(difference(one, other) for one, other in combinations(palette, 2)) >= 0.09
