"""The commands of the work surfaces and their keys: one table.

The help, the tooltips, the profile and the palette are written from it. static/js/keys.js has the
same keys for the browser; tests/annotators/test_shortcuts.py holds the two against each other.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from annotators.roles import Ability

Words = Any  # a text that is translated when it is shown
GRID, IMAGE = ("grid",), ("image",)
BOTH = GRID + IMAGE


class Group(StrEnum):
    LABEL = "label"
    SUGGESTIONS = "suggestions"
    EVERYWHERE = "everywhere"
    GRID = "grid"
    IMAGE = "image"


GROUP_NAMES = {
    Group.LABEL: pgettext_lazy("verb, heading", "Label"),
    Group.SUGGESTIONS: _("Suggestions"),
    Group.EVERYWHERE: _("Everywhere"),
    Group.GRID: _("In the grid"),
    Group.IMAGE: _("On an image"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """`line` is what the help says of it together with its neighbours that have the same one."""

    name: str
    chords: tuple[str, ...]
    words: Words
    group: Group
    surfaces: tuple[str, ...] = BOTH
    line: Words = ""
    ability: Ability | None = None
    is_in_palette: bool = True
    is_fixed: bool = False


def _rows(group: Group, *rows: tuple, **shared: Any) -> list[Command]:
    """Each row: name, keys, words, and what else it has."""
    return [
        Command(name, tuple(keys.split()), words, group, **(shared | (more[0] if more else {})))
        for name, keys, words, *more in rows
    ]


HIDDEN = {"is_in_palette": False}
_STEP = HIDDEN | {"line": _("Move")}
_ROW = HIDDEN | {"line": _("First, last image of the row")}
_PAGE = HIDDEN | {"line": _("First, last image of the page")}
_TURN = {"line": _("Next, previous page")}
_EXTEND = HIDDEN | {"line": _("Extend the selection")}
_ZOOM = {"line": _("Zoom")}
_PAN = HIDDEN | {"line": _("Move what is zoomed")}
_FIXED = {"is_fixed": True}

_TABLE = [
    *_rows(
        Group.LABEL,
        ("palette-labels", "l", _("Find a label by its name"), HIDDEN),
        ("hard", "h", _("Hard example, or not")),
        ("clear", "u", _("Clear all labels")),
        ("nothing", "Shift+u", _("Nothing applies"), {"line": _("Labeled, with no label")}),
        ("undo", "Ctrl+z", _("Undo")),
        ("redo", "Ctrl+Shift+z Ctrl+y", _("Redo")),
        ability=Ability.LABEL,
    ),
    *_rows(
        Group.SUGGESTIONS,
        ("accept", "a", _("Accept the top suggestion")),
        (
            "accept-selection",
            "Shift+a",
            _("Accept the top suggestions of the selection"),
            {"surfaces": GRID},
        ),
        ("accept-next", "Enter", _("Accept the top suggestion and go on"), {"surfaces": IMAGE}),
        ("reject", "x", _("Reject the top suggestion")),
        ("predict", "p", _("Ask the model (auto inference)"), {"ability": Ability.PREDICT}),
        ability=Ability.LABEL,
    ),
    *_rows(
        Group.EVERYWHERE,
        ("palette", "Ctrl+k", _("Find a label or a command"), HIDDEN),
        ("look", "q", _("Quick look at full size, while held"), HIDDEN),
        ("delete", "Delete", _("Delete the images"), {"ability": Ability.DELETE_IMAGES}),
        ("help", "?", pgettext_lazy("of a keyboard", "Keys")),
    ),
    *_rows(
        Group.GRID,
        ("move:left", "ArrowLeft", _("Move left"), _STEP),
        ("move:right", "ArrowRight", _("Move right"), _STEP),
        ("move:up", "ArrowUp", _("Move up"), _STEP),
        ("move:down", "ArrowDown", _("Move down"), _STEP),
        ("move:row-start", "Home", _("First image of the row"), _ROW),
        ("move:row-end", "End", _("Last image of the row"), _ROW),
        ("move:first", "Ctrl+Home", _("First image of the page"), _PAGE),
        ("move:last", "Ctrl+End", _("Last image of the page"), _PAGE),
        ("turn:next", "PageDown", _("Next page"), _TURN),
        ("turn:prev", "PageUp", _("Previous page"), _TURN),
        ("open", "Enter", _("Open the image")),
        ("toggle", "Space", _("Select or not"), HIDDEN),
        ("extend:left", "Shift+ArrowLeft", _("Extend the selection to the left"), _EXTEND),
        ("extend:right", "Shift+ArrowRight", _("Extend the selection to the right"), _EXTEND),
        ("extend:up", "Shift+ArrowUp", _("Extend the selection upwards"), _EXTEND),
        ("extend:down", "Shift+ArrowDown", _("Extend the selection downwards"), _EXTEND),
        ("select-page", "Ctrl+a", _("Select the page, then all that match")),
        ("deselect", "Escape", _("Select nothing"), _FIXED),
        ("find", "/", _("Find images")),
        surfaces=GRID,
    ),
    *_rows(
        Group.IMAGE,
        ("next", "ArrowRight j", _("Next image")),
        ("previous", "ArrowLeft k", _("Previous image")),
        ("unlabeled", "n", _("Next unlabeled image")),
        ("zoom:in", "+ =", _("Zoom in"), _ZOOM),
        ("zoom:out", "-", _("Zoom out"), _ZOOM),
        ("zoom:fit", "f", _("Fit the image")),
        ("zoom:full", "Shift+f", _("Actual size")),
        ("pan:left", "Alt+ArrowLeft", _("Move the view left"), _PAN),
        ("pan:right", "Alt+ArrowRight", _("Move the view right"), _PAN),
        ("pan:up", "Alt+ArrowUp", _("Move the view up"), _PAN),
        ("pan:down", "Alt+ArrowDown", _("Move the view down"), _PAN),
        ("info", "i", _("About this image")),
        ("strip", "t", _("Filmstrip")),
        ("close", "Escape", _("Back to the grid"), _FIXED),
        surfaces=IMAGE,
    ),
]
COMMANDS = {command.name: command for command in _TABLE}


def by_group() -> Iterator[tuple[Group, list[Command]]]:
    for group in Group:
        yield group, [command for command in _TABLE if command.group is group]


def by_line(commands: Iterable[Command]) -> Iterator[tuple[str, list[Command]]]:
    """Lines of the help: neighbours that belong together stand in one."""
    for line, found in groupby(commands, lambda command: str(command.line or command.words)):
        yield line, list(found)


def palette_commands(may: Callable[[Ability], bool]) -> list[Command]:
    """What makes sense when it is chosen from a list, and may be done."""
    offered = (command for command in _TABLE if command.is_in_palette)
    return [one for one in offered if one.ability is None or may(one.ability)]
