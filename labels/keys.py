"""The keys of labels: which a label may have, and which it gets by its place in the list."""

from collections.abc import Iterable
from string import ascii_lowercase, digits
from typing import Protocol

from django.utils.translation import gettext_lazy as _

# The keys of the first ten labels, in the order of a keyboard.
BY_PLACE = "1234567890"
ALLOWED = frozenset(ascii_lowercase + digits)
# Letters that are commands of the work surfaces (annotators/shortcuts.py), and what they do.
COMMANDS = {
    "a": _("accepts the suggestion"),
    "f": _("fits the image into the window"),
    "h": _("marks hard examples"),
    "i": _("shows what is known of the image"),
    "j": _("goes to the next image"),
    "k": _("goes to the previous image"),
    "l": _("finds a label by its name"),
    "m": _("opens the filters"),
    "n": _("goes to the next unlabeled image"),
    "p": _("asks the model"),
    "q": _("shows the image large for a moment"),
    "t": _("shows the images around"),
    "u": _("clears all labels"),
    "x": _("rejects the suggestion"),
}
FREE = tuple(sorted(ALLOWED - COMMANDS.keys()))


class HasKey(Protocol):
    key: str


def keys_in_order(labels: Iterable[HasKey]) -> list[str]:
    """The key of each label: its own, else the digit of its place where no other has that."""
    labels = list(labels)
    taken = {label.key for label in labels}
    by_place = [*BY_PLACE, *[""] * max(0, len(labels) - len(BY_PLACE))]
    return [
        label.key or (digit if digit not in taken else "")
        for label, digit in zip(labels, by_place, strict=False)
    ]
