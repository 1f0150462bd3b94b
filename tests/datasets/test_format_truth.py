"""The ten layouts of the same twelve images are read as the truth that they hold."""

import io
from dataclasses import replace

import pytest

from datasets.formats import beside, folders
from tests.datasets.label_files import (
    bad_lines,
    by_name,
    files_of,
    layout,
    read_files,
    truth,
    without,
)

UNLABELED = "Regular-Tomato_001.jpg"
NO_REVIEW = {"confidences": (), "is_confirmed": True}
ONLY_LABELS = {"is_hard": False, **NO_REVIEW}
LISTS = ("train_list.txt", "val_list.txt", "test_list.txt")


def labeled(kept):
    return {name: record for name, record in kept.items() if record.is_labeled}


def fine_labels(kept):
    """The last label alone: layouts with one label have the finer of the two."""
    return {
        name: replace(record, labels=record.labels[-1:], confidences=record.confidences[-1:])
        for name, record in kept.items()
    }


def test_modelarts_manifest_holds_everything():
    items = read_files(
        "modelarts_manifest", layout("modelarts_manifest"), ["grocery-V001.manifest"]
    )

    assert bad_lines(items) == []
    assert by_name(items) == truth()


def test_label_studio_holds_labels_and_what_the_model_suggests():
    items = read_files("label_studio", layout("labelstudio"), ["project-1.json"])

    assert bad_lines(items) == []
    assert by_name(items) == without(truth(), split="", is_hard=False)


def test_hugging_face_holds_labels_splits_and_hard():
    names = [f"{split}/metadata.jsonl" for split in ("train", "validation", "test")]
    items = read_files("hf_imagefolder", layout("hf_imagefolder"), names)

    kept = without(truth(), **NO_REVIEW)
    # An empty list of labels is an answer.
    kept[UNLABELED] = replace(kept[UNLABELED], is_labeled=True)
    assert bad_lines(items) == []
    assert by_name(items) == kept


@pytest.mark.parametrize("format", ["paddleclas", "paddlelabel"])
def test_lists_with_one_label_hold_the_split(format):
    items = read_files(format, layout("paddlelabel_single"), LISTS, ["labels.txt"])

    assert bad_lines(items) == []
    assert by_name(items) == labeled(fine_labels(without(truth(), **ONLY_LABELS)))


def test_paddlelabel_lists_with_several_labels():
    items = read_files("paddlelabel", layout("paddlelabel_multi"), LISTS, ["labels.txt"])

    assert bad_lines(items) == []
    assert by_name(items) == labeled(without(truth(), **ONLY_LABELS))


def test_paddleclas_lists():
    items = read_files("paddleclas", layout("paddleclas_single"), LISTS[:2], ["label_list.txt"])

    kept = labeled(fine_labels(without(truth(), **ONLY_LABELS)))
    assert bad_lines(items) == []
    assert by_name(items) == {name: one for name, one in kept.items() if one.split != "test"}


def test_a_table_with_columns_for_everything():
    items = read_files("csv_table", layout("csv"), ["generic.csv"])

    assert bad_lines(items) == []
    assert by_name(items) == truth()


def test_a_table_with_a_row_for_each_label():
    items = read_files("csv_table", layout("csv"), ["long.csv"])

    assert bad_lines(items) == []
    assert by_name(items) == labeled(without(truth(), split="", **ONLY_LABELS))


def test_a_table_of_fastai():
    items = read_files("csv_table", layout("csv"), ["fastai_space.csv"])

    kept = labeled(without(truth(), **ONLY_LABELS))
    # It knows training and validation alone.
    expected = {
        name: replace(one, split="train" if one.split == "train" else "val")
        for name, one in kept.items()
    }
    assert bad_lines(items) == []
    assert by_name(items) == expected


def test_a_table_of_open_images_keeps_what_is_there():
    items = read_files(
        "csv_table",
        layout("csv"),
        ["openimages-train-annotations-human-imagelabels.csv"],
        ["openimages-class-descriptions.csv"],
    )

    found = by_name(items)
    assert bad_lines(items) == []
    assert len(found) == 11
    for name, record in labeled(truth()).items():
        # It lists the first six labels of the alphabet alone, most of them as absent.
        read = found[name.removesuffix(".jpg")]
        assert set(read.labels) <= set(record.labels)
        assert read.is_labeled == bool(read.labels)
        assert (read.split, read.confidences) == ("train", ())
    assert found["Golden-Delicious_001"].labels == ("Apple", "Golden-Delicious")


@pytest.mark.parametrize(
    ("name", "lost"),
    [("imagenet_folder", {"split": ""}), ("imagenet_folder_split", {})],
)
def test_folders(name, lost):
    paths = files_of(layout(name))

    read = folders.read(paths, split_depth=folders.find_splits(paths))

    assert by_name(read) == labeled(fine_labels(without(truth(), **lost, **ONLY_LABELS)))


def test_folders_of_paddlelabel_keep_the_unlabeled_apart():
    paths = [name for name in files_of(layout("paddlelabel_single")) if name.endswith(".jpg")]

    read = folders.read(paths, split_depth=folders.find_splits(paths))

    assert by_name(read) == fine_labels(without(truth(), split="", **ONLY_LABELS))


def test_texts_beside_images():
    root = layout("modelarts_txt")
    names = files_of(root)
    items = []
    for name in (name for name in names if name.endswith(".jpg")):
        text = beside.text_name(name)
        stream = io.BytesIO((root / text).read_bytes()) if text in names else None
        items.append(beside.read(name, stream))

    assert bad_lines(items) == []
    assert by_name(items) == without(truth(), split="", **ONLY_LABELS)
