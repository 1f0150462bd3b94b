"""Data is added in a browser: looked at first, taken in with its labels; what vanished is removed
and brought back."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from datasets.sources import UploadSource
from jobs import services
from jobs.models import Job
from labels.services import create_labels
from tests import make, people
from tests.browser.test_team_story import picture, tiles, wait_for_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]


@pytest.fixture
def job() -> Job:
    alice = people.person("Alice", can_create_jobs=True)
    job = services.create_job(name="Street finds", mode="multi", source=UploadSource(), by=alice)
    create_labels(job, ["cat", "cow"])
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    return job


@pytest.fixture
def photos(image_root) -> Path:
    folder = image_root / "to-add"
    shutil.rmtree(folder, ignore_errors=True)
    for at, name in enumerate(("cat/1.jpg", "cat/2.jpg", "old dog/3.jpg", "cow/4.jpg")):
        make.jpeg(folder / name, size=(320, 240), number=at)
    return folder


def pictures(page: Page, name: str) -> None:
    """In both themes, wide and narrow."""
    for theme, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        picture(page, f"{name}-{width}-{theme}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def open_add_page(page: Page) -> None:
    page.locator("summary", has_text="Add data").click()
    page.get_by_role("link", name="Add data").click()


def test_a_folder_with_labels_is_looked_at_and_added(live, people_online, job, photos):
    alice = job.members.get().user
    page = people_online.open(f"/jobs/{job.pk}/", user=alice)
    open_add_page(page)
    pictures(page, "add")

    page.get_by_text("A folder on the server").click()
    page.get_by_label("Folder", exact=True).fill(str(photos))
    page.get_by_label("Folder", exact=True).press("Tab")
    expect(page.locator("#folder-field")).to_contain_text("old dog")
    page.get_by_text("Labels come along and count at once.").click()
    page.get_by_role("button", name="Preview").click()
    shown = page.locator("#expected")
    expect(shown).to_contain_text("A folder for each label")
    expect(shown.locator(".expected-labels li")).to_have_count(3)
    expect(shown.get_by_text("new", exact=True)).to_have_count(1)
    shown.get_by_role("textbox").fill("dog")
    page.locator("#expected").scroll_into_view_if_needed()
    pictures(page, "preview")
    page.get_by_role("button", name="Add 4 images").click()

    expect(page.locator("main")).to_contain_text("Came with labels")
    pictures(page, "added")
    page.get_by_role("link", name="Go to the images").click()
    expect(tiles(page)).to_have_count(4)
    expect(page.locator(".tile .chip", has_text="dog")).to_have_count(1)
    page.locator("summary", has_text="Add data").click()
    picture(page, "add-menu")
    page.get_by_role("link", name="View historical records").click()
    expect(page.locator(".record-table tbody tr")).to_have_count(1)
    expect(page.locator(".record-table")).to_contain_text(str(photos))
    pictures(page, "records")
    assert live.is_healthy()


def test_what_the_form_says_now_is_looked_at_before_it_is_added(live, people_online, job, photos):
    page = people_online.open(f"/jobs/{job.pk}/add/", user=job.members.get().user)
    page.get_by_text("A folder on the server").click()
    page.get_by_label("Folder", exact=True).fill(str(photos / "cat"))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Add 2 images")).to_be_visible()
    page.get_by_label("Folder", exact=True).fill(str(photos))
    page.get_by_label("Folder", exact=True).press("Tab")
    expect(page.locator("#folder-field")).to_contain_text("old dog")

    page.get_by_role("button", name="Add 2 images").click()

    expect(page.locator("#expected")).to_contain_text("The form was changed since")
    expect(page.get_by_role("button", name="Add 4 images")).to_be_visible()
    assert not job.runs.exists()
    assert live.is_healthy()


def test_uploaded_files_come_with_the_labels_of_their_list(live, people_online, job, tmp_path):
    for number in range(3):
        make.jpeg(tmp_path / f"up-{number}.jpg", size=(64, 48))
    (tmp_path / "train_list.txt").write_text("up-0.jpg 0\nup-1.jpg 1\n")
    (tmp_path / "label_list.txt").write_text("0 cat\n1 horse\n")
    page = people_online.open(f"/jobs/{job.pk}/add/", user=job.members.get().user)
    page.get_by_text("Labels come along and count at once.").click()
    page.locator("input[type=file]").first.set_input_files(sorted(tmp_path.iterdir()))

    page.get_by_role("button", name="Upload", exact=True).click()

    # Two came labeled.
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("link", name=re.compile("^All")).click()
    expect(tiles(page)).to_have_count(3)
    expect(page.locator(".tile .chip", has_text="horse")).to_have_count(1)
    assert dict(job.samples.values_list("path", "split")) == {
        "up-0.jpg": "train",
        "up-1.jpg": "train",
        "up-2.jpg": "",
    }
    assert live.is_healthy()


def test_a_file_that_vanished_is_removed_and_brought_back(live, people_online):
    alice = people.person("Alice", can_create_jobs=True)
    job = make.job(owner=alice, name="Street finds")
    for number in range(4):
        make.jpeg(make.folder_of(job) / f"photo-{number}.jpg", size=(320, 240))
    (make.folder_of(job) / "broken.jpg").write_bytes(b"not an image")
    services.synchronize(job.dataset, job=job, by=alice)
    page = people_online.open(f"/jobs/{job.pk}/", user=alice)
    expect(tiles(page)).to_have_count(4)
    (make.folder_of(job) / "photo-2.jpg").unlink()

    page.locator("summary", has_text="Add data").click()
    page.get_by_role("link", name="The dataset").click()
    page.get_by_role("button", name="Synchronize", exact=True).click()
    expect(page.locator("#missing-heading")).to_have_text("1 missing file")
    pictures(page, "dataset")
    page.get_by_role("link", name="Datasets").first.click()
    pictures(page, "datasets")
    page.get_by_role("link", name=job.dataset.name).click()
    page.locator("#missing").get_by_role("checkbox").check()
    page.get_by_role("button", name="Remove the ticked").click()
    expect(page.locator("#toasts")).to_contain_text("1 image went to the trash")
    expect(page.locator("#missing")).to_have_count(0)

    page.get_by_role("link", name="Street finds").click()
    expect(tiles(page)).to_have_count(3)
    wait_for_scripts(page)
    page.keyboard.press("Control+z")
    expect(page.locator("[data-count='all']").first).to_have_text("4")
    page.reload()
    expect(tiles(page)).to_have_count(4)
    assert live.is_healthy()
