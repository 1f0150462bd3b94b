"""Storages are connected, changed and deleted; keys never leave for another place."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotators.roles import Role
from datasets import connection_tests, secrets, services
from datasets.models import Dataset, Image, Storage
from datasets.places import BucketPlace, FolderPlace
from datasets.sources import DatasetSource, FolderSource, StorageSource, UploadSource
from datasets.storages.checkup import Checkup, Result, Step
from jobs.services import create_job
from labelhub.errors import Conflict, DomainError
from tests import make, people
from tests.datasets.buckets import (
    ACCESS,
    ENDPOINT,
    SECRET,
    TOKEN,
    bucket_storage,
    folder_storage,
    keys,
    own_keys_storage,
    typed,
)

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def admin(db):  # noqa: ARG001
    return people.person("Root", is_superuser=True)


@pytest.fixture
def storage(alice) -> Storage:
    return bucket_storage(alice)


def place(**changes) -> BucketPlace:
    return BucketPlace(**({"bucket": "alices-photos", "endpoint": ENDPOINT} | changes))


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(DomainError) as error:
        yield
    assert error.value.code == code


# Keys stay where they were entered ---------------------------------------------------------------
@pytest.mark.parametrize(
    "moved",
    [
        {"endpoint": "http://10.6.6.6:9000"},
        {"endpoint": "http://10.9.8.7:9001"},
        {"endpoint": "https://10.9.8.7:9000"},
        {"endpoint": ""},
        {"bucket": "mallorys-bucket"},
    ],
)
def test_stored_keys_are_not_sent_to_another_endpoint_or_bucket(moved, storage, alice):
    with refused("keys-needed"):
        services.change_storage(storage, name="Photos", place=place(**moved), by=alice)

    storage.refresh_from_db()
    assert (storage.endpoint, storage.bucket) == (ENDPOINT, "alices-photos")


def test_an_administrator_does_not_move_the_keys_of_others_either(storage, admin):
    with refused("keys-needed"):
        moved = place(endpoint="http://10.6.6.6:9000")
        services.change_storage(storage, name="Photos", place=moved, by=admin)


def test_with_new_keys_a_storage_moves(storage, alice):
    moved = place(endpoint="http://10.6.6.6:9000", bucket="another-one")

    services.change_storage(storage, name="Moved", place=moved, keys=keys("NEW-9876"), by=alice)

    storage.refresh_from_db()
    assert (storage.endpoint, storage.key_hint) == ("http://10.6.6.6:9000", "9876")
    assert storage.connection().keys.access_key == "NEW-9876"


def test_what_else_changes_keeps_the_keys(storage, alice):
    changed = place(region="eu-west-1", prefix="/2024/", addressing="path", presigns=False)

    services.change_storage(storage, name=" Photos of 2024 ", place=changed, by=alice)

    storage.refresh_from_db()
    assert (storage.name, storage.prefix, storage.region) == (
        "Photos of 2024",
        "2024/",
        "eu-west-1",
    )
    assert storage.connection().keys == keys()


def test_a_storage_that_changed_has_to_be_tested_again(storage, alice):
    Storage.objects.update(can_write=True, can_delete=True, checked_at=make.MODIFIED_AT)

    services.change_storage(storage, name="Only another name", place=place(), by=alice)
    storage.refresh_from_db()
    assert storage.can_write
    services.change_storage(storage, name="x", place=place(prefix="other"), by=alice)
    storage.refresh_from_db()

    assert (storage.checked_at, storage.can_write, storage.can_delete) == (None, None, None)


def test_the_page_and_the_api_ask_for_the_keys_of_a_new_place(storage, alice):
    client = make.client(alice)
    moved = {"endpoint": "http://10.6.6.6:9000"}

    page = client.post(
        reverse("storage", args=[storage.pk]), typed(access_key="", secret_key="", **moved)
    )
    api = client.patch(reverse("api_storage", args=[storage.pk]), moved, **JSON)

    assert page.status_code == 422
    assert "Enter the keys of the" in page.content.decode()
    assert (api.status_code, api.json()["code"]) == (400, "keys-needed")
    storage.refresh_from_db()
    assert storage.endpoint == ENDPOINT


def test_new_keys_are_entered_without_the_rest(storage, alice):
    Storage.objects.update(can_write=True)

    services.rotate_keys(storage, keys("AKIA-new-5555", "other", TOKEN), by=alice)

    storage.refresh_from_db()
    assert storage.key_hint == "5555"
    assert storage.connection().keys == keys("AKIA-new-5555", "other", TOKEN)
    assert (storage.bucket, storage.can_write) == ("alices-photos", None)


# The keys of the server --------------------------------------------------------------------------
def test_only_administrators_connect_with_the_keys_of_the_server(alice, admin, storage):
    with refused("keys-missing"):
        services.connect_storage(name="x", place=place(), by=alice)
    with refused("keys-missing"):
        services.try_out(place(), None, by=alice)
    with refused("keys-missing"):
        services.rotate_keys(storage, None, by=alice)

    made = services.connect_storage(name="x", place=place(), by=admin)

    assert made.credentials == ""
    storage.refresh_from_db()
    assert storage.credentials


def test_a_storage_with_the_keys_of_the_server_is_moved_by_administrators_alone(alice, admin):
    storage = own_keys_storage(alice)

    for moved in (place(bucket="payroll"), place(prefix="secret")):
        with refused("keys-missing"):
            services.change_storage(storage, name="x", place=moved, by=alice)
    services.change_storage(storage, name="Another name", place=place(), by=alice)
    services.change_storage(storage, name="x", place=place(bucket="payroll"), by=admin)

    storage.refresh_from_db()
    assert storage.bucket == "payroll"


def test_the_page_does_not_offer_the_keys_of_the_server(alice):
    sent = typed(access_key="", secret_key="", own_keys="on")

    response = make.client(alice).post(reverse("storage_new"), sent)

    assert response.status_code == 422
    assert "own_keys" not in response.content.decode()
    assert not Storage.objects.exists()


# Keys are seen by nobody -------------------------------------------------------------------------
def test_keys_are_in_no_answer_no_log_and_not_in_the_database(alice, admin, caplog):
    caplog.set_level(logging.DEBUG)
    client = make.client(alice)
    sent = typed(session_token=TOKEN)
    answers = [
        client.post(reverse("storage_new"), sent | {"bucket": "NO"}),
        client.post(reverse("storage_new"), sent | {"endpoint": "http://127.0.0.1:1"}),
        client.post(reverse("api_storages"), sent | {"kind": "s3", "bucket": "N"}, **JSON),
        client.post(reverse("api_storages"), sent | {"kind": "what"}, **JSON),
        client.post(reverse("api_storages"), sent | {"kind": "s3"}, **JSON),
    ]
    made = Storage.objects.get()
    page = reverse("storage", args=[made.pk])
    answers += [
        client.get(reverse("storage_list")),
        client.get(page),
        client.post(page, sent | {"bucket": "NO"}),
        client.post(reverse("storage_keys", args=[made.pk]), {"secret_key": SECRET}),
        client.get(reverse("api_storage", args=[made.pk])),
        client.patch(reverse("api_storage", args=[made.pk]), sent | {"bucket": "N"}, **JSON),
        client.post(reverse("api_storage_keys", args=[made.pk]), sent, **JSON),
    ]
    admin.is_staff = True
    admin.save()
    answers.append(make.client(admin).get(f"/admin/datasets/storage/{made.pk}/change/"))

    for answer in answers:
        assert answer.status_code in (200, 201, 400, 422), answer.content
        text = answer.content.decode()
        assert SECRET not in text
        assert TOKEN not in text
        made.refresh_from_db()
        assert made.credentials not in text
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text
    assert SECRET not in str(Storage.objects.values().get())
    assert answers[4].json()["key_hint"] == ACCESS[-4:]


def test_admin_pages_give_a_storage_another_name_and_owner_only(storage, admin, dan):
    admin.is_staff = True
    admin.save()
    client = make.client(admin)
    address = f"/admin/datasets/storage/{storage.pk}/change/"

    form = client.get(address).context["adminform"].form
    sent = {"name": "Renamed", "owner": dan.pk, "endpoint": "http://10.6.6.6", "credentials": "x"}
    client.post(address, sent)

    assert set(form.fields) == {"name", "owner"}
    was = storage.credentials
    storage.refresh_from_db()
    assert (storage.name, storage.owner, storage.endpoint) == ("Renamed", dan, ENDPOINT)
    assert storage.credentials == was
    assert client.get("/admin/datasets/storage/add/").status_code == 403
    assert client.get("/admin/datasets/storage/").status_code == 200


# Places ------------------------------------------------------------------------------------------
INSIDE = [
    "http://127.0.0.1:9000",
    "http://localhost:8000",
    "http://[::1]:9000",
    "http://169.254.169.254",
    "http://[::ffff:169.254.169.254]",
    "http://0.0.0.0:9000",
    "http://100.100.100.200",
    "http://2130706433",
]


@pytest.mark.parametrize("endpoint", INSIDE)
def test_an_endpoint_inside_the_server_is_refused_with_the_reason(endpoint, alice, storage):
    client = make.client(alice)
    body = typed(endpoint=endpoint) | {"kind": "s3"}

    answers = [
        client.post(reverse("api_storages"), body, **JSON),
        client.post(reverse("api_place_check"), body, **JSON),
        client.patch(reverse("api_storage", args=[storage.pk]), body, **JSON),
    ]
    pages = [
        client.post(reverse("storage_new"), typed(endpoint=endpoint)),
        client.post(reverse("storage_new"), typed(endpoint=endpoint, test="1")),
        client.post(reverse("storage_new"), typed(endpoint=endpoint, anyway="1")),
        client.post(reverse("storage", args=[storage.pk]), typed(endpoint=endpoint)),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "endpoint-refused")
        assert "LABELHUB_STORAGE_ADDRESSES" in answer.json()["message"]
    for page in pages:
        assert page.status_code == 422
        assert page.context["form"].errors["endpoint"]
        assert "LABELHUB_STORAGE_ADDRESSES" in page.content.decode()
    assert Storage.objects.get().endpoint == ENDPOINT


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bucket": ""}, "bucket"),
        ({"bucket": "../x"}, "bucket"),
        ({"region": "eu west"}, "region"),
        ({"endpoint": ""}, "endpoint"),
        ({"endpoint": "ftp://10.9.8.7"}, "endpoint"),
        ({"endpoint": "http://user:pw@10.9.8.7"}, "endpoint"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"secret_key": ""}, "secret_key"),
        ({"access_key": ""}, "access_key"),
        ({"name": " "}, "name"),
        ({"kind": "folder", "root": ""}, "root"),
        ({"kind": "folder", "root": "/etc"}, "root"),
    ],
)
def test_what_cannot_be_a_place_is_told_at_its_field(changes, field, alice):
    page = make.client(alice).post(reverse("storage_new"), typed(**changes))

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert not Storage.objects.exists()


def test_amazon_needs_no_endpoint(alice):
    sent = typed(kind="amazon", endpoint="", region="eu-west-1") | {"bucket": "B"}

    page = make.client(alice).post(reverse("storage_new"), sent)

    assert list(page.context["form"].errors) == ["bucket"]


@pytest.mark.parametrize("prefix", ["a//b", "./a", "a/..", "a\x00b", "x" * 1100])
def test_a_prefix_is_a_path(prefix, alice, storage):
    with pytest.raises(DomainError):
        services.dataset_of(storage, prefix=prefix, by=alice)


# Folders -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("root", "code"),
    [
        ("/etc", "outside-allowed-roots"),
        ("{root}/none", "folder-missing"),
        ("{root}/..", "outside-allowed-roots"),
    ],
)
def test_a_folder_has_to_be_one_of_those_allowed(root, code, alice, image_root):
    with refused(code):
        folder = FolderPlace(root=root.format(root=image_root))
        services.connect_storage(name="x", place=folder, by=alice)


@pytest.mark.parametrize("inside", ["uploads", "thumbnails", ""])
def test_folders_of_labelhub_itself_are_no_storage_and_no_job(inside, alice, settings):
    settings.IMAGE_ROOTS = [settings.DATA_DIR.parent]
    folder = settings.DATA_DIR / inside
    folder.mkdir(exist_ok=True)

    for typed_folder in (folder, settings.DATA_DIR.parent):
        with refused("own-folder"):
            place = FolderPlace(root=str(typed_folder))
            services.connect_storage(name="x", place=place, by=alice)
        with refused("own-folder"):
            source = FolderSource(str(typed_folder))
            create_job(name="x", mode="multi", source=source, by=alice)


def test_a_folder_that_a_job_used_before_is_adopted(alice, image_root):
    found = folder_storage(None, image_root / "old")
    dataset = Dataset.objects.create(name="old", storage=found)

    place = FolderPlace(root=found.root)
    made = services.connect_storage(name="Old photos", place=place, by=alice)

    assert made == found
    assert (made.name, made.owner) == ("Old photos", alice)
    assert dataset.storage == made


@pytest.mark.parametrize("who", ["alice", "dan"])
def test_a_folder_that_has_an_owner_is_not_connected_twice(who, request, alice, image_root):
    found = folder_storage(alice, image_root / "taken")

    with refused("folder_connected"):
        place = FolderPlace(root=found.root)
        services.connect_storage(name="x", place=place, by=request.getfixturevalue(who))


def test_a_bucket_does_not_become_a_folder(storage, alice, image_root):
    with refused("kind"):
        place = FolderPlace(root=str(image_root))
        services.change_storage(storage, name="x", place=place, by=alice)


def test_a_folder_moves_but_not_to_where_another_is(alice, image_root):
    first = folder_storage(alice, image_root / "first", can_write=True)
    folder_storage(alice, image_root / "second")
    (image_root / "third").mkdir()

    with refused("folder_connected"):
        place = FolderPlace(root=str(image_root / "second"))
        services.change_storage(first, name="x", place=place, by=alice)
    place = FolderPlace(root=str(image_root / "third"))
    services.change_storage(first, name="x", place=place, by=alice)

    first.refresh_from_db()
    assert (first.root, first.can_write) == (str(image_root / "third"), None)


def test_the_person_who_makes_a_job_over_a_folder_owns_its_storage(alice, image_root):
    make.jpeg(image_root / "made" / "a.jpg")

    source = FolderSource(str(image_root / "made"))
    job = create_job(name="Job", mode="multi", source=source, by=alice)

    assert job.dataset.storage.owner == alice


def test_jobs_over_one_folder_share_it_unless_it_is_open_for_writing(alice, dan, image_root):
    storage = folder_storage(alice, image_root / "shared")
    source = FolderSource(storage.root)

    first = create_job(name="Of Alice", mode="multi", source=source, by=alice)
    second = create_job(name="Of Dan", mode="multi", source=source, by=dan)
    assert first.dataset == second.dataset
    Storage.objects.update(can_write=True)

    with refused("folder_connected"):
        create_job(name="Another of Dan", mode="multi", source=source, by=dan)
    assert create_job(name="Another of Alice", mode="multi", source=source, by=alice)


# Tests -------------------------------------------------------------------------------------------
def test_a_test_of_a_folder_finds_what_it_allows_and_leaves_nothing(admin, image_root):
    storage = folder_storage(admin, image_root / "tested")

    services.check_storage_now(storage, by=admin)

    storage.refresh_from_db()
    assert (storage.can_write, storage.can_delete, storage.verdict) == (True, True, "open")
    assert [row.state for row in connection_tests.rows(storage.check_results)] == ["passed"] * 4
    assert list((image_root / "tested").iterdir()) == []


def test_a_folder_is_opened_for_writing_by_administrators_alone(alice, admin, image_root):
    storage = folder_storage(alice, image_root / "looked-at")
    make.jpeg(image_root / "looked-at" / "a.jpg")

    services.check_storage_now(storage, by=alice)
    storage.refresh_from_db()
    states = [row.state for row in connection_tests.rows(storage.check_results)]
    assert states == ["passed", "untried", "passed", "untried"]
    assert (storage.can_write, storage.verdict) == (None, "reads")

    services.check_storage_now(storage, by=admin)
    services.check_storage_now(storage, by=alice)

    storage.refresh_from_db()
    assert storage.can_write is True


def test_a_test_that_ends_after_the_storage_moved_is_not_kept(storage, alice, monkeypatch):
    passed = Checkup(tuple(Result(step) for step in Step))

    def slow(_storage, *, by):  # noqa: ARG001
        moved = place(bucket="another-one")
        services.change_storage(storage, name="x", place=moved, keys=keys(), by=alice)
        return passed

    monkeypatch.setattr(connection_tests, "try_connection", slow)
    services.check_storage_now(storage, by=alice)

    storage.refresh_from_db()
    assert (storage.checked_at, storage.can_write) == (None, None)


def test_keys_that_nobody_can_read_any_more_are_told(storage, alice, settings):
    settings.SECRET_KEY = "another-secret-key-of-the-server-0000000000"

    checkup = services.check_storage_now(storage, by=alice)

    assert checkup[Step.LIST].problem == "secret-lost"
    page = make.client(alice).get(reverse("storage", args=[storage.pk]))
    assert "cannot be decrypted" in page.content.decode()


# Deleting ----------------------------------------------------------------------------------------
def test_a_storage_with_jobs_stays_and_the_refusal_names_those_that_the_person_sees(
    storage, alice, dan
):
    dataset = Dataset.objects.create(name="x", storage=storage)
    mine = make.job(owner=alice, name="Cats", dataset=dataset)
    make.member(mine, dan, Role.LABELER)
    make.job(owner=dan, name="Dan’s own", dataset=dataset)

    with pytest.raises(Conflict) as error:
        services.delete_storage(storage, by=alice)

    assert "“Cats”" in error.value.message
    assert "1 other" in error.value.message
    assert "Dan" not in error.value.message
    assert Storage.objects.filter(pk=storage.pk).exists()
    page = make.client(alice).get(reverse("storage", args=[storage.pk])).content.decode()
    assert "Cats" in page
    assert "Dan" not in page
    answer = make.client(alice).delete(reverse("api_storage", args=[storage.pk]))
    assert (answer.status_code, answer.json()["code"]) == (409, "storage_in_use")


def test_a_storage_without_jobs_goes_with_the_lists_of_its_files(alice, image_root):
    storage = folder_storage(alice, image_root / "going")
    make.jpeg(image_root / "going" / "a.jpg")
    dataset = Dataset.objects.create(name="x", storage=storage)
    Image.objects.create(
        dataset=dataset, path="a.jpg", size=1, etag="e", modified_at=make.MODIFIED_AT,
        width=1, height=1, format="JPEG",
    )  # fmt: skip

    make.client(alice).post(reverse("storage_delete", args=[storage.pk]))

    assert not Storage.objects.exists()
    assert (image_root / "going" / "a.jpg").exists()


# Keys for encryption -----------------------------------------------------------------------------
def test_the_command_encrypts_all_keys_with_the_newest_key(storage, alice, settings):
    settings.ENCRYPTION_KEYS = ["the-newest-key-of-encryption-0000000"]
    current = bucket_storage(alice, name="Current")
    own_keys_storage(alice, name="Of the server")
    said = StringIO()

    call_command("rotate_storage_keys", stdout=said)

    assert "1 storages" in said.getvalue()
    was = current.credentials
    for one in (storage, current):
        one.refresh_from_db()
        assert secrets.is_current(one.credentials)
        assert one.connection().keys == keys()
    assert current.credentials == was
    # The older key can go.
    settings.SECRET_KEY = "another-secret-key-of-the-server-0000000000"
    assert storage.connection().keys == keys()


def test_the_command_names_storages_whose_keys_are_lost_and_does_the_others(alice, settings):
    lost = bucket_storage(alice, name="Lost")
    settings.SECRET_KEY = "another-secret-key-of-the-server-0000000000"
    found = bucket_storage(alice, name="Found")
    settings.ENCRYPTION_KEYS = ["the-newest-key-of-encryption-0000000"]

    with pytest.raises(CommandError, match=rf"{lost.pk} \(Lost\)"):
        call_command("rotate_storage_keys", stdout=StringIO())

    found.refresh_from_db()
    assert secrets.is_current(found.credentials)


# Jobs --------------------------------------------------------------------------------------------
def new_job(client, **fields):
    data = {"name": "Cats", "mode": "multi", "labels": "cat"} | fields
    return client.post(reverse("job_new"), data)


@pytest.fixture
def folder(alice, image_root) -> Storage:
    storage = folder_storage(alice, image_root / "photos")
    root = image_root / "photos"
    make.jpeg(root / "2023" / "old.jpg")
    make.jpeg(root / "2024" / "new.jpg")
    make.jpeg(root / "2024" / "may" / "newer.jpg")
    (root / ".hidden").mkdir(exist_ok=True)
    return storage


def paths(job) -> list[str]:
    make.finish_runs()
    return sorted(job.samples.values_list("path", flat=True))


def test_a_job_over_a_folder_in_a_storage(folder, alice):
    response = new_job(
        make.client(alice), source="storage", storage=folder.pk, prefix="2024", labels="cat"
    )

    dataset = Dataset.objects.get()
    job = dataset.jobs.get()
    assert response.status_code == 302
    assert (dataset.prefix, dataset.name, dataset.created_by) == ("2024/", "2024", alice)
    assert paths(job) == ["may/newer.jpg", "new.jpg"]


def test_jobs_over_the_same_folder_share_one_dataset(folder, alice):
    jobs = [
        create_job(name=name, mode="multi", source=StorageSource(folder, prefix), by=alice)
        for name, prefix in [("A", "2024/"), ("B", "/2024"), ("C", "")]
    ]

    assert jobs[0].dataset == jobs[1].dataset != jobs[2].dataset
    assert paths(jobs[1]) == paths(jobs[0]) == ["may/newer.jpg", "new.jpg"]


def test_a_job_over_an_existing_dataset_gets_its_images(folder, alice):
    first = create_job(name="A", mode="multi", source=StorageSource(folder, "2024"), by=alice)
    make.finish_runs()

    new_job(make.client(alice), name="B", source="dataset", dataset=first.dataset_id)

    second = first.dataset.jobs.get(name="B")
    assert paths(second) == paths(first)
    assert first.dataset.images.count() == 2


def test_the_api_makes_jobs_over_a_storage_and_over_a_dataset(folder, alice):
    client = make.client(alice)
    body = {"name": "A", "mode": "multi", "labels": ["cat"]}

    first = client.post("/api/jobs/", body | {"storage": folder.pk, "prefix": "2024"}, **JSON)
    dataset = client.get("/api/datasets/").json()[0]
    second = client.post("/api/jobs/", body | {"dataset": dataset["id"]}, **JSON)
    both = client.post(
        "/api/jobs/", body | {"dataset": dataset["id"], "storage": folder.pk}, **JSON
    )

    assert (first.status_code, second.status_code, both.status_code) == (201, 201, 400)
    assert (dataset["storage"], dataset["prefix"]) == (folder.pk, "2024/")


def test_storages_and_datasets_of_others_cannot_be_chosen(folder, alice, dan):
    job = create_job(name="A", mode="multi", source=StorageSource(folder), by=alice)
    client = make.client(dan)
    body = {"name": "A", "mode": "multi"}

    pages = [
        new_job(client, source="storage", storage=folder.pk),
        new_job(client, source="dataset", dataset=job.dataset_id),
    ]
    answers = [
        client.post("/api/jobs/", body | {"storage": folder.pk}, **JSON),
        client.post("/api/jobs/", body | {"dataset": job.dataset_id}, **JSON),
    ]

    assert [page.status_code for page in pages] == [422, 422]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert job.dataset.jobs.count() == 1
    listing = client.get(reverse("storage_folders"), {"storage": folder.pk}).content.decode()
    assert "2024" not in listing
    for strange in ("x", "9" * 40, "-1", "²"):
        assert client.get(reverse("storage_folders"), {"storage": strange}).status_code == 200


def test_a_source_has_to_be_chosen(alice):
    for source, field in [("storage", "storage"), ("dataset", "dataset"), ("folder", "folder")]:
        page = new_job(make.client(alice), source=source)

        assert page.status_code == 422
        assert list(page.context["form"].errors) == [field]


def test_folders_of_a_storage_are_shown_one_level_at_a_time(folder, alice):
    client = make.client(alice)

    def looked(**query):
        address = reverse("storage_folders")
        return client.get(address, {"storage": folder.pk} | query).context["looked"]

    top, below, gone = looked(), looked(path="2024/"), looked(prefix="none")

    assert top.folders == [("2023", "2023/"), ("2024", "2024/")]
    assert (below.folders, below.images, below.parent) == ([("may", "2024/may/")], 1, "")
    assert "no such folder" in gone.problem
    api = client.get(reverse("api_storage_folders", args=[folder.pk]), {"prefix": "2024"}).json()
    assert (api["folders"], api["images"], api["is_cut"]) == (["may"], 1, False)
    bad = client.get(reverse("api_storage_folders", args=[folder.pk]), {"prefix": "../x"})
    assert bad.status_code == 400


def test_without_scripts_a_button_opens_a_folder(folder, alice):
    page = new_job(
        make.client(alice), source="storage", storage=folder.pk, browse_storage="2024/", name="Kept"
    )

    assert page.status_code == 200
    assert page.context["looked"].prefix == "2024/"
    assert 'value="Kept"' in page.content.decode()


def test_a_storage_leads_to_a_new_job_over_it(folder, alice):
    page = make.client(alice).get(reverse("job_new"), {"storage": folder.pk})

    assert page.context["form"]["source"].value() == "storage"
    assert page.context["looked"].storage == folder


def test_images_are_uploaded_to_a_storage_that_may_be_written(folder, alice, admin):
    services.check_storage_now(folder, by=admin)
    job = create_job(name="A", mode="multi", source=StorageSource(folder, "2025"), by=alice)

    answer = make.client(alice).put(
        reverse("api_uploads", args=[job.pk]) + "?path=up.jpg",
        b"bytes",
        content_type="application/octet-stream",
    )

    assert answer.status_code == 201
    assert (make.folder_of(job) / "up.jpg").read_bytes() == b"bytes"


def test_a_job_over_uploads_is_named_so_among_the_datasets(alice):
    job = create_job(name="Pets", mode="multi", source=UploadSource(), by=alice)
    other = create_job(name="Pets again", mode="multi", source=DatasetSource(job.dataset), by=alice)

    page = make.client(alice).get(reverse("job_new")).content.decode()

    assert "Pets (uploads)" in page
    assert other.dataset == job.dataset
