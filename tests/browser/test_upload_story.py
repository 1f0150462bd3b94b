"""Uploads in a real browser: the server dies in the middle, and large folders come twice."""

import random
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image as Picture
from playwright.sync_api import Page, Request, Route, expect

from datasets import unfinished
from datasets.sources import UploadSource
from jobs import services
from jobs.models import Job, Mode
from tests import make, people
from tests.browser.test_team_story import picture, tiles
from tests.browser_pages import People
from tests.services.processes import free_port
from tests.services.web import Web, collect_static

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PART = 8 * 2**20
MANY = 5_000
# A page that stands still for longer is one that people think is broken.
LONGEST_STANDSTILL = 1_000  # ms


@pytest.fixture
def mortal(transactional_db, tmp_path):  # noqa: ARG001
    """A web process of its own, for the test that kills it."""
    collect_static()
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    yield web
    web.kill()


def upload_job(owner) -> Job:
    return services.create_job(name="Pets", mode=Mode.MULTI, source=UploadSource(), by=owner)


def noise_bitmap(path: Path) -> None:
    """20 MB: three parts."""
    image = Picture.frombytes("RGB", (2600, 2560), random.Random(1).randbytes(2600 * 2560 * 3))
    image.save(path, "BMP")
    assert 2 * PART < path.stat().st_size < 3 * PART


def choose(page: Page, *paths: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(list(paths))


def test_the_server_dies_in_the_middle_of_a_file_and_it_goes_on(mortal, browser, tmp_path):
    alice = people.alice()
    job = upload_job(alice)
    folder = tmp_path / "photos"
    for name in ("a.jpg", "c.jpg"):
        make.jpeg(folder / name, size=(64, 48))
    noise_bitmap(folder / "b.bmp")
    online = People(browser, mortal.url)
    page = online.open(f"/jobs/{job.pk}/add/", user=alice)
    sent: list[int] = []
    deaths: list[int] = []

    def note(request: Request) -> None:
        query = parse_qs(urlsplit(request.url).query)
        if request.method == "PUT" and query["path"] == ["b.bmp"]:
            sent.append(int(query["offset"][0]))

    def die_once(route: Route) -> None:
        """Nobody is there any more when the second part comes."""
        if f"offset={PART}" in route.request.url and not deaths:
            deaths.append(1)
            mortal.kill()
        route.continue_()

    page.on("request", note)
    page.route("**/uploads/?*", die_once)
    choose(page, *sorted(folder.iterdir()))
    page.get_by_role("button", name="Upload").click()
    row = page.locator("[data-upload-files] li", has_text="b.bmp")
    expect(row).to_contain_text("The connection was lost. Trying again")
    picture(page, "upload-broken-off")
    mortal.start()

    expect(tiles(page)).to_have_count(3, timeout=60_000)
    assert deaths == [1]
    # The first part was not sent again.
    assert sent == [0, PART, PART, 2 * PART]
    stored = make.folder_of(job)
    for path in folder.iterdir():
        assert (stored / path.name).read_bytes() == path.read_bytes()
    online.close()
    assert online.mistakes == []


CHOOSE = """([paths, size]) => {
  const transfer = new DataTransfer();
  const bytes = new Uint8Array(size);
  paths.forEach((path) => transfer.items.add(new File([bytes], path)));
  const field = document.querySelector("input[type=file]");
  field.files = transfer.files;
  let last = performance.now();
  window.standstill = 0;
  setInterval(() => {
    window.standstill = Math.max(window.standstill, performance.now() - last);
    last = performance.now();
  }, 10);
  field.dispatchEvent(new Event("change"));
}"""


def test_a_large_folder_that_comes_again_sends_only_what_is_missing(live, people_online):
    alice = people.alice()
    job = upload_job(alice)
    folder = make.folder_of(job)
    size = make.jpeg(folder / "0000.jpg", size=(16, 12))
    for number in range(1, MANY):
        (folder / f"{number:04d}.jpg").hardlink_to(folder / "0000.jpg")
    page = people_online.open(f"/jobs/{job.pk}/add/", user=alice)
    sent: list[str] = []
    page.on("request", lambda request: request.method == "PUT" and sent.append(request.url))
    page.route("**/imports/", lambda route: route.abort())

    paths = [f"{number:04d}.jpg" for number in range(MANY + 3)]
    page.evaluate(CHOOSE, [[*paths, "Thumbs.db"], size])
    assert page.locator("[data-upload-files] li").count() == 200
    page.get_by_role("button", name="Upload").click()

    expect(page.locator("[data-upload-there]")).to_contain_text("5,000 files are there already")
    expect(page.locator("[data-upload-junk]")).to_contain_text("1 file that the system left")
    expect(page.locator("[data-upload-count]")).to_contain_text("5,004 of 5,004")
    expect(page.locator("[data-upload-files] li").first).to_contain_text("There already")
    picture(page, "upload-again")
    assert sorted(parse_qs(urlsplit(url).query)["path"][0] for url in sent) == paths[MANY:]
    assert 0 < page.evaluate("window.standstill") < LONGEST_STANDSTILL
    # The import could not be started: nothing of it is lost either.
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(f"**/jobs/{job.pk}/")
    assert job.runs.count() == 1
    assert live.is_healthy()


def begin_and_break_off(page: Page, *paths: Path) -> None:
    """Until the second part of the bitmap, which never gets through."""
    page.route(f"**/uploads/?*offset={PART}", lambda route: route.abort())
    choose(page, *paths)
    page.get_by_role("button", name="Upload").click()
    row = page.locator("[data-upload-files] li", has_text="b.bmp")
    expect(row).to_contain_text("The connection was lost. Trying again")


def test_an_upload_that_is_cancelled_can_be_taken_up_again(live, people_online, tmp_path):
    alice = people.alice()
    job = upload_job(alice)
    make.jpeg(tmp_path / "a.jpg")
    noise_bitmap(tmp_path / "b.bmp")
    page = people_online.open(f"/jobs/{job.pk}/add/", user=alice)
    begin_and_break_off(page, tmp_path / "a.jpg", tmp_path / "b.bmp")

    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-upload-failed]")).to_have_text("1 file was not uploaded.")
    expect(page.locator("[data-upload-files] li")).to_contain_text("Cancelled")
    picture(page, "upload-cancelled")
    page.unroute_all()
    page.get_by_role("button", name="Try them again").click()

    expect(tiles(page)).to_have_count(2, timeout=30_000)
    assert (make.folder_of(job) / "b.bmp").stat().st_size == (tmp_path / "b.bmp").stat().st_size
    assert live.is_healthy()


