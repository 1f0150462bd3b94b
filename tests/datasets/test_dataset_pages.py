"""The page of a dataset and its API: numbers, problems, schedule, what is missing."""

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets.models import Image
from jobs import records
from jobs.services import synchronize
from tests import make

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def job(alice):
    job = make.job(owner=alice)
    folder = make.folder_of(job)
    for number in range(4):
        make.jpeg(folder / f"{number}.jpg")
    (folder / "broken.jpg").write_text("no image")
    (folder / "empty.png").write_bytes(b"")
    synchronize(job.dataset, job=job, by=alice)
    make.finish_runs()
    return job


@pytest.fixture
def client(alice):
    return make.client(alice)


def address(job, rest: str = "") -> str:
    return f"/api/datasets/{job.dataset_id}/{rest}"


def shown(client, job) -> str:
    return client.get(reverse("dataset", args=[job.dataset_id])).content.decode()


def lose(job, *names: str) -> None:
    for name in names:
        (make.folder_of(job) / name).unlink()
    synchronize(job.dataset, by=None)
    make.finish_runs()


def test_the_api_tells_what_is_in_it(client, job):
    told = client.get(address(job)).json()

    assert told["summary"] == {
        "images": 4,
        "bytes": sum(path.stat().st_size for path in make.folder_of(job).glob("?.jpg")),
        "refused": 2,
        "missing": 0,
        "formats": {"JPEG": 4},
    }
    assert (told["sync_minutes"], told["reads_labels"]) == (None, False)


def test_the_page_groups_problems_by_reason_with_examples(client, job):
    text = shown(client, job)

    assert "This is not an image" in text
    assert "0 bytes" in text
    assert "broken.jpg" in text
    assert f"/datasets/{job.dataset_id}/images/?problem=not-an-image" in text


def test_a_dataset_without_anything_has_its_page(client, alice):
    text = shown(client, make.job(owner=alice))

    assert "No images were found yet" in text
    assert "It was not synchronized yet." in text


def test_the_number_of_statements_does_not_grow_with_images_and_runs(
    client, job, django_assert_max_num_queries
):
    for number in range(40):
        (make.folder_of(job) / f"bad-{number}.jpg").write_text("no")
    for _turn in range(6):
        synchronize(job.dataset, by=None)
        make.finish_runs()

    with django_assert_max_num_queries(20):
        client.get(reverse("dataset", args=[job.dataset_id]))


def test_images_with_a_problem_come_page_by_page(client, job, monkeypatch):
    monkeypatch.setattr("datasets.overview.api.MOST_PER_PAGE", 1)

    first = client.get(address(job, "images/?problem=refused")).json()
    second = client.get(address(job, f"images/?problem=refused&after={first['next']}")).json()

    assert [first["results"][0]["path"], second["results"][0]["path"]] == [
        "broken.jpg",
        "empty.png",
    ]
    assert second["next"] is None
    assert "not an image" in first["results"][0]["message"]
    one = client.get(address(job, "images/?problem=empty-file")).json()
    assert [image["path"] for image in one["results"]] == ["empty.png"]


@pytest.mark.parametrize("query", ["", "?problem=", "?problem=missing&after=x"])
def test_images_without_a_word_on_which_are_refused(client, job, query):
    assert client.get(address(job, f"images/{query}")).status_code == 400


def test_missing_files_are_listed_and_removed_by_the_api(client, job):
    lose(job, "1.jpg", "2.jpg")
    gone = client.get(address(job, "images/?problem=missing")).json()["results"]
    assert [image["path"] for image in gone] == ["1.jpg", "2.jpg"]

    body = {"action": "remove", "ids": [gone[0]["id"]]}
    settled = client.post(address(job, "missing/"), body, **JSON).json()

    assert (settled["images"], settled["removed"]) == (1, 1)
    assert settled["changes"] == {str(job.pk): job.changes.get().pk}
    assert sorted(job.samples.values_list("path", flat=True)) == ["0.jpg", "2.jpg", "3.jpg"]
    kept = client.post(address(job, "missing/"), {"action": "keep", "all": True}, **JSON).json()
    assert (kept["images"], kept["removed"]) == (1, 0)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "remove"},
        {"action": "remove", "ids": []},
        {"action": "remove", "ids": [1], "all": True},
        {"action": "remove", "all": False},
        {"action": "burn", "all": True},
        {"action": "keep", "ids": [10**30]},
    ],
)
def test_a_decision_that_names_nothing_is_refused(client, job, body):
    lose(job, "1.jpg")

    assert client.post(address(job, "missing/"), body, **JSON).status_code == 400
    assert job.samples.count() == 4


def test_the_page_asks_about_missing_files_and_takes_the_answer(client, job):
    lose(job, "1.jpg", "2.jpg")
    assert "2 missing files" in shown(client, job)
    here = reverse("dataset_missing", args=[job.dataset_id])

    client.post(here, {"remove": "ticked"})
    assert job.samples.count() == 4
    one = Image.objects.get(path="1.jpg")
    client.post(here, {"remove": "ticked", "image": [one.pk]})
    assert job.samples.count() == 3
    assert "1 missing file" in shown(client, job)
    client.post(here, {"keep": "all"})

    assert 'id="missing"' not in shown(client, job)
    assert job.samples.count() == 3


