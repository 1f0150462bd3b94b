"""Keys as people press, type and read them.

A chord is written as static/js/keys.js writes it: `Alt+`, `Ctrl+` (or the command key), `Shift+`,
then the key, letters in lower case. Shift counts with letters and keys that have a name only: it is
how signs like "?" are typed.
"""

import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from labelhub.errors import DomainError

# The keys that have a name, as a person reads them.
NAMES: dict[str, Any] = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Home": "Home",
    "End": "End",
    "Enter": "Enter",
    "Insert": "Ins",
    "Space": pgettext_lazy("key", "Space"),
    "Delete": pgettext_lazy("key", "Del"),
    "Escape": "Esc",
}
_ARROWS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")
_OTHER_NAMES = {
    **{name.removeprefix("Arrow"): name for name in _ARROWS},
    "PgUp": "PageUp",
    "PgDn": "PageDown",
    "Return": "Enter",
    "Del": "Delete",
}
_MODIFIERS = {
    **dict.fromkeys(("ctrl", "control", "cmd", "command", "meta", "⌘"), "Ctrl+"),
    **dict.fromkeys(("alt", "option", "⌥"), "Alt+"),
    **dict.fromkeys(("shift", "⇧"), "Shift+"),
}
# What nobody who moves through a page, or types, can do without.
_KEPT = {"esc", "escape", "tab", "backspace"}
# With Ctrl: what no browser takes for itself, or leaves to pages.
_FREE_WITH_CTRL = {*"akyz,.;/", "Shift+z", "Enter", "Delete"} | {
    shift + key for shift in ("", "Shift+") for key in (*_ARROWS, "Home", "End")
}
_CHORD = re.compile(r"((?:[^+]+\+)*)(.+)")


def parts(chord: str) -> list[str]:
    """As people read it: `Ctrl`, `Shift`, `Z`."""
    modifiers, key = _CHORD.fullmatch(chord).groups()
    return [*modifiers.split("+")[:-1], str(NAMES.get(key, key.upper()))]


def shown(chord: str) -> str:
    return "+".join(parts(chord))


def is_one_character(chord: str) -> bool:
    """Those that can be switched off (WCAG 2.1.4): who dictates says them by accident."""
    return len(chord.removeprefix("Shift+")) == 1


def read_chord(raw: str) -> str:
    """The chord that somebody typed or pressed; refused is what cannot be had."""
    text = unicodedata.normalize("NFKC", raw).strip()
    found = _CHORD.fullmatch(text)
    if found is None:
        raise DomainError(_("Press a key, or type its name."), code="chord")
    held = {_MODIFIERS.get(one.strip().lower()) for one in found[1].split("+")[:-1]}
    if None in held:
        raise _no_key(text)
    key = _read_key(found[2].strip())
    is_sign = len(key) == 1 and not key.isalpha()
    order = ("Alt+", "Ctrl+") if is_sign else ("Alt+", "Ctrl+", "Shift+")
    chord = "".join(one for one in order if one in held) + key
    if not _is_free(chord):
        raise DomainError(
            _("%(key)s belongs to the browser.") % {"key": shown(chord)}, code="chord"
        )
    return chord


def _read_key(text: str) -> str:
    plain = text.replace(" ", "").lower()
    if plain in _KEPT:
        raise DomainError(_("Esc, Tab and Backspace stay as they are."), code="chord")
    if plain in _MODIFIERS:
        raise DomainError(
            _("%(key)s alone is no key: hold it and press another one.") % {"key": text},
            code="chord",
        )
    if text.isdigit():
        raise DomainError(_("Digits are for labels."), code="chord")
    named = {str(words).replace(" ", "").lower(): name for name, words in NAMES.items()}
    named |= {name.lower(): name for name in NAMES}
    named |= {other.lower(): name for other, name in _OTHER_NAMES.items()}
    if plain in named:
        return named[plain]
    if len(plain) != 1 or not plain.isprintable():
        raise _no_key(text)
    return plain


def _no_key(text: str) -> DomainError:
    return DomainError(_("“%(text)s” cannot be used here.") % {"text": text}, code="chord")


def _is_free(chord: str) -> bool:
    if chord.startswith("Alt+"):
        return chord.removeprefix("Alt+") in _ARROWS
    if chord.startswith("Ctrl+"):
        return chord.removeprefix("Ctrl+") in _FREE_WITH_CTRL
    return True
