"""Tables in the shapes that Kaggle, fastai, Roboflow, Vertex and Open Images give them."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.formats.csv_table import Columns
from datasets.formats.reading import BadLabelFile
from tests.datasets.label_files import bad_lines, pairs, read, records


def table(text: str | bytes, **options):
    return read("csv_table", text, **options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_are_parted_by_comma_semicolon_or_tab(delimiter):
    text = f"image{delimiter}label\n1.jpg{delimiter}cat\n"

    assert pairs(table(text)) == [("1.jpg", ("cat",))]


@pytest.mark.parametrize(
    ("header", "cell", "labels"),
    [
        ("image,label", "cat", ("cat",)),
        ("Image Path,Class Name", "Sour Milk", ("Sour Milk",)),
        ("图片,标签", "猫", ("猫",)),
        ("image,labels", "cat|dog", ("cat", "dog")),
        ("image,label", "cat;dog", ("cat", "dog")),
        ("image,label", '"cat, dog"', ("cat", "dog")),
        ("image_name,tags", "haze primary", ("haze", "primary")),
        ("image,choice", '"{""choices"": [""cat"", ""dog""]}"', ("cat", "dog")),
        ("image,labels", '"[""cat"", ""dog""]"', ("cat", "dog")),
        ("image,labels", "[unfinished", ("[unfinished",)),
        ("image,target", "cat", ("cat",)),
        ("image,label_1,label_2", "cat,dog", ("cat", "dog")),
        ("image,label,comment", "cat,looks at a dog", ("cat",)),
    ],
)
def test_labels_stand_in_one_column_or_several(header, cell, labels):
    assert pairs(table(f"{header}\n1.jpg,{cell}\n")) == [("1.jpg", labels)]


@pytest.mark.parametrize(("header", "cell"), [("label", "cat|dog"), ("labels", "cat dog")])
def test_the_first_image_with_two_labels_may_come_late(header, cell):
    rows = "".join(f"{number}.jpg,cat\n" for number in range(1_000))

    found = table(f"image,{header}\n{rows}last.jpg,{cell}\n")

    assert records(found)[-1].labels == ("cat", "dog")


def test_the_path_is_found_by_what_is_in_the_column():
    assert pairs(table("no,photo,label\n7,1.jpg,cat\n8,2.jpg,dog\n")) == [
        ("1.jpg", ("cat",)),
        ("2.jpg", ("dog",)),
    ]


def test_a_column_for_each_label():
    text = "filename, car, bus\na.jpg, 1, 0\nb.jpg, 1, 1\nc.jpg, 0, 0\n"

    found = table(text, name="valid/_classes.csv")

    assert pairs(found) == [("a.jpg", ("car",)), ("b.jpg", ("car", "bus")), ("c.jpg", ())]
    assert all(record.is_labeled and record.split == "val" for record in records(found))


def test_a_table_without_header():
    assert pairs(table("1.jpg,cat\n2.jpg,dog,bird\n3.jpg\n")) == [
        ("1.jpg", ("cat",)),
        ("2.jpg", ("dog", "bird")),
        ("3.jpg", ()),
    ]


def test_a_table_of_vertex():
    found = table("training,gs://b/1.jpg,cat\ntest,gs://b/2.jpg,dog\n")

    assert [(record.path, record.split) for record in records(found)] == [
        ("gs://b/1.jpg", "train"),
        ("gs://b/2.jpg", "test"),
    ]


def test_rows_that_follow_each_other_are_one_image():
    text = "image,label\n1.jpg,cat\n1.jpg,dog\n1.jpg,cat\n2.jpg,cat\n1.jpg,bird\n"

    assert pairs(table(text)) == [
        ("1.jpg", ("cat", "dog")),
        ("2.jpg", ("cat",)),
        ("1.jpg", ("bird",)),
    ]


def test_open_images_machine_labels_keep_their_confidence():
    text = (
        "ImageID,Source,LabelName,Confidence\n"
        "00a,machine,/m/1,0.8\n00a,machine,/m/2,0.5\n00b,verification,/m/1,1\n00b,verification,/m/2,0\n"
    )
    found = table(
        text,
        name="validation-annotations-human-imagelabels.csv",
        beside={"class-descriptions.csv": '/m/1,Cat\n/m/2,"Dog, small"\n'},
    )

    first, second = records(found)
    assert (first.labels, first.confidences) == (("Cat", "Dog, small"), (0.8, 0.5))
    assert (second.labels, second.confidences) == (("Cat",), ())
    assert (first.is_confirmed, second.is_confirmed) == (False, True)
    assert first.split == "val"


def test_sizes_and_marks_are_read():
    text = "path,label,split,hard,width,height\n1.jpg,cat,Validation,yes,640,480\n2.jpg,,x,,a,-3\n"

    first, second = records(table(text))

    assert (first.split, first.is_hard, first.width, first.height) == ("val", True, 640, 480)
    assert (second.split, second.is_hard, second.width, second.height) == ("", False, 0, 0)
    assert not second.is_labeled


def test_a_caller_that_knows_better_says_where_things_stand():
    columns = Columns(path=2, labels=(0,), separator="/")

    assert pairs(table("a,path,b\ncat/dog,no,1.jpg\n", columns=columns)) == [
        ("1.jpg", ("cat", "dog"))
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_of_a_spreadsheet(encoding, end):
    text = end.join(["图片,标签", "苹果/照片1.jpg,红苹果", "梨.jpg,梨"])

    assert pairs(table(text.encode(encoding))) == [
        ("苹果/照片1.jpg", ("红苹果",)),
        ("梨.jpg", ("梨",)),
    ]


def test_formulas_are_only_texts():
    assert pairs(table('image,label\n=1+1.jpg,"=HYPERLINK(""x"")"\n\'@a.jpg,\t+cat\n')) == [
        ("=1+1.jpg", ('=HYPERLINK("x")',)),
        ("'@a.jpg", ("+cat",)),
    ]


def test_a_cell_may_go_over_lines():
    text = 'image,label,comment\n1.jpg,cat,"two\nlines, a ""quote"""\n2.jpg,dog,none\n'

    assert pairs(table(text)) == [("1.jpg", ("cat",)), ("2.jpg", ("dog",))]


