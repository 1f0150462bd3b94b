"""Finding images: with the mouse, with the keyboard, on a phone, and by views that are shared."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotators.access import member_or_404
from jobs.models import Job, Sample
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.labelset import edits
from tests import make, people
from tests.browser.test_team_story import picture, tiles, wait_for_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(live) -> Job:
    assert live.is_healthy()
    alice, bob = people.alice(), people.bob()
    job = make.job(
        owner=alice,
        labels=("cat", "dog", "cow", "a-label-with-a-rather-long-name-that-breaks"),
        name="Street finds",
    )
    make.member(job, bob)
    samples = make.images(job, 4, files=True, folder="north/")
    samples += make.images(job, 4, files=True, folder="south/harbour/")
    member, (cat, dog, *_) = member_or_404(alice, job.pk), job.labels.all()
    annotate(member, Selection(ids=tuple(one.pk for one in samples[:3])), add=[cat.pk])
    annotate(member, Selection(ids=(samples[2].pk, samples[4].pk)), add=[dog.pk])
    mark_hard(member, Selection(ids=(samples[1].pk,)), is_hard=True)
    Sample.objects.filter(pk=samples[6].pk).update(top_name="cat", top_score=0.93)
    return job


def member_of(job: Job, name: str):
    return job.members.select_related("user").get(user__name=name).user


def open_grid(people_online, job: Job, name: str, query: str = "", **look) -> Page:
    page = people_online.open(f"/jobs/{job.pk}/{query}", user=member_of(job, name), **look)
    expect(page.locator(".grid[role='listbox']")).to_be_attached()
    return page


def panel(page: Page):
    return page.get_by_role("complementary", name="Filters")


def open_filters(page: Page) -> None:
    page.get_by_role("link", name="Filters", exact=True).click()
    expect(panel(page).get_by_role("heading", name="Filters")).to_be_visible()


def filter_chips(page: Page):
    return page.locator(".filter-chips .chip")


def address_ends(page: Page, query: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(query) + "$"))


def test_filters_are_set_and_taken_off_with_the_mouse(job, people_online):
    cat, dog, *_ = job.labels.all()
    page = open_grid(people_online, job, "Alice")
    expect(page.get_by_role("link", name="Unlabeled")).to_have_attribute("aria-current", "page")
    expect(tiles(page)).to_have_count(4)
    page.get_by_role("link", name=re.compile("^All")).click()
    expect(tiles(page)).to_have_count(8)

    open_filters(page)
    picture(page, "filters-open")
    panel(page).get_by_role("checkbox", name=re.compile("^cat")).check()
    address_ends(page, f"?label={cat.pk}")
    expect(tiles(page)).to_have_count(3)
    expect(filter_chips(page)).to_have_text([re.compile("Label.*cat")])

    # The panel stays open over the new page; “not” needs the pointer over the row.
    panel(page).locator(".facet-label", has_text="dog").hover()
    panel(page).get_by_title("Not dog").click()
    address_ends(page, f"?label={cat.pk},-{dog.pk}")
    expect(tiles(page)).to_have_count(2)
    panel(page).locator("label", has=page.get_by_role("radio", name=re.compile("^Hard"))).click()
    expect(tiles(page)).to_have_count(1)
    picture(page, "filters-set")

    page.get_by_role("link", name="Clear all").first.click()
    address_ends(page, "?state=all")
    expect(tiles(page)).to_have_count(8)

    panel(page).locator("summary", has_text="Folder and path").click()
    panel(page).get_by_role("button", name="south/").click()
    address_ends(page, "?path=south")
    expect(tiles(page)).to_have_count(4)
    panel(page).get_by_label("Without the folders inside").check()
    expect(page.get_by_role("heading", name="No images match")).to_be_visible()
    picture(page, "filters-nothing-matches")
    filter_chips(page).first.click()
    address_ends(page, "?state=all")

    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_be_hidden()
    page.reload()
    expect(panel(page)).to_be_hidden()


def test_filters_are_set_with_the_keyboard(job, people_online):
    page = open_grid(people_online, job, "Alice", "?state=all")
    wait_for_scripts(page)

    page.evaluate("document.dispatchEvent(new Event('filters:find'))")
    expect(panel(page).get_by_label("File name")).to_be_focused()
    page.keyboard.type("00003")
    page.keyboard.press("Enter")
    address_ends(page, "?name=00003")
    expect(tiles(page)).to_have_count(1)
    expect(panel(page).get_by_label("File name")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    address_ends(page, "?state=all")

    # Keys mean the boxes here, not the images; the focus stays where it was.
    box = panel(page).get_by_role("checkbox", name=re.compile("^dog"))
    box.focus()
    page.keyboard.press("Space")
    expect(tiles(page)).to_have_count(2)
    expect(panel(page).get_by_role("checkbox", name=re.compile("^dog"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Filters", exact=True)).to_be_focused()


def test_the_order_is_chosen_in_a_menu_and_stays_with_the_tabs(job, people_online):
    page = open_grid(people_online, job, "Alice", "?state=all&hard=0")

    page.get_by_title("Order").click()
    picture(page, "filters-order")
    page.get_by_role("link", name="Added, newest first").click()
    address_ends(page, "?hard=0&sort=-added")
    first = job.samples.filter(is_hard=False).order_by("-pk").first()
    expect(tiles(page).first).to_have_id(f"s{first.pk}")
    page.get_by_role("link", name=re.compile("^Labeled")).first.click()
    address_ends(page, "?state=labeled&hard=0&sort=-added")


def test_a_filter_that_makes_no_sense_is_named_and_removed(job, people_online):
    page = open_grid(people_online, job, "Alice", "?score_min=high&label=99999&hard=1")

    alerts = page.locator(".filter-problem")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("This job has no label with the number 99999.")
    expect(alerts.last).to_contain_text("Enter a number.")
    picture(page, "filters-senseless")
    alerts.first.get_by_role("link", name="Remove").click()
    page.locator(".filter-problem").get_by_role("link", name="Remove").click()
    address_ends(page, "?hard=1")
    expect(tiles(page)).to_have_count(1)


def test_a_view_is_saved_shared_changed_and_deleted(job, people_online):
    dog = job.labels.get(name="dog")
    page = open_grid(people_online, job, "Alice", f"?label={dog.pk}&sort=-path")
    open_filters(page)

    panel(page).locator("summary", has_text="Save this view").click()
    panel(page).get_by_label("Name of the view").fill("Dogs, last first")
    panel(page).get_by_label("For everybody in the job").check()
    picture(page, "views-saving")
    panel(page).get_by_role("button", name="Save", exact=True).click()
    mine = panel(page).get_by_role("link", name="Dogs, last first")
    expect(mine).to_have_attribute("aria-current", "true")

    edits.edit_label(member_or_404(member_of(job, "Alice"), job.pk), dog.pk, name="hound")
    bob_page = open_grid(people_online, job, "Bob")
    open_filters(bob_page)
    expect(panel(bob_page).get_by_title("Change")).to_have_count(0)
    panel(bob_page).get_by_role("link", name="Dogs, last first").click()
    address_ends(bob_page, f"?label={dog.pk}&sort=-path")
    expect(filter_chips(bob_page)).to_have_text([re.compile("hound")])
    expect(tiles(bob_page)).to_have_count(2)

    panel(page).get_by_title("Change").click()
    panel(page).get_by_role("textbox", name="Name", exact=True).fill("Hounds")
    panel(page).get_by_role("button", name="Rename").click()
    expect(panel(page).get_by_role("link", name="Hounds")).to_be_visible()
    panel(page).get_by_title("Change").click()
    panel(page).get_by_role("button", name="Delete").click()
    expect(panel(page).locator(".view-deleted")).to_contain_text("Deleted “Hounds”.")
    picture(page, "views-deleted")
    panel(page).get_by_role("button", name="Undo").click()
    expect(panel(page).get_by_role("link", name="Hounds")).to_be_visible()


def test_on_a_phone_filters_are_a_sheet_that_applies_with_a_button(job, people_online):
    page = open_grid(people_online, job, "Bob", "?state=all", width=390, height=844)

    open_filters(page)
    picture(page, "filters-phone")
    panel(page).get_by_role("checkbox", name=re.compile("^dog")).check()
    address_ends(page, "?state=all")
    panel(page).get_by_role("button", name="Apply").click()
    expect(tiles(page)).to_have_count(2)
    expect(panel(page)).to_be_hidden()
    picture(page, "filters-phone-set")
    open_filters(page)
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()


@pytest.mark.parametrize(
    ("theme", "language", "width"),
    [
        ("dark", "zh-hans", 1440),
        ("light", "zh-hans", 1024),
        ("dark", "en", 1024),
        ("light", "en", 800),
        ("light", "zh-hans", 390),
        ("dark", "en", 320),
    ],
)
def test_the_filters_fit_every_window(theme, language, width, job, people_online):
    look = {"theme": theme, "language": language, "width": width}
    query = f"?label={job.labels.first().pk}&path=north&score_min=0.5&labeled_after=7d"
    page = open_grid(people_online, job, "Alice", query, **look)

    page.locator("[data-filters-open]").click()
    expect(page.locator("#filters h2")).to_be_visible()
    picture(page, f"filters-{theme}-{language}-{width}")
    for group in page.locator("#filters details:not([open]) > summary").all()[::-1]:
        group.click()
    picture(page, f"filters-whole-{theme}-{language}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = page.locator("#filters").evaluate("(one) => one.scrollWidth - one.clientWidth")
    assert inside <= 0


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_the_viewer_stands_without_the_filters(width, job, people_online):
    page = open_grid(people_online, job, "Alice", "?state=labeled", width=width)
    if width > 900:
        open_filters(page)
    tiles(page).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".stage-image")).to_be_in_viewport()
    expect(panel(page)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(tiles(page).first).to_be_focused()
