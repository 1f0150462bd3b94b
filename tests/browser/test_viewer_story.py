"""The viewer in a browser: zoom, gestures, keys, what is preloaded, what cannot be shown."""

import functools
import re
import statistics

import pytest
from playwright.sync_api import Page, expect

from jobs.models import Job
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.labelset.merging import merge_labels
from labels.undo import undo_last
from tests import make, people
from tests.browser.test_team_story import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTH, HEIGHT = 2000, 1500


@pytest.fixture
def alice():
    return people.alice()


@pytest.fixture
def job(live, alice) -> Job:
    assert live.is_healthy()
    job = make.job(owner=alice, labels=("cat", "dog"), mode="single")
    for sample in make.images(job, 9, files=True):
        image = sample.image
        image.width, image.height = WIDTH, HEIGHT
        image.size = make.jpeg(make.folder_of(job) / sample.path, size=(WIDTH, HEIGHT))
        image.save()
    return job


def address(job: Job, at: int = 0) -> str:
    sample = job.samples.order_by("pk")[at]
    return f"/jobs/{job.pk}/samples/{sample.pk}/"


def open_viewer(people_online, job: Job, at: int = 0, **options) -> Page:
    page = people_online.open(address(job, at), user=job.members.get().user, **options)
    expect(page.locator("[data-percent]")).to_have_text(re.compile(r"^\d+ %$"))
    wait_for_image(page)
    return page


def wait_for_image(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('.stage-image')?.naturalWidth > 0")
    expect(page.locator(".stage-preview")).to_have_count(0)


def percent(page: Page) -> int:
    return int(page.locator("[data-percent]").inner_text().removesuffix(" %"))


def photo_box(page: Page) -> dict:
    return page.locator(".stage-photo").bounding_box()


def middle(page: Page, selector: str = ".stage") -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def name(job: Job, at: int) -> str:
    return job.samples.order_by("pk")[at].path


def test_zoom_by_keys_wheel_double_click_and_drag(people_online, job):
    page = open_viewer(people_online, job)
    fitted, whole = percent(page), photo_box(page)
    picture(page, "viewer-fitted")

    page.keyboard.press("Shift+F")
    expect(page.locator("[data-percent]")).to_have_text("100 %")
    page.keyboard.press("Alt+ArrowRight")
    assert photo_box(page)["x"] < whole["x"]
    page.keyboard.press("+")
    assert percent(page) == 140
    for _ in range(20):
        page.keyboard.press("+")
    assert percent(page) == 800
    page.keyboard.press("f")
    assert percent(page) == fitted
    assert photo_box(page) == whole

    x, y = middle(page)
    page.mouse.move(x + 100, y + 50)
    page.mouse.wheel(0, -500)
    expect(page.locator(".stage[data-zoomed]")).to_be_visible()
    before = photo_box(page)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=4)
    page.mouse.up()
    assert photo_box(page)["x"] == pytest.approx(before["x"] - 40, abs=2)
    picture(page, "viewer-zoomed")
    page.mouse.dblclick(x, y)
    assert percent(page) == fitted


def test_the_zoom_is_kept_from_image_to_image_where_that_is_switched_on(people_online, job):
    page = open_viewer(people_online, job)
    fitted = percent(page)
    page.keyboard.press("Shift+F")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-name")).to_have_text(name(job, 1))
    assert percent(page) == fitted

    page.get_by_role("button", name="Keep the zoom").click()
    page.keyboard.press("Shift+F")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer-name")).to_have_text(name(job, 2))
    assert percent(page) == 100


