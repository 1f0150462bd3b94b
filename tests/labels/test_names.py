import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.names import MAX_LENGTH, bad_characters, clean_label_name, is_valid, suggest


@pytest.mark.parametrize(
    "name",
    [
        "cat",
        "Cat-2",
        "_",
        "-",
        "苹果",
        "向日葵_2",
        "ёж",
        "größe",
        "กล้วย",
        "केला",
        "تفاحة",
        "x" * 1024,
    ]
    + ["٣", "42"],
)
def test_letters_and_digits_of_any_script_dash_and_underscore_are_names(name):
    assert is_valid(name)
    assert bad_characters(name) == ""
    assert suggest(name) == name


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("bell pepper", " "),
        ("a,b c,d", ", "),
        ("x²", "²"),
        ("🍎", "🍎"),
        ("<b>", "<>"),
        ("a\nb", "\n"),
        ("zero\u200bwidth", "\u200b"),
        ("\u0301x", "\u0301"),
        ("", ""),
        ("x" * 1025, ""),
    ],
)
def test_other_characters_and_lengths_are_no_names(name, bad):
    assert not is_valid(name)
    assert bad_characters(name) == bad


def test_names_are_compared_composed_and_without_blanks_around():
    assert clean_label_name("  cafe\u0301\n") == "café"
    assert clean_label_name("\u3000苹果 ") == "苹果"
    assert clean_label_name("Cat") == "Cat"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("bell pepper", "bell_pepper"),
        ("candle, taper, wax light", "candle"),
        ("switch, electric switch", "switch"),
        ("jack-o'-lantern", "jack-o-lantern"),
        ("carpenter’s kit, tool kit", "carpenters_kit"),
        ("  R & B  ", "R_B"),
        ("a/b\\c.d", "a_b_c_d"),
        ("1,000", "1_000"),
        ("苹果 (红)", "苹果_红"),
        ("n02123045 tabby", "n02123045_tabby"),
        (", nothing first", "nothing_first"),
        ("!?", "label"),
        ("🍎", "label"),
        ("", "label"),
        ("\u0301\u0302x y", "x_y"),
    ],
)
def test_foreign_names_get_a_name_under_the_rule(raw, name):
    assert suggest(raw) == name


@given(
    st.text(st.characters(), max_size=40) | st.text("ab, '🍎\u0301\u0e49\u1100\u1161", max_size=40)
)
def test_whatever_the_text_the_suggestion_is_a_name(raw):
    name = suggest(raw)

    assert is_valid(name)
    assert name == unicodedata.normalize("NFC", name) == suggest(name)


def test_long_names_are_cut():
    assert len(suggest("ab " * 1000)) <= MAX_LENGTH
