"""Keys of labels: their own, or the digit of their place."""

import pytest

from labels.keys import keys_in_order
from labels.models import Label


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
