"""Exports of Label Studio, and the metadata of Hugging Face."""

import io
import json
import tracemalloc
from itertools import islice

import pytest

from datasets.formats import Record, label_studio
from datasets.formats.json_text import json_list
from datasets.formats.reading import BadLabelFile, Context
from tests.datasets.label_files import bad_lines, pairs, read, records


def choices(*labels, name="choice"):
    return {"from_name": name, "type": "choices", "value": {"choices": list(labels)}}


def answer(*labels, **more):
    return {"result": [choices(*labels)], "was_cancelled": False, **more}


def task(**entry) -> Record:
    (item,) = read("label_studio", json.dumps([{"data": {"image": "1.jpg"}, **entry}]))
    assert isinstance(item, Record)
    return item


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"image": "/data/local-files/?d=a%20b/1.jpg"}, "a b/1.jpg"),
        ({"image": "/data/upload/7/1a2b3c4d-%E5%9B%BE.jpg"}, "upload/7/1a2b3c4d-图.jpg"),
        ({"my_picture": "s3://bucket/1.jpg", "text": "hello"}, "s3://bucket/1.jpg"),
        ({"text": "hello", "photo": "a/1.PNG"}, "a/1.PNG"),
        ({"image": "http://host/1.jpg?X-Amz-Signature=1"}, "http://host/1.jpg?X-Amz-Signature=1"),
    ],
)
def test_the_image_is_the_value_that_names_one(data, path):
    assert task(data=data).path == path


@pytest.mark.parametrize(
    ("entry", "labels", "is_labeled", "is_confirmed"),
    [
        ({"annotations": [answer("cat")]}, ("cat",), True, True),
        ({"annotations": [answer("cat", "dog", "cat")]}, ("cat", "dog"), True, True),
        ({"annotations": [answer("cat"), answer("dog")]}, ("dog",), True, True),
        ({"annotations": [answer("cat", ground_truth=True), answer("dog")]}, ("cat",), True, True),
        ({"annotations": [answer("cat"), answer("dog", was_cancelled=True)]}, ("cat",), True, True),
        ({"annotations": [answer("dog", was_cancelled=True)]}, (), False, True),
        ({"annotations": [{"result": []}]}, (), True, True),
        ({"annotations": []}, (), False, True),
        ({"annotations": None, "predictions": []}, (), False, True),
        ({"completions": [answer("cat")]}, ("cat",), True, True),
        ({"annotations": [], "predictions": [answer("cat")]}, ("cat",), True, False),
        ({"annotations": [answer("dog")], "predictions": [answer("cat")]}, ("dog",), True, True),
        ({"annotations": [], "predictions": [{"result": []}]}, (), False, True),
        ({"annotations": ["odd", {"result": "odd"}]}, (), True, True),
        ({"annotations": [{"result": [{"type": "rectanglelabels", "value": 3}]}]}, (), True, True),
    ],
)
def test_the_answer_of_a_task(entry, labels, is_labeled, is_confirmed):
    record = task(**entry)

    assert (record.labels, record.is_labeled) == (labels, is_labeled)
    assert record.is_confirmed == is_confirmed


def test_a_suggestion_has_its_score():
    record = task(predictions=[answer("cat", "dog", score=0.91)])

    assert record.confidences == (0.91, 0.91)


def test_split_and_hard_ride_along_as_data():
    record = task(data={"image": "1.jpg", "split": "Validation", "hard": "1"}, annotations=[])

    assert (record.split, record.is_hard) == ("val", True)


def test_the_short_form():
    text = json.dumps(
        [
            {"id": 1, "image": "1.jpg", "choice": "cat", "annotator": 1},
            {"id": 2, "image": "2.jpg", "choice": {"choices": ["cat", "dog"]}},
            {"id": 3, "image": "3.jpg"},
        ]
    )

    found = read("label_studio", text)

    assert pairs(found) == [("1.jpg", ("cat",)), ("2.jpg", ("cat", "dog")), ("3.jpg", ())]
    assert [record.is_labeled for record in records(found)] == [True, True, False]


@pytest.mark.parametrize("entry", [3, None, "text", [], {}, {"data": 3}, {"data": {"text": "a"}}])
def test_a_task_without_image_is_told(entry):
    found = read("label_studio", json.dumps([{"data": {"image": "1.jpg"}}, entry]))

    assert bad_lines(found) == [(2, "task-without-image")]
    assert len(records(found)) == 1