def test_an_upload_that_is_cancelled_can_be_left_alone(live, people_online, tmp_path):
    alice = people.alice()
    job = upload_job(alice)
    make.jpeg(tmp_path / "a.jpg")
    noise_bitmap(tmp_path / "b.bmp")
    page = people_online.open(f"/jobs/{job.pk}/add/", user=alice)
    begin_and_break_off(page, tmp_path / "a.jpg", tmp_path / "b.bmp")

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Go on without them").click()

    expect(tiles(page)).to_have_count(1)
    assert [path.name for path in make.folder_of(job).iterdir()] == ["a.jpg"]
    assert not list(unfinished._all_parts().rglob("*.part"))
    assert live.is_healthy()


def test_after_a_reload_the_same_file_goes_on(live, people_online, tmp_path):
    alice = people.alice()
    job = upload_job(alice)
    noise_bitmap(tmp_path / "b.bmp")
    page = people_online.open(f"/jobs/{job.pk}/add/", user=alice)
    page.on("dialog", lambda dialog: dialog.accept())
    begin_and_break_off(page, tmp_path / "b.bmp")

    page.goto(f"/jobs/{job.pk}/add/")
    page.unroute_all()
    sent: list[str] = []
    page.on("request", lambda request: request.method == "PUT" and sent.append(request.url))
    choose(page, tmp_path / "b.bmp")
    page.get_by_role("button", name="Upload").click()

    expect(tiles(page)).to_have_count(1, timeout=30_000)
    offsets = [int(parse_qs(urlsplit(url).query)["offset"][0]) for url in sent]
    assert offsets == [PART, 2 * PART]
    assert live.is_healthy()
