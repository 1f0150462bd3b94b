"""Who finds a storage and a dataset: every route with a storage in its address has its row here."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotators.roles import Role
from datasets.access import dataset_or_404, datasets_of, require_connect, storages_of
from datasets.models import Dataset
from datasets.sources import UploadSource
from jobs.services import create_job
from tests import make, people
from tests.datasets.buckets import bucket_storage, folder_storage

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Row:
    name: str
    method: str
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.method}-{self.name}"

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api_")


ROWS = [
    Row("storage", "get"),
    Row("storage", "post"),
    Row("storage_check", "post"),
    Row("storage_keys", "post"),
    Row("storage_delete", "get"),
    Row("storage_delete", "post"),
    Row("api_storage", "get"),
    Row("api_storage", "patch", {"name": "Other"}),
    Row("api_storage", "delete"),
    Row("api_storage_check", "post"),
    Row("api_storage_keys", "post", {"access_key": "a", "secret_key": "b"}),
    Row("api_storage_folders", "get"),
]
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


@pytest.fixture
def here(alice, image_root):
    return folder_storage(alice, image_root / "of-alice")


@pytest.fixture
def admin(db):  # noqa: ARG001
    return people.person("Root", is_superuser=True)


def send(client, row: Row, storage):
    how = {"content_type": "application/json"} if row.is_api else {}
    address = reverse(row.name, args=[storage.pk])
    if row.method == "get":
        return client.get(address)
    return getattr(client, row.method)(address, row.body, **how)


def routes(resolver: URLResolver | None = None) -> set[str]:
    names = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            names |= routes(pattern)
        elif isinstance(pattern, URLPattern) and "storage_id" in str(pattern.pattern):
            names.add(pattern.name)
    return names


def test_every_route_of_a_storage_has_its_row():
    assert routes() == {row.name for row in ROWS}


@EVERY_ROW
def test_without_signing_in_nothing_is_answered(row, here):
    response = send(make.client(), row, here)

    assert response.status_code == (403 if row.is_api else 302)


@EVERY_ROW
def test_another_person_finds_nothing(row, here, dan):
    assert send(make.client(dan), row, here).status_code == 404


@EVERY_ROW
def test_a_member_of_a_job_over_it_finds_no_storage(row, here, alice, bob):
    dataset = Dataset.objects.create(name="x", storage=here, created_by=alice)
    make.member(make.job(owner=alice, dataset=dataset), bob, Role.MANAGER)

    assert send(make.client(bob), row, here).status_code == 404


@EVERY_ROW
def test_its_owner_and_an_administrator_get_through(row, alice, admin, image_root):
    for user in (alice, admin):
        storage = folder_storage(alice, image_root / f"for-{user.name}")
        response = send(make.client(user), row, storage)

        assert response.status_code not in (401, 403, 404)
        if response.status_code == 302:
            assert not response.url.startswith(reverse("sign_in"))


@pytest.mark.parametrize(
    ("name", "method"),
    [("storage_new", "get"), ("storage_new", "post"), ("storage_list", "get"),
     ("api_storages", "post"), ("api_place_check", "post")],
)  # fmt: skip
def test_connecting_is_for_those_who_create_jobs_and_administrators(name, method, bob, admin, dan):
    def status(user) -> int:
        how = {"content_type": "application/json"} if name.startswith("api_") else {}
        return getattr(make.client(user), method)(reverse(name), {}, **how).status_code

    assert status(bob) == 403
    assert {status(admin), status(dan)} <= {200, 400, 422}
    with pytest.raises(PermissionDenied):
        require_connect(bob)


def test_lists_show_own_storages_and_everything_to_administrators(here, alice, dan, admin):
    bucket = bucket_storage(dan, name="Of Dan")
    create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)

    def listed(user) -> list[int]:
        return [row["id"] for row in make.client(user).get(reverse("api_storages")).json()]

    assert listed(alice) == [here.pk]
    assert listed(dan) == [bucket.pk]
    # The folder that LabelHub keeps for uploads is nobody's.
    assert listed(admin) == [here.pk, bucket.pk]
    page = make.client(alice).get(reverse("storage_list")).content.decode()
    assert "of-alice" in page
    assert "Of Dan" not in page


def test_statements_of_the_list_do_not_grow(alice, django_assert_max_num_queries):
    for number in range(5):
        bucket_storage(alice, name=f"Bucket {number}")
    client = make.client(alice)

    with django_assert_max_num_queries(4):
        client.get(reverse("storage_list"))


# Datasets ----------------------------------------------------------------------------------------
def test_a_dataset_is_shown_to_its_maker_and_to_the_owner_of_its_storage(here, alice, dan, admin):
    dataset = Dataset.objects.create(name="x", storage=here, created_by=dan)

    for user in (alice, dan, admin):
        assert dataset_or_404(user, dataset.pk) == dataset


@pytest.mark.parametrize(
    ("role", "is_shown"), [("manager", True), ("reviewer", False), ("labeler", False)]
)
def test_a_dataset_is_shown_to_those_who_may_add_data(role, is_shown, here, alice, bob):
    dataset = Dataset.objects.create(name="x", storage=here)
    make.member(make.job(owner=alice, dataset=dataset), bob, role)

    assert list(datasets_of(bob)) == ([dataset] if is_shown else [])


def test_a_role_in_another_job_shows_no_dataset(here, alice, bob, carol):
    dataset = Dataset.objects.create(name="x", storage=here)
    job = make.job(owner=alice, dataset=dataset)
    make.member(job, bob, Role.LABELER)
    make.member(job, carol, Role.MANAGER)
    mine = make.job(owner=bob)

    assert list(datasets_of(bob)) == [mine.dataset]
    with pytest.raises(Http404):
        dataset_or_404(bob, dataset.pk)


def test_nobody_sees_anything_without_signing_in(here):
    assert here
    assert not storages_of(AnonymousUser()).exists()
    assert not datasets_of(AnonymousUser()).exists()
