"""Manifests of ModelArts: what its exports and its SDK write."""

import json

import pytest

from datasets.formats import Record
from datasets.formats.reading import BadLabelFile, BadLine
from tests.datasets.label_files import bad_lines, pairs, read, records

TULIP = {"type": "modelarts/image_classification", "name": "tulip"}


def one(**entry) -> Record:
    """The record of a single line, about which there is nothing to say."""
    items = lines({"source": "s3://bucket/1.jpg", **entry})
    assert bad_lines(items) == []
    return items[0]


def lines(*entries):
    return read("modelarts_manifest", "\n".join(json.dumps(entry) for entry in entries))


def test_the_example_of_its_specification():
    record = one(
        usage="TRAIN",
        hard="true",
        id="00000000000000000000000000000001",
        annotation=[
            {
                **TULIP,
                "property": {"stem": "long"},
                "hard": "true",
                "hard-coefficient": 0.7,
                "annotated-by": "human",
                "creation-time": "2026-11-22 10:00:00",
            },
            {
                **TULIP,
                "name": "flower",
                "annotated-by": "modelarts/active-learning",
                "confidence": 0.9,
            },
        ],
    )

    assert record == Record(
        "s3://bucket/1.jpg",
        "train",
        ("tulip", "flower"),
        is_hard=True,
        confidences=(None, 0.9),
        is_confirmed=False,
    )