@pytest.mark.parametrize("rest", ["{broken", '{"data": {"image": "2.jpg', "[" * 100_000, "", "tru"])
def test_a_damaged_file_is_read_up_to_the_damage(rest):
    found = read("label_studio", f'[{{"data": {{"image": "1.jpg"}}}},\n{rest}')

    assert [record.path for record in records(found)] == ["1.jpg"]
    assert bad_lines(found) == [(2, "entry-damaged")]


def test_bytes_that_are_no_text_cost_their_task():
    text = b'[{"data": {"image": "\xff.jpg"}}, {"data": {"image": "2.jpg"}}]'

    found = read("label_studio", text)

    assert bad_lines(found) == [(1, "line-path-unusable")]
    assert len(records(found)) == 1


@pytest.mark.parametrize(
    "text", ['{"images": []}', "", "hello", "\x89PNG", "[1, 2]", "[{}]", "[" * 100_000, "[nothing"]
)
def test_another_file_is_no_export(text):
    with pytest.raises(BadLabelFile) as caught:
        read("label_studio", text)

    assert caught.value.code == "not-label-studio"


@pytest.mark.parametrize("text", ["[]", "  [ ]  ", "\ufeff[]"])
def test_an_export_may_be_empty(text):
    assert read("label_studio", text) == []


def test_a_list_of_any_length_is_read_piece_by_piece():
    """300 MB would be four times that in memory, if they were loaded at once."""
    one = json.dumps({"data": {"image": "图/1.jpg"}, "annotations": [answer("cat" * 2_000)]})
    whole = io.BytesIO(f"[{', '.join([one] * 1_000)}]".encode())
    size = len(whole.getvalue())

    tracemalloc.start()
    count = sum(1 for _item in label_studio.read(whole, context=Context()))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 1_000
    assert peak < size / 4


def test_entries_are_whole_wherever_the_reads_end():
    class Drop(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    values = [123456, {"a": ["图片", '\\"]']}, "text, [", None, 1.5e10, True]
    found = json_list(Drop(json.dumps(values, ensure_ascii=False).encode()), code="x")

    assert list(found) == list(enumerate(values, 1))


def test_the_first_tasks_come_before_the_end_is_read():
    class Endless:
        def read(self, size):
            return b'[{"data": {"image": "1.jpg"}}' if size < 0 else b', {"image": "2.jpg"}' * 50

    class Begun(Endless):
        is_begun = False

        def read(self, size):
            if not self.is_begun:
                self.is_begun = True
                return b'[{"image": "1.jpg"}'
            return super().read(size)

    found = list(islice(label_studio.read(Begun(), context=Context()), 200))

    assert len(records(found)) == 200


def test_metadata_has_texts_lists_and_numbers():
    entries = [
        {"file_name": "1.jpg", "label": "cat", "split": "test"},
        {"file_name": "2.jpg", "labels": ["cat", "dog"], "hard": True},
        {"file_name": "3.jpg", "label": 7, "score": 0.5},
        {"file_name": "4.jpg", "labels": []},
        {"file_name": "5.jpg", "labels": None},
        {"file_name": "6.jpg"},
        {"file_name": "7.jpg", "labels": {"odd": 1}},
    ]

    found = read("hf_imagefolder", "\n".join(map(json.dumps, entries)), name="train/metadata.jsonl")

    read_back = records(found)
    assert [one.labels for one in read_back] == [("cat",), ("cat", "dog"), ("7",), (), (), (), ()]
    assert [one.is_labeled for one in read_back] == [True, True, True, True, False, False, False]
    assert [one.split for one in read_back] == ["test", *["train"] * 6]
    assert read_back[1].is_hard
    assert read_back[2].confidences == (0.5,)


def test_metadata_may_be_a_table():
    text = "file_name,label\n1.jpg,cat\n"

    found = read("hf_imagefolder", text, name="validation/metadata.csv")

    assert pairs(found) == [("1.jpg", ("cat",))]
    assert records(found)[0].split == "val"


def test_metadata_without_a_file_name_is_told():
    found = read("hf_imagefolder", '{"file_name": "1.jpg"}\n{"labels": ["a"]}\nno\n')

    assert bad_lines(found) == [(2, "line-without-file-name"), (3, "line-not-json")]


def test_another_file_is_no_metadata():
    with pytest.raises(BadLabelFile) as caught:
        read("hf_imagefolder", '{"source": "1.jpg"}\n' * 3)

    assert caught.value.code == "not-metadata"
