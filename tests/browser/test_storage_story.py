"""A bucket on a real server is connected in a browser, and a job made over a folder in it."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import make, people
from tests.browser.test_team_story import picture, tiles
from tests.services.s3 import S3Server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.service,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def bucket(rclone, tmp_path) -> Iterator[str]:
    """Five photos, three of them in the folder that the job is about."""
    keys = ["2023/a.jpg", "2023/b.jpg", "2024/c.jpg", "2024/d.jpg", "2024/may/e.jpg"]
    with rclone.bucket() as name:
        for number, key in enumerate(keys):
            make.jpeg(tmp_path / "photo.jpg", size=(320, 240), number=number)
            content = (tmp_path / "photo.jpg").read_bytes()
            rclone.storage(name).put(key, io.BytesIO(content))
        yield name


def fill_in(page: Page, server: S3Server, bucket: str, *, secret: str) -> None:
    page.get_by_text("MinIO, Ceph").click()
    page.get_by_label("Name", exact=True).fill("Street photos")
    page.get_by_label("Endpoint", exact=True).fill(server.endpoint)
    page.get_by_label("Bucket", exact=True).fill(bucket)
    page.get_by_label("Access key", exact=True).fill(server.access_key)
    page.get_by_label("Secret key", exact=True).fill(secret)


def test_a_bucket_is_connected_and_a_folder_in_it_labeled(live, people_online, rclone, bucket):
    page = people_online.open("/", user=people.alice())
    page.get_by_text("Your account").locator("..").click()
    page.get_by_role("link", name="Storages").click()
    picture(page, "storages-empty")
    page.get_by_role("link", name="Connect a storage").click()

    # A wrong secret is told; what was typed is still there.
    fill_in(page, rclone, bucket, secret="wrong")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Copy both once more")
    expect(page.get_by_label("Secret key", exact=True)).to_have_value("wrong")
    expect(page.get_by_label("Bucket", exact=True)).to_have_value(bucket)
    picture(page, "storage-wrong-secret")
    page.get_by_label("Secret key", exact=True).fill(rclone.secret_key)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("The connection works")
    expect(page.locator(".steps [data-state='passed']")).to_have_count(4)
    picture(page, "storage-tested")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("heading", name="Street photos")).to_be_visible()
    expect(page.locator("#tested")).to_contain_text("Works")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested .steps [data-state='passed']")).to_have_count(4)
    picture(page, "storage")

    page.get_by_role("link", name="New job over it").click()
    make_job(page)
    expect(tiles(page)).to_have_count(3)
    shown = page.locator(".tile img").first
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    picture(page, "storage-grid")
    assert live.is_healthy()


def make_job(page: Page) -> None:
    """Over 2024, which is opened by a click; the fields around stay as they are."""
    page.get_by_label("Name", exact=True).fill("Street finds")
    page.get_by_role("button", name="2023").click()
    expect(page.locator("#id_prefix")).to_have_value("2023/")
    expect(page.get_by_text("2 images here")).to_be_visible()
    page.get_by_role("button", name="Up", exact=True).click()
    expect(page.locator("#id_prefix")).to_have_value("")
    page.get_by_role("button", name="2024").click()
    expect(page.locator("#id_prefix")).to_have_value("2024/")
    page.locator("#id_labels").fill("cat\ndog")
    picture(page, "storage-new-job")
    page.get_by_role("button", name="Create job").click()
