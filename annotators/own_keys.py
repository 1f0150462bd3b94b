"""The keys as one person has them: kept are the differences from the table."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotators.chords import is_one_character, read_chord, shown
from annotators.models import User
from annotators.shortcuts import COMMANDS
from labelhub.errors import Conflict, DomainError

# The keys that one command can have.
MOST = 2


class Keys:
    """`own` is what differs from the table: {command: "chord chord"}."""

    def __init__(self, own: Any = None, *, uses_characters: bool = True) -> None:
        self.own = _readable(own)
        self.uses_characters = uses_characters

    def chords(self, name: str) -> tuple[str, ...]:
        own = self.own.get(name)
        return COMMANDS[name].chords if own is None else tuple(own.split())

    def is_on(self, chord: str) -> bool:
        return self.uses_characters or not is_one_character(chord)

    def first(self, name: str) -> str:
        """What a tooltip says: the first key that works, or nothing."""
        return next((shown(one) for one in self.chords(name) if self.is_on(one)), "")

    def reaches_label(self, key: str) -> bool:
        """Whether the key of a label puts it on: the own keys of commands come before it."""
        return self.uses_characters and not any(key in one.split() for one in self.own.values())

    def for_browser(self) -> dict[str, Any]:
        """What keys.js must know, nothing where all is as usual."""
        keys = {"keys": self.own} if self.own else {}
        return keys | ({} if self.uses_characters else {"off": True})


def keys_of(user: Any) -> Keys:
    """Also of somebody who is not signed in: the usual ones."""
    if not getattr(user, "is_authenticated", False):
        return Keys()
    return Keys(user.keymap, uses_characters=user.uses_keys)


def _readable(own: Any) -> dict[str, str]:
    """What is kept may come from another version, or from the admin pages."""
    found = own.items() if isinstance(own, dict) else ()
    return {
        name: chords
        for name, chords in found
        if name in COMMANDS and not COMMANDS[name].is_fixed and isinstance(chords, str)
        if all(map(_is_chord, chords.split()))
    }


def _is_chord(text: str) -> bool:
    try:
        return read_chord(text) == text
    except DomainError:
        return False


# Changing ----------------------------------------------------------------------------------------
@transaction.atomic
def set_keys(user: User, name: str, typed: Iterable[str]) -> None:
    """Gives a command the keys that were typed, at most two; with none it has no key."""
    chords = [read_chord(one) for one in typed if one.strip()][:MOST]
    _change(user, name, tuple(dict.fromkeys(chords)))


@transaction.atomic
def reset_keys(user: User, name: str) -> None:
    """Gives a command its usual keys again."""
    _change(user, name, COMMANDS[name].chords)


def reset_all_keys(user: User) -> None:
    user.keymap = {}
    user.save(update_fields=["keymap"])


def switch_keys(user: User, *, on: bool) -> None:
    """Turns the keys of one character on or off."""
    user.uses_keys = on
    user.save(update_fields=["uses_keys"])


def _change(user: User, name: str, chords: tuple[str, ...]) -> None:
    # Another page of the same person may have changed another command since.
    kept = User.objects.select_for_update().get(pk=user.pk).keymap
    keys = Keys(kept)
    _refuse_taken(keys, name, chords)
    own = {one: theirs for one, theirs in keys.own.items() if one != name}
    if chords != COMMANDS[name].chords:
        own[name] = " ".join(chords)
    user.keymap = own
    user.save(update_fields=["keymap"])


def _refuse_taken(keys: Keys, name: str, chords: tuple[str, ...]) -> None:
    command = COMMANDS[name]
    if command.is_fixed:
        raise DomainError(_("This key stays as it is."), code="fixed")
    for other in COMMANDS.values():
        taken = set(chords).intersection(keys.chords(other.name))
        meets = other is not command and set(other.surfaces).intersection(command.surfaces)
        if taken and meets:
            said = {"key": shown(min(taken)), "command": other.words}
            raise Conflict(
                _("%(key)s is the key of “%(command)s”. Give that one another key first.") % said,
                code="taken",
            )
