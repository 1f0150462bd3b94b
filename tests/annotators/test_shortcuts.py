"""The table of keys: the browser has the same, the pages are written from it."""

import json
import re
import subprocess
from collections import Counter

import pytest
from django.urls import reverse

from annotators.chords import parts, read_chord, shown
from annotators.key_tables import help_sections
from annotators.own_keys import Keys
from annotators.shortcuts import BOTH, COMMANDS, palette_commands
from labelhub.errors import DomainError
from labels.keys import COMMANDS as LETTERS
from labels.keys import FREE
from tests import make, needs

pytestmark = pytest.mark.django_db

# Opens the filters, in the bar of the grid.
ELSEWHERE = {"m"}


def test_the_browser_has_the_same_keys(tmp_path):
    module = tmp_path / "keys.mjs"
    module.write_text((needs.REPOSITORY / "static/js/keys.js").read_text())
    script = f"import({str(module)!r}).then((m) => console.log(JSON.stringify(m.SURFACES)))"
    done = subprocess.run([needs.node(), "-e", script], capture_output=True, text=True, check=True)

    table = {
        surface: {
            chord: command.name
            for command in COMMANDS.values()
            if surface in command.surfaces
            for chord in command.chords
        }
        for surface in BOTH
    }

    assert json.loads(done.stdout) == table


def test_no_two_commands_of_a_surface_share_a_key():
    for surface in BOTH:
        commands = [one for one in COMMANDS.values() if surface in one.surfaces]
        counted = Counter(chord for one in commands for chord in one.chords)
        assert [chord for chord, number in counted.items() if number > 1] == []


def test_letters_of_commands_are_not_to_be_had_for_labels():
    letters = {chord for one in COMMANDS.values() for chord in one.chords if chord.isalpha()}
    letters = {letter for letter in letters if len(letter) == 1}

    assert letters | ELSEWHERE == LETTERS.keys()
    assert LETTERS.keys().isdisjoint(FREE)


def test_the_keys_of_the_table_could_all_be_chosen():
    for command in COMMANDS.values():
        for chord in () if command.is_fixed else command.chords:
            assert read_chord(chord) == chord
            assert read_chord(shown(chord)) == chord


def test_the_palette_offers_what_one_may_do():
    everything = {one.name for one in palette_commands(lambda _ability: True)}
    nothing = {one.name for one in palette_commands(lambda _ability: False)}

    assert {"hard", "predict", "delete", "next", "help"} <= everything
    assert nothing == everything - {
        *("clear", "nothing", "hard", "undo", "redo", "predict", "delete"),
        *("accept", "accept-selection", "accept-next", "reject"),
    }


# The help ----------------------------------------------------------------------------------------
def test_the_help_lists_every_key_of_the_person():
    keys = Keys({"hard": "g", "next": ""})
    lines = [line for section in help_sections(keys) for line in section.lines]
    listed = Counter(part for line in lines for chord in line.chords for part in chord.parts[-1:])
    shift = next(line for line in lines if str(line.words) == "Extend the selection")

    for name in COMMANDS:
        for chord in keys.chords(name):
            assert any(parts(chord)[-1] in one.parts for line in lines for one in line.chords)
    assert listed["G"] == 1
    assert listed["H"] == 0
    assert [chord.parts for chord in shift.chords] == [["Shift", "←", "→", "↑", "↓"]]


def test_the_help_says_that_keys_are_off_and_where_to_switch_them_on(bob):
    bob.uses_keys = False
    bob.save()
    page = make.client(bob).get(reverse("keys")).content.decode()

    assert "Single-key shortcuts are switched off." in page
    assert f'href="{reverse("profile")}#keys"' in page
    assert re.search(r'<span class="keys" data-off><kbd>H</kbd>', page)
    assert re.search(r'<span class="keys" ><kbd>Ctrl</kbd> <kbd>K</kbd>', page)


# Chords ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("G", "g"),
        (" g ", "g"),
        ("ｇ", "g"),
        ("?", "?"),
        ("shift + g", "Shift+g"),
        ("Shift+?", "?"),
        ("control+Y", "Ctrl+y"),
        ("Cmd+K", "Ctrl+k"),
        ("Shift+Ctrl+Z", "Ctrl+Shift+z"),
        ("page down", "PageDown"),
        ("PgDn", "PageDown"),
        ("→", "ArrowRight"),
        ("Alt+Left", "Alt+ArrowLeft"),
        ("space", "Space"),
        ("Del", "Delete"),
        ("+", "+"),
        ("ü", "ü"),
    ],
)
def test_keys_are_read_as_people_type_them(typed, expected):
    assert read_chord(typed) == expected


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Press a key"),
        ("7", "Digits are for labels"),
        ("７", "Digits are for labels"),
        ("Esc", "stay as they are"),
        ("tab", "stay as they are"),
        ("Backspace", "stay as they are"),
        ("Shift", "alone is no key"),
        ("Meta", "alone is no key"),
        ("Ctrl+T", "Ctrl+T belongs to the browser"),
        ("Ctrl+Shift+A", "belongs to the browser"),
        ("Ctrl+1", "Digits are for labels"),
        ("Alt+F", "belongs to the browser"),
        ("Alt+Ctrl+K", "belongs to the browser"),
        ("F5", "cannot be used here"),
        ("hello", "cannot be used here"),
        ("Hyper+K", "cannot be used here"),
        ("Ctrl+", "cannot be used here"),
    ],
)
def test_what_is_no_key_for_a_command_is_refused_with_the_reason(typed, reason):
    with pytest.raises(DomainError) as refused:
        read_chord(typed)

    assert reason in refused.value.message
