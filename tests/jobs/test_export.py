"""The training set that comes out is what was labeled, and can be read like PaddleClas reads."""

import io
import zipfile

import pytest
from PIL import Image as Picture

from annotators.access import member_or_404
from jobs import exports, services
from jobs.selection import Selection
from labelhub.errors import DomainError
from labels.annotate import annotate
from labels.hard import mark_hard
from runs.models import Run, RunState
from tests import make

pytestmark = pytest.mark.django_db
OPTIONS = {"format": "paddleclas", "ratios": [50, 25, 25], "seed": 0, "with_images": True}


def export(job, user, **options) -> Run:
    run = services.start_export(job, by=user, options=OPTIONS | options)
    make.finish_runs()
    run.refresh_from_db()
    return run


def label(job, user, samples, name):
    pk = job.labels.get(name=name).pk
    ids = Selection(ids=tuple(sample.pk for sample in samples))
    annotate(member_or_404(user, job.pk), ids, add=[pk])


def test_single_label_lists_name_every_labeled_image_once_with_its_index(alice):
    job = make.job(owner=alice, labels=("cat", "dog"), mode="single")
    samples = make.images(job, 10, files=True, folder="deep/er/")
    label(job, alice, samples[:4], "cat")
    label(job, alice, samples[4:8], "dog")

    run = export(job, alice)

    assert run.state == RunState.DONE
    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert archive.read("label_list.txt").decode() == "0 cat\n1 dog\n"
        lines = [
            line.strip().split(" ")
            for name in ("train", "val", "test")
            for line in archive.read(f"{name}_list.txt").decode().splitlines()
        ]
        assert sorted(int(index) for _path, index in lines) == [0] * 4 + [1] * 4
        assert len({path for path, _index in lines}) == 8
        for path, _index in lines:
            with Picture.open(io.BytesIO(archive.read(path))) as picture:
                picture.load()
    assert run.counts == {"train": 4, "val": 2, "test": 2}


def test_several_labels_are_written_one_hot(alice):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    samples = make.images(job, 2, files=True)
    label(job, alice, samples, "cat")
    label(job, alice, samples[:1], "cow")

    run = export(job, alice, ratios=[100, 0, 0])

    with zipfile.ZipFile(exports.file_of(run)) as archive:
        lines = archive.read("train_list.txt").decode().splitlines()
    assert [line.split("\t")[1] for line in lines] == ["1,0,1", "1,0,0"]


def test_without_images_the_zip_holds_lists_alone(alice):
    job = make.job(owner=alice)
    samples = make.images(job, 2, files=True)
    label(job, alice, samples, "cat")

    run = export(job, alice, with_images=False)

    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"txt", "json"}


def test_a_file_that_is_gone_is_reported_and_no_list_names_it(alice):
    job = make.job(owner=alice)
    samples = make.images(job, 3, files=True)
    label(job, alice, samples, "cat")
    (make.folder_of(job) / samples[1].path).unlink()

    run = export(job, alice, ratios=[100, 0, 0])

    assert run.state == RunState.DONE
    assert list(run.problems.values_list("item", "code")) == [(samples[1].path, "missing")]
    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert len(archive.read("train_list.txt").decode().splitlines()) == 2


def test_two_exports_with_the_same_seed_split_alike(alice):
    job = make.job(owner=alice)
    label(job, alice, make.images(job, 20, files=True), "cat")

    first, second = export(job, alice), export(job, alice)

    def lists(run):
        with zipfile.ZipFile(exports.file_of(run)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if "list" in name}

    assert lists(first) == lists(second)


# The same filters as everywhere ------------------------------------------------------------------
@pytest.fixture
def some(alice):
    """Six images: two of a cat, of which one is hard, two of a dog, two that nobody labeled."""
    job = make.job(owner=alice)
    samples = make.images(job, 6, files=True, folder="a/")
    label(job, alice, samples[:2], "cat")
    label(job, alice, samples[2:4], "dog")
    hard = Selection(ids=(samples[0].pk, samples[4].pk))
    mark_hard(member_or_404(alice, job.pk), hard, is_hard=True)
    return job, samples


