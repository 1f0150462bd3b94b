"""Originals in a bucket: the browser gets them from the storage, or by way of the server where it
cannot reach that."""

import io
import secrets

import pytest
from playwright.sync_api import Page, expect

from datasets.models import Dataset, Image, Storage, StorageKind
from datasets.secrets import Secret
from datasets.storages.s3_connection import Keys
from jobs.models import Job, Sample
from tests import make, people
from tests.browser_pages import People
from tests.datasets.pictures import noise, saved
from tests.services.fault_proxy import FaultProxy, broken_off
from tests.services.processes import free_port
from tests.services.web import Web, collect_static

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# In the query of an address that was signed for a browser, and of no request of the server.
SIGNED = "X-Amz-Signature"
WIDTH = 1500


@pytest.fixture
def store(rclone):
    with FaultProxy(rclone.endpoint) as proxy:
        yield proxy


@pytest.fixture
def site(browser, transactional_db, store, tmp_path):  # noqa: ARG001
    """A web process that may speak to a storage on this machine."""
    allowed = {"LABELHUB_STORAGE_ADDRESSES": "127.0.0.1"}
    collect_static()
    web = Web(log=tmp_path / "log", model_server_port=free_port(), env=allowed)
    web.start()
    online = People(browser, web.url)
    yield online
    online.close()
    web.stop()
    assert online.mistakes == []


@pytest.fixture
def job(site, store, rclone) -> Job:  # noqa: ARG001
    prefix = f"browser-{secrets.token_hex(4)}"
    storage = Storage(
        name="Bucket", kind=StorageKind.S3, endpoint=store.endpoint, bucket=rclone.shared,
        prefix=prefix,
    )  # fmt: skip
    storage.set_keys(Keys(access_key=rclone.access_key, secret_key=Secret(rclone.secret_key)))
    storage.save()
    dataset = Dataset.objects.create(name="Bucket", storage=storage)
    job = make.job(owner=people.alice(), dataset=dataset)
    for number in range(3):
        path = f"photo-{number}.jpg"
        content = saved(noise(WIDTH, 1000), "JPEG")
        entry = rclone.storage(rclone.shared, prefix=prefix).put(path, io.BytesIO(content))
        image = Image.objects.create(
            dataset=dataset, path=path, size=entry.size, etag=entry.etag, width=WIDTH, height=1000,
            modified_at=entry.modified_at, format="JPEG", is_plain=True,
        )  # fmt: skip
        Sample.objects.create(job=job, image=image, path=path)
    return job


def open_first(site: People, job: Job) -> Page:
    first = job.samples.order_by("pk")[0]
    page = site.open(f"/jobs/{job.pk}/samples/{first.pk}/", user=job.members.get().user)
    expect(page.locator(".viewer-name")).to_have_text("photo-0.jpg")
    return page


def wait_for_original(page: Page) -> str:
    """The address of the image that is shown, once it is there at full size and alone."""
    page.wait_for_function(
        "width => document.querySelector('.stage-image')?.naturalWidth === width", arg=WIDTH
    )
    expect(page.locator(".stage-preview")).to_have_count(0)
    return page.locator(".stage-image").get_attribute("src")


def test_the_browser_gets_originals_from_the_storage(site, job, store):
    page = open_first(site, job)

    assert "stream" not in wait_for_original(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-name")).to_have_text("photo-1.jpg")
    assert "stream" not in wait_for_original(page)

    assert store.asked(method="GET", query=SIGNED) >= 2


def test_the_server_hands_them_on_where_the_browser_cannot_reach_the_storage(site, job, store):
    store.spoil(broken_off(), query=SIGNED, times=1_000)
    page = open_first(site, job)

    assert "stream=1" in wait_for_original(page)
    for number in (1, 2):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".viewer-name")).to_have_text(f"photo-{number}.jpg")
        assert "stream=1" in wait_for_original(page)

    asked = store.asked(query=SIGNED)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".viewer-name")).to_have_text("photo-1.jpg")
    assert "stream=1" in wait_for_original(page)
    assert store.asked(query=SIGNED) == asked


def test_an_image_that_is_gone_is_asked_for_once_more_and_no_oftener(site, job, rclone):
    storage = rclone.storage(rclone.shared, prefix=job.dataset.storage.prefix)
    assert [one.problem for one in storage.delete(["photo-0.jpg"])] == [""]
    asked = []
    page = open_first(site, job)
    expect(page.locator(".stage-broken")).to_be_visible()
    # The reason is asked for besides.
    page.on("request", lambda one: one.resource_type == "image" and asked.append(one.url))
    page.reload()
    page.wait_for_function("() => document.querySelector('.stage-image[src*=stream]')?.complete")
    assert len([url for url in asked if "stream=1" in url]) == 1

    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-name")).to_have_text("photo-1.jpg")
    assert "stream" not in wait_for_original(page)