@pytest.mark.parametrize("body", [{}, {"image": ["1"]}, {"keep": "ticked", "image": ["x"]}])
def test_an_answer_that_makes_no_sense_changes_nothing(client, job, body):
    lose(job, "1.jpg")

    assert client.post(reverse("dataset_missing", args=[job.dataset_id]), body).status_code == 400


def test_long_lists_of_missing_files_have_pages(client, job, monkeypatch):
    monkeypatch.setattr("datasets.overview.views.IMAGES_PER_PAGE", 2)
    Image.objects.filter(is_refused=False).update(missing_since=timezone.now())
    here = reverse("dataset_images", args=[job.dataset_id]) + "?problem=missing"

    first = client.get(here).content.decode()

    assert "1.jpg" in first
    assert "2.jpg" not in first
    after = Image.objects.get(path="1.jpg").pk
    assert f"after={after}" in first
    assert "3.jpg" in client.get(f"{here}&after={after}").content.decode()


def test_a_dataset_is_renamed_scheduled_and_told_to_read_texts(client, job):
    body = {"name": "Cats", "sync_minutes": 60, "reads_labels": True}

    told = client.patch(address(job), body, **JSON).json()

    job.dataset.refresh_from_db()
    assert (told["name"], told["sync_minutes"], told["reads_labels"]) == ("Cats", 60, True)
    assert job.dataset.next_sync_at > timezone.now()
    client.patch(address(job), {"sync_minutes": None}, **JSON)
    job.dataset.refresh_from_db()
    assert (job.dataset.next_sync_at, job.dataset.name) == (None, "Cats")


@pytest.mark.parametrize(
    "body", [{"sync_minutes": 4}, {"sync_minutes": 10_081}, {"name": " "}, {"name": "x" * 201}]
)
def test_what_makes_no_sense_is_not_saved(client, job, body):
    assert client.patch(address(job), body, **JSON).status_code == 400


def test_the_storage_of_a_dataset_cannot_be_changed(client, job):
    client.patch(address(job), {"storage": 999, "prefix": "../"}, **JSON)

    storage = job.dataset.storage_id
    job.dataset.refresh_from_db()
    assert (job.dataset.storage_id, job.dataset.prefix) == (storage, "")


def test_the_page_renames_and_schedules(client, job):
    here = reverse("dataset", args=[job.dataset_id])

    client.post(here, {"name": "Dogs", "reads_labels": "on"})
    client.post(reverse("dataset_schedule", args=[job.dataset_id]), {"minutes": "360"})

    job.dataset.refresh_from_db()
    assert (job.dataset.name, job.dataset.reads_labels) == ("Dogs", True)
    assert job.dataset.sync_minutes == 360
    assert client.post(here, {"name": ""}).status_code == 422
    client.post(reverse("dataset_schedule", args=[job.dataset_id]), {"minutes": "0"})
    job.dataset.refresh_from_db()
    assert job.dataset.sync_minutes is None


def test_a_schedule_that_no_choice_offers_is_shown(client, job):
    client.patch(address(job), {"sync_minutes": 42}, **JSON)

    assert "Every 42 minutes" in shown(client, job)


def test_while_it_is_synchronized_the_page_tells_how_far_that_is(client, job):
    client.post(reverse("dataset_synchronize", args=[job.dataset_id]))

    assert "<progress" in shown(client, job)
    here = reverse("dataset", args=[job.dataset_id])
    part = client.get(here, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    make.finish_runs()
    assert client.get(here, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_its_runs_are_listed_and_steered(client, job):
    run = synchronize(job.dataset, by=None)

    listed = client.get(address(job, "runs/")).json()
    assert [one["id"] for one in listed["results"]][0] == run.pk
    assert listed["results"][0]["by"] is None
    assert client.post(address(job, f"runs/{run.pk}/cancel/"), **JSON).json()["state"] == (
        "cancelled"
    )
    assert client.post(address(job, f"runs/{run.pk}/cancel/"), **JSON).status_code == 409
    client.post(reverse("dataset_run", args=[job.dataset_id, run.pk]), {"command": "retry"})
    make.finish_runs()
    run.refresh_from_db()
    assert run.state == "done"
    page = client.get(reverse("dataset_run", args=[job.dataset_id, run.pk]))
    assert "Not taken, as before" in page.content.decode()
    assert client.get(reverse("dataset_runs", args=[job.dataset_id])).status_code == 200


def test_records_come_page_by_page_the_newest_first(job):
    runs = [synchronize(job.dataset, by=None)]
    make.finish_runs()

    found, following = records.page(records.of_job(job), None, 1)

    assert [one.run for one in found] == [runs[0]]
    older, end = records.page(records.of_job(job), following, 5)
    assert len(older) == 1
    assert end is None
