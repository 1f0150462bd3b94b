"""What a folder is taken for, from its names and the first bytes of its label files."""

import re

import pytest

from datasets import problems
from datasets.formats import Record
from datasets.formats.detection import START_BYTES, detect
from datasets.formats.readers import READERS, preview
from datasets.formats.reading import BadLine
from tests import needs
from tests.datasets.label_files import files_of, layout, read


def detected(root):
    return detect(files_of(root), lambda name: (root / name).read_bytes()[:START_BYTES])


def among(**files: str | bytes):
    """What is detected among files whose names have / for __ and . for _."""
    named = {
        name.replace("__", "/").replace("_", "."): text.encode() if isinstance(text, str) else text
        for name, text in files.items()
    }
    return detect(list(named), lambda name: named[name][:START_BYTES])


LISTS = ("test_list.txt", "train_list.txt", "val_list.txt")


@pytest.mark.parametrize(
    ("name", "format", "files", "companions"),
    [
        ("modelarts_manifest", "modelarts_manifest", ("grocery-V001.manifest",), ()),
        ("modelarts_txt", "beside", (), ()),
        ("paddleclas_single", "paddleclas", LISTS[1:], ("label_list.txt",)),
        ("paddlelabel_single", "paddlelabel", LISTS, ("labels.txt",)),
        ("paddlelabel_multi", "paddlelabel", LISTS, ("labels.txt",)),
        ("imagenet_folder", "folders", (), ()),
        ("imagenet_folder_split", "folders", (), ()),
        ("labelstudio", "label_studio", ("project-1.json",), ()),
        (
            "hf_imagefolder",
            "hf_imagefolder",
            tuple(f"{split}/metadata.jsonl" for split in ("test", "train", "validation")),
            (),
        ),
    ],
)
def test_a_layout_is_known_by_its_names_and_first_lines(name, format, files, companions):
    first = detected(layout(name))[0]

    assert (first.format, first.files, first.companions) == (format, files, companions)
    assert first.certainty == ("likely" if format == "folders" else "sure")


def test_each_table_is_a_choice_of_its_own():
    found = detected(layout("csv"))

    assert {one.format for one in found} == {"csv_table"}
    assert [one.files for one in found] == [
        ("fastai_space.csv",),
        ("generic.csv",),
        ("long.csv",),
        ("openimages-train-annotations-human-imagelabels.csv",),
    ]
    assert "openimages-class-descriptions.csv" in found[-1].companions


def test_lists_in_folders_of_labels_leave_the_folders_as_a_second_choice():
    assert [one.format for one in detected(layout("paddlelabel_single"))] == [
        "paddlelabel",
        "folders",
    ]


@pytest.mark.parametrize("name", ["trashnet", "grocery"])
def test_photos_in_folders(name):
    """grocery has a list of its own, with numbers that nothing in the folder explains."""
    found = detected(needs.shared_data() / "photos" / name)

    assert (found[0].format, found[0].certainty) == ("folders", "likely")
    assert all(one.certainty == "possible" for one in found[1:])


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"1_jpg": b"", "2_jpg": b""},
        {"images__1_jpg": b"", "images__2_jpg": b""},
        {"train__1_jpg": b"", "test__2_jpg": b""},
        {"1_jpg": b"", "readme_txt": "hello", "config_json": '{"a": 1}', "a_csv": "a,b\n1,2\n"},
        {"1_jpg": b"", "1_txt": "0 0.5 0.5 0.1 0.1\n"},
        {"1_jpg": b"", "train_txt": bytes(5_000), "a_manifest": bytes(5_000), "b_csv": "\0" * 99},
        {"1_jpg": b"", "a_json": "[" * 70_000, "b_manifest": "[" * 70_000, "c_jsonl": "{" * 90_000},
    ],
)
def test_files_that_say_nothing_of_labels(files):
    assert among(**files) == []


