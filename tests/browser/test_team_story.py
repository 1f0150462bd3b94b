"""The main job, played by two people in real browsers, from a new job to the training set."""

import io
import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotators.models import User
from jobs.models import Job
from jobs.services import synchronize
from tests import make, needs, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# With a folder here, the stories leave pictures of what they saw.
PICTURES = os.environ.get("LABELHUB_TEST_PICTURES")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def tiles(page: Page):
    return page.locator(".tile")


def chips(page: Page, number: int):
    return tiles(page).nth(number).locator(".chip:not([data-prediction])")


def wait_for_scripts(page: Page) -> None:
    """Until then a tile is a link."""
    expect(page.locator(".select-page")).to_be_visible()


@pytest.fixture
def photos(image_root) -> Path:
    folder = image_root / "story"
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(12):
        make.jpeg(folder / f"photo-{number:02d}.jpg", size=(320, 240))
    return folder


def create_job(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="New job").first.click()
    # Until scripts are there, nobody hears that a field changed.
    page.wait_for_load_state()
    page.get_by_label("Name", exact=True).fill("Street finds")
    page.get_by_label("Folder", exact=True).fill(str(folder))
    page.get_by_label("Folder", exact=True).press("Tab")
    expect(page.get_by_text("12 images here")).to_be_visible()
    page.locator("#id_labels").fill("cat\ndog\ncow")
    page.get_by_text("An image carries all that apply.").click()
    picture(page, "new-job")
    page.get_by_role("button", name="Create job").click()


def test_a_team_labels_together_and_exports(live, people_online, photos):
    alice = people.alice()
    page = people_online.open("/", user=alice)
    create_job(page, photos)
    expect(tiles(page)).to_have_count(12)
    wait_for_scripts(page)
    picture(page, "grid")

    # By mouse and key, in the grid.
    tiles(page).nth(0).click()
    tiles(page).nth(2).click(modifiers=["Control"])
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.keyboard.press("1")
    expect(chips(page, 0)).to_have_text(["cat"])
    expect(chips(page, 2)).to_have_text(["cat"])
    expect(page.locator("[data-count='state:labeled']").first).to_have_text("2")
    picture(page, "grid-labeled")

    # A mistake taken back and put back.
    tiles(page).nth(2).click()
    page.keyboard.press("2")
    expect(chips(page, 2)).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(chips(page, 2)).to_have_text(["cat"])

    # One photo large.
    tiles(page).nth(3).click()
    page.keyboard.press("Enter")
    expect(page.locator(".viewer-name")).to_have_text("photo-03.jpg")
    page.keyboard.press("3")
    expect(page.locator("[data-label][aria-pressed='true']")).to_contain_text("cow")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-name")).to_have_text("photo-04.jpg")
    picture(page, "viewer")
    page.keyboard.press("Escape")
    expect(chips(page, 3)).to_have_text(["cow"])

    bob_page = invite_bob(page, people_online)
    label_at_the_same_time(page, bob_page)
    export(page)
    assert live.is_healthy()


def invite_bob(page: Page, people_online) -> Page:
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Email", exact=True).fill("bob@example.org")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Link", exact=True).input_value()
    picture(page, "members")
    bob_page = people_online.open(re.sub(r"^https?://[^/]+", "", link))
    bob_page.get_by_label("Your name").fill("Bob")
    bob_page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    bob_page.get_by_role("button", name="Join").click()
    # Alice labeled three already.
    expect(tiles(bob_page)).to_have_count(9)
    bob_page.goto("/")
    expect(bob_page.locator("main")).to_contain_text("Street finds")
    expect(bob_page.get_by_role("link", name="New job")).to_have_count(0)
    bob_page.get_by_role("link", name="Street finds").first.click()
    return bob_page


def label_at_the_same_time(alice_page: Page, bob_page: Page) -> None:
    alice_page.get_by_role("link", name="Images").click()
    for page in (alice_page, bob_page):
        page.get_by_role("link", name=re.compile("^All")).click()
        expect(tiles(page)).to_have_count(12)
    tiles(bob_page).nth(5).click()
    bob_page.keyboard.press("2")
    expect(chips(alice_page, 5)).to_have_text(["dog"])
    tiles(alice_page).nth(5).click()
    alice_page.keyboard.press("1")
    expect(chips(bob_page, 5)).to_have_text(["cat", "dog"])
    expect(alice_page.locator("[data-count='state:labeled']").first).to_have_text("4")
    expect(bob_page.locator("[data-count='state:labeled']").first).to_have_text("4")


