"""Several people on the page of a job, and what becomes of the connection and of their rights."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Role
from jobs.models import Change
from jobs.selection import Selection
from labels.annotate import annotate
from labels.trash import trash
from tests import make, people
from tests.browser.test_team_story import chips, picture, tiles, wait_for_scripts
from tests.browser_pages import People
from tests.services.cable import Cable

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = [("light", 1440), ("dark", 390)]


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, Role.LABELER)
    make.images(job, 4, files=True)
    return job


@pytest.fixture
def cable(live):
    with Cable(live.url) as cable:
        yield cable


@pytest.fixture
def people_by_cable(browser, cable):
    """Like `people_online`, behind a cable that can be cut."""
    people = People(browser, cable.url)
    yield people
    people.close()
    assert people.mistakes == []


def open_job(people: People, job, user, **look) -> Page:
    page = people.open(f"/jobs/{job.pk}/", user=user, **look)
    wait_for_scripts(page)
    return page


def label(page: Page, number: int, key: str) -> None:
    tiles(page).nth(number).click()
    page.keyboard.press(key)


def saved(page: Page, job, at: int, expected: list[str]) -> None:
    """What is painted at once is saved a moment later."""
    for _turn in range(100):
        if names(job.samples.order_by("pk")[at]) == expected:
            return
        page.wait_for_timeout(100)
    assert names(job.samples.order_by("pk")[at]) == expected


def names(sample) -> list[str]:
    return sorted(sample.annotations.values_list("label__name", flat=True))


def waiting(page: Page):
    return page.locator("#waiting")


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


# Presence ----------------------------------------------------------------------------------------
def test_others_are_seen_with_what_they_look_at(people_online, job, alice, bob):
    page, other = (open_job(people_online, job, user) for user in (alice, bob))

    tiles(other).nth(2).click()
    expect(page.locator("#presence summary .avatar")).to_have_text("B")
    expect(tiles(page).nth(2).locator(".tile-here .avatar")).to_have_text("B")
    expect(tiles(page).nth(2).locator(".avatars")).to_have_attribute("title", "Bob")
    page.locator("#presence summary").click()
    expect(page.locator("#presence li")).to_contain_text("Bob")
    picture(page, "presence")
    assert serious(page) == []
    page.keyboard.press("Escape")

    other.keyboard.press("Enter")
    expect(other.locator(".viewer-name")).to_have_text("image-00003.jpg")
    other.keyboard.press("ArrowRight")
    expect(other.locator(".viewer-name")).to_have_text("image-00004.jpg")
    expect(tiles(page).nth(3).locator(".tile-here")).to_be_visible()
    expect(tiles(page).nth(2).locator(".tile-here")).to_have_count(0)
    tiles(page).nth(3).dblclick()
    expect(page.locator(".viewer-here .avatar")).to_have_text("B")
    expect(other.locator(".viewer-here .avatar")).to_have_text("A")
    picture(page, "presence-viewer")

    other.close()
    expect(page.locator("#presence")).to_be_hidden()
    expect(page.locator(".viewer-here .avatar")).to_have_count(0)


def test_a_newcomer_sees_who_is_there_already(people_online, job, alice, bob):
    page = open_job(people_online, job, alice)
    tiles(page).nth(1).click()
    page.wait_for_timeout(1_000)

    newcomer = open_job(people_online, job, bob, width=390, height=800, theme="dark")

    expect(tiles(newcomer).nth(1).locator(".tile-here .avatar")).to_have_text("A")
    picture(newcomer, "presence-narrow")


# The connection ----------------------------------------------------------------------------------
def test_edits_wait_while_the_cable_is_cut_and_are_sent_in_order(
    people_by_cable, people_online, cable, job, alice, bob
):
    page, other = open_job(people_by_cable, job, alice), open_job(people_online, job, bob)
    expect(page.locator("#presence summary .avatar")).to_have_text("B")

    cable.cut()
    label(page, 0, "1")
    label(page, 0, "2")
    label(page, 1, "1")
    expect(waiting(page)).to_contain_text("Not connected")
    expect(waiting(page)).to_contain_text("3 edits waiting")
    expect(chips(page, 0)).to_have_text(["cat", "dog"])
    picture(page, "offline")
    assert serious(page) == []
    label(other, 2, "1")
    assert Change.objects.filter(actor=alice).count() == 0
    cable.join()

    expect(waiting(page)).to_be_hidden()
    expect(chips(other, 0)).to_have_text(["cat", "dog"])
    expect(chips(other, 1)).to_have_text(["cat"])
    # What was done meanwhile is caught up with.
    expect(chips(page, 2)).to_have_text(["cat"])
    done = Change.objects.filter(actor=alice).order_by("pk")
    assert [change.items.get().sample_id for change in done] == [
        job.samples.order_by("pk")[number].pk for number in (0, 0, 1)
    ]


def test_an_edit_whose_answer_was_lost_is_not_done_twice(people_online, job, alice):
    page = open_job(people_online, job, alice)
    label(page, 0, "1")
    label(page, 0, "2")
    expect(chips(page, 0)).to_have_count(2)
    lost = []

    def lose(route) -> None:
        route.fetch()
        lost.append(route.request.headers["idempotency-key"])
        route.abort()

    page.route(re.compile("/undo/$"), lose, times=1)
    page.keyboard.press("Control+z")

    expect(page.locator(".toast").last).to_contain_text("Undid 1 image")
    expect(chips(page, 0)).to_have_text(["cat"])
    assert len(lost) == 1
    assert Change.objects.filter(verb="undo").count() == 1


def test_a_gateway_that_says_unavailable_loses_nothing(people_online, job, alice):
    page = open_job(people_online, job, alice)
    page.route(re.compile("/annotate/$"), lambda route: route.fulfill(status=503), times=1)

    label(page, 0, "1")

    expect(waiting(page)).to_contain_text("1 edit waiting")
    expect(waiting(page)).to_be_hidden()
    expect(chips(page, 0)).to_have_text(["cat"])
    assert names(job.samples.order_by("pk")[0]) == ["cat"]


def test_leaving_with_edits_that_wait_is_asked_about(people_by_cable, cable, job, alice):
    page = open_job(people_by_cable, job, alice)
    cable.cut()
    label(page, 0, "1")
    expect(waiting(page)).to_be_visible()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    page.get_by_role("link", name="Members").click()
    page.wait_for_timeout(500)

    assert asked == ["beforeunload"]
    expect(chips(page, 0)).to_have_text(["cat"])
    cable.join()
    expect(waiting(page)).to_be_hidden()


def test_what_is_refused_is_taken_back_and_the_later_ones_go_on(people_online, job, alice):
    page = open_job(people_online, job, alice)
    refusal = '{"code": "label", "message": "A label that was named is not a label of this job."}'
    page.route(
        re.compile("/annotate/$"),
        lambda route: route.fulfill(status=400, body=refusal, content_type="application/json"),
        times=1,
    )

    label(page, 0, "1")
    label(page, 1, "2")

    expect(page.locator(".toast")).to_contain_text("not a label of this job")
    expect(chips(page, 0)).to_have_count(0)
    expect(chips(page, 1)).to_have_text(["dog"])
    saved(page, job, 1, ["dog"])


def test_a_lost_socket_shows_and_what_happened_is_caught_up_with(
    people_by_cable, cable, job, alice, bob
):
    page = open_job(people_by_cable, job, alice)
    cable.cut()
    expect(page.locator(".reconnecting").first).to_be_visible()

    selection = Selection(ids=(job.samples.order_by("pk")[0].pk,))
    annotate(member_or_404(bob, job.pk), selection, add=[job.labels.first().pk])
    cable.join()

    expect(chips(page, 0)).to_have_text(["cat"])
    expect(page.locator(".reconnecting").first).to_be_hidden()


# Rights ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_who_is_signed_out_signs_in_over_the_page_and_goes_on(
    people_online, job, alice, theme, width
):
    page = open_job(people_online, job, alice, theme=theme, width=width)
    # Else what the page asks for when it is opened finds out first, and the dialog is in the way.
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies(name="sessionid")

    label(page, 0, "1")
    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Email", exact=True)).to_have_value("alice@example.org")
    picture(page, f"signed-out-{width}")
    assert serious(page) == []
    dialog.get_by_label("Password", exact=True).fill("wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_contain_text("do not match")
    page.keyboard.press("Escape")
    expect(waiting(page)).to_contain_text("Signed out")
    expect(waiting(page)).to_contain_text("1 edit waiting")
    picture(page, f"signed-out-later-{width}")
    waiting(page).get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Password", exact=True).fill(people.PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    expect(dialog).to_be_hidden()
    expect(waiting(page)).to_be_hidden()
    expect(chips(page, 0)).to_have_text(["cat"])
    label(page, 1, "2")
    expect(chips(page, 1)).to_have_text(["dog"])
    saved(page, job, 1, ["dog"])


def test_another_person_who_signs_in_gets_a_page_of_their_own(people_online, job, alice, bob):
    page = open_job(people_online, job, alice)
    page.context.clear_cookies(name="sessionid")
    label(page, 0, "1")
    dialog = page.locator("#sign-in-again")
    dialog.get_by_label("Email", exact=True).fill(bob.email)
    dialog.get_by_label("Password", exact=True).fill(people.PASSWORD)
    with page.expect_navigation():
        dialog.get_by_role("button", name="Sign in").click()

    wait_for_scripts(page)
    expect(page.locator(f"#sign-in-again[data-user='{bob.pk}']")).to_have_count(1)
    assert not Change.objects.exists()


def test_what_the_role_forbids_by_now_says_why(people_online, job, bob):
    member = job.members.get(user=bob)
    Member.objects.filter(pk=member.pk).update(role=Role.MANAGER)
    trash(member_or_404(bob, job.pk), Selection(ids=(job.samples.order_by("pk")[0].pk,)))
    page = open_job(people_online, job, bob)
    Member.objects.filter(pk=member.pk).update(role=Role.LABELER)

    page.keyboard.press("Control+z")

    toast = page.locator(".toast")
    expect(toast).to_contain_text("Images are deleted by managers and the owner.")
    expect(toast).to_contain_text("It was not done")
    picture(page, "forbidden")
    assert serious(page) == []
    toast.get_by_role("button", name="Reload").click()
    wait_for_scripts(page)
    expect(page.locator("[data-command='delete']")).to_have_count(0)


def test_a_conflict_says_so_and_shows_the_image_as_it_is(people_online, job, alice):
    page = open_job(people_online, job, alice)
    message = '{"code": "conflict", "message": "The image changed meanwhile."}'
    page.route(
        re.compile("/annotate/$"),
        lambda route: route.fulfill(status=409, body=message, content_type="application/json"),
        times=1,
    )
    label(page, 0, "1")

    expect(page.locator(".toast")).to_contain_text("The image changed meanwhile.")
    expect(page.locator(".toast")).to_contain_text("as it is now")
    expect(chips(page, 0)).to_have_count(0)
    picture(page, "conflict")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_who_is_removed_is_told_on_a_page_that_shows_nothing_of_the_job(
    people_online, job, alice, bob, theme, width
):
    page = open_job(people_online, job, bob, theme=theme, width=width)
    members = people_online.open(f"/jobs/{job.pk}/members/", user=alice)
    members.get_by_role("row").filter(has_text="Bob").get_by_text("Remove").click()
    members.get_by_role("dialog").get_by_role("button", name="Remove").click()

    removed = page.locator("#removed")
    expect(removed).to_be_visible()
    expect(removed).to_contain_text("no longer a member")
    picture(page, f"removed-{width}")
    assert serious(page) == []
    removed.get_by_role("link", name="To your jobs").click()

    expect(page).to_have_url(re.compile(r"/$"))


# Nothing to show ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_when_all_is_done_the_page_says_what_to_do_next(people_online, job, alice, theme, width):
    ids = tuple(job.samples.values_list("pk", flat=True))
    annotate(member_or_404(alice, job.pk), Selection(ids=ids), add=[job.labels.first().pk])
    page = people_online.open(
        f"/jobs/{job.pk}/?state=unlabeled", user=alice, theme=theme, width=width
    )

    done = page.locator("[data-part='empty']")
    expect(done).to_contain_text("All 4 images are labeled")
    expect(done.get_by_role("link", name="Export")).to_be_visible()
    picture(page, f"all-done-{width}")
    assert serious(page) == []
    done.get_by_role("link", name="Look through them").click()
    expect(tiles(page)).to_have_count(4)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_where_nothing_matches_filters_are_removed_one_by_one(
    people_online, job, alice, theme, width
):
    address = f"/jobs/{job.pk}/?path=nowhere&label={job.labels.first().pk}"
    page = people_online.open(address, user=alice, theme=theme, width=width)

    empty = page.locator("[data-part='empty']")
    expect(empty).to_contain_text("No images match")
    expect(empty.locator(".chip")).to_have_count(2)
    picture(page, f"nothing-matches-{width}")
    assert serious(page) == []
    empty.locator(".chip", has_text="cat").click()
    expect(empty.locator(".chip")).to_have_text(re.compile(r"^\s*Folder\s*nowhere\s*$"))
    empty.locator(".chip").click()
    expect(tiles(page)).to_have_count(4)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_an_empty_job_offers_to_add_images(people_online, alice, bob, theme, width):
    job = make.job(owner=alice)
    make.member(job, bob, Role.LABELER)
    page = people_online.open(f"/jobs/{job.pk}/", user=alice, theme=theme, width=width)

    empty = page.locator("[data-part='empty']")
    picture(page, f"empty-{width}")
    assert serious(page) == []
    expect(empty.get_by_role("link", name="Connect a storage")).to_be_visible()
    empty.get_by_role("link", name="Add images").click()
    expect(page).to_have_url(re.compile("/add/$"))

    other = people_online.open(f"/jobs/{job.pk}/", user=bob)
    expect(other.locator("[data-part='empty']")).to_contain_text("A manager or the owner adds them")
    expect(other.locator("[data-part='empty'] a")).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_picture_that_does_not_come_is_tried_again_and_can_be_labeled(
    people_online, job, alice, theme, width
):
    page = people_online.open("/", user=alice, theme=theme, width=width)
    first = job.samples.order_by("pk")[0]
    # The first tile's own picture: each has another address.
    page.goto(f"/jobs/{job.pk}/")
    address = page.locator(f"#s{first.pk} img").get_attribute("src")
    page.route(f"**{address}", lambda route: route.abort())
    page.reload()
    wait_for_scripts(page)

    tile = tiles(page).nth(0)
    expect(tile.locator(".tile-retry")).to_be_visible()
    expect(tile).to_contain_text("image-00001.jpg")
    picture(page, f"broken-{width}")
    assert serious(page) == []
    label(page, 0, "1")
    expect(chips(page, 0)).to_have_text(["cat"])
    page.unroute(f"**{address}")
    tile.locator(".tile-retry > span").click()
    expect(tile.locator(".tile-retry")).to_have_count(0)
    expect(tile).to_have_attribute("aria-selected", "true")
    width_of_picture = "image => image.complete && image.naturalWidth"
    page.wait_for_timeout(300)
    assert tile.locator("img").evaluate(width_of_picture) > 0


def test_only_a_long_wait_for_an_image_is_shown(people_online, job, alice):
    page = open_job(people_online, job, alice)
    held = []
    page.route(re.compile(r"/samples/\d+/\?"), lambda route: held.append(route))

    tiles(page).nth(0).dblclick()
    expect(page.locator(".workspace[data-loading]")).to_have_count(1)
    picture(page, "loading")
    for route in held:
        route.continue_()

    expect(page.locator(".viewer-name")).to_have_text("image-00001.jpg")
    expect(page.locator(".workspace[data-loading]")).to_have_count(0)
    page.unroute_all()
