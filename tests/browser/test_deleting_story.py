"""Deleting, played in a real browser: into the trash and back, and for good with the files."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from datasets.models import Storage
from jobs import counters
from jobs.models import Job, Sample
from jobs.services import synchronize
from tests import make, people
from tests.browser.test_team_story import tiles, wait_for_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GONE = ".tile[data-gone]"


@pytest.fixture
def job(transactional_db) -> Job:  # noqa: ARG001
    """Alice's job over six photos that were taken in, in a folder that she may delete from."""
    job = make.job(owner=people.alice(), name="Photos")
    for number in range(6):
        make.jpeg(make.folder_of(job) / f"photo-{number:02d}.jpg", size=(320, 240))
    Storage.objects.update(can_delete=True)
    synchronize(job.dataset, job=job, by=None)
    make.finish_runs()
    return job


def select(page: Page, *numbers: int) -> None:
    for at, number in enumerate(numbers):
        tiles(page).nth(number).click(modifiers=["Control"] if at else [])
    expect(page.locator("[data-selected]")).to_have_text(f"{len(numbers)} selected")


def opened(people_online, job: Job) -> Page:
    page = people_online.open(f"/jobs/{job.pk}/", user=job.members.get().user)
    wait_for_scripts(page)
    expect(tiles(page)).to_have_count(6)
    return page


def files(job: Job) -> list[str]:
    return sorted(path.name for path in Path(make.folder_of(job)).iterdir())


def test_photos_are_deleted_and_brought_back_and_deleted_for_good(live, people_online, job):
    page = opened(people_online, job)
    dialog = page.locator("dialog[open]")

    # Into the trash, and undone from the toast.
    select(page, 0, 1, 2)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_contain_text("Delete 3 images?")
    expect(dialog.get_by_label("Delete the source files")).not_to_be_checked()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(GONE)).to_have_count(3)
    expect(page.locator("[data-count='all']").first).to_have_text("3")
    expect(page.locator("[data-count='trash']")).to_have_text("3")
    assert len(files(job)) == 6
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(GONE)).to_have_count(0)
    expect(page.locator("[data-count='all']").first).to_have_text("6")

    # By key; a photo that is gone is not selected any more.
    select(page, 3)
    page.keyboard.press("Delete")
    expect(dialog).to_contain_text("Delete 1 image?")
    page.keyboard.press("Enter")
    expect(page.locator(GONE)).to_have_count(1)
    page.keyboard.press("Control+a")
    expect(page.locator("[data-selected]")).to_have_text("5 selected")
    page.keyboard.press("Escape")

    # For good.
    select(page, 0, 1, 2)
    page.keyboard.press("Delete")
    dialog.get_by_label("Delete the source files").check()
    go = dialog.get_by_role("button", name="Delete the files")
    expect(go).to_be_disabled()
    dialog.get_by_label("Type 3 to confirm").fill("4")
    expect(go).to_be_disabled()
    dialog.get_by_label("Type 3 to confirm").fill("3")
    go.click()
    expect(page.locator(GONE)).to_have_count(4)
    expect(page.locator("[data-count='all']").first).to_have_text("2")

    assert files(job) == ["photo-03.jpg", "photo-04.jpg", "photo-05.jpg"]
    assert Sample.everything.filter(job=job).count() == job.dataset.images.count() == 3
    assert counters.drift(job) == {}
    assert live.is_healthy()


def test_another_window_sees_photos_go_and_come_back(live, people_online, job):
    page, other = opened(people_online, job), opened(people_online, job)
    select(other, 0)

    select(page, 0, 1)
    page.keyboard.press("Delete")
    page.locator("dialog[open]").get_by_role("button", name="Delete", exact=True).click()

    expect(other.locator(GONE)).to_have_count(2)
    expect(other.locator("[data-selected]")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(other.locator(GONE)).to_have_count(0)
    assert live.is_healthy()


def test_photos_are_restored_on_the_page_of_the_trash(live, people_online, job):
    page = opened(people_online, job)
    select(page, 0, 1, 2)
    page.keyboard.press("Delete")
    page.locator("dialog[open]").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(GONE)).to_have_count(3)
    page.keyboard.press("Escape")

    page.get_by_role("link", name=re.compile("Trash")).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("photo-01.jpg").check()
    page.get_by_role("button", name="Restore selected").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Select the page").check()
    expect(page.locator("tbody input:checked")).to_have_count(2)
    page.get_by_role("button", name="Restore all 2").click()
    expect(page.locator("main")).to_contain_text("The trash is empty")
    page.get_by_role("link", name="Go to the images").click()

    expect(tiles(page)).to_have_count(6)
    assert live.is_healthy()