def test_what_systems_leave_behind_is_not_looked_at():
    names = ["__MACOSX/cat/1.jpg", "__MACOSX/dog/1.jpg", "._a.manifest", ".git/b.manifest"]

    assert detect(names, lambda _name: b'{"source": "1.jpg"}') == []


def test_the_list_of_a_split_may_be_empty():
    names = {"test_list.txt": b"", "train_list.txt": b"1.jpg 0\n", "label_list.txt": b"0 cat\n"}

    (found,) = detect([*names, "1.jpg"], names.__getitem__)

    assert (found.format, found.files) == ("paddleclas", ("test_list.txt", "train_list.txt"))


def test_a_list_with_columns_is_one_of_paddleclas():
    (found,) = among(train_txt="1.jpg\t0,1\n", labels_txt="cat\ndog\n", **{"1_jpg": b""})

    assert found.format == "paddleclas"


def test_a_list_of_many_classes_is_known_by_its_start():
    names = {
        "train_list.txt": b"1.jpg 20000\n" * 10_000,
        "label_list.txt": b"".join(b"%d class-%d\n" % (n, n) for n in range(21_000)),
    }

    (found,) = detect([*names, "1.jpg"], lambda name: names[name][:START_BYTES])

    assert (found.format, found.certainty) == ("paddleclas", "sure")


def test_a_manifest_may_be_called_jsonl():
    (found,) = among(v1_jsonl='{"source": "s3://b/a/1.jpg"}\n', **{"a__1_jpg": b""})[:1]

    assert (found.format, found.certainty) == ("modelarts_manifest", "sure")


def test_versions_of_a_manifest_are_choices_of_their_own():
    line = '{"source": "s3://b/1.jpg", "annotation": [{"name": "cat"}]}\n'

    assert [one.files for one in among(V001_manifest=line, V002_manifest=line)] == [
        ("V001.manifest",),
        ("V002.manifest",),
    ]


def test_one_folder_may_be_called_anything():
    (found,) = among(**{"holiday__1_jpg": b"", "holiday__2_jpg": b""})

    assert (found.format, found.certainty) == ("folders", "possible")


def test_only_label_files_are_opened():
    opened = []

    def start_of(name):
        opened.append(name)
        return b"image,label\n1.jpg,cat\n"

    names = [f"{number}.jpg" for number in range(100)] + [f"{number}.csv" for number in range(100)]
    detect(names, start_of)

    assert set(opened) <= {f"{number}.csv" for number in range(100)}
    assert len(opened) <= 40


def test_every_format_has_a_title_and_files_or_none():
    for reader in READERS.values():
        assert str(reader.title)
        assert bool(reader.read) == bool(reader.files) == (reader.source == "files")


def test_a_preview_shows_the_first_rows_and_counts_more():
    items = [Record(f"{n}.jpg", "train", ("cat", "dog")[: n % 2 + 1]) for n in range(50)]
    items.insert(1, BadLine(2, "line-not-json"))

    found = preview(items, rows=3, most=21)

    assert [row.path for row in found.rows] == ["0.jpg", "1.jpg", "2.jpg"]
    assert found.bad_lines == [BadLine(2, "line-not-json")]
    assert found.labels == {"cat": 20, "dog": 10}
    assert (found.records, found.splits, found.has_more) == (20, {"train": 20}, True)


def test_a_preview_of_little_is_all_of_it():
    found = preview(read("paddleclas", "1.jpg 0\n"))

    assert (found.records, found.has_more) == (1, False)


def test_every_code_has_words(request):
    used = set()
    for path in (request.config.rootpath / "datasets" / "formats").glob("*.py"):
        calls = re.findall(
            r'(?:BadLine\([^"()]*(?:\(\w*\))?|BadLabelFile\(|code=)"([a-z-]+)"', path.read_text()
        )
        used |= set(calls)

    assert len(used) > 20
    assert used <= problems.codes()
    assert "%" not in problems.describe("line-index-unknown", BadLine(3, "x").words())
