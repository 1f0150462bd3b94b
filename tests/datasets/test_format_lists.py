"""Lists of PaddleClas and PaddleLabel, as people write them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.formats import Record, TextFile, paddleclas
from datasets.formats.reading import BadLabelFile, BadLine
from tests.datasets.label_files import bad_lines, pairs, read, records

FRUIT = {"label_list.txt": "0 Anjou\n1 苹果\n2 Pink-Lady\n"}
NAMES = {"labels.txt": "Anjou\n苹果\nSour Milk\n"}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("a/1.jpg 1", "a/1.jpg"),
        ("a/1.jpg\t1", "a/1.jpg"),
        ("a/1.jpg,1", "a/1.jpg"),
        ("a/1.jpg, 1", "a/1.jpg"),
        ("  a/1.jpg   1  ", "a/1.jpg"),
        ("my photos/a 1.JPG 1", "my photos/a 1.JPG"),
        ('"my photos/a 1" 1', "my photos/a 1"),
        ("图/照片 1.png 1", "图/照片 1.png"),
        ("a.jpg copy/1.jpg 1", "a.jpg copy/1.jpg"),
        ("without-suffix 1", "without-suffix"),
        ("fruit,red.jpg 1", "fruit,red.jpg"),
    ],
)
@pytest.mark.parametrize("format", ["paddleclas", "paddlelabel"])
def test_a_line_is_a_path_and_an_index(format, line, path):
    assert pairs(read(format, line, beside=FRUIT)) == [(path, ("苹果",))]


def test_the_name_of_the_list_tells_the_split():
    splits = [
        records(read("paddleclas", "1.jpg 0", name=name))[0].split
        for name in ("train_list.txt", "a/val.txt", "test-list.txt", "list.txt")
    ]

    assert splits == ["train", "val", "test", ""]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("1.jpg\t1,0,1", ("Anjou", "Pink-Lady")),
        ("1.jpg\t0,0,0", ()),
        ("with space.jpg 0,1,0", ("苹果",)),
        ("1.jpg 0,2", ("Anjou", "Pink-Lady")),
        ("1.jpg\t2", ("Pink-Lady",)),
    ],
)
def test_paddleclas_has_columns_or_indices(line, labels):
    (record,) = records(read("paddleclas", line, beside=FRUIT))

    assert (record.labels, record.is_labeled) == (labels, True)


def test_without_a_list_of_classes_the_index_is_the_label():
    assert pairs(read("paddleclas", "1.jpg 7\n2.jpg\t0,1,0\n")) == [
        ("1.jpg", ("7",)),
        ("2.jpg", ("1",)),
    ]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("1.jpg 0 1", ("Anjou", "苹果")),
        ("1.jpg 1 1", ("苹果",)),
        ("1.jpg\t0\t2", ("Anjou", "Sour Milk")),
        ("1.jpg 苹果", ("苹果",)),
        ("1.jpg Sour Milk", ("Sour Milk",)),
        ("1.jpg\tSour Milk", ("Sour Milk",)),
        ("1.jpg,Sour Milk,苹果", ("Sour Milk", "苹果")),
        ("1.jpg new", ("new",)),
    ],
)
def test_paddlelabel_has_indices_or_names(line, labels):
    assert pairs(read("paddlelabel", line, beside=NAMES)) == [("1.jpg", labels)]


def test_digits_are_an_index_even_where_a_label_is_called_so():
    """The fruit sample of PaddleLabel has labels 1, 2 and 4."""
    fruit = {"labels.txt": "梨\n苹果\n1\n2\n4\n"}

    assert pairs(read("paddlelabel", "image/1.jpeg 1 2", beside=fruit)) == [
        ("image/1.jpeg", ("苹果", "1"))
    ]


def test_a_line_with_a_path_alone_is_not_labeled():
    (record,) = records(read("paddlelabel", "my photo.jpg", beside=NAMES))

    assert (record.labels, record.is_labeled) == ((), False)


def test_the_list_of_labels_of_paddlelabel():
    text = "// made by hand\ncat 7 #ff0000\n\ndog - 255 0 0\nSour Milk // with a blank\n4\n"
    lines = "".join(f"{index}.jpg {index}\n" for index in range(4))

    found = read("paddlelabel", lines, beside={"labels.txt": text})

    assert [labels for _path, labels in pairs(found)] == [
        ("cat",),
        ("dog",),
        ("Sour Milk",),
        ("4",),
    ]


def test_the_class_map_of_paddleclas_may_have_gaps_and_commas():
    classes = {"label_list.txt": "5 tench, Tinca tinca\r\n0 hen\r\n".encode("gb18030")}

    assert pairs(read("paddleclas", "1.jpg 5\n2.jpg 0", beside=classes)) == [
        ("1.jpg", ("tench, Tinca tinca",)),
        ("2.jpg", ("hen",)),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("1.jpg 3", "line-index-unknown"),
        ("1.jpg -1", "line-without-index"),
        ("1.jpg 1.5", "line-without-index"),
        ("1.jpg ²", "line-without-index"),
        ("1.jpg 99999999999999", "line-without-index"),
        ("1.jpg\t0,1,0,1", "line-columns-differ"),
        ("no index at all here", "line-without-index"),
        ("a\0b.jpg 0", "line-path-unusable"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_read(line, code):
    found = read("paddleclas", f"0.jpg 0\n{line}\n2.jpg 2\n", beside=FRUIT)

    assert bad_lines(found) == [(2, code)]
    assert [record.path for record in records(found)] == ["0.jpg", "2.jpg"]


def test_an_index_past_the_list_is_told_with_its_size():
    (bad,) = read("paddlelabel", "1.jpg 9", beside=NAMES)

    assert isinstance(bad, BadLine)
    assert bad.words() == {"line": 1, "index": "9", "classes": 3}


def test_a_text_that_is_no_list_is_refused():
    with pytest.raises(BadLabelFile) as caught:
        read("paddleclas", "Dear Bob,\nhere are the photos of the fruit.\nAlice\n")

    assert caught.value.code == "not-a-list"


def test_an_empty_list_has_no_images():
    assert read("paddleclas", "") == []


def test_lines_of_one_image_are_all_given():
    assert pairs(read("paddleclas", "1.jpg 0\n1.jpg 0\n1.jpg 1\n", beside=FRUIT)) == [
        ("1.jpg", ("Anjou",)),
        ("1.jpg", ("Anjou",)),
        ("1.jpg", ("苹果",)),
    ]


def test_a_list_of_classes_without_end_is_refused():
    with pytest.raises(BadLabelFile) as caught:
        read("paddleclas", "1.jpg 0", beside={"labels.txt": b"a\n" * 100_001})

    assert caught.value.code == "too-many-classes"


labels_of_a_job = st.lists(
    st.text(string.ascii_letters + string.digits + "-_苹果", min_size=1, max_size=8),
    min_size=1,
    max_size=5,
    unique=True,
)
paths = st.text(string.ascii_letters + " ,\t\n\"'/=.0苹\u2028", min_size=1, max_size=12)


@given(st.data(), labels_of_a_job, st.sampled_from(["single", "multi"]))
def test_what_was_written_is_read_again(data, labels, mode):
    number = (1, 1) if mode == "single" else (0, len(labels))
    chosen = st.lists(st.sampled_from(labels), min_size=number[0], max_size=number[1], unique=True)
    given_paths = data.draw(st.lists(paths, max_size=4, unique=True))
    written = [
        Record(f"{path}.jpg", "val", tuple(sorted(data.draw(chosen), key=labels.index)))
        for path in given_paths
    ]

    files, names = {}, []
    for item in paddleclas.write(written, labels=labels, mode=mode, with_images=True):
        if isinstance(item, TextFile):
            files[item.name] = item.stream.read()
        else:
            names.append(item.name)
    found = read(
        "paddleclas",
        files["val_list.txt"],
        name="val_list.txt",
        beside={"label_list.txt": files["label_list.txt"]},
    )

    assert pairs(found) == [
        (name, record.labels) for name, record in zip(names, written, strict=True)
    ]
    assert all(record.is_labeled and record.split == "val" for record in records(found))
