"""Selecting many images at once, and what is done to them: by mouse, by keys, by touch."""

import pytest
from playwright.sync_api import Page, expect

from annotators.access import member_or_404
from jobs.models import Job, SampleState
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from tests import make, people
from tests.browser.test_team_story import chips, picture, tiles, wait_for_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = "[data-count='state:labeled']"


@pytest.fixture
def job(live) -> Job:
    assert live.is_healthy()
    job = make.job(owner=people.alice(), labels=("cat", "dog", "cow"), name="Street finds")
    make.images(job, 60, files=True)
    return job


def open_grid(people_online, job: Job, query: str = "state=unlabeled&size=50", **how) -> Page:
    alice = job.members.get(user__name="Alice").user
    page = people_online.open(f"/jobs/{job.pk}/?{query}", user=alice, **how)
    wait_for_scripts(page)
    return page


def selected(page: Page):
    return page.locator("[data-selected]")


def drag(page: Page, start, end, *, key: str = "") -> None:
    """From the middle of one tile to that of another."""
    boxes = [tiles(page).nth(number).bounding_box() for number in (start, end)]
    (x, y), (to_x, to_y) = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    page.mouse.move(x, y)
    if key:
        page.keyboard.down(key)
    page.mouse.down()
    page.mouse.move(x + 10, y + 2)
    page.mouse.move(to_x, to_y, steps=4)
    picture(page, "band")
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def test_a_band_selects_what_it_touches_and_with_ctrl_flips_it(job, people_online):
    page = open_grid(people_online, job)
    drag(page, 0, 2)
    expect(selected(page)).to_have_text("3 selected")
    drag(page, 1, 3, key="Control")
    expect(selected(page)).to_have_text("2 selected")
    expect(page.locator(".tile[aria-selected='true']")).to_have_count(2)

    # Escape in the middle leaves what was selected before.
    box = tiles(page).nth(6).bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 100, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(selected(page)).to_have_text("2 selected")
    page.keyboard.press("1")
    expect(chips(page, 0)).to_have_text(["cat"])
    expect(page.locator(COUNT).first).to_have_text("2")


def test_all_that_match_are_labeled_but_those_that_were_let_go(job, people_online):
    page = open_grid(people_online, job)
    tiles(page).first.focus()
    page.keyboard.press("Control+a")
    expect(selected(page)).to_have_text("50 selected")
    picture(page, "select-page")
    page.get_by_role("button", name="Select all 60").click()
    expect(selected(page)).to_have_text("60 selected")
    tiles(page).nth(4).click(modifiers=["Control"])
    expect(selected(page)).to_have_text("59 selected")
    picture(page, "select-all")

    # It is kept while pages are turned.
    page.get_by_role("link", name="Next page").first.click()
    wait_for_scripts(page)
    expect(selected(page)).to_have_text("59 selected")
    expect(page.locator(".tile[aria-selected='true']")).to_have_count(10)
    page.keyboard.press("2")
    expect(page.locator(".toast").last).to_contain_text("Labeled 59 images.")
    expect(page.locator(COUNT).first).to_have_text("59")
    assert job.samples.filter(state=SampleState.UNLABELED).count() == 1

    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(page.locator(COUNT).first).to_have_text("0")
    assert job.samples.filter(state=SampleState.UNLABELED).count() == 60


def test_another_list_lets_the_selection_go_and_says_so(job, people_online):
    page = open_grid(people_online, job)
    tiles(page).nth(0).click()
    tiles(page).nth(1).click(modifiers=["Control"])
    page.goto(f"/jobs/{job.pk}/?hard=0")
    wait_for_scripts(page)
    expect(page.locator(".tile[aria-selected='true']")).to_have_count(0)
    toast = page.locator(".toast").last
    expect(toast).to_contain_text("The selection of 2 images was let go.")
    picture(page, "selection-dropped")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile[aria-selected='true']")).to_have_count(2)


def test_labels_of_the_selection_are_replaced_and_taken_off_there_alone(job, people_online):
    alice = job.members.get(user__name="Alice").user
    samples, labels = list(job.samples.order_by("pk")), list(job.labels.all())
    cat, dog, cow = labels
    member = member_or_404(alice, job.pk)
    annotate(member, Selection(ids=tuple(one.pk for one in samples[:5])), add=[cat.pk])
    annotate(member, Selection(ids=(samples[1].pk,)), add=[dog.pk])
    page = open_grid(people_online, job, "state=labeled")
    tiles(page).nth(0).click()
    tiles(page).nth(2).click(modifiers=["Shift"])
    panel = page.locator(".selected-panel")
    expect(panel.locator("tbody tr")).to_have_count(2)
    expect(panel).to_contain_text("3 images")
    expect(panel.locator("tbody td.numbers")).to_have_text(["3", "1"])
    picture(page, "labels-of-selection")

    panel.get_by_label("Replace cat").focus()
    panel.get_by_label("Replace cat").select_option("cow")
    expect(panel.locator("tbody .chip-name")).to_have_text(["dog", "cow"])
    expect(chips(page, 0)).to_have_text(["cow"])
    expect(chips(page, 3)).to_have_text(["cat"])
    panel.get_by_role("button", name="Take dog off").click()
    expect(chips(page, 1)).to_have_text(["cow"])
    expect(panel.locator("tbody tr")).to_have_count(1)
    assert set(samples[4].annotations.values_list("label_id", flat=True)) == {cat.pk}
    assert cow.annotations.count() == 3


