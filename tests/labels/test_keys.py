"""Keys of labels: those that are commands are not to be had."""

import re

import pytest
from django.conf import settings

from labels.keys import COMMANDS, FREE, keys_in_order
from labels.models import Label


def test_every_letter_that_is_a_command_is_refused_for_labels():
    source = (settings.BASE_DIR / "static" / "js" / "keys.js").read_text()
    letters = set(re.findall(r'^  "?([a-z])"?: "', source, re.MULTILINE))

    assert letters >= {"u", "p", "a", "j", "k"}
    assert letters <= COMMANDS.keys()
    assert letters.isdisjoint(FREE)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (["", "", ""], ["1", "2", "3"]),
        (["c", "", ""], ["c", "2", "3"]),
        (["", "", "1"], ["", "2", "1"]),
        ([""] * 11, [*"1234567890", ""]),
        ([*[""] * 10, "z"], [*"1234567890", "z"]),
    ],
)
def test_a_digit_of_a_place_gives_way_to_a_key_of_its_own(own, expected):
    assert keys_in_order(Label(key=key) for key in own) == expected