def touch(session, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


@pytest.fixture
def tablet(people_online, job, monkeypatch) -> Page:
    browser = people_online.browser
    with_touch = functools.partial(browser.new_context, has_touch=True)
    monkeypatch.setattr(browser, "new_context", with_touch)
    return open_viewer(people_online, job, at=1, width=800, height=1100)


def test_fingers_pinch_move_and_swipe(tablet, job):
    page = tablet
    session = page.context.new_cdp_session(page)
    fitted = percent(page)
    x, y = middle(page)

    touch(session, "touchStart", (x - 40, y), (x + 40, y))
    for step in range(1, 9):
        touch(session, "touchMove", (x - 40 - 10 * step, y), (x + 40 + 10 * step, y))
    touch(session, "touchEnd")
    assert percent(page) == pytest.approx(3 * fitted, abs=6)

    # One finger moves what is zoomed and turns nothing.
    before = photo_box(page)
    touch(session, "touchStart", (x, y))
    for step in range(1, 11):
        touch(session, "touchMove", (x - 10 * step, y))
    touch(session, "touchEnd")
    assert photo_box(page)["x"] == pytest.approx(before["x"] - 100, abs=8)
    expect(page.locator(".viewer-name")).to_have_text(name(job, 1))

    page.get_by_role("button", name="Fit the image").click()
    swipe(session, x, y, -150)
    expect(page.locator(".viewer-name")).to_have_text(name(job, 2))
    swipe(session, x, y, 150)
    expect(page.locator(".viewer-name")).to_have_text(name(job, 1))


def swipe(session, x: float, y: float, by: float) -> None:
    touch(session, "touchStart", (x, y))
    for step in range(1, 6):
        touch(session, "touchMove", (x + by * step / 5, y))
    touch(session, "touchEnd")


def test_hard_examples_are_marked_and_undone(people_online, job):
    page = open_viewer(people_online, job)
    star = page.get_by_role("button", name="Hard example")
    page.keyboard.press("h")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#announcement")).to_contain_text("hard example")
    assert job.samples.order_by("pk")[0].is_hard
    picture(page, "viewer-hard")

    page.keyboard.press("Control+z")
    expect(star).to_have_attribute("aria-pressed", "false")


def test_a_hard_mark_that_fails_is_taken_back(people_online, job):
    page = open_viewer(people_online, job)
    refusal = '{"code": "selection", "message": "Not now."}'
    page.route(
        "**/hard/",
        lambda route: route.fulfill(status=400, body=refusal, content_type="application/json"),
    )
    page.keyboard.press("h")

    expect(page.locator(".toast[data-tone='problem']")).to_be_visible()
    expect(page.get_by_role("button", name="Hard example")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_information_and_filmstrip_are_remembered(people_online, job):
    page = open_viewer(people_online, job, at=4)
    facts, strip = page.locator(".facts-panel"), page.locator(".strip")
    expect(facts).to_be_hidden()
    page.keyboard.press("i")
    expect(facts).to_contain_text(f"{WIDTH} × {HEIGHT}")
    expect(strip.locator("a")).to_have_count(9)
    expect(strip.locator("[aria-current]")).to_have_attribute("title", name(job, 4))
    strip.locator("a").nth(7).click()
    expect(page.locator(".viewer-name")).to_have_text(name(job, 7))
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".viewer-name")).to_have_text(name(job, 6))
    page.keyboard.press("t")
    expect(strip).to_be_hidden()

    page.reload()
    expect(facts).to_be_visible()
    expect(strip).to_be_hidden()


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-hans")])
def test_the_history_of_the_image_is_beside_it_and_follows(
    people_online, job, alice, theme, language
):
    bob = people.bob()
    make.member(job, bob, "manager")
    first, second = job.samples.order_by("pk")[:2]
    cat, dog = job.labels.order_by("pk")
    alices, bobs = make.membership(job, alice), make.membership(job, bob)
    annotate(bobs, Selection(ids=(first.pk,)), add=[cat.pk])
    mark_hard(alices, Selection(ids=(first.pk,)), is_hard=True)
    undo_last(alices)
    merge_labels(alices, [cat.pk], dog.pk)
    page = people_online.open(address(job), user=alice, theme=theme, language=language)
    wait_for_image(page)

    page.keyboard.press("i")
    history = page.locator(".facts-panel [data-part='history']")
    expect(history.locator("li")).to_have_count(4)
    expect(history.locator("li b")).to_have_text(["Alice", "Alice", "Alice", "Bob"])
    expect(history.locator("li[data-undone]")).to_have_count(1)
    if language == "en":
        expect(history.locator("li span[dir]")).to_have_text(
            [
                "Alice merged cat into dog",
                "Alice undid: marked it as hard example",
                "Alice marked it as hard example",
                "Bob labeled it cat",
            ]
        )
    picture(page, f"viewer-history-{theme}-{language}")
    page.keyboard.press("ArrowRight")
    wait_for_image(page)
    expect(page.locator(".viewer-name")).to_have_text(second.path)
    expect(page.locator(".facts-panel p[data-part='history']")).to_be_visible()