def test_nothing_applies_is_a_label_of_its_own_kind(job, people_online):
    page = open_grid(people_online, job)
    tiles(page).nth(0).click()
    nothing = page.locator("[data-label='0']")
    nothing.click()
    expect(chips(page, 0)).to_have_text(["Nothing applies"])
    expect(page.locator(COUNT).first).to_have_text("1")
    expect(nothing).to_have_attribute("aria-pressed", "true")
    picture(page, "nothing-applies")
    page.keyboard.press("1")
    expect(chips(page, 0)).to_have_text(["cat"])
    page.keyboard.press("Control+z")
    expect(chips(page, 0)).to_have_text(["Nothing applies"])


def test_hard_examples_are_marked_by_key_and_seen_by_the_other(job, people_online):
    bob = people.bob()
    make.member(job, bob)
    theirs = people_online.open(f"/jobs/{job.pk}/?state=unlabeled&size=50", user=bob)
    wait_for_scripts(theirs)
    page = open_grid(people_online, job)
    drag(page, 0, 2)
    page.get_by_role("button", name="Hard").click()
    expect(page.locator(".tile .tile-hard")).to_have_count(3)
    expect(theirs.locator(".tile .tile-hard")).to_have_count(3)
    picture(page, "hard-marked")
    page.get_by_role("button", name="Hard").click()
    expect(theirs.locator(".tile .tile-hard")).to_have_count(0)


def test_the_last_image_leads_on_to_what_comes_next(live, people_online):
    assert live.is_healthy()
    alice = people.alice()
    job = make.job(owner=alice, labels=("cat",))
    *others, first = make.images(job, 40, files=True)
    member = member_or_404(alice, job.pk)
    annotate(member, Selection(ids=tuple(one.pk for one in others)), add=[job.labels.get().pk])
    mark_hard(member, Selection(ids=(first.pk,)), is_hard=True)
    page = open_grid(people_online, job)
    tiles(page).first.click()
    page.keyboard.press("1")
    expect(page.get_by_text("All 40 images are labeled")).to_be_in_viewport()
    picture(page, "all-done")
    expect(page.locator("main").get_by_role("link", name="Export")).to_be_visible()


def test_tiles_are_as_large_as_was_chosen_last(job, people_online):
    page = open_grid(people_online, job)
    before = tiles(page).first.bounding_box()["width"]
    page.get_by_label("Size of the tiles").fill("5")
    assert tiles(page).first.bounding_box()["width"] > before
    page.reload()
    wait_for_scripts(page)
    assert tiles(page).first.bounding_box()["width"] > before
    picture(page, "large-tiles")


def test_a_finger_that_stays_selects_and_then_each_tap_does(job, people_online):
    alice = job.members.get(user__name="Alice").user
    page = people_online.open(
        f"/jobs/{job.pk}/?state=unlabeled", user=alice, width=800, height=1100, touch=True
    )
    wait_for_scripts(page)
    box = tiles(page).nth(1).bounding_box()
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    client = page.context.new_cdp_session(page)
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(selected(page)).to_have_text("1 selected")
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(selected(page)).to_have_text("1 selected")
    tiles(page).nth(3).tap()
    expect(selected(page)).to_have_text("2 selected")
    picture(page, "touch")
    tiles(page).nth(3).tap()
    expect(selected(page)).to_have_text("1 selected")
    tiles(page).nth(1).tap()
    # With nothing selected a tap opens the image.
    tiles(page).nth(1).tap()
    expect(page.locator("image-viewer .stage-image")).to_be_visible()


def test_with_one_label_per_image_a_key_leads_on_to_the_next(live, people_online):
    assert live.is_healthy()
    job = make.job(owner=people.alice(), labels=("cat", "dog"), mode="single")
    make.images(job, 5, files=True)
    page = open_grid(people_online, job)
    page.keyboard.press("ArrowRight")
    for key in ("1", "2", "1"):
        page.keyboard.press(key)
    expect(chips(page, 0)).to_have_text(["cat"])
    expect(chips(page, 1)).to_have_text(["dog"])
    expect(chips(page, 2)).to_have_text(["cat"])
    expect(tiles(page).nth(3)).to_be_focused()
    expect(page.locator(COUNT).first).to_have_text("3")

    # Not with a selection, and not where somebody does not want it.
    page.get_by_label("Go on after a label").uncheck()
    tiles(page).nth(3).focus()
    page.keyboard.press("1")
    expect(chips(page, 3)).to_have_text(["cat"])
    expect(tiles(page).nth(3)).to_be_focused()


def test_a_large_edit_shows_how_far_it_is_and_is_undone_as_one(live, people_online):
    assert live.is_healthy()
    job = make.job(owner=people.alice(), labels=("cat", "dog"), name="Many")
    make.images(job, 20_000)
    page = open_grid(people_online, job)
    tiles(page).first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+a")
    expect(selected(page)).to_have_text("20,000 selected")
    page.keyboard.press("1")
    expect(page.locator(".toast").last).to_contain_text("Working on 20,000 images.")
    expect(page.locator("[data-edit] progress")).to_be_visible()
    picture(page, "large-edit")
    expect(page.locator(COUNT).first).to_have_text("20,000")
    expect(page.locator("[data-edit]")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator(COUNT).first).to_have_text("0")
    assert job.samples.filter(state=SampleState.UNLABELED).count() == 20_000
