"""Labeling by the keyboard: the palette, own keys, the switch, the help."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotators import own_keys
from jobs.models import Job
from tests import make, people
from tests.browser.test_every_page import problems_of
from tests.browser.test_team_story import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = ("cat", "dog", "white_tiger", "sweet_potato", "wolf")


@pytest.fixture
def alice():
    return people.alice()


@pytest.fixture
def job(live, alice) -> Job:
    assert live.is_healthy()
    job = make.job(owner=alice, labels=NAMES)
    make.images(job, 6, files=True)
    return job


def open_grid(people_online, job: Job, user, **options) -> Page:
    page = people_online.open(f"/jobs/{job.pk}/", user=user, **options)
    expect(page.locator(".select-page")).to_be_visible()
    return page


def labels_of(page: Page, at: int):
    return page.locator(".tile").nth(at).locator(".chip")


def palette(page: Page):
    return page.locator(".palette-dialog")


def options(page: Page):
    return palette(page).get_by_role("option")


def test_a_label_is_found_and_put_on_by_some_of_its_letters(people_online, job, alice):
    page = open_grid(people_online, job, alice)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    expect(options(page)).to_have_count(len(NAMES) + 1)
    expect(options(page).last).to_contain_text("Nothing applies")
    picture(page, "palette-labels")

    page.keyboard.type("wt")
    expect(options(page).first).to_have_text("white_tiger3")
    expect(options(page).first.locator("mark")).to_have_text(["w", "t"])
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    picture(page, "palette-found")
    page.keyboard.press("Enter")
    expect(palette(page)).to_be_hidden()
    expect(labels_of(page, 0)).to_have_text(["white_tiger"])
    expect(page.locator(".tile").first).to_be_focused()

    # The label that was used last stands first, and says that the image has it.
    page.keyboard.press("l")
    expect(options(page).first).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Enter")
    expect(labels_of(page, 0)).to_have_count(0)


def test_several_labels_are_put_on_without_leaving_the_palette(people_online, job, alice):
    page = open_grid(people_online, job, alice)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    page.keyboard.type("dog")
    page.keyboard.press("Control+Enter")
    expect(options(page).first).to_have_attribute("aria-checked", "true")
    page.keyboard.type("wolf")
    page.keyboard.press("Control+Enter")
    expect(labels_of(page, 0)).to_have_text(["dog", "wolf"])
    page.keyboard.press("Escape")

    expect(palette(page)).to_be_hidden()
    expect(page.locator(".tile").first).to_be_focused()
    expect(page.locator("#label-panel [aria-pressed='true']")).to_have_count(2)


def test_a_label_that_is_lacking_is_created_and_put_on(people_online, job, alice):
    page = open_grid(people_online, job, alice)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    # Some of it before the palette has come.
    page.keyboard.type("fox <b>")
    expect(options(page)).to_have_text(["Create “fox <b>”"])
    page.keyboard.press("Enter")
    expect(palette(page).get_by_role("alert")).to_be_visible()
    picture(page, "palette-refused")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("fox")
    picture(page, "palette-create")
    page.keyboard.press("Enter")

    expect(labels_of(page, 0)).to_have_text(["fox"])
    expect(page.locator(".label-list .label-name")).to_have_text([*NAMES, "fox"])


def test_every_command_is_in_the_palette_of_the_viewer_too(people_online, job, alice):
    page = open_grid(people_online, job, alice)
    page.locator(".tile").nth(1).dblclick()
    expect(page.locator(".viewer-name")).to_have_text(re.compile(r"00002\.jpg$"))
    page.keyboard.press("Control+k")
    expect(options(page).first).to_be_visible()
    picture(page, "palette-viewer")
    page.keyboard.type("hard")
    page.keyboard.press("Enter")
    expect(page.locator(".hard-mark")).to_have_attribute("aria-pressed", "true")

    page.keyboard.press("Control+k")
    page.keyboard.type("next im")
    page.keyboard.press("Enter")
    expect(page.locator(".viewer-name")).to_have_text(re.compile(r"00003\.jpg$"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Control+k")
    expect(palette(page)).to_be_hidden()


def test_the_palette_works_by_touch(people_online, job, alice):
    sample = job.samples.order_by("pk")[0]
    path = f"/jobs/{job.pk}/samples/{sample.pk}/"
    page = people_online.open(path, user=alice, width=390, height=800, touch=True)
    page.get_by_role("button", name="Find a label by its name").tap()
    expect(options(page)).to_have_count(len(NAMES) + 1)
    picture(page, "palette-phone")
    options(page).filter(has_text="white_tiger").tap()
    expect(palette(page)).to_be_hidden()

    expect(page.locator(".label-row[aria-pressed='true'] .label-name")).to_have_text("white_tiger")


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-hans")])
def test_the_open_palette_is_accessible(people_online, job, alice, theme, language):
    page = open_grid(people_online, job, alice, theme=theme, language=language)
    page.keyboard.press("Control+k")
    expect(options(page).first).to_be_visible()
    assert problems_of(page) == []
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 800})
        picture(page, f"palette-{width}-{theme}-{language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.type("c")
    assert problems_of(page) == []
    page.keyboard.type("qqq")
    assert problems_of(page) == []


def test_a_key_is_chosen_by_pressing_it_and_then_works(people_online, job, alice):
    page = people_online.open("/profile/", user=alice)
    page.get_by_text("Choose other keys").click()
    page.get_by_role("link", name="Change Clear all labels").click()
    field = page.get_by_role("textbox", name="Key", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("U")
    field.press("x")
    expect(field).to_have_value("X")
    page.get_by_role("button", name="Save", exact=True).click()
    refusal = "X is the key of “Reject the top suggestion”. Give that one another key first."
    expect(page.get_by_role("alert")).to_have_text(refusal)
    picture(page, "own-keys-refused")
    field.press("Control+y")
    expect(field).to_have_value("Ctrl+Y")
    field.press("g")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-own] kbd")).to_have_text("G")
    expect(page.get_by_role("link", name="Change Clear all labels")).to_be_focused()
    assert problems_of(page) == []
    picture(page, "own-keys")

    page = open_grid(people_online, job, alice)
    page.keyboard.press("ArrowRight")
    # Held, it repeats; the label stays.
    page.keyboard.down("1")
    page.keyboard.down("1")
    page.keyboard.up("1")
    expect(labels_of(page, 0)).to_have_text(["cat"])
    page.keyboard.press("u")
    expect(labels_of(page, 0)).to_have_text(["cat"])
    page.keyboard.press("g")
    expect(labels_of(page, 0)).to_have_count(0)

    page.keyboard.press("?")
    line = page.locator("#keys .key-table div", has_text="Clear all labels")
    expect(line.locator("kbd")).to_have_text("G")
    picture(page, "help")


def test_keys_of_one_character_are_switched_off(people_online, job, alice):
    page = people_online.open("/profile/", user=alice)
    page.get_by_role("button", name="Off", exact=True).click()
    expect(page.get_by_role("button", name="Off", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )

    page = open_grid(people_online, job, alice)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("l")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile").nth(1)).to_be_focused()
    expect(palette(page)).to_have_count(0)
    expect(labels_of(page, 0)).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    expect(page.locator("#keys")).to_contain_text("Single-key shortcuts are switched off.")
    picture(page, "help-off")
    assert problems_of(page) == []


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-hans")])
def test_help_and_profile_fit_their_windows(people_online, job, alice, theme, language):
    own_keys.set_keys(alice, "hard", ["g"])
    page = open_grid(people_online, job, alice, theme=theme, language=language)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert problems_of(page) == []
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        picture(page, f"help-{width}-{theme}-{language}")
    page.goto("/profile/?key=undo#keys")
    assert problems_of(page) == []
    for width in (1440, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        picture(page, f"own-keys-{width}-{theme}-{language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
