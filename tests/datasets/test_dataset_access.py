"""Who finds a dataset: every route with a dataset in its address has its row here."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotators.roles import Role
from datasets.models import Dataset
from jobs.services import synchronize
from tests import make, people
from tests.datasets.buckets import folder_storage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous"),
]


@dataclass(frozen=True)
class Row:
    name: str
    method: str
    body: dict[str, Any] = field(default_factory=dict)
    query: str = ""

    @property
    def id(self) -> str:
        return f"{self.method}-{self.name}"

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api_")


KEEP = {"action": "keep", "all": True}
ROWS = [
    Row("dataset", "get"),
    Row("dataset", "post", {"name": "Other"}),
    Row("dataset_synchronize", "post"),
    Row("dataset_schedule", "post", {"minutes": "60"}),
    Row("dataset_images", "get"),
    Row("dataset_missing", "post", {"keep": "all"}),
    Row("dataset_runs", "get"),
    Row("dataset_run", "get"),
    Row("dataset_run", "post", {"command": "cancel"}),
    Row("dataset_run_report", "get"),
    Row("api_dataset", "get"),
    Row("api_dataset", "patch", {"name": "Other"}),
    Row("api_dataset_synchronize", "post"),
    Row("api_dataset_images", "get", query="?problem=missing"),
    Row("api_dataset_missing", "post", KEEP),
    Row("api_dataset_runs", "get"),
    Row("api_dataset_run", "get"),
    Row("api_dataset_run_cancel", "post"),
    Row("api_dataset_run_retry", "post"),
]
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


@dataclass
class World:
    dataset: Dataset
    run: Any
    people: dict[str, Any]


@pytest.fixture
def here(alice, bob, carol, dan, image_root) -> World:
    """Bob owns the storage, Alice made the dataset; Erin manages a job over it and Carol labels
    in it."""
    erin = people.person("Erin")
    storage = folder_storage(bob, image_root / "of-bob")
    dataset = Dataset.objects.create(name="Photos", storage=storage, created_by=alice)
    job = make.job(owner=None, dataset=dataset)
    make.member(job, erin, Role.MANAGER)
    make.member(job, carol, Role.LABELER)
    run = synchronize(dataset, by=alice)
    root = people.person("Root", is_superuser=True)
    everybody = {"maker": alice, "storage owner": bob, "manager": erin, "labeler": carol}
    return World(dataset, run, everybody | {"another team": dan, "administrator": root})


def send(client, row: Row, dataset: Dataset, run):
    kwargs = {"dataset_id": dataset.pk}
    if "run" in row.name and not row.name.endswith("runs"):
        kwargs["run_id"] = run.pk
    how = {"content_type": "application/json"} if row.is_api else {}
    address = reverse(row.name, kwargs=kwargs) + row.query
    if row.method == "get":
        return client.get(address)
    return getattr(client, row.method)(address, row.body, **how)


def routes(resolver: URLResolver | None = None) -> set[str]:
    names = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            names |= routes(pattern)
        elif isinstance(pattern, URLPattern) and "dataset_id" in str(pattern.pattern):
            names.add(pattern.name)
    return names


def test_every_route_of_a_dataset_has_its_row():
    assert routes() == {row.name for row in ROWS}


@EVERY_ROW
@pytest.mark.parametrize("who", ["maker", "storage owner", "manager", "administrator"])
def test_those_whose_dataset_it_is_come_in(row, who, here):
    response = send(make.client(here.people[who]), row, here.dataset, here.run)

    assert response.status_code in {200, 201, 302, 409}, response.content[:300]
    if response.status_code == 302:
        assert not response.url.startswith(reverse("sign_in"))


@EVERY_ROW
@pytest.mark.parametrize("who", ["labeler", "another team"])
def test_for_others_it_is_not_there(row, who, here):
    assert send(make.client(here.people[who]), row, here.dataset, here.run).status_code == 404


@EVERY_ROW
def test_without_signing_in_nothing_is_answered(row, here):
    response = send(make.client(), row, here.dataset, here.run)

    assert response.status_code == (403 if row.is_api else 302)
    if response.status_code == 302:
        assert response.url.startswith(reverse("sign_in"))


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if "run" in row.name and "runs" not in row.name],
    ids=lambda row: row.id,
)
def test_a_run_of_another_dataset_is_not_found(row, here):
    alice = here.people["maker"]
    other = make.job(owner=alice)
    run = synchronize(other.dataset, by=alice)

    assert send(make.client(alice), row, here.dataset, run).status_code == 404


def test_the_lists_show_own_datasets_alone(here):
    dan, alice = here.people["another team"], here.people["maker"]

    assert make.client(dan).get("/api/datasets/").json() == []
    assert "Photos" not in make.client(dan).get(reverse("dataset_list")).content.decode()
    assert [one["name"] for one in make.client(alice).get("/api/datasets/").json()] == ["Photos"]
    assert "Photos" in make.client(alice).get(reverse("dataset_list")).content.decode()


def test_jobs_of_others_are_a_number_without_a_name(here):
    make.job(owner=here.people["another team"], dataset=here.dataset, name="Secret")

    page = make.client(here.people["manager"]).get(f"/datasets/{here.dataset.pk}/")

    text = page.content.decode()
    assert "Animals" in text
    assert "1 job of others" in text
    assert "Secret" not in text


def test_an_import_into_a_job_of_others_is_not_in_the_history(here):
    from labels.additions import Addition, add_data

    dan = here.people["another team"]
    other = make.job(owner=dan, dataset=here.dataset)
    add_data(make.membership(other, dan), Addition(state="unlabeled"))

    shown = make.client(here.people["manager"]).get(f"/api/datasets/{here.dataset.pk}/runs/")

    assert [run["kind"] for run in shown.json()["results"]] == ["sync"]