def export(page: Page) -> None:
    page.get_by_role("link", name="Export").click()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    picture(page, "export")
    content = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lines = [
            line
            for name in ("train", "val", "test")
            for line in archive.read(f"{name}_list.txt").decode().splitlines()
        ]
        labels = dict(line.split("\t") for line in lines)
        assert labels == {
            "images/photo-00.jpg": "1,0,0",
            "images/photo-02.jpg": "1,0,0",
            "images/photo-03.jpg": "0,0,1",
            "images/photo-05.jpg": "1,1,0",
        }
        assert set(labels) <= set(archive.namelist())


def test_files_dropped_on_a_new_job_are_uploaded_and_the_bad_one_is_named(
    live, people_online, tmp_path
):
    for number in range(3):
        make.jpeg(tmp_path / f"up-{number}.jpg", size=(64, 48))
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    page = people_online.open("/jobs/new/", user=people.alice())

    page.get_by_label("Name", exact=True).fill("Uploads")
    page.get_by_text("Upload", exact=False).first.click()
    page.locator("input[type=file]").first.set_input_files(sorted(tmp_path.glob("*.jpg")))
    page.locator("#id_labels").fill("cat")
    picture(page, "upload")
    page.get_by_role("button", name="Create job").click()

    expect(tiles(page)).to_have_count(3)
    page.goto(page.url.split("?")[0])
    run = Job.objects.get().runs.latest("pk")
    page.goto(f"/jobs/{run.job_id}/runs/{run.pk}/")
    expect(page.locator("main")).to_contain_text("broken.jpg")
    expect(page.locator("main")).to_contain_text("This is not an image")
    picture(page, "run")
    assert live.is_healthy()


def test_the_model_suggests_and_an_accepted_label_joins_the_job(
    live_model_server, people_online, image_root
):
    source = needs.sample_pictures()
    folder = image_root / "fruit"
    shutil.copytree(source / "fruit", folder, dirs_exist_ok=True)
    page = people_online.open("/", user=people.alice())
    job = make.job(owner=User.objects.get(), labels=("fruit",), name="Fruit")
    for path in sorted(folder.glob("*.jpeg")):
        shutil.copy(path, make.folder_of(job) / path.name)
    synchronize(job.dataset, job=job, by=None)
    page.goto(f"/jobs/{job.pk}/")
    expect(tiles(page)).to_have_count(5)
    wait_for_scripts(page)

    tiles(page).nth(0).click()
    page.keyboard.press("Enter")
    page.locator(".offers [data-command=predict]").click()
    offers = page.locator(".offer")
    expect(offers).to_have_count(5)
    expect(offers.first).to_contain_text("strawberry")
    expect(offers.first).to_contain_text("0.63")
    picture(page, "suggestions")
    offers.first.click()

    expect(page.locator("[data-label][aria-pressed='true']")).to_contain_text("strawberry")
    assert job.labels.filter(name="strawberry").exists()
    assert job.samples.order_by("pk").first().annotations.get().origin == "model"
    assert live_model_server


def test_without_a_model_server_the_page_says_so_and_labeling_goes_on(
    live, people_online, model_server_port
):
    alice = people.alice()
    job = make.job(owner=alice)
    make.images(job, 2, files=True)
    page = people_online.open(f"/jobs/{job.pk}/", user=alice)
    wait_for_scripts(page)

    tiles(page).nth(0).click()
    page.keyboard.press("Enter")
    page.locator(".offers [data-command=predict]").click()
    problem = page.locator("[data-offers-problem]")
    expect(problem).to_contain_text(f"http://127.0.0.1:{model_server_port}")
    picture(page, "no-model-server")
    page.keyboard.press("1")

    expect(page.locator("[data-label][aria-pressed='true']")).to_contain_text("cat")
    assert live.is_healthy()