def test_enter_goes_on_and_n_finds_what_nobody_labeled(people_online, job):
    page = open_viewer(people_online, job)
    page.keyboard.press("Enter")
    expect(page.locator(".viewer-name")).to_have_text(name(job, 1))
    page.keyboard.press("1")
    expect(page.locator(".viewer-name")).to_have_text(name(job, 2))
    for at in (1, 0):
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".viewer-name")).to_have_text(name(job, at))

    page.keyboard.press("n")

    expect(page.locator(".viewer-name")).to_have_text(name(job, 2))


def test_a_key_that_is_held_shows_the_image_over_everything(people_online, job):
    page = people_online.open(f"/jobs/{job.pk}/", user=job.members.get().user)
    expect(page.locator(".select-page")).to_be_visible()
    page.locator(".tile").nth(2).hover()
    page.keyboard.down("q")
    shown = page.locator(".look img")
    expect(shown).to_have_attribute("alt", name(job, 2))
    page.wait_for_function("w => document.querySelector('.look img').naturalWidth === w", arg=WIDTH)
    picture(page, "quick-look")
    page.keyboard.up("q")
    expect(shown).to_have_count(0)


def test_an_image_that_is_gone_says_why_and_can_be_labeled(people_online, job):
    sample = job.samples.order_by("pk")[0]
    file = make.folder_of(job) / sample.path
    content = file.read_bytes()
    file.unlink()
    page = people_online.open(address(job), user=job.members.get().user)
    broken = page.locator(".stage-broken")
    expect(broken).to_contain_text("There is no such file.")
    expect(broken).to_contain_text(sample.path)
    expect(page.locator(".stage-preview")).to_have_count(0)
    page.keyboard.press("h")
    expect(page.locator(".hard-mark")).to_have_attribute("aria-pressed", "true")
    picture(page, "viewer-broken")

    file.write_bytes(content)
    broken.get_by_role("button", name="Retry").click()
    expect(broken).to_be_hidden()
    wait_for_image(page)


# From the key press to the image that is there, in the page itself.
STOPWATCH = """() => new Promise((done) => {
  const name = document.querySelector(".viewer-name").textContent;
  let start;
  const look = () => {
    const image = document.querySelector(".stage-image");
    const isNext = document.querySelector(".viewer-name").textContent !== name;
    if (isNext && image.complete && image.naturalWidth) {
      image.decode().then(() => requestAnimationFrame(() => done(performance.now() - start)));
    } else {
      requestAnimationFrame(look);
    }
  };
  const press = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
  start = performance.now();
  document.body.dispatchEvent(press);
  look();
})"""


def test_the_next_image_is_there_at_once_when_it_was_preloaded(people_online, job, record_property):
    page = open_viewer(people_online, job)
    times = []
    for _ in range(6):
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(700)
        times.append(page.evaluate(STOPWATCH))
    record_property("milliseconds", [round(time) for time in times])

    # 100 ms are meant; a machine that is busy gets more.
    assert statistics.median(times) < 300, times


@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (390, "dark"), (800, "dark")])
def test_the_viewer_fits_small_windows(people_online, job, width, theme):
    page = open_viewer(people_online, job, at=4, width=width, height=800, theme=theme)
    for part in ("next", "hard", "info", "zoom:in", "strip"):
        expect(page.locator(f"[data-command='{part}']")).to_be_in_viewport()
    picture(page, f"viewer-small-{width}-{theme}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