@pytest.mark.parametrize(
    ("usage", "split"),
    [
        ("TRAIN", "train"),
        ("train", "train"),
        ("EVAL", "val"),
        ("Test", "test"),
        ("INFERENCE", ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_usage_is_the_split_in_any_case(usage, split):
    assert one(usage=usage).split == split


@pytest.mark.parametrize(
    ("value", "is_hard"),
    [("true", True), ("True", True), (True, True), ("false", False), (False, False), (None, False)],
)
def test_hard_is_a_text_or_a_truth_value(value, is_hard):
    assert one(hard=value).is_hard == is_hard
    assert one(annotation=[{**TULIP, "hard": value}]).is_hard == is_hard


@pytest.mark.parametrize(
    "value",
    [
        {"@modelarts:hard": True},
        '{"@modelarts:hard": "true"}',
        [{"type": 0, "@modelarts:hard": True}],
        '[{"@modelarts:hard": true}]',
    ],
)
def test_properties_are_objects_or_texts_that_hold_them(value):
    assert one(property=value).is_hard


@pytest.mark.parametrize(
    "value", ['[{"type":0,"property":{}}]', "no JSON", "", None, 3, [], [1], "[" * 100_000]
)
def test_odd_properties_do_no_harm(value):
    assert not one(property=value, annotation=[{**TULIP, "property": value}]).is_hard


@pytest.mark.parametrize("annotation", [[], None, "absent"])
def test_without_annotations_it_is_not_labeled(annotation):
    record = one() if annotation == "absent" else one(annotation=annotation)

    assert (record.labels, record.is_labeled) == ((), False)


def test_labels_that_the_sdk_repeats_are_taken_once():
    assert one(annotation=[TULIP, TULIP]).labels == ("tulip",)


def test_an_annotation_may_stand_alone_and_without_type():
    assert one(annotation={"name": "tulip"}).labels == ("tulip",)
    assert one(annotation=[{"type": "acme/image_classification", "name": 7}]).labels == ("7",)


@pytest.mark.parametrize(
    ("key", "who", "is_confirmed"),
    [
        ("annotated-by", "human", True),
        ("annotated-by", "human/alice/alice", True),
        ("annotated_by", "modelarts/auto-label", False),
        ("annotated-by", "modelarts/active-learning", False),
        ("annotated-by", None, True),
    ],
)
def test_labels_of_a_machine_are_not_confirmed(key, who, is_confirmed):
    assert one(annotation=[{**TULIP, key: who}]).is_confirmed == is_confirmed


@pytest.mark.parametrize(
    ("value", "confidence"),
    [(0.9, 0.9), ("0.9", 0.9), (1, 1.0), (1.5, None), (-1, None), ("high", None), (True, None)],
)
def test_confidence_is_from_0_to_1(value, confidence):
    record = one(annotation=[{**TULIP, "confidence": value}])

    assert record.confidences == (() if confidence is None else (confidence,))


def test_numbers_that_json_does_not_have_are_no_confidence():
    text = '{"source": "1.jpg", "annotation": [{"name": "a", "confidence": NaN}]}'

    assert records(read("modelarts_manifest", text))[0].confidences == ()


def test_other_annotations_are_left_out_with_a_remark():
    items = lines(
        {
            "source": "1.jpg",
            "annotation": [
                {"type": "modelarts/object_detection", "annotation-loc": "s3://bucket/1.xml"},
                TULIP,
                {"type": "modelarts/image_classification"},
                "tulip",
            ],
        }
    )

    assert records(items)[0].labels == ("tulip",)
    assert items[1:] == [
        BadLine(1, "line-other-annotation", {"type": "modelarts/object_detection"}, is_taken=True),
        BadLine(1, "line-annotation-without-name", is_taken=True),
        BadLine(1, "line-annotation-without-name", is_taken=True),
    ]


@pytest.mark.parametrize("source", [None, "", "  ", 3, ["a"]])
def test_a_line_without_source_is_a_problem_of_that_line(source):
    items = lines(
        {"source": "0.jpg"}, {"source": source, "annotation": [TULIP]}, {"source": "2.jpg"}
    )

    assert bad_lines(items) == [(2, "line-without-source")]
    assert len(records(items)) == 2


def test_blank_lines_and_windows_line_ends_are_fine():
    text = '\ufeff\r\n{"source": "1.jpg"}\r\n\r\n  \r\n{"source": "图/2.jpg"}'

    assert pairs(read("modelarts_manifest", text)) == [("1.jpg", ()), ("图/2.jpg", ())]


@pytest.mark.parametrize(
    "line",
    [
        "{broken",
        "[]",
        "null",
        '"text"',
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"source": ' + "9" * 10_000 + "}",
        "\0\0",
    ],
)
def test_a_line_that_is_no_object_ends_nothing(line):
    items = read("modelarts_manifest", f'{{"source": "1.jpg"}}\n{line}\n{{"source": "3.jpg"}}\n')

    assert [item.line for item in items if isinstance(item, BadLine)] == [2]
    assert [record.path for record in records(items)] == ["1.jpg", "3.jpg"]


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\n"])
def test_paths_that_nothing_can_store_are_refused(escape):
    items = read("modelarts_manifest", f'{{"source": "a{escape}.jpg"}}')

    assert bad_lines(items) == [(1, "line-path-unusable")]
    json.dumps(items[0].words(), ensure_ascii=False).encode()


@pytest.mark.parametrize("escape", [r"\u0000", r"\udfff", "x" * 1_025])
def test_labels_that_nothing_can_store_are_refused(escape):
    text = f'{{"source": "1.jpg", "annotation": [{{"name": "a{escape}"}}]}}'

    assert bad_lines(read("modelarts_manifest", text)) == [(1, "line-label-unusable")]


def test_more_labels_than_anybody_gives_are_refused():
    many = [{"name": str(number)} for number in range(1_001)]

    assert bad_lines(lines({"source": "1.jpg", "annotation": many})) == [
        (1, "line-too-many-labels")
    ]


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", '{"file_name": "1.jpg"}\n' * 20, "{broken\n" * 1_000]
)
def test_another_file_is_no_manifest(text):
    with pytest.raises(BadLabelFile) as caught:
        read("modelarts_manifest", text)

    assert caught.value.code == "not-a-manifest"


def test_bad_lines_at_the_start_are_told_where_good_ones_follow():
    items = read("modelarts_manifest", '{broken\n{broken\n{"source": "3.jpg"}\n')

    assert bad_lines(items) == [(1, "line-not-json"), (2, "line-not-json")]
    assert len(records(items)) == 1
