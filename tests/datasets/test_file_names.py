import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import names

PATHS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from(" \t\n\r~./a0"),
    min_size=1,
    max_size=60,
).filter(lambda path: path.strip("/") and "//" not in path and not path.endswith("/"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.JPG", ".jpg"),
        ("a.b/c", ""),
        (".jpg", ""),
        (".cover.jpg", ".jpg"),
        ("trailing dot..jpg", ".jpg"),
        ("photo.", "."),
        ("..", ""),
    ],
)
def test_suffix_is_that_of_the_file_in_lower_case(name, expected):
    assert names.suffix(name) == expected


@pytest.mark.parametrize(
    "key",
    ["__MACOSX/a.jpg", "a/.DS_Store", "THUMBS.DB", "x/Desktop.ini", "a/._b.jpg", ".git/a.jpg"]
    + ["a/.hidden", "photos/@eaDir/a.jpg/SYNO.jpg"],
)
def test_junk_is_known(key):
    assert names.is_junk_key(key)


@pytest.mark.parametrize("key", ["a/b.jpg", "a/.cover.jpg", "-a.jpg", "DS_Store.jpg", "thumbs.jpg"])
def test_pictures_are_no_junk(key):
    assert not names.is_junk_key(key)


def test_label_files_lie_beside_images_and_everything_else_is_looked_into():
    assert names.is_companion("a/labels.TXT")
    assert names.is_companion("photos.zip")
    assert names.is_companion("trashnet/LICENSE")
    assert not names.is_companion("a/photo.jpg")
    assert not names.is_companion("a/photo.HEIC")
    assert not names.is_companion("IMG 2026-01-02 10.11.12")


def test_every_string_becomes_text_that_can_be_stored():
    assert names.readable("caf\udce9/图片.jpg") == r"caf\xe9/图片.jpg"
    assert names.readable("lone \ud83d surrogate").encode()


@pytest.mark.parametrize("with_spaces", [True, False])
@given(paths=st.lists(PATHS, max_size=8, unique=True))
def test_safe_names_fit_a_line_and_never_meet(with_spaces, paths):
    safe = [names.list_safe(path, with_spaces=with_spaces) for path in paths]
    # What was made from the others is given back as paths of the dataset.
    both = list(dict.fromkeys(paths + safe))

    again = [names.list_safe(path, with_spaces=with_spaces) for path in both]

    assert len(set(again)) == len(both)
    for name in again:
        line = f"{name}\t0\n" if with_spaces else f"{name} 0\n"
        assert line.strip().split("\t" if with_spaces else " ") == [name, "0"]
        assert len(line.splitlines()) == 1


def test_safe_names_keep_folder_and_suffix():
    assert names.list_safe("a/b.jpg", with_spaces=False) == "a/b.jpg"
    assert names.list_safe("a b/c d.jpg", with_spaces=True) == "a b/c d.jpg"
    safe = names.list_safe("a b/c d.jpg", with_spaces=False)
    assert safe.startswith("a_b/c_d~")
    assert safe.endswith(".jpg")


def test_safe_names_stay_within_255_bytes():
    for name in ("汉 " * 60 + "汉汉.jpg", "a." + "x y" * 84):
        assert len(names.list_safe(name, with_spaces=False).encode()) <= 255