def written(run) -> set[str]:
    """Names of the images that the lists of an export name."""
    with zipfile.ZipFile(exports.file_of(run)) as archive:
        lists = [name for name in archive.namelist() if name.endswith("_list.txt")]
        lines = [
            line
            for name in lists
            if name != "label_list.txt"
            for line in archive.read(name).decode().splitlines()
        ]
        return {line.split("\t")[0].rpartition("/")[2] for line in lines}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3]),
        ("label={cat}", [0, 1]),
        ("label=-{cat}", [2, 3]),
        ("hard=1", [0]),
        ("hard=0&label={cat},{dog}", [1, 2, 3]),
        ("name=00003", [2]),
        ("state=labeled&path=a", [0, 1, 2, 3]),
        ("state=unlabeled", []),
    ],
)
def test_only_what_the_filters_find_and_is_labeled_is_written(some, alice, query, numbers):
    job, samples = some
    query = query.format(**dict(job.labels.values_list("name", "pk")))

    run = export(job, alice, query=query, with_images=False)

    assert (run.state, run.total) == (RunState.DONE, len(numbers))
    wanted = {samples[number].path.rpartition("/")[2] for number in numbers}
    assert written(run) == wanted
    assert sum(run.counts.values()) == len(numbers)


@pytest.mark.parametrize("query", ["hard=maybe", "label=cat", "state=lost", "score_min=2"])
def test_filters_that_make_no_sense_start_nothing(some, alice, query):
    job, _samples = some

    with pytest.raises(DomainError, match="is not valid") as refused:
        services.start_export(job, by=alice, options=OPTIONS | {"query": query})

    assert refused.value.code == "query"
    client = make.client(alice)
    body = {"format": "paddleclas", "query": query}
    answer = client.post(f"/api/jobs/{job.pk}/exports/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "query")
    page = client.get(f"/jobs/{job.pk}/export/?{query}").content.decode()
    assert "These filters make no sense" in page
    shares = {"train": 80, "val": 10, "test": 10, "seed": 0}
    posted = client.post(f"/jobs/{job.pk}/export/?{query}", shares)
    assert posted.status_code == 422
    assert not job.runs.exists()


def test_the_api_exports_what_a_query_finds(some, alice):
    job, samples = some
    body = {"format": "paddleclas", "query": "hard=1&sort=path", "with_images": False}

    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/exports/", body, content_type="application/json"
    )
    make.finish_runs()

    run = Run.objects.get(pk=answer.json()["id"])
    assert (answer.status_code, run.params["query"]) == (201, "hard=1")
    assert written(run) == {samples[0].path.rpartition("/")[2]}


def test_the_page_says_which_images_in_words_and_keeps_the_filters(some, alice):
    job, _samples = some
    client, cat = make.client(alice), job.labels.get(name="cat")
    address = f"/jobs/{job.pk}/export/?label={cat.pk}&hard=1"

    page = client.get(address).content.decode()
    assert "1 of 4 labeled images" in page
    assert f'href="/jobs/{job.pk}/export/?label={cat.pk}"' in page
    assert f'href="/jobs/{job.pk}/export/?hard=1"' in page
    posted = client.post(address, {"train": 100, "val": 0, "test": 0, "seed": 0})
    make.finish_runs()

    assert (posted.status_code, posted.url) == (302, address)
    assert job.runs.get().params["query"] == f"label={cat.pk}&hard=1"
    done = client.get(address).content.decode()
    assert "Label cat · Hard example Yes" in done
    assert "1 train, 0 val, 0 test" in done
    nothing = client.get(f"/jobs/{job.pk}/export/?state=unlabeled").content.decode()
    assert "No labeled image matches the filters" in nothing
    assert "State Unlabeled" in nothing
