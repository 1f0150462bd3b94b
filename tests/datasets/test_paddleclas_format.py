import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from datasets.formats import ImageFile, Losses, Record, TextFile, paddleclas
from tests import needs

LABELS = ["Anjou", "苹果", "Pink-Lady"]


def export(folder: Path, records, *, mode="single", with_images=True, labels=LABELS) -> dict:
    """Writes the export as its caller would, each image holding its own path; the report."""
    for item in paddleclas.write(records, labels=labels, mode=mode, with_images=with_images):
        target = folder / item.name
        if isinstance(item, TextFile):
            target.write_bytes(item.stream.read())
        elif with_images:
            target.parent.mkdir(parents=True, exist_ok=True)
            assert not target.exists()
            target.write_bytes(item.path.encode())
    return json.loads((folder / "report.json").read_text())


def read_single(folder: Path, split: str) -> list[tuple[str, int]]:
    """As ImageNetDataset of PaddleClas reads it."""
    found = []
    with open(folder / f"{split}_list.txt") as file:
        for line in file.readlines():
            fields = line.strip().split(" ")
            assert (folder / fields[0]).exists()
            found.append((fields[0], int(fields[1])))
    return found


def read_multi(folder: Path, split: str) -> list[tuple[str, list[int]]]:
    """As MultiLabelDataset of PaddleClas reads it."""
    found = []
    with open(folder / f"{split}_list.txt") as file:
        for line in file.readlines():
            fields = line.strip().split("\t")
            assert (folder / fields[0]).exists()
            found.append((fields[0], [int(value) for value in fields[1].split(",")]))
    return found


def read_classes(folder: Path) -> dict[int, str]:
    """As the predictor of PaddleClas reads its class map."""
    found = {}
    with open(folder / "label_list.txt") as file:
        for line in file.readlines():
            index, _space, name = line.partition(" ")
            found[int(index)] = name.rstrip("\n")
    return found


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / name).read_bytes().decode(), newline="")))


def test_single_label_lists_are_read_back(tmp_path):
    records = [
        Record("a/1.jpg", "train", ("Pink-Lady",)),
        Record("b/1.jpg", "train", ("Anjou",)),
        Record("2.jpg", "val", ("苹果",)),
        Record("图/3.jpg", "test", ("Anjou",)),
    ]

    report = export(tmp_path, records)

    assert read_single(tmp_path, "train") == [("images/a/1.jpg", 2), ("images/b/1.jpg", 0)]
    assert read_single(tmp_path, "val") == [("images/2.jpg", 1)]
    assert read_single(tmp_path, "test") == [("images/图/3.jpg", 0)]
    assert read_classes(tmp_path) == {0: "Anjou", 1: "苹果", 2: "Pink-Lady"}
    assert report == {
        "written": {"train": 2, "val": 1, "test": 1},
        "left_out": {},
        "changed": {},
        "dropped": {},
    }


def test_images_of_one_name_in_two_folders_stay_apart(tmp_path):
    export(tmp_path, [Record("a/1.jpg", "train", ("Anjou",)), Record("b/1.jpg", "", ("苹果",))])

    assert (tmp_path / "images/a/1.jpg").read_text() == "a/1.jpg"
    assert (tmp_path / "images/b/1.jpg").read_text() == "b/1.jpg"


def test_multi_label_lists_have_a_column_per_label(tmp_path):
    records = [
        Record("1.jpg", "train", ("Pink-Lady", "Anjou")),
        Record("with space.jpg", "train", ("苹果",)),
        Record("nothing-applies.jpg", "val", ()),
    ]

    report = export(tmp_path, records, mode="multi")

    assert read_multi(tmp_path, "train") == [
        ("images/1.jpg", [1, 0, 1]),
        ("images/with space.jpg", [0, 1, 0]),
    ]
    assert read_multi(tmp_path, "val") == [("images/nothing-applies.jpg", [0, 0, 0])]
    assert report["written"] == {"train": 2, "val": 1}


ODD_PATHS = [
    "with space.jpg",
    "with_space.jpg",
    "tab\tname.jpg",
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    " leading.jpg",
    "\u3000wide.jpg",
    "line\u2028separator.jpg",
    "my photos/=1+1.jpg",
    "=1+1 x.jpg",
    "quote\",'s.jpg",
    "no suffix",
]


@pytest.mark.parametrize(("mode", "read"), [("single", read_single), ("multi", read_multi)])
def test_odd_names_get_safe_ones_with_a_map(tmp_path, mode, read):
    records = [Record(path, "train", ("Anjou",)) for path in ODD_PATHS]

    report = export(tmp_path, records, mode=mode)

    listed = [name for name, _value in read(tmp_path, "train")]
    assert [(tmp_path / name).read_bytes().decode() for name in listed] == ODD_PATHS
    old_of = {row["new"]: row["old"].removeprefix("./") for row in rows(tmp_path, "renamed.csv")}
    assert [old_of.get(name, name.removeprefix("images/")) for name in listed] == ODD_PATHS
    assert report["changed"]["renamed"] == len(old_of) > 3
    assert not any(row["old"].startswith("=") for row in rows(tmp_path, "renamed.csv"))