def test_a_quote_that_is_never_closed_costs_its_line():
    text = "image,label\n" + '1.jpg,"cat\n' + "".join(f"{n}.jpg,dog\n" for n in range(2, 100))

    found = table(text)

    assert bad_lines(found) == [(2, "line-quote-open")]
    assert len(records(found)) == 98


@pytest.mark.parametrize("count", [1, 2, 60])
def test_quotes_that_are_never_closed_cost_their_lines(count):
    text = "image,label\n" + '"1.jpg,cat\n' * count + "2.jpg,dog\n"

    found = table(text)

    assert [code for _line, code in bad_lines(found)] == ["line-quote-open"] * count
    assert [record.path for record in records(found)] == ["2.jpg"]


def test_quotes_inside_a_cell_are_taken_as_they_are():
    assert pairs(table('image,label\n1.jpg,5" disk\n2.jpg,"a"b\n')) == [
        ("1.jpg", ('5" disk',)),
        ("2.jpg", ("ab",)),
    ]


def test_a_row_that_is_too_short_is_told():
    found = table("image,size,label\n1.jpg,3\n2.jpg,3,cat\n,,\n\n,3,cat\n")

    assert bad_lines(found) == [(2, "line-too-few-cells"), (6, "line-without-path")]
    assert len(records(found)) == 1


def test_a_cell_in_quotes_that_is_too_large_costs_its_line():
    found = table('image,label\n1.jpg,"' + "x" * 200_000 + '"\n2.jpg,dog\n')

    assert bad_lines(found) == [(2, "line-quote-open")]
    assert [record.path for record in records(found)] == ["2.jpg"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name,age\nAlice,30\n", "table-without-path"),
        ("image,width,height\n1.jpg,2,3\n", "table-without-labels"),
        ("image,a,b\n1.jpg,x,y\n", "table-without-labels"),
        ("just some words\nand more\n", "table-without-path"),
        ("\x89PNG\r\n" + "\x00\x01\x02" * 100, "not-text"),
    ],
)
def test_another_table_is_refused(text, code):
    with pytest.raises(BadLabelFile) as caught:
        table(text)

    assert caught.value.code == code


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_table_has_no_images(text):
    assert table(text) == []


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n"), max_size=9)


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_every_row_is_read_or_told(rows):
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["image", "comment", "label"])
    for number, (comment, label) in enumerate(rows):
        writer.writerow([f"{number}.jpg", comment, label])

    found = table(stream.getvalue())

    paths = [record.path for record in records(found)]
    assert paths == [f"{number}.jpg" for number in range(len(rows))]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(noise):
    with suppress(BadLabelFile):
        assert table(b"image,label\n1.jpg,cat\n" + noise)
