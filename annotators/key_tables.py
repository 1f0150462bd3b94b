"""The table of keys as pages show it, with the keys of the person who looks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from annotators.chords import parts
from annotators.own_keys import Keys
from annotators.shortcuts import GROUP_NAMES, Command, Group, Words, by_group, by_line


@dataclass(frozen=True, slots=True)
class Chord:
    parts: list[str]
    is_on: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A command, or in the help several that belong together."""

    name: str
    words: Words
    chords: list[Chord]
    surfaces: tuple[str, ...]
    is_own: bool
    is_fixed: bool


def line_of(keys: Keys, commands: Iterable[Command], words: Words) -> Line:
    commands = list(commands)
    chords = [chord for command in commands for chord in keys.chords(command.name)]
    shown = [Chord(parts(chord), keys.is_on(chord)) for chord in chords]
    return Line(
        name=commands[0].name,
        words=words,
        chords=_together(shown) if len(commands) > 1 else shown,
        surfaces=commands[0].surfaces,
        is_own=any(command.name in keys.own for command in commands),
        is_fixed=commands[0].is_fixed,
    )


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: Words
    lines: list[Line]


def _together(chords: list[Chord]) -> list[Chord]:
    """What is held for several keys is said once: `Shift ← → ↑ ↓`."""
    held = groupby(chords, lambda chord: (chord.parts[:-1], chord.is_on))
    return [
        Chord([*modifiers, *(chord.parts[-1] for chord in found)], is_on) if modifiers else chord
        for (modifiers, is_on), some in held
        for found in [list(some)]
        for chord in (found[:1] if modifiers else found)
    ]


def help_sections(keys: Keys) -> Iterator[Section]:
    for group, commands in by_group():
        yield _section(group, [line_of(keys, found, line) for line, found in by_line(commands)])


def command_sections(keys: Keys) -> Iterator[Section]:
    """Each command by itself, for changing its keys."""
    for group, commands in by_group():
        yield _section(group, lines(keys, commands))


def _section(group: Group, found: list[Line]) -> Section:
    return Section(group.value, GROUP_NAMES[group], found)


def lines(keys: Keys, commands: Iterable[Command]) -> list[Line]:
    return [line_of(keys, [command], command.words) for command in commands]
