"""Two people and the labels of a job: what one does to them the other sees, and all is undone."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotators.access import member_or_404
from jobs.description.services import describe_job
from jobs.models import Job
from jobs.selection import Selection
from labels.annotate import annotate
from tests import make, people
from tests.browser.test_team_story import chips, picture, tiles, wait_for_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(live) -> Job:
    assert live.is_healthy()
    alice, bob = people.alice(), people.bob()
    job = make.job(owner=alice, labels=("cat", "dog", "cow"), name="Street finds")
    make.member(job, bob)
    samples = make.images(job, 4, files=True)
    member, (cat, dog, _cow) = member_or_404(alice, job.pk), job.labels.all()
    annotate(member, Selection(ids=(samples[0].pk, samples[1].pk)), add=[cat.pk])
    annotate(member, Selection(ids=(samples[1].pk,)), add=[dog.pk])
    return job


def member_of(job: Job, name: str):
    return job.members.select_related("user").get(user__name=name).user


def rows(page: Page):
    return page.locator("tbody .labelset-name")


def open_labels(page: Page) -> None:
    page.get_by_role("link", name="Manage").click()
    expect(rows(page)).to_have_text(["cat", "dog", "cow"])


def test_renaming_and_merging_is_seen_on_the_grid_of_another_person(job, people_online):
    everything = f"/jobs/{job.pk}/?state=all"
    bob_page = people_online.open(everything, user=member_of(job, "Bob"))
    page = people_online.open(everything, user=member_of(job, "Alice"))
    wait_for_scripts(bob_page)
    expect(chips(bob_page, 0)).to_have_text(["cat"])
    open_labels(page)

    rows(page).first.click()
    page.get_by_label("Name", exact=True).fill("kitten")
    picture(page, "labels-editing")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_text(["kitten", "dog", "cow"])
    expect(page.locator(".toast")).to_contain_text("Renamed “cat” to “kitten”.")
    expect(chips(bob_page, 0)).to_have_text(["kitten"])
    expect(bob_page.locator("#label-panel .label-name").first).to_have_text("kitten")

    # A name that exists leads to the merge.
    rows(page).first.click()
    page.get_by_label("Name", exact=True).fill("dog")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("Merge into “dog”")).click()
    dialog = page.get_by_role("dialog", name="Merge labels")
    expect(dialog).to_contain_text("1 → 2")
    picture(page, "labels-merge")
    dialog.get_by_role("button", name="Merge").click()
    expect(rows(page)).to_have_text(["dog", "cow"])
    expect(chips(bob_page, 0)).to_have_text(["dog"])
    expect(chips(bob_page, 1)).to_have_text(["dog"])
    picture(page, "labels-merged")

    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_text(["kitten", "dog", "cow"])
    expect(chips(bob_page, 0)).to_have_text(["kitten"])
    expect(chips(bob_page, 1)).to_have_text(["kitten", "dog"])


def test_labels_are_added_coloured_moved_and_deleted(job, people_online):
    page = people_online.open(f"/jobs/{job.pk}/labelset/", user=member_of(job, "Alice"))
    expect(rows(page)).to_have_count(3)

    page.locator("#labelset-new").fill("fox\nelk, dog\nred panda")
    expect(page.locator("#labelset-preview")).to_contain_text("red_panda")
    picture(page, "labels-adding")
    page.get_by_role("button", name="Take the suggested names").click()
    expect(page.locator("#labelset-new")).to_have_value("fox\nelk\ndog\nred_panda")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(rows(page)).to_have_text(["cat", "dog", "cow", "fox", "elk", "red_panda"])
    expect(page.locator("#labelset-new")).to_have_value("")

    # The colour by the swatch.
    page.get_by_role("button", name="Colour of cat").click()
    expect(page.locator("#palette")).to_be_visible()
    picture(page, "labels-palette")
    page.locator("#palette").get_by_role("button", name="Colour 9", exact=True).click()
    expect(page.locator("tbody tr").first.locator(".swatch")).to_have_class("swatch label-9")

    # The order by key and by dragging.
    page.get_by_role("button", name="Move fox").focus()
    page.keyboard.press("ArrowUp")
    expect(rows(page)).to_have_text(["cat", "dog", "fox", "cow", "elk", "red_panda"])
    expect(page.get_by_role("button", name="Move fox")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows(page)).to_have_text(["cat", "fox", "dog", "cow", "elk", "red_panda"])
    drag(page, "elk", above="cat")
    expect(rows(page)).to_have_text(["elk", "cat", "fox", "dog", "cow", "red_panda"])

    # Several deleted at once.
    for name in ("cat", "dog"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    expect(page.locator("[data-checked]")).to_have_text("2 selected")
    page.locator(".labelset-batch").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete 2 labels?")
    expect(dialog).to_contain_text("2 images become unlabeled.")
    dialog.get_by_text("Also the images that carry nothing else").click()
    picture(page, "labels-delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(rows(page)).to_have_text(["elk", "fox", "cow", "red_panda"])
    assert job.samples.count() == 2

    page.locator(".labelset-undo").get_by_role("button").click()
    expect(rows(page)).to_have_text(["elk", "cat", "fox", "dog", "cow", "red_panda"])
    assert job.samples.count() == 4


def drag(page: Page, name: str, *, above: str) -> None:
    start = page.get_by_role("button", name=f"Move {name}").bounding_box()
    end = page.get_by_role("button", name=f"Move {above}").bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 8, end["y"] + 40, steps=4)
    page.mouse.move(end["x"] + 8, end["y"] + 2, steps=2)
    page.mouse.up()


def test_a_key_of_its_own_labels_an_image(job, people_online):
    page = people_online.open(f"/jobs/{job.pk}/labelset/", user=member_of(job, "Alice"))
    rows(page).nth(2).click()
    page.get_by_label("Key", exact=True).select_option("c")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody tr").nth(2).locator(".swatch")).to_have_text("C")

    page.get_by_role("link", name="Images", exact=True).click()
    page.get_by_role("link", name=re.compile("^All")).click()
    wait_for_scripts(page)
    tiles(page).nth(3).click()
    page.keyboard.press("c")
    expect(chips(page, 3)).to_have_text(["cow"])
    page.keyboard.press("3")
    page.keyboard.press("1")
    expect(chips(page, 3)).to_have_text(["cat", "cow"])


def test_the_description_opens_on_the_first_visit_and_when_it_changed(job, people_online):
    bob = member_of(job, "Bob")
    describe_job(member_or_404(member_of(job, "Alice"), job.pk), "Only **whole** cats.")

    page = people_online.open(f"/jobs/{job.pk}/", user=bob)
    dialog = page.get_by_role("dialog", name="Labeling description")
    expect(dialog).to_contain_text("Only whole cats.")
    picture(page, "description")
    dialog.get_by_role("button", name="Start labeling").click()
    expect(dialog).to_have_count(0)

    page.reload()
    wait_for_scripts(page)
    expect(dialog).to_have_count(0)
    page.get_by_role("link", name="Labeling description").click()
    expect(dialog).to_be_visible()

    describe_job(member_or_404(member_of(job, "Alice"), job.pk), "Halves too.")
    page.reload()
    expect(dialog).to_contain_text("Halves too.")


def test_a_picture_is_uploaded_into_the_description(job, people_online):
    page = people_online.open(f"/jobs/{job.pk}/settings/", user=member_of(job, "Alice"))
    file = {"name": "cat.png", "mimeType": "image/png", "buffer": make.picture(kind="PNG")}

    page.locator("#id_picture").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Insert").click()
    shown = page.locator("#description-preview img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == make.WIDTH
    picture(page, "settings")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Saved.")

    page.goto(f"/jobs/{job.pk}/description/")
    expect(page.locator(".prose img")).to_be_visible()
