"""Adding data: images come in with the labels of their files, and nothing of people's work is
overwritten."""

import shutil
from pathlib import Path

import pytest

from annotators.roles import Role
from datasets.sources import FolderSource, UploadSource
from jobs import counters, services
from jobs.models import Job, SampleState, Verb
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.additions import Addition, add_data, look_at
from labels.annotate import annotate
from labels.undo import undo_last
from runs.models import Run, RunState
from tests import make, needs

pytestmark = pytest.mark.django_db


def fill(folder: Path, *names: str, texts: dict[str, str] | None = None) -> None:
    for name in names:
        make.jpeg(folder / name)
    for name, text in (texts or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run_of(job: Job, user, **addition) -> Run:
    run = add_data(make.membership(job, user), Addition(**addition))
    make.finish_runs()
    run.refresh_from_db()
    assert run.state == RunState.DONE, (run.error, list(run.problems.values()))
    assert counters.drift(job) == {}
    return run


def labels_by_path(job: Job) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {
        path: set() for path in job.samples.values_list("path", flat=True)
    }
    for path, name in job.samples.exclude(annotations=None).values_list(
        "path", "annotations__label__name"
    ):
        found[path].add(name)
    return found


@pytest.fixture
def job(alice):
    return make.job(owner=alice, labels=("cat",))


def test_folders_become_labels_and_lacking_ones_are_made(job, alice):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg", "loose.jpg")

    run = run_of(job, alice, format="folders")

    assert labels_by_path(job) == {"cat/1.jpg": {"cat"}, "dog/2.jpg": {"dog"}, "loose.jpg": set()}
    assert run.counts == {"added": 3, "labeled": 2}


def test_texts_beside_images_are_read_line_by_line(job, alice):
    texts = {"1.txt": "cat\nblack\n", "3.txt": ""}
    fill(make.folder_of(job), "1.jpg", "2.jpg", "3.jpg", texts=texts)

    run_of(job, alice, format="beside")

    states = dict(job.samples.values_list("path", "state"))
    assert labels_by_path(job)["1.jpg"] == {"cat", "black"}
    assert states == {
        "1.jpg": SampleState.LABELED,
        "2.jpg": SampleState.UNLABELED,
        "3.jpg": SampleState.LABELED,
    }


def test_images_alone_come_unlabeled(job, alice):
    fill(make.folder_of(job), "cat/1.jpg")

    run_of(job, alice, state="unlabeled")

    assert labels_by_path(job) == {"cat/1.jpg": set()}


def test_what_comes_to_be_confirmed_is_a_suggestion_and_makes_no_label(job, alice):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg")

    run = run_of(job, alice, format="folders", state="to_confirm")

    assert run.counts == {"added": 2, "to_confirm": 2}
    assert counters.read(job)["state:to_confirm"] == 2
    assert [label.name for label in job.labels.all()] == ["cat"]
    sample = job.samples.get(path="dog/2.jpg")
    assert (sample.top_name, sample.predictions.get().labels) == ("dog", [["dog", 0.0]])


def test_labels_that_people_gave_stay(alice):
    job = make.job(owner=alice, labels=("cat", "cow"), mode="single")
    fill(make.folder_of(job), "cat/1.jpg", "cat/2.jpg")
    services.synchronize(job.dataset, job=job, by=alice)
    make.finish_runs()
    sample, cow = job.samples.get(path="cat/1.jpg"), job.labels.get(name="cow")
    annotate(make.membership(job, alice), Selection(ids=(sample.pk,)), add=[cow.pk])

    run = run_of(job, alice, format="folders")

    assert labels_by_path(job) == {"cat/1.jpg": {"cow"}, "cat/2.jpg": {"cat"}}
    assert run.counts == {"already": 2, "labeled": 1, "kept": 1}


def test_labels_of_one_import_are_one_change_and_can_be_undone(job, alice, monkeypatch):
    monkeypatch.setattr("jobs.imports.FILES_IN_CHUNK", 2)
    fill(make.folder_of(job), *(f"cat/{number}.jpg" for number in range(5)))
    run_of(job, alice, format="folders")

    change = job.changes.get()
    assert (change.verb, change.sample_count, change.actor) == (Verb.IMPORT, 5, alice)
    undo_last(make.membership(job, alice))

    assert counters.read(job)["state:unlabeled"] == 5
    assert counters.drift(job) == {}


def test_a_second_import_changes_nothing(job, alice):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg")
    run_of(job, alice, format="folders")

    run = run_of(job, alice, format="folders")

    assert run.counts == {"already": 2, "kept": 2}
    assert job.changes.count() == 1


def test_names_that_cannot_be_labels_get_those_that_were_agreed_on(job, alice):
    fill(make.folder_of(job), "big cat/1.jpg", "new york/2.jpg")

    run_of(job, alice, format="folders", renames={"big cat": "tiger"})

    assert labels_by_path(job) == {"big cat/1.jpg": {"tiger"}, "new york/2.jpg": {"new_york"}}


def test_only_some_labels_can_be_taken(job, alice):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg")

    run_of(job, alice, format="folders", only=("dog",))

    assert labels_by_path(job)["dog/2.jpg"] == {"dog"}
    assert labels_by_path(job)["cat/1.jpg"] == set()


def test_a_list_takes_the_images_that_it_names_and_no_others(job, alice):
    lines = "a.jpg 0\nb.jpg 1\nnot-there.jpg 0\nbad line without index\n"
    fill(
        make.folder_of(job),
        "a.jpg",
        "b.jpg",
        "c.jpg",
        texts={"train_list.txt": lines, "label_list.txt": "0 cat\n1 dog\n"},
    )

    run = run_of(job, alice, format="paddleclas")

    assert labels_by_path(job) == {"a.jpg": {"cat"}, "b.jpg": {"dog"}}
    assert "image-not-found" in set(run.problems.values_list("code", flat=True))
    assert dict(job.samples.values_list("path", "split")) == {"a.jpg": "train", "b.jpg": "train"}


@pytest.mark.parametrize(
    "format",
    [
        "hf_imagefolder",
        "imagenet_folder",
        "imagenet_folder_split",
        "labelstudio",
        "modelarts_manifest",
        "modelarts_txt",
        "paddleclas_single",
        "paddlelabel_multi",
        "paddlelabel_single",
    ],
)
def test_each_layout_is_detected_and_imported(alice, image_root, format):
    """The format is found out, and every image of it that is there gets what the preview says."""
    folder = image_root / format.replace("/", "-")
    source = needs.shared_data() / "formats" / format
    shutil.copytree(source, folder)
    job = services.create_job(
        name="Groceries", mode="multi", source=FolderSource(str(folder)), by=alice
    )
    make.finish_runs()
    expected = look_at(make.membership(job, alice), Addition())

    run = run_of(
        job,
        alice,
        format=expected.format,
        files=expected.files,
        companions=expected.companions,
    )

    found = {label.name for label in job.labels.all()}
    confirmed = [row for row in expected.rows if row.is_confirmed and row.labels]
    assert expected.images == job.samples.count()
    assert run.counts.get("labeled", 0) + run.counts.get("to_confirm", 0) >= 9
    assert {name for row in confirmed for name in row.labels} <= found | {
        label.raw for label in expected.labels if label.is_renamed
    }


def test_a_preview_shows_what_would_come_and_changes_nothing(job, alice):
    fill(make.folder_of(job), "cat/1.jpg", "big dog/2.jpg", "big dog/3.jpg")
    services.synchronize(job.dataset, job=job, by=alice)
    make.finish_runs()
    fill(make.folder_of(job), "cat/4.jpg")

    seen = look_at(make.membership(job, alice), Addition())

    assert (seen.format, seen.images, seen.already, seen.has_more) == ("folders", 4, 3, False)
    labels = [(one.raw, one.name, one.is_new, one.number) for one in seen.labels]
    assert sorted(labels) == [("big dog", "big_dog", True, 2), ("cat", "cat", False, 2)]
    assert job.labels.count() == 1
    assert not job.changes.exists()


def test_a_folder_of_the_server_is_copied_into_the_uploads(alice, image_root):
    job = services.create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    fill(image_root / "elsewhere", "cat/1.jpg", "dog/2.jpg")

    run = run_of(job, alice, folder=str(image_root / "elsewhere"), into="from", format="folders")

    assert run.counts == {"added": 2, "labeled": 2}
    assert labels_by_path(job) == {"from/cat/1.jpg": {"cat"}, "from/dog/2.jpg": {"dog"}}
    assert (make.folder_of(job) / "from/cat/1.jpg").is_file()


def test_what_was_copied_before_is_not_copied_again(alice, image_root):
    job = services.create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    fill(image_root / "twice", "1.jpg")
    addition = {"folder": str(image_root / "twice"), "state": "unlabeled"}
    run_of(job, alice, **addition)

    assert run_of(job, alice, **addition).counts == {"already": 1}


def test_into_a_folder_that_is_somebodys_own_nothing_is_copied(job, alice, image_root):
    (image_root / "other").mkdir(exist_ok=True)

    with pytest.raises(Conflict) as refused:
        add_data(
            make.membership(job, alice),
            Addition(folder=str(image_root / "other"), state="unlabeled"),
        )

    assert refused.value.code == "not_an_upload_job"


@pytest.mark.parametrize(
    ("addition", "code"),
    [
        ({"path": "../..", "state": "unlabeled"}, "unsafe-name"),
        ({"format": "none"}, "format"),
        ({"state": "perhaps", "format": "folders"}, "state"),
        ({"format": ""}, "format"),
        ({"format": "csv_table"}, "no-label-file"),
        ({"format": "folders", "renames": {"a": "b c"}}, "label_name"),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_starts(job, alice, addition, code):
    with pytest.raises(DomainError) as refused:
        add_data(make.membership(job, alice), Addition(**addition))

    assert refused.value.code == code
    assert not Run.objects.exists()


def test_a_synchronization_takes_texts_as_labels_where_that_is_wanted(job, carol):
    other = make.job(owner=carol, dataset=job.dataset, labels=())
    job.dataset.reads_labels = True
    job.dataset.save()
    fill(make.folder_of(job), "1.jpg", texts={"1.txt": "cat\n"})

    services.synchronize(job.dataset, by=None)
    make.finish_runs()

    assert labels_by_path(job) == labels_by_path(other) == {"1.jpg": {"cat"}}
    assert counters.drift(job) == counters.drift(other) == {}


def test_a_labeler_adds_nothing(job, bob):
    make.member(job, bob, Role.LABELER)

    with pytest.raises(Exception, match="added by managers"):
        add_data(make.membership(job, bob), Addition(state="unlabeled"))