def test_a_name_like_one_that_was_made_is_not_overwritten(tmp_path):
    (made,) = (
        item
        for item in paddleclas.write(
            [Record("a b.jpg", "train", ("Anjou",))], labels=LABELS, mode="single", with_images=True
        )
        if isinstance(item, ImageFile)
    )
    twin = made.name.removeprefix("images/")

    export(tmp_path, [Record(path, "train", ("Anjou",)) for path in ("a b.jpg", twin)])

    listed = [name for name, _index in read_single(tmp_path, "train")]
    assert [(tmp_path / name).read_text() for name in listed] == ["a b.jpg", twin]


def test_without_images_the_lists_name_the_files_of_the_dataset(tmp_path):
    for path in ("a/1.jpg", "with space.jpg"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    records = [Record(path, "train", ("Anjou",)) for path in ("a/1.jpg", "with space.jpg")]

    report = export(tmp_path, records, with_images=False)

    assert read_single(tmp_path, "train") == [("a/1.jpg", 0)]
    assert report["left_out"] == {"unsafe-path": 1}
    assert rows(tmp_path, "left_out.csv") == [{"path": "with space.jpg", "reason": "unsafe-path"}]
    assert not (tmp_path / "renamed.csv").exists()

    export(tmp_path, records, mode="multi", with_images=False)
    assert [name for name, _ in read_multi(tmp_path, "train")] == ["a/1.jpg", "with space.jpg"]


def test_what_the_lists_cannot_hold_is_left_out_and_counted(tmp_path):
    records = [
        Record("1.jpg", "train", (), is_labeled=False),
        Record("2.jpg", "train", ()),
        Record("3.jpg", "train", ("Anjou", "苹果")),
        Record("4.jpg", "train", ("Kaiser",)),
        Record("=5.jpg", "train", ("Kaiser", "Lemon")),
        Record("6.jpg", "train", ("Anjou", "Kaiser"), is_hard=True),
        Record("7.jpg", "", ("Anjou",)),
    ]

    report = export(tmp_path, records)

    assert read_single(tmp_path, "train") == [("images/6.jpg", 0), ("images/7.jpg", 0)]
    assert report == {
        "written": {"train": 2},
        "left_out": {"unlabeled": 1, "empty": 1, "several-labels": 1, "unlisted-label": 2},
        "changed": {"without-split": 1},
        "dropped": {"label": 4, "hard": 1},
    }
    assert [(row["path"], row["reason"]) for row in rows(tmp_path, "left_out.csv")] == [
        ("2.jpg", "empty"),
        ("3.jpg", "several-labels"),
        ("4.jpg", "unlisted-label"),
        ("./=5.jpg", "unlisted-label"),
    ]


def test_losses_are_known_to_the_caller_as_well():
    losses = Losses()

    records = [Record("1.jpg", "val", ("Anjou",)), Record("2.jpg", is_labeled=False)]
    list(paddleclas.write(records, labels=LABELS, mode="single", with_images=True, losses=losses))

    assert losses.as_dict()["written"] == {"val": 1}
    assert losses.as_dict()["left_out"] == {"unlabeled": 1}


def test_an_empty_export_has_all_lists(tmp_path):
    export(tmp_path, [])

    assert [read_single(tmp_path, split) for split in ("train", "val", "test")] == [[], [], []]
    assert len(read_classes(tmp_path)) == 3


def test_a_label_with_a_line_break_is_refused():
    with pytest.raises(ValueError, match="line break"):
        list(paddleclas.write([], labels=["a\nb"], mode="single", with_images=True))


def test_records_are_read_one_by_one():
    """So a million of them pass through: each image is handed out before the next is asked for."""
    asked = []

    def records():
        for number in range(3):
            asked.append(number)
            yield Record(f"{number}.jpg", "train", ("Anjou",))

    items = paddleclas.write(records(), labels=LABELS, mode="single", with_images=True)

    assert next(items) == ImageFile("0.jpg", "images/0.jpg")
    assert asked == [0]


def test_an_export_of_known_labels_equals_a_known_export(tmp_path):
    known = needs.shared_data() / "formats" / "paddleclas_single"
    truth = json.loads((known.parent / "expected.json").read_text(), object_hook=_image)
    classes = read_classes(known)
    listed = {
        (split, Path(name).name, index)
        for split in ("train", "val")
        for name, index in read_single(known, split)
    }
    fine = list(classes.values())
    records = [
        Record(image.file, image.split, tuple(name for name in image.labels if name in fine))
        for image in truth.images
    ]

    report = export(tmp_path, records, labels=fine)

    assert read_classes(tmp_path) == classes
    assert {
        (split, Path(name).name, index)
        for split in ("train", "val")
        for name, index in read_single(tmp_path, split)
    } == listed
    assert len(listed) >= 6
    # One of the twelve images is not labeled with anything.
    assert report["left_out"] == {"empty": 1}


def _image(fields: dict) -> SimpleNamespace:
    return SimpleNamespace(**fields)
